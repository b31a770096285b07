"""Tests the checks of what a pull gives at a step: a triple, and gradients like what they belong to [GRAD-5]."""

from typing import Any

import numpy as np
import pytest

from impl_ref import RNNCell, dynamic_rnn_vjp
from impl_ref.arrays import Array

X = np.ones((2, 3, 4), np.float32)


class Pulled(RNNCell):
    """A cell that copies its inputs, and whose pull gives whatever it was made with."""

    def __init__(self, pulled: Any) -> None:
        super().__init__()
        self.pulled = pulled

    @property
    def state_size(self) -> Any:
        return 4, 1

    @property
    def output_size(self) -> int:
        return 4

    def build(self, inputs_shape: Any) -> None:
        self.add_variable("w", [3])
        self.add_variable("steps", [1], np.int32, lambda shape, dtype, draw: np.zeros(shape, dtype))

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs, (inputs, state[1])

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        return self.call(inputs, state), lambda d_output, d_new_state: self.pulled


def gradients(pulled: Any) -> Any:
    state = np.ones((2, 4), np.float32), np.ones((2, 1), np.int64)
    _, vjp = dynamic_rnn_vjp(Pulled(pulled), X, initial_state=state, dtype=np.float32)
    return vjp(None, None)


D_X, W = np.full((2, 4), 2, np.float32), np.ones(3, np.float32)
NONE = {"rnn/pulled/w": None}
TRIPLE = "(d_inputs, d_state, d_variables) from the pull of call_vjp, d_variables a dict"


def test_none_is_zeros_where_there_is_a_gradient() -> None:
    found = gradients((D_X, (None, None), {"rnn/pulled/w": None, "rnn/pulled/steps": None}))
    np.testing.assert_array_equal(found.inputs, np.full_like(X, 2), strict=True)
    np.testing.assert_array_equal(found.initial_state[0], np.zeros((2, 4), np.float32), strict=True)
    assert found.initial_state[1] is None
    np.testing.assert_array_equal(found.variables["rnn/pulled/w"], np.zeros(3, np.float32), strict=True)
    assert found.variables["rnn/pulled/steps"] is None


def test_gradients_of_variables_that_the_cell_does_not_tell_of_are_summed_too() -> None:
    found = gradients((D_X, (None, None), {"rnn/pulled/w": W, "inner/w": np.full(2, 0.25, np.float16)}))
    np.testing.assert_array_equal(found.variables["rnn/pulled/w"], 3 * W, strict=True)
    np.testing.assert_array_equal(found.variables["inner/w"], np.full(2, 0.75, np.float16), strict=True)
    assert list(found.variables) == ["rnn/pulled/w", "rnn/pulled/steps", "inner/w"]


def _rows(dtype: Any = np.float32) -> Array:
    return np.ones((2, 4), dtype)


@pytest.mark.parametrize(
    ("pulled", "kind", "wanted", "got"),
    [
        (None, TypeError, TRIPLE, "None"),
        ([D_X, None, {}], TypeError, TRIPLE, "a list of 3"),
        ((D_X, None), TypeError, TRIPLE, "a tuple of 2"),
        ((D_X, None, W), TypeError, TRIPLE, "a tuple of 3 whose last is an object of type ndarray"),
        ((D_X, None, NONE), ValueError, "2 gradients in d_state of its pull", "1"),
        (((D_X, D_X), (None, None), NONE), ValueError, "1 gradients in d_inputs of its pull", "2"),
        ((1.0, (None, None), NONE), TypeError, "arrays in d_inputs of its pull", "1.0"),
        ((_rows(np.float64), (None, None), NONE), TypeError, "dtype float32 in d_inputs of its pull", "float64"),
        ((D_X, (D_X[:1], None), NONE), ValueError, "shape (2, 4) in d_state of its pull", "(1, 4)"),
        ((D_X, (D_X, None), {"rnn/pulled/w": 1}), TypeError, "an array for the gradient of rnn/pulled/w", "1"),
        (
            (D_X, (D_X, None), {"rnn/pulled/w": W[None]}),
            ValueError,
            "shape (3,) in the gradient of rnn/pulled/w",
            "(1, 3)",
        ),
        (
            (D_X, (D_X, None), {"rnn/pulled/w": W.astype(np.float64)}),
            TypeError,
            "dtype float32 in the gradient of rnn/pulled/w",
            "float64",
        ),
    ],
)
def test_what_does_not_fit_is_refused(pulled: Any, kind: type[Exception], wanted: str, got: str, refused: Any) -> None:
    with refused(kind, "cell", wanted, got, "GRAD-5"):
        gradients(pulled)


def test_a_pull_of_a_vjp_of_ones_own_is_checked_in_the_same_words(refused: Any) -> None:
    class Around(Pulled):
        def vjp(self, inputs: Any, state: Any, scope: Any = None) -> Any:
            result, _ = super().vjp(inputs, state, scope)
            return result, lambda d_output, d_new_state: (D_X, None)

        def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
            raise AssertionError("it was called")

    state = np.ones((2, 4), np.float32), np.ones((2, 1), np.int64)
    _, vjp = dynamic_rnn_vjp(Around(None), X, initial_state=state, dtype=np.float32)
    with refused(TypeError, "cell", TRIPLE, "a tuple of 2", "GRAD-5"):
        vjp(None, None)
