"""DropoutWrapper: drops numbers of a cell's inputs, state and output at random, and their gradients with them."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, LSTMStateTuple, VariableScope
from dynamic_rnn_spec.vocabulary.structure import children_of, flatten, is_sequence, pack_sequence_as

from ..arrays import Array, is_array
from ..dtypes import as_dtype, describe_type
from ..sequence import current_sequence
from ..sizes import row_dims
from .noise import UniformNoise
from .options import flag, keep_probability, optional_function
from .weighted import quiet
from .wrapper import Wrapper


class _Drops(NamedTuple):
    """Functions that drop the inputs, new state and output of one step, and their gradients in the same places."""

    inputs: Callable[[Any], Any]
    state: Callable[[Any], Any]
    output: Callable[[Any], Any]


class DropoutWrapper(Wrapper):
    """The wrapped cell with dropout: a value v becomes ``v / keep * floor(keep + U)``, U uniform in [0, 1) [EQ-9].

    The inputs are dropped before the cell, the new state and the output after it; lengths take effect after all of
    that. The dropped state is what the next step is given, the dropped output is not.

    Args:
        cell: the wrapped cell.
        input_keep_prob, output_keep_prob, state_keep_prob: in (0, 1]; 1 drops nothing and draws nothing [EQ-18,
            EQ-19].
        variational_recurrent: False: new noise for each step and row. True: one draw [1, ...] per leaf for all steps
            and rows of a call of dynamic_rnn (Gal and Ghahramani, 2016) [EQ-10]. A loop by hand opens
            ``new_sequence()`` around its steps.
        input_size: sizes of the inputs' leaves, as in ``state_size``; needed, and used, with
            ``variational_recurrent`` when inputs are dropped.
        dtype: of inputs, state and output; needed, and used, with ``variational_recurrent``.
        seed: an integer of at least 0; two wrappers made with the same seed draw the same noise. None: fresh entropy.
        dropout_state_filter_visitor: ``visitor(part)`` is called on the new state and, where it says so, on its
            parts: True drops all of the part, False none of it, and a container of such, of the part's own form,
            tells for each of its members. None: all but the c of an LSTMStateTuple [EQ-20].

    ``uniform(purpose, leaf, shape, dtype)`` is where the noise comes from, and may be replaced: purpose "input",
    "state" or "output", ``leaf`` the place among the flattened leaves. It is asked once per step and leaf, or once
    per sequence and leaf.

    Raises:
        TypeError: ``cell`` is no cell [CELL-2, CELL-3], an option is of a wrong type [EQ-9, EQ-10, EQ-18, EQ-20].
        ValueError: a keep probability is out of range [EQ-18]; variational dropout lacks dtype or input_size [EQ-10].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.DropoutWrapper``.
    """

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: Any = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: Any = None,
        dropout_state_filter_visitor: Any = None,
    ) -> None:
        super().__init__(cell)
        self._keep = {
            "input": keep_probability("input_keep_prob", input_keep_prob),
            "state": keep_probability("state_keep_prob", state_keep_prob),
            "output": keep_probability("output_keep_prob", output_keep_prob),
        }
        self._variational = flag("variational_recurrent", variational_recurrent, "EQ-10")
        self._noise_dtype = None if dtype is None else as_dtype(dtype)
        self._input_dims = [] if input_size is None else row_dims("input_size", input_size)
        if self._variational and dtype is None:
            raise ArgumentValueError("dtype", "a dtype, since variational_recurrent is True", "None", "EQ-10")
        if self._variational and input_size is None and self._keep["input"] < 1:
            wanted = "sizes, since variational_recurrent is True and inputs are dropped"
            raise ArgumentValueError("input_size", wanted, "None", "EQ-10")
        visitor = optional_function("dropout_state_filter_visitor", dropout_state_filter_visitor, "EQ-20")
        self._visitor = visitor or _all_but_c
        self._sequence: object | None = None
        self._drawn: dict[tuple[str, int], Array] = {}
        self.uniform: Callable[[str, int, tuple[int, ...], Any], Array] = UniformNoise(seed)

    def __call__(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> tuple[Any, Any]:
        """One step of the wrapped cell between the drops.

        Raises:
            TypeError: a leaf to be dropped is not of a floating dtype [EQ-9], or of another than the variational
                noise [EQ-10]; the visitor answers with neither bools nor a container of them [EQ-20].
            ValueError: inputs of other sizes than ``input_size`` [EQ-10].
        """
        result, _ = self._forward(lambda x, old: self._cell(x, old, scope), inputs, state)  # VAR-6
        return result

    def vjp(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> Any:
        """The step, and how to pull gradients back through it with the very noise that dropped its values [GRAD-17]."""
        pulls: list[Any] = []

        def step(x: Any, old: Any) -> Any:
            result, pull = self._cell.vjp(x, old, scope)
            pulls.append(pull)
            return result

        result, drops = self._forward(step, inputs, state)
        return result, partial(_pull, pulls[0], drops)

    def _forward(self, step: Callable[[Any, Any], Any], inputs: Any, state: Any) -> tuple[tuple[Any, Any], _Drops]:
        """The step between the drops, and the drops; ``step(x, old)`` is the wrapped cell's (output, new_state)."""
        drop_inputs = self._drop("input", inputs, _everything)
        output, new_state = step(drop_inputs(inputs), state)
        drop_state = self._drop("state", new_state, self._visitor)
        drop_output = self._drop("output", output, _everything)
        return (drop_output(output), drop_state(new_state)), _Drops(drop_inputs, drop_state, drop_output)

    def _drop(self, purpose: str, structure: Any, visitor: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Draw noise for the leaves that the visitor chooses, and give the function that drops them by it."""
        keep = self._keep[purpose]
        if keep == 1:  # EQ-19
            return lambda v: v
        flat = flatten(structure)
        if self._variational and purpose == "input" and len(flat) != len(self._input_dims):
            wanted = f"{len(self._input_dims)} arrays, as input_size says"
            raise ArgumentValueError("inputs", wanted, str(len(flat)), "EQ-10")
        noise = [
            self._noise(purpose, index, leaf) if drop else None
            for index, (leaf, drop) in enumerate(zip(flat, _chosen(structure, visitor), strict=True))
        ]
        return partial(_dropped, keep, noise)

    def _noise(self, purpose: str, index: int, v: Any) -> Array:
        if not is_array(v) or v.dtype.kind != "f":
            got = str(v.dtype) if is_array(v) else describe_type(v)
            raise ArgumentTypeError(purpose, "arrays of a floating dtype to drop", got, "EQ-9")
        if self._variational:
            return self._variational_noise(purpose, index, v)  # [1, ...]
        return self.uniform(purpose, index, v.shape, v.dtype)  # [B, ...]

    def _variational_noise(self, purpose: str, index: int, v: Array) -> Array:
        """The draw [1, ...] of this sequence for one leaf, made when it is first needed."""
        if v.dtype != self._noise_dtype:
            raise ArgumentTypeError(purpose, f"dtype {self._noise_dtype}, the one of the noise", str(v.dtype), "EQ-10")
        if purpose == "input" and v.shape[1:] != self._input_dims[index]:
            wanted = f"rows of shape {self._input_dims[index]}, as input_size says"
            raise ArgumentValueError("inputs", wanted, str(v.shape[1:]), "EQ-10")
        if current_sequence() is not self._sequence:
            self._sequence = current_sequence()
            self._drawn = {}
        if (purpose, index) not in self._drawn:
            self._drawn[purpose, index] = self.uniform(purpose, index, (1, *v.shape[1:]), v.dtype)  # EQ-10
        return self._drawn[purpose, index]


def _pull(pull_cell: Any, drops: _Drops, d_output: Any, d_new_state: Any) -> Any:
    """A gradient is dropped as its value was [GRAD-17]: those of output and new state before the cell's pull."""
    d_dropped, d_state, d_variables = pull_cell(drops.output(d_output), drops.state(d_new_state))
    return drops.inputs(d_dropped), d_state, d_variables


def _dropped(keep: float, noise: list[Array | None], structure: Any) -> Any:
    """A structure of values, or of their gradients, in which every leaf with noise is dropped."""
    leaves = zip(flatten(structure), noise, strict=True)
    return pack_sequence_as(structure, [v if U is None or v is None else _thinned(v, keep, U) for v, U in leaves])


@quiet()
def _thinned(v: Array, keep: float, U: Array) -> Any:
    """The equation of dropout for v: [B, ...] and U: [B, ...] or [1, ...] [EQ-9]."""
    return v / keep * np.floor(keep + U)


def _everything(part: Any) -> bool:
    return True


def _all_but_c(part: Any) -> Any:
    return LSTMStateTuple(c=False, h=True) if isinstance(part, LSTMStateTuple) else True  # EQ-20: never the c


def _chosen(part: Any, visitor: Callable[[Any], Any]) -> list[bool]:
    """Whether the visitor wants it dropped, for each leaf of ``part`` [EQ-20]."""
    answer = visitor(part)
    if not is_sequence(part):
        return [_as_bool(answer)]
    if not is_sequence(answer):
        if not _as_bool(answer):
            return [False] * len(flatten(part))
        answers = [True] * len(children_of(part))
    else:
        answers = [_as_bool(one) for _, one in children_of(answer)]
    members = [member for _, member in children_of(part)]
    if len(answers) != len(members):
        wanted = f"{len(members)} bools from dropout_state_filter_visitor"
        raise ArgumentTypeError("dropout_state_filter_visitor", wanted, str(len(answers)), "EQ-20")
    chosen: list[bool] = []
    for drop, member in zip(answers, members, strict=True):
        chosen.extend(_chosen(member, visitor) if drop else [False] * len(flatten(member)))  # EQ-20
    return chosen


def _as_bool(answer: Any) -> bool:
    if not isinstance(answer, (bool, np.bool_)):
        wanted = "a bool, or bools in the form of the part"
        raise ArgumentTypeError("dropout_state_filter_visitor", wanted, describe_type(answer), "EQ-20")
    return bool(answer)
