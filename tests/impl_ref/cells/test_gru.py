"""Computes a GRUCell by hand."""

import math
from typing import Any

import numpy as np

from dynamic_rnn_spec import VariableStore
from dynamic_rnn_spec.initializers import Constant
from impl_ref import GRUCell, load_weights


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_one_step_by_hand() -> None:
    gates, candidate = [[0.5, -1.0], [0.25, 2.0]], [[1.5], [-0.75]]
    load_weights(
        {
            "gru_cell/gates/kernel": np.array(gates),
            "gru_cell/gates/bias": np.array([0.1, -0.2]),
            "gru_cell/candidate/kernel": np.array(candidate),
            "gru_cell/candidate/bias": np.array([0.3]),
        }
    )
    x, h = 0.8, -0.6
    r = sigmoid(x * 0.5 + h * 0.25 + 0.1)
    u = sigmoid(x * -1.0 + h * 2.0 - 0.2)
    c = math.tanh(x * 1.5 + r * h * -0.75 + 0.3)
    output, state = GRUCell(1)(np.array([[x]]), np.array([[h]]))
    np.testing.assert_allclose(output, [[u * h + (1 - u) * c]], rtol=1e-15)
    assert state is output


def test_variables_in_order_with_their_initial_values(store: VariableStore) -> None:
    GRUCell(2)(np.ones((1, 3), np.float32), np.zeros((1, 2), np.float32))
    assert {name: v.shape for name, v in store.variables.items()} == {
        "gru_cell/gates/kernel": (5, 4),
        "gru_cell/gates/bias": (4,),
        "gru_cell/candidate/kernel": (5, 2),
        "gru_cell/candidate/bias": (2,),
    }
    assert list(store.variables)[1::2] == ["gru_cell/gates/bias", "gru_cell/candidate/bias"]
    assert store.variables["gru_cell/gates/bias"].value.tolist() == [1, 1, 1, 1]
    assert store.variables["gru_cell/candidate/bias"].value.tolist() == [0, 0]


def test_initializers_govern_both_kernels_and_both_biases(store: VariableStore) -> None:
    cell = GRUCell(2, kernel_initializer=Constant(3), bias_initializer=Constant(4))
    cell(np.ones((1, 3)), np.zeros((1, 2)))
    assert [set(v.value.ravel().tolist()) for v in store.variables.values()] == [{3}, {4}, {3}, {4}]


def test_wrong_options_are_refused(refused: Any) -> None:
    with refused(TypeError, "num_units", "a positive integer", "None", "EQ-2"):
        GRUCell(None)
    with refused(TypeError, "kernel_initializer", "a function or None", "1", "VAR-12"):
        GRUCell(2, kernel_initializer=1)
    with refused(TypeError, "bias_initializer", "a function or None", "0.0", "VAR-12"):
        GRUCell(2, bias_initializer=0.0)
