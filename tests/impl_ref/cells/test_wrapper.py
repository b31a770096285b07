"""Tests what all wrappers share, and DeviceWrapper, which has nothing else."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple, VariableStore
from impl_ref import DeviceWrapper, DropoutWrapper, LSTMCell, ResidualWrapper, dynamic_rnn


@pytest.mark.parametrize("wrap", [DropoutWrapper, ResidualWrapper, lambda cell: DeviceWrapper(cell, "/gpu:0")])
def test_a_wrapper_has_the_sizes_and_variables_of_its_cell(wrap: Any, store: VariableStore) -> None:
    wrapper = wrap(LSTMCell(2))
    assert (wrapper.state_size, wrapper.output_size) == (LSTMStateTuple(2, 2), 2)
    assert type(wrapper.zero_state(1, np.float32)) is LSTMStateTuple
    dynamic_rnn(wrapper, np.ones((1, 1, 2)), dtype=np.float64)
    assert list(store.variables) == ["rnn/lstm_cell/kernel", "rnn/lstm_cell/bias"]
    assert [v.name for v in wrapper.variables] == list(store.variables)


def test_a_device_is_kept_and_changes_nothing(store: VariableStore) -> None:
    x, cell = np.linspace(-1, 1, 12).reshape(2, 2, 3), LSTMCell(2)
    outputs, state = dynamic_rnn(cell, x, dtype=np.float64)
    wrapper = DeviceWrapper(cell, "/gpu:1")
    assert wrapper.device == "/gpu:1"
    same, same_state = dynamic_rnn(wrapper, x, dtype=np.float64)
    np.testing.assert_array_equal(same, outputs)
    np.testing.assert_array_equal(same_state, state)


def test_what_is_no_device_is_refused(refused: Any) -> None:
    with refused(TypeError, "device", "a string, a function or None", "1", "EQ-12"):
        DeviceWrapper(LSTMCell(2), 1)
