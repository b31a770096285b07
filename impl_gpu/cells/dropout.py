"""Defines DropoutWrapper, which thins a cell's inputs, state and output by noise."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dynamic_rnn_spec import (
    ArgumentTypeError,
    ArgumentValueError,
    LSTMStateTuple,
    VariableScope,
    array_module,
)
from dynamic_rnn_spec.vocabulary.structure import children_of, flatten, is_sequence, pack_sequence_as

from ..abstract import is_abstract
from ..arrays import described
from ..dtypes import as_dtype, describe_value, is_floating
from ..sequence import current_sequence
from ..sizes import row_dims
from .noise import UniformNoise
from .options import flag, keep_probability, optional_function
from .weighted import number, quiet
from .wrapper import Wrapper


class DropoutWrapper(Wrapper):
    """The wrapped cell with dropout: a value v becomes ``v / keep * floor(keep + U)``, U uniform in [0, 1) [EQ-9].

    Inputs are dropped before the cell, the new state and the output after it, and lengths take effect after that. A
    dropped state is what the next step is given; a dropped output is not.

    Args:
        cell: the wrapped cell.
        input_keep_prob, output_keep_prob, state_keep_prob: in (0, 1]; 1 drops nothing and draws nothing [EQ-18,
            EQ-19].
        variational_recurrent: False: new noise for each step and row. True: one draw [1, ...] per leaf for all rows
            and steps of a call of dynamic_rnn [EQ-10]; a loop by hand opens ``new_sequence()`` around its steps.
        input_size: the sizes of the inputs' leaves, as in ``state_size``; used, and needed, where inputs are dropped
            with ``variational_recurrent``.
        dtype: of inputs, state and output; used, and needed, with ``variational_recurrent``.
        seed: an integer of at least 0: wrappers of the same seed draw the same noise. None: fresh entropy.
        dropout_state_filter_visitor: ``visitor(part)`` is asked of the new state and, where it says so, of its parts:
            True drops all of the part, False none of it, a container of the part's form tells for each member. None:
            all but the c of an LSTMStateTuple [EQ-20].

    ``uniform(purpose, leaf, shape, dtype)`` is where the noise comes from and may be replaced; it gives an array of
    the host or of the device. Purpose is "input", "state" or "output", ``leaf`` the place among the flattened leaves.
    It is asked once for each step and leaf, or once for each sequence and leaf.

    Raises:
        TypeError: ``cell`` is no cell [CELL-2, CELL-3], an option is of a wrong type [EQ-9, EQ-10, EQ-18, EQ-20].
        ValueError: a keep probability is out of range [EQ-18]; variational dropout lacks dtype or input_size [EQ-10].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.DropoutWrapper``; the variational form from Gal and Ghahramani (2016).
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
        if self._variational:
            if dtype is None:
                raise ArgumentValueError("dtype", "a dtype for variational_recurrent=True", "None", "EQ-10")
            if input_size is None and self._keep["input"] < 1:
                wanted = "sizes, for inputs are dropped with variational_recurrent=True"
                raise ArgumentValueError("input_size", wanted, "None", "EQ-10")
        visitor = optional_function("dropout_state_filter_visitor", dropout_state_filter_visitor, "EQ-20")
        self._visitor: Callable[[Any], Any] = visitor or all_but_c
        self._sequence: object | None = None
        self._drawn: dict[tuple[str, int], Any] = {}
        self.uniform: Callable[[str, int, tuple[int, ...], Any], Any] = UniformNoise(seed)

    def __call__(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> tuple[Any, Any]:
        """A step of the wrapped cell between the drops.

        Raises:
            TypeError: what is to be dropped is of no floating dtype [EQ-9], or of another than the variational noise
                [EQ-10]; the visitor gives neither bools nor a container of them [EQ-20].
            ValueError: inputs of other sizes than ``input_size`` [EQ-10].
        """
        x, _ = self._drop("input", inputs)
        output, new_state = self._cell(x, state, scope)  # VAR-6: no scope of its own around it
        new_state, _ = self._drop("state", new_state)
        output, _ = self._drop("output", output)
        return output, new_state

    def vjp(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> Any:
        """The step, and its pull: gradients are dropped by the noise that dropped the values [GRAD-17]."""
        x, pull_inputs = self._drop("input", inputs)
        (output, new_state), pull_cell = self._cell.vjp(x, state, scope)
        new_state, pull_state = self._drop("state", new_state)
        output, pull_output = self._drop("output", output)

        def pull(d_output: Any, d_new_state: Any) -> Any:
            d_x, d_state, d_variables = pull_cell(pull_output(d_output), pull_state(d_new_state))
            return pull_inputs(d_x), d_state, d_variables

        return (output, new_state), pull

    def chosen(self, purpose: str, structure: Any) -> list[bool]:
        """Whether each leaf is dropped: for a state the visitor decides; of inputs and outputs all are."""
        count = len(flatten(structure))
        if self._keep[purpose] == 1:
            return [False] * count
        return _ask(structure, self._visitor) if purpose == "state" else [True] * count

    def noise(self, purpose: str, leaf: int, v: Any) -> Any:
        """U for ``v`` [B, ...], which is leaf number ``leaf``: [B, ...] for this step, or [1, ...] for the sequence.

        ``v`` may be a shape only; the draw is an array of the host or of the device, as ``uniform`` gives it.
        """
        if not self._variational:
            return self.uniform(purpose, leaf, tuple(v.shape), v.dtype)
        if self._sequence is not current_sequence():
            self._sequence, self._drawn = current_sequence(), {}
        if (purpose, leaf) not in self._drawn:
            self._drawn[purpose, leaf] = self.uniform(purpose, leaf, (1, *v.shape[1:]), v.dtype)  # EQ-10
        return self._drawn[purpose, leaf]

    def _drop(self, purpose: str, structure: Any) -> tuple[Any, Callable[[Any], Any]]:
        """The structure with what is chosen of it dropped, and the pull of that."""
        keep = self._keep[purpose]
        if keep == 1:  # EQ-19
            return structure, lambda d_structure: d_structure
        leaves = flatten(structure)
        if self._variational and purpose == "input" and len(leaves) != len(self._input_dims):
            wanted = f"{len(self._input_dims)} arrays, as in input_size"
            raise ArgumentValueError("inputs", wanted, str(len(leaves)), "EQ-10")
        noise = [
            self._noise_of_leaf(purpose, index, v) if drop else None
            for index, (v, drop) in enumerate(zip(leaves, self.chosen(purpose, structure), strict=True))
        ]

        def dropped(values: Any) -> Any:
            pairs = zip(flatten(values), noise, strict=True)
            return pack_sequence_as(values, [_dropped(v, keep, U) for v, U in pairs])

        return dropped(structure), dropped

    def _noise_of_leaf(self, purpose: str, index: int, v: Any) -> Any:
        """U; None where ``v`` is a shape."""
        self._check_leaf(purpose, index, v)
        return None if is_abstract(v) else array_module(v).asarray(self.noise(purpose, index, v))

    def _check_leaf(self, purpose: str, index: int, v: Any) -> None:
        known = described(v)
        if known is None or not is_floating(known.dtype):
            got = describe_value(v) if known is None else str(known.dtype)
            raise ArgumentTypeError(purpose, "arrays of a floating dtype, to be dropped", got, "EQ-9")
        if not self._variational:
            return
        if known.dtype != self._noise_dtype:
            wanted = f"dtype {self._noise_dtype}, which the noise has"
            raise ArgumentTypeError(purpose, wanted, str(known.dtype), "EQ-10")
        if purpose == "input" and known.shape[1:] != self._input_dims[index]:
            wanted = f"rows of shape {self._input_dims[index]}, as in input_size"
            raise ArgumentValueError("inputs", wanted, str(known.shape[1:]), "EQ-10")


def _dropped(v: Any, keep: float, U: Any) -> Any:
    """A value, or its gradient, thinned by noise; without noise as it is."""
    if U is None:
        return v
    with quiet():
        return v / number(keep, v) * array_module(v).floor(U + number(keep, v))  # EQ-9


def all_but_c(part: Any) -> Any:
    """What is dropped of a state where no visitor is given."""
    return LSTMStateTuple(c=False, h=True) if isinstance(part, LSTMStateTuple) else True  # EQ-20: never the c


def _ask(part: Any, visitor: Callable[[Any], Any]) -> list[bool]:
    """For each leaf of ``part`` whether the visitor has it dropped [EQ-20]."""
    answer = visitor(part)
    if not is_sequence(part):
        return [_as_bool(answer)]
    members = [member for _, member in children_of(part)]
    if is_sequence(answer):
        answers = [_as_bool(one) for _, one in children_of(answer)]
    else:
        answers = [_as_bool(answer)] * len(members)
    if len(answers) != len(members):
        wanted = f"{len(members)} bools, one for each member of the part"
        raise ArgumentTypeError("dropout_state_filter_visitor", wanted, str(len(answers)), "EQ-20")
    chosen: list[bool] = []
    for drop, member in zip(answers, members, strict=True):
        chosen += _ask(member, visitor) if drop else [False] * len(flatten(member))  # EQ-20
    return chosen


def _as_bool(answer: Any) -> bool:
    if isinstance(answer, (bool, np.bool_)):
        return bool(answer)
    wanted = "a bool, or a container of bools in the form of the part"
    raise ArgumentTypeError("dropout_state_filter_visitor", wanted, describe_value(answer), "EQ-20")
