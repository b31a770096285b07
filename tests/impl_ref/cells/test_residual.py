"""Tests what a ResidualWrapper adds to what."""

from typing import Any

import numpy as np

from impl_ref import BasicRNNCell, ResidualWrapper, RNNCell, dynamic_rnn
from impl_ref.arrays import Array


class Emit(RNNCell):
    """Emits the same output at each step."""

    state_size = ()

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    @property
    def output_size(self) -> Any:
        return 2

    def call(self, inputs: Any, state: Any) -> Any:
        return self.output, state


X: Array = np.array([[1.0, 2.0]])


def test_inputs_are_added_leaf_by_leaf() -> None:
    output, state = ResidualWrapper(Emit((X, [X * 10])))((X, [X]), ())
    assert output[0].tolist() == [[2, 4]]
    assert output[1][0].tolist() == [[11, 22]]
    assert state == ()


def test_a_function_replaces_the_sum() -> None:
    wrapper = ResidualWrapper(Emit(X), residual_fn=lambda inputs, outputs: inputs - 3 * outputs)
    outputs, _ = dynamic_rnn(wrapper, X[None], dtype=np.float64)
    assert outputs.tolist() == [[[-2, -4]]]


def test_what_can_t_be_added_is_refused(refused: Any) -> None:
    wanted = "inputs and outputs that can be added leaf by leaf"
    with refused(TypeError, "inputs", wanted, "others at the top: tuple against list", "EQ-11"):
        ResidualWrapper(Emit([X]))((X,), ())
    with refused(ValueError, "inputs", wanted, "others at the top: tuple of 1 against tuple of 2", "EQ-11"):
        ResidualWrapper(Emit((X, X)))((X,), ())
    with refused(ValueError, "inputs", wanted, "shapes (1, 1) and (1, 2)", "EQ-11"):
        ResidualWrapper(Emit(X))(X[:, :1], ())
    with refused(TypeError, "inputs", wanted, "dtypes float64 and float32", "EQ-11"):
        ResidualWrapper(Emit(X.astype(np.float32)))(X, ())


def test_wrong_options_are_refused(refused: Any) -> None:
    with refused(
        TypeError, "cell", "an instance of RNNCell", "the type BasicRNNCell", "CELL-2", "make an instance of it"
    ):
        ResidualWrapper(BasicRNNCell)
    with refused(TypeError, "residual_fn", "a function or None", "1", "EQ-11"):
        ResidualWrapper(BasicRNNCell(2), 1)
