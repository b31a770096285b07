"""Tells which cells compute every row by itself, whatever the other rows hold."""

from typing import Any

from .basic_lstm import BasicLSTMCell
from .basic_rnn import BasicRNNCell
from .device import DeviceWrapper
from .dropout import DropoutWrapper
from .gru import GRUCell
from .lstm import LSTMCell
from .multi_rnn import MultiRNNCell
from .residual import ResidualWrapper, add
from .shapes import replaced_method

_LEAVES = (BasicRNNCell, BasicLSTMCell, GRUCell, LSTMCell)
_WRAPPERS = (DeviceWrapper, DropoutWrapper, ResidualWrapper)


def is_row_wise(cell: Any) -> bool:
    """Whether it is built-in all through, by the exact types: what is the user's may mix the rows."""
    kind = type(cell)
    if replaced_method(cell) is not None:
        return False
    if kind is ResidualWrapper and cell._residual_fn is not add:
        return False
    if kind in _WRAPPERS:
        return is_row_wise(cell._cell)
    return all(map(is_row_wise, cell._cells)) if kind is MultiRNNCell else kind in _LEAVES
