"""Takes a step on shapes alone, and tells which cells can do that."""

from typing import Any

from dynamic_rnn_spec import VariableScope, variable_scope
from dynamic_rnn_spec.vocabulary.structure import pack_sequence_as

from ..abstract import Abstract
from ..arguments import Arguments
from ..returned import check_returned
from ..zero_state import starting_shapes
from .basic_lstm import BasicLSTMCell
from .basic_rnn import BasicRNNCell
from .device import DeviceWrapper
from .dropout import DropoutWrapper, all_but_c
from .gru import GRUCell
from .lstm import LSTMCell
from .multi_rnn import MultiRNNCell
from .residual import ResidualWrapper, add

_LEAVES = (BasicRNNCell, BasicLSTMCell, GRUCell, LSTMCell)
_REPLACED = ("__call__", "build", "call", "call_vjp", "vjp", "zero_state")
"""Methods that an instance may have for itself; it is no built-in cell any more then."""


def why_not_on_shapes(cell: Any) -> str | None:
    """What keeps ``cell`` from a step on shapes; None: it can do one.

    Built-in cells can, by their exact types: a subclass or a replaced method may do anything, and so may functions of
    the user's, of which only activations leave shapes alone.
    """
    kind, name = type(cell), type(cell).__name__
    replaced = replaced_method(cell)
    if replaced is not None:
        return f"a {name} whose {replaced} is replaced"
    if kind is ResidualWrapper and cell._residual_fn is not add:
        return "a ResidualWrapper with a residual_fn"
    if kind is DropoutWrapper and cell._keep["state"] < 1 and cell._visitor is not all_but_c:
        return "a DropoutWrapper with a dropout_state_filter_visitor"
    if kind in (DeviceWrapper, DropoutWrapper, ResidualWrapper):
        return why_not_on_shapes(cell._cell)
    if kind is MultiRNNCell:
        return next(filter(None, map(why_not_on_shapes, cell._cells)), None)
    return None if kind in _LEAVES else f"a cell of type {name}"


def replaced_method(cell: Any) -> str | None:
    """The name of a method that this instance has for itself; None: it has none."""
    return next((method for method in _REPLACED if method in vars(cell)), None)


def step_on_shapes(cell: Any, given: Arguments, opened: VariableScope) -> tuple[list[Abstract], Any]:
    """The first step without values: makes the variables in their scopes, and refuses what a step would refuse.

    Returns:
        The shapes and dtypes of the outputs' leaves, and those of the new state in the structure of state_size.

    Raises:
        TypeError, ValueError: what the cell raises of its inputs, its state or its variables; what ``check_returned``
            raises of the shapes and dtypes that come out.
    """
    leaves = [_step_of(known, given.batch_size) for known in given.input_shapes]
    inputs = pack_sequence_as(given.structure, leaves)
    state = starting_shapes(given)
    with variable_scope(opened):  # by the scope's own rule of reuse
        result = cell(inputs, state)
    return check_returned(result, state, given, [])


def _step_of(known: Abstract, batch_size: int) -> Abstract:
    return Abstract((batch_size, *known.shape[2:]), known.dtype)
