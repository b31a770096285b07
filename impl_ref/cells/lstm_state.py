"""Splits and joins an LSTM's state, which is a tuple (c, h) or one array with c to the left."""

from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, LSTMStateTuple

from ..arrays import Array
from ..dtypes import describe_type
from .weighted import check_one_array, side_by_side


def state_size_of(c_columns: int, h_columns: int, as_tuple: bool) -> LSTMStateTuple | int:
    """The state_size of a cell with such a state [STATE-5, STATE-6]."""
    return LSTMStateTuple(c_columns, h_columns) if as_tuple else c_columns + h_columns


def split_state(state: Any, c_columns: int, as_tuple: bool) -> tuple[Any, Any]:
    """(c, h) of a state in either form.

    Raises:
        TypeError: a tuple is wanted and something else came, or the other way round [INIT-9].
        ValueError: a tuple of other than two parts [INIT-9], or an array without columns [INIT-8].
    """
    if not as_tuple:
        check_one_array(state)
        return state[:, :c_columns], state[:, c_columns:]
    if not isinstance(state, (tuple, list)):
        raise ArgumentTypeError("state", "a tuple (c, h)", describe_type(state), "INIT-9")
    if len(state) != 2:
        raise ArgumentValueError("state", "a tuple (c, h)", f"{len(state)} parts", "INIT-9")
    return state[0], state[1]


def join_state(c: Array, h: Array, as_tuple: bool) -> Any:
    """The new state in the form of the old one [EQ-15]."""
    return LSTMStateTuple(c, h) if as_tuple else side_by_side(c, h)
