"""Tests the state before the first step."""

from typing import Any

import numpy as np

import dynamic_rnn_spec
from dynamic_rnn_spec import LSTMStateTuple, TensorShape
from impl_ref import BasicRNNCell, DropoutWrapper, LSTMCell, MultiRNNCell, RNNCell, dynamic_rnn, zero_state


class Bare(dynamic_rnn_spec.RNNCell):
    """A cell of the bare protocol, which has no arrays of its own."""

    state_size = (2, {"a": TensorShape([1, 3])})
    output_size = ()

    def call(self, inputs: Any, state: Any) -> Any:
        return (), state


class Ones(RNNCell):
    """Starts with ones."""

    state_size = 2
    output_size = ()
    start: Any = staticmethod(lambda batch_size, dtype: np.ones((batch_size, 2), dtype))

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        return self.start(batch_size, dtype)

    def call(self, inputs: Any, state: Any) -> Any:
        return (), state


def test_zeros_in_the_structure_of_state_size() -> None:
    first, second = zero_state(Bare(), 4, "float16")
    assert (first.shape, first.dtype, first.any()) == ((4, 2), np.float16, np.False_)
    assert second["a"].shape == (4, 1, 3)
    state = zero_state(LSTMCell(3), np.int64(2), np.float64)
    assert type(state) is LSTMStateTuple
    assert (state.c.shape, state.c.dtype) == ((2, 3), np.float64)


def test_a_cell_s_own_state_is_used_at_any_depth() -> None:
    stack = MultiRNNCell([DropoutWrapper(Ones()), Bare()])
    ones, zeros = zero_state(stack, 1, np.int32)
    assert ones.tolist() == [[1, 1]]
    assert zeros[1]["a"].tolist() == [[[0, 0, 0]]]
    _, state = dynamic_rnn(Ones(), np.zeros((1, 1)), dtype=np.int64)
    assert (state.tolist(), state.dtype) == ([[1, 1]], np.int64)


def test_wrong_arguments_are_refused(refused: Any) -> None:
    for batch_size, got in [(2.0, "2.0"), (True, "True"), (None, "None")]:
        with refused(TypeError, "batch_size", "an integer", got, "CELL-9"):
            zero_state(BasicRNNCell(2), batch_size, np.float32)
    with refused(ValueError, "batch_size", "at least 0", "-1", "CELL-9"):
        zero_state(BasicRNNCell(2), -1, np.float32)
    wanted = "a NumPy dtype, a NumPy scalar type or the name of one"
    with refused(TypeError, "dtype", wanted, "None", "DTYPE-12"):
        zero_state(BasicRNNCell(2), 1, None)


def test_what_a_cell_may_not_start_with(refused: Any) -> None:
    cell = Ones()
    cell.start = lambda batch_size, dtype: (0.0,)
    with refused(TypeError, "cell", "a zero_state of arrays at [0]", "0.0", "CELL-9"):
        dynamic_rnn(cell, np.zeros((2, 1)), dtype=np.float32)
    cell.start = lambda batch_size, dtype: np.zeros((1, 2), dtype)
    assert dynamic_rnn(cell, np.zeros((2, 1)), dtype=np.float32)[1].shape == (1, 2)
    with refused(ValueError, "cell", "a zero_state of 2 rows, one for each length", "shape (1, 2)", "CELL-9"):
        dynamic_rnn(cell, np.zeros((2, 1)), [1, 1], dtype=np.float32)
