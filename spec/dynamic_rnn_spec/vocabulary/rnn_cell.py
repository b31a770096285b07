"""Defines RNNCell, the protocol that every cell keeps and adds its arithmetic to, and LSTMStateTuple.

A cell that a user writes against this class runs on every implementation: ``call`` takes its functions from
``array_module(inputs)``, and ``add_variable`` gives it weights, which it reads in the module of its inputs.
"""

import abc
import contextlib
import re
from collections import namedtuple
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from .array_module import array_module
from .errors import ArgumentTypeError, ArgumentValueError
from .initializers import GlorotUniform
from .pulled import check_step_and_pull, check_triple, describe
from .structure import flatten, map_structure
from .variable_scope import (
    Initializer,
    Variable,
    VariableScope,
    default_store,
    get_variable,
    get_variable_scope,
    variable_scope,
)

LSTMStateTuple = namedtuple("LSTMStateTuple", ("c", "h"))
LSTMStateTuple.__doc__ = (
    "The state of an LSTM cell: ``c`` [batch, units], the cell; ``h`` [batch, outputs], what it emits."
)


class RNNCell(abc.ABC):
    """A cell: ``output, new_state = cell(inputs, state)`` for one step of the whole batch.

    A subclass defines ``state_size`` and ``output_size`` (an integer, a TensorShape, or a nested structure of them) and
    ``call(inputs, state)``; one with weights makes them in ``build(inputs_shape)`` by ``add_variable``. Leaves of
    inputs, state and output are arrays [batch, ...].

    Args:
        trainable: whether the variables are to be trained.
        name: the scope of the variables; None is the class name in snake case [VAR-7].
        dtype: the dtype of the variables; None is the dtype of the first inputs [VAR-13].
        reuse: None, True or AUTO_REUSE: whether variables that exist in the scope are shared.

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.RNNCell``.
    """

    # Defaults for a subclass whose __init__ does not call this one's.
    trainable: bool = True
    name: Optional[str] = None
    dtype: Any = None
    reuse: Union[None, bool, str] = None
    built: bool = False
    _variables: Tuple[Variable, ...] = ()
    _scope: Optional[VariableScope] = None
    _initial_dtype: Any = None

    def __init__(
        self,
        trainable: bool = True,
        name: Optional[str] = None,
        dtype: Any = None,
        reuse: Union[None, bool, str] = None,
    ) -> None:
        self.trainable = trainable
        self.name = name
        self.dtype = None if dtype is None else np.dtype(dtype)
        self.reuse = reuse
        self._initial_dtype = self.dtype

    @property
    @abc.abstractmethod
    def state_size(self) -> Any:
        """The size of one row of each leaf of the state."""

    @property
    @abc.abstractmethod
    def output_size(self) -> Any:
        """The size of one row of each leaf of the output."""

    @property
    def variables(self) -> Sequence[Variable]:
        """What ``add_variable`` has made or shared, in that order; a cell of cells overrides it."""
        return self._variables

    def build(self, inputs_shape: Any) -> None:
        """Make the variables; called once, before the first ``call``, with the shape of each leaf of the inputs (a
        tuple [batch, ...])."""

    def call(self, inputs: Any, state: Any) -> Any:
        """One step: ``(output, new_state)`` from inputs [batch, ...] and state."""
        raise TypeError("{}: a cell defines call(inputs, state)".format(type(self).__name__))

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        """The state before the first step; a cell that starts otherwise overrides it.

        Raises:
            TypeError: this class has no arrays of its own; each implementation makes the zero state of such a cell
                [CELL-9].
        """
        raise TypeError(
            "{}.zero_state: arrays belong to an implementation: call impl_ref.zero_state(cell, batch_size, dtype) "
            "or derive the cell from impl_ref.RNNCell".format(type(self).__name__)
        )

    def __call__(self, inputs: Any, state: Any, scope: Union[None, str, VariableScope] = None) -> Any:
        """One step of the batch; the first call fixes the scope and makes the variables.

        Args:
            inputs: leaves [batch, ...].
            state: leaves [batch, ...] in the structure of ``state_size``.
            scope: where the variables live; None: the open scope and below it the cell's own name. It has no effect
                on a cell that has its variables [SCOPE-11].

        Returns:
            The pair (output, new_state).
        """
        return self._step(self.call, inputs, state, scope)

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        """One step and its pull (the pullback, or VJP); a cell that is to be trained has it beside ``call``.

        Args:
            inputs, state: what ``call`` is given.

        Returns:
            ``(output, new_state), pull``: what ``call`` returns, and a function. ``pull(d_output, d_new_state)`` takes
            the gradients of output and new state, in their structures, and returns ``(d_inputs, d_state,
            d_variables)``: those of inputs and state in theirs, and a dict with the gradient of every variable, by
            the weight that ``add_variable`` returned or, from the pull of an inner cell's ``vjp``, by name. An array
            without a floating dtype has None for its gradient, and such a variable may be left out; None for a
            floating one counts as zeros. ``pull`` may be called more than once.

        Raises:
            TypeError: the cell has none of its own [GRAD-20].
        """
        raise cannot_pull_back(self)

    def vjp(self, inputs: Any, state: Any, scope: Union[None, str, VariableScope] = None) -> Any:
        """What ``cell(inputs, state)`` gives, and how to pull gradients back through it.

        Args:
            inputs, state, scope: as for calling the cell.

        Returns:
            ``(output, new_state), pull`` as ``call_vjp`` has it, but d_variables by the variables' names.

        Raises:
            TypeError: the cell, or one that it is made of, can't pull gradients back [GRAD-20]; ``call_vjp``, or later
                the pull, gives something else [GRAD-5], or gradients by other keys [GRAD-3].
            ValueError, by the pull: a floating variable is left out [GRAD-3], or the gradient of a weight in parts has
                another shape [GRAD-5].
        """
        lacking = self.without_vjp()
        if lacking is not None:
            raise cannot_pull_back(lacking)
        result, pull = self._step(lambda x, s: check_step_and_pull(self.call_vjp(x, s)), inputs, state, scope)

        def pull_by_name(d_output: Any, d_new_state: Any) -> Any:
            d_inputs, d_state, d_weights = check_triple(pull(d_output, d_new_state))
            d_variables = _by_name(d_weights)
            for variable in self.variables:
                if variable.name not in d_variables and _has_gradient(variable.dtype):
                    wanted = "a gradient, or None, for {} from the pull of call_vjp".format(variable.name)
                    raise ArgumentValueError("cell", wanted, "no such key", "GRAD-3")
            return d_inputs, d_state, d_variables

        return result, pull_by_name

    def without_vjp(self) -> "Optional[RNNCell]":
        """The first cell that can't pull gradients back, of this one and those it is made of; None where all can.

        A class can only where its ``call_vjp`` was written for its ``call``, and its ``vjp`` for its ``__call__``: a
        subclass that overrides one of them alone can't. A cell of cells overrides this and asks them too.
        """
        cls = type(self)
        written = _as_derived(cls, "call_vjp", "call") and _as_derived(cls, "vjp", "__call__")
        own = cls.call_vjp is not RNNCell.call_vjp or cls.vjp is not RNNCell.vjp
        return None if written and own else self

    def _step(
        self, call: Callable[[Any, Any], Any], inputs: Any, state: Any, scope: Union[None, str, VariableScope]
    ) -> Any:
        if self.built:  # SCOPE-11: so it keeps its variables under whatever scope
            with self._entered(scope):
                return call(inputs, state)
        with default_store().transaction(), self._entered(scope):
            self._build(inputs)
            return call(inputs, state)

    @contextlib.contextmanager
    def _entered(self, scope: Union[None, str, VariableScope]) -> Iterator[None]:
        with contextlib.ExitStack() as opened:
            if scope is None:
                # A scope that is entered anew doesn't number what is opened in it, so a second cell of this name finds
                # the variables taken, or shares them [SCOPE-6].
                opened.enter_context(variable_scope(get_variable_scope()))
            own = opened.enter_context(self._own_scope(scope))
            if self._scope is None:
                default_store().on_rollback(self._unbuild)
                self._scope = own
            yield

    def _own_scope(self, scope: Union[None, str, VariableScope]) -> "contextlib.AbstractContextManager[VariableScope]":
        if self._scope is not None:
            return variable_scope(self._scope, reuse=True if self.built else self.reuse)
        if scope is not None:
            return variable_scope(scope, reuse=self.reuse)
        if self.reuse:
            return variable_scope(self._base_name(), reuse=self.reuse)
        return variable_scope(None, default_name=self._base_name())

    def _base_name(self) -> str:
        return self.name or snake_case(type(self).__name__)  # SCOPE-13, VAR-7

    def _build(self, inputs: Any) -> None:
        leaves = flatten(inputs)
        if self.dtype is None and leaves:
            dtype = np.dtype(getattr(leaves[0], "dtype", np.float32))
            self.dtype = dtype if dtype.isnative else dtype.newbyteorder("=")  # VAR-13
        self.build(map_structure(lambda leaf: tuple(np.shape(leaf)), inputs))
        self.built = True  # SCOPE-5

    def _unbuild(self) -> None:
        self._scope = None
        self.built = False
        self._variables = ()
        self.dtype = self._initial_dtype

    def add_variable(
        self,
        name: str,
        shape: Sequence[int],
        dtype: Any = None,
        initializer: Optional[Initializer] = None,
        trainable: bool = True,
        partitions: Optional[int] = None,
    ) -> "Weight":
        """A variable of this cell, made or shared by the rules of its scope.

        Args:
            name: below the cell's scope.
            shape, dtype: of the whole; dtype None is the cell's.
            initializer: None is the scope's, else glorot uniform.
            trainable: whether it is to be trained (and only if the cell is).
            partitions: split on axis 0 into that many variables ``name/part_<k>`` [VAR-15].

        Returns:
            A Weight: ``weight.read(like)`` is the whole array in the module of ``like``.

        Raises:
            ValueError, TypeError: the rules of reuse and shapes, see VariableStore.get.
        """
        chosen = self.dtype if dtype is None else dtype  # VAR-13
        chosen = np.float32 if chosen is None else chosen
        trained = trainable and self.trainable
        if partitions is None:
            made = [get_variable(name, shape, chosen, initializer, trained)]
        else:
            if initializer is None and get_variable_scope().initializer is None:
                initializer = GlorotUniform(full_shape=shape)
            sizes = part_sizes(shape[0], partitions)
            parts = [(size, *shape[1:]) for size in sizes]
            made = [
                get_variable("{}/part_{}".format(name, index), part, chosen, initializer, trained)
                for index, part in enumerate(parts)
            ]
        self._variables = tuple(self._variables) + tuple(made)
        return Weight(made)


