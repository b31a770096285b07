"""Tests the sigmoid, and what cells with weights refuse at a step."""

import warnings
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import VariableStore
from impl_ref import BasicRNNCell, GRUCell, LSTMCell, dynamic_rnn
from impl_ref.cells.weighted import columns, side_by_side, sigmoid

X, H = np.ones((2, 3), np.float32), np.ones((2, 4), np.float32)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_sigmoid_is_exact_at_its_ends_and_silent(dtype: Any) -> None:
    x = np.array([-np.inf, -1e4, -1, 0, 1, 1e4, np.inf, np.nan], dtype)
    y = sigmoid(x)
    assert y.dtype == dtype
    assert (y[0], y[1], y[3], y[5], y[6]) == (0, 0, 0.5, 1, 1)
    assert np.isnan(y[7])
    tolerance = 2 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(y[[2, 4]].astype(float), [1 / (1 + np.e), np.e / (1 + np.e)], rtol=tolerance)


def test_columns_part_what_stands_side_by_side() -> None:
    left, right = columns(side_by_side(X, 2 * X), 2)
    np.testing.assert_array_equal(left, X)
    np.testing.assert_array_equal(right, 2 * X)


@pytest.mark.parametrize("kind", [BasicRNNCell, GRUCell, LSTMCell])
@pytest.mark.parametrize("dtype", [np.int32, np.bool_, np.complex64])
def test_inputs_that_are_not_floating_are_refused(kind: Any, dtype: Any, store: VariableStore, refused: Any) -> None:
    cell = kind(4)
    for _ in range(2):
        wanted = f"a floating dtype for {kind.__name__}"
        with refused(TypeError, "inputs", wanted, str(np.dtype(dtype)), "EQ-22"):
            dynamic_rnn(cell, np.ones((2, 1, 3), dtype), dtype=np.float32)
        assert (store.variables, cell.built) == ({}, False)
    dynamic_rnn(cell, np.ones((2, 1, 3), np.float32), dtype=np.float32)
    with refused(TypeError, "inputs", f"a floating dtype for {kind.__name__}", "int64", "EQ-22"):
        cell(np.ones((2, 3), int), cell.zero_state(2, np.float32))


def test_a_state_of_another_dtype_is_refused(refused: Any) -> None:
    with refused(TypeError, "state", "dtype float32, the one of the inputs", "float64", "EQ-21"):
        dynamic_rnn(LSTMCell(4), np.ones((2, 1, 3), np.float32), dtype=np.float64)


def test_inputs_of_another_dtype_or_depth_than_before_are_refused(refused: Any) -> None:
    cell = BasicRNNCell(4)
    cell(X, H)
    with refused(TypeError, "inputs", "dtype float32, the one of the variables", "float64", "VAR-13"):
        cell(X.astype(float), H.astype(float))
    with refused(ValueError, "inputs", "shape (2, 3) at each step", "(2, 2)", "VAR-16"):
        cell(X[:, :2], H)
    with refused(ValueError, "state", "shape (2, 4)", "(1, 4)", "INIT-8"):
        cell(X, H[:1])
    with refused(TypeError, "state", "an array [batch, 4]", "an object of type list", "INIT-9"):
        cell(X, [H])
    with refused(TypeError, "inputs", "one array at each step", "an object of type tuple", "VAR-16"):
        cell((X,), H)


def test_first_inputs_of_another_form_are_refused(refused: Any) -> None:
    with refused(TypeError, "inputs", "one array at each step", "a structure", "VAR-16"):
        dynamic_rnn(BasicRNNCell(4), (X[None], X[None]), dtype=np.float32)
    with refused(ValueError, "inputs", "shape [batch, depth] at each step", "(2, 3, 1)", "VAR-16"):
        dynamic_rnn(BasicRNNCell(4), np.zeros((2, 1, 3, 1), np.float32), dtype=np.float32)


@pytest.mark.parametrize("kind", [BasicRNNCell, GRUCell, LSTMCell])
def test_padding_of_any_content_passes_in_silence(kind: Any) -> None:
    x = np.ones((3, 2, 3), np.float32)
    x[0, 1], x[1, 1], x[2, 1] = np.nan, np.inf, -np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs, _ = dynamic_rnn(kind(4), x, [1, 1, 1], dtype=np.float32)
    assert np.isfinite(outputs).all()
