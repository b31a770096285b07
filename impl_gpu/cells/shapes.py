"""Which cells can do a step on shapes alone, and that step; it refuses to know what a path does afterwards."""

from typing import Any

from dynamic_rnn_spec import VariableScope, variable_scope
from dynamic_rnn_spec.structure import pack_sequence_as

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
_REPLACED = {"__call__", "build", "call", "zero_state"}
"""Methods that an instance may have for itself; it is no built-in cell any more then."""


def steps_on_shapes(cell: Any) -> bool:
    """Whether ``cell`` consists of built-in cells, by their exact types, and calls no function of the user's."""
    if not _REPLACED.isdisjoint(vars(cell)):
        return False
    kind = type(cell)
    if kind is DeviceWrapper:
        return steps_on_shapes(cell._cell)
    if kind is DropoutWrapper:
        return (cell._keep["state"] == 1 or cell._visitor is all_but_c) and steps_on_shapes(cell._cell)
    if kind is ResidualWrapper:
        return cell._residual_fn is add and steps_on_shapes(cell._cell)
    if kind is MultiRNNCell:
        return all(steps_on_shapes(inner) for inner in cell._cells)
    return kind in _LEAVES


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
    with variable_scope(opened):
        result = cell(inputs, state)
    return check_returned(result, state, given, [])


def _step_of(known: Abstract, batch_size: int) -> Abstract:
    return Abstract((batch_size, *known.shape[2:]), known.dtype)