class Weight:
    """What a cell computes with: one variable, or the parts of a partitioned one joined on axis 0."""

    def __init__(self, parts: Sequence[Variable]) -> None:
        self.parts = tuple(parts)

    @property
    def shape(self) -> "tuple[int, ...]":
        """The shape of the whole."""
        return (
            (sum(part.shape[0] for part in self.parts), *self.parts[0].shape[1:])
            if len(self.parts) > 1
            else self.parts[0].shape
        )

    def read(self, like: Any = None) -> Any:
        """The value as one array of the module that ``like`` belongs to: NumPy for NumPy or None."""
        if len(self.parts) == 1:
            return self.parts[0].read(like)
        module = np if like is None else array_module(like)
        return module.concatenate([part.read(like) for part in self.parts], axis=0)

    def apart(self, gradient: Any) -> List[Tuple[str, Any]]:
        """A gradient of the whole as gradients of the variables, each with its name: of parts, the rows of each.

        Raises:
            TypeError: that of a weight in parts is no array [GRAD-5].
            ValueError: it has another shape than the weight [GRAD-5].
        """
        if gradient is None or len(self.parts) == 1:
            return [(part.name, gradient) for part in self.parts]
        whole = self.parts[0].name.rsplit("/", 1)[0]
        if not hasattr(gradient, "shape"):
            raise ArgumentTypeError("cell", "an array for the gradient of " + whole, describe(gradient), "GRAD-5")
        shape = tuple(gradient.shape)
        if shape != self.shape:
            wanted = "shape {} in the gradient of {}".format(self.shape, whole)
            raise ArgumentValueError("cell", wanted, str(shape), "GRAD-5")
        pieces, start = [], 0
        for part in self.parts:
            pieces.append((part.name, gradient[start : start + part.shape[0]]))
            start += part.shape[0]
        return pieces

    def __array__(self, *args: Any, **kwargs: Any) -> "np.ndarray[Any, Any]":
        raise TypeError("a weight is no array: weight.read(like) gives its value in the module of like")


