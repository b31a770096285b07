"""Computes a BasicLSTMCell by hand."""

import math
from typing import Any

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple, VariableStore
from impl_ref import BasicLSTMCell, load_weights


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_one_step_by_hand() -> None:
    kernel = np.array([[0.5, -1.0, 0.75, 0.2], [0.25, 2.0, -0.5, 1.0]])
    load_weights({"basic_lstm_cell/kernel": kernel, "basic_lstm_cell/bias": np.array([0.1, 0.2, 0.3, 0.4])})
    x, c, h = 0.8, 1.2, -0.6
    i, j, f, o = (x * kernel[0, k] + h * kernel[1, k] + 0.1 * (k + 1) for k in range(4))
    new_c = c * sigmoid(f + 0.5) + sigmoid(i) * math.tanh(j)
    new_h = math.tanh(new_c) * sigmoid(o)
    output, state = BasicLSTMCell(1, forget_bias=0.5)(np.array([[x]]), LSTMStateTuple(np.array([[c]]), np.array([[h]])))
    assert type(state) is LSTMStateTuple
    np.testing.assert_allclose([output, state.c, state.h], [[[new_h]], [[new_c]], [[new_h]]], rtol=1e-15)


def test_both_forms_of_the_state_compute_the_same(store: VariableStore) -> None:
    x, c, h = np.full((2, 3), 0.5), np.full((2, 2), -0.25), np.full((2, 2), 0.75)
    output, (new_c, new_h) = BasicLSTMCell(2)(x, (c, h))
    cell = BasicLSTMCell(2, state_is_tuple=False, reuse=True)
    same, joined = cell(x, np.concatenate([c, h], axis=1))
    assert cell.state_size == 4
    np.testing.assert_array_equal(same, output)
    np.testing.assert_array_equal(joined, np.concatenate([new_c, new_h], axis=1))
    assert {name: v.shape for name, v in store.variables.items()} == {
        "basic_lstm_cell/kernel": (5, 8),
        "basic_lstm_cell/bias": (8,),
    }
    assert not store.variables["basic_lstm_cell/bias"].value.any()


def test_wrong_options_are_refused(refused: Any) -> None:
    with refused(TypeError, "num_units", "a positive integer", "True", "EQ-3"):
        BasicLSTMCell(True)
    with refused(TypeError, "forget_bias", "a number", "'1'", "EQ-14"):
        BasicLSTMCell(2, "1")
    with refused(TypeError, "state_is_tuple", "True or False", "1", "EQ-15"):
        BasicLSTMCell(2, state_is_tuple=1)
