"""Splits and joins the two forms of an LSTM's state: a tuple (c, h), and one array with c to the left."""

from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, LSTMStateTuple

from ..abstract import column_range
from ..dtypes import describe_value
from .weighted import check_one_array, side_by_side


def state_size_of(c_columns: int, h_columns: int, as_tuple: bool) -> LSTMStateTuple | int:
    """The state_size in that form [STATE-5, STATE-6]."""
    return LSTMStateTuple(c_columns, h_columns) if as_tuple else c_columns + h_columns


def split_state(state: Any, c_columns: int, as_tuple: bool) -> tuple[Any, Any]:
    """(c, h) of a state in that form; a tuple or list of two serves for the LSTMStateTuple.

    Raises:
        TypeError: the other form came, or neither [INIT-9].
        ValueError: a tuple of other than two [INIT-9]; an array that is not [B, columns] [INIT-8].
    """
    if as_tuple:
        if not isinstance(state, (tuple, list)):
            raise ArgumentTypeError("state", "a tuple (c, h)", describe_value(state), "INIT-9")
        if len(state) != 2:
            raise ArgumentValueError("state", "a tuple (c, h)", f"{len(state)} parts", "INIT-9")
        c, h = state
        return c, h
    check_one_array(state)
    return column_range(state, 0, c_columns), column_range(state, c_columns, max(c_columns, state.shape[1]))


def join_state(c: Any, h: Any, as_tuple: bool) -> Any:
    """(c, h) in that form [EQ-15]."""
    return LSTMStateTuple(c, h) if as_tuple else side_by_side(c, h)
