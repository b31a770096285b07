"""Tells which cells compute every row by itself, so that a row that doesn't count may hold anything."""

from typing import Any

from .basic_lstm import BasicLSTMCell
from .basic_rnn import BasicRNNCell
from .device import DeviceWrapper
from .dropout import DropoutWrapper
from .gru import GRUCell
from .lstm import LSTMCell
from .multi_rnn import MultiRNNCell
from .residual import ResidualWrapper, adds


def is_row_wise(cell: Any) -> bool:
    """Whether it is a built-in cell through and through: a class or a function of the user's may mix rows."""
    if type(cell) in (BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell):
        return True
    if type(cell) is MultiRNNCell:
        return all(is_row_wise(one) for one in cell._cells)
    if type(cell) is ResidualWrapper and not adds(cell):
        return False
    return type(cell) in (DeviceWrapper, DropoutWrapper, ResidualWrapper) and is_row_wise(cell._cell)
