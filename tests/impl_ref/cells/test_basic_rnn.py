"""Computes a BasicRNNCell by hand."""

import math
from typing import Any

import numpy as np

from dynamic_rnn_spec import VariableStore
from impl_ref import BasicRNNCell, load_weights


def test_one_step_by_hand(store: VariableStore) -> None:
    load_weights({"basic_rnn_cell/kernel": np.array([[0.5], [-0.25], [2.0]]), "basic_rnn_cell/bias": np.array([0.1])})
    output, state = BasicRNNCell(1)(np.array([[1.0, 2.0]]), np.array([[-0.5]]))
    expected = math.tanh(1 * 0.5 + 2 * -0.25 + -0.5 * 2 + 0.1)
    np.testing.assert_allclose(output, [[expected]], rtol=1e-15)
    assert state is output
    assert store.waiting() == []


def test_variables_and_activation(store: VariableStore) -> None:
    cell = BasicRNNCell(num_units=np.int64(2), activation=np.positive)
    assert (cell.state_size, cell.output_size) == (2, 2)
    x = np.ones((1, 3), np.float16)
    output, _ = cell(x, np.zeros((1, 2), np.float16))
    shapes = {name: (v.shape, v.dtype, v.trainable) for name, v in store.variables.items()}
    assert shapes == {
        "basic_rnn_cell/kernel": ((5, 2), np.float16, True),
        "basic_rnn_cell/bias": ((2,), np.float16, True),
    }
    assert not store.variables["basic_rnn_cell/bias"].value.any()
    np.testing.assert_array_equal(output, x @ store.variables["basic_rnn_cell/kernel"].value[:3])
    assert output.dtype == np.float16


def test_wrong_options_are_refused(refused: Any) -> None:
    with refused(TypeError, "num_units", "a positive integer", "2.0", "EQ-1"):
        BasicRNNCell(2.0)
    with refused(ValueError, "num_units", "at least 1", "0", "EQ-1"):
        BasicRNNCell(0)
    with refused(TypeError, "activation", "a function or None", "'tanh'", "EQ-13"):
        BasicRNNCell(2, "tanh")
    with refused(TypeError, "reuse", "None, True, False or AUTO_REUSE", "'yes'", "SCOPE-7"):
        BasicRNNCell(2, reuse="yes")


def test_reuse_shares(store: VariableStore) -> None:
    x, h = np.ones((1, 3)), np.ones((1, 2))
    first, _ = BasicRNNCell(2)(x, h)
    second, _ = BasicRNNCell(2, reuse=True)(x, h)
    np.testing.assert_array_equal(first, second)
    assert len(store.variables) == 2