def cannot_pull_back(cell: RNNCell) -> ArgumentTypeError:
    """The error for a cell that is asked for gradients and can't give them [GRAD-20]."""
    name = type(cell).__name__
    wanted = "a cell with a method call_vjp(inputs, state) written for its call"
    return ArgumentTypeError("cell", wanted, "{} without one".format(name), "GRAD-20")


def _as_derived(cls: type, attribute: str, other: str) -> bool:
    """Whether ``attribute`` is defined in the class that defines ``other``, or in one derived from that."""
    order = cls.__mro__
    defines = {name: next(i for i, c in enumerate(order) if name in vars(c)) for name in (attribute, other)}
    return defines[attribute] <= defines[other]


def _by_name(gradients: Any) -> Dict[str, Any]:
    """Gradients by the names of variables; of one that stands under several keys, the sum."""
    named: Dict[str, Any] = {}
    for key, gradient in gradients.items():
        if isinstance(key, str):
            pieces = [(key, gradient)]
        elif isinstance(key, Weight):
            pieces = key.apart(gradient)
        else:
            wanted = "what add_variable returned, or names, as keys of d_variables from the pull of call_vjp"
            got = "the Variable " + key.name if isinstance(key, Variable) else describe(key)
            raise ArgumentTypeError("cell", wanted, got, "GRAD-3")
        for name, piece in pieces:
            before = named.get(name)
            named[name] = piece if before is None else before if piece is None else before + piece
    return named


def _has_gradient(dtype: Any) -> bool:
    """Whether a variable of that dtype has a gradient; NumPy does not count ml_dtypes' bfloat16 as floating."""
    return dtype.kind in "fc" or dtype.name == "bfloat16"


def part_sizes(rows: int, partitions: int) -> List[int]:
    """The sizes of the parts of an axis: as even as can be, longer ones first, 8 rows in 3 parts being 3, 3, 2.

    Raises:
        ValueError: fewer rows than parts, or no part at all.
    """
    if partitions < 1 or partitions > rows:
        raise ArgumentValueError("partitions", "1 to {} parts".format(rows), str(partitions), "VAR-15")
    size, longer = divmod(rows, partitions)
    return [size + 1] * longer + [size] * (partitions - longer)


def snake_case(name: str) -> str:
    """The default scope of a cell of that class name: ``BasicLSTMCell`` is ``basic_lstm_cell`` [VAR-7]."""
    split = re.sub("(.)([A-Z][a-z0-9]+)", lambda match: match.group(1) + "_" + match.group(2), name)
    lowered = re.sub("([a-z])([A-Z])", lambda match: match.group(1) + "_" + match.group(2), split).lower()
    return "private" + lowered if lowered.startswith("_") else lowered
