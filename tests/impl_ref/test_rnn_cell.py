"""Tests RNNCell as a class to derive from."""

from typing import Any

import numpy as np
import pytest

import dynamic_rnn_spec
from impl_ref import RNNCell


class Scale(RNNCell):
    """Multiplies its inputs by a weight."""

    state_size = 3
    output_size = 3

    def build(self, inputs_shape: Any) -> None:
        self.weight = self.add_variable("weight", [inputs_shape[-1]])

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs * self.weight.read(inputs), state


def test_a_derived_cell_has_a_zero_state_and_names_its_variables() -> None:
    cell = Scale()
    assert isinstance(cell, dynamic_rnn_spec.RNNCell)
    assert cell.zero_state(2, np.float32).tolist() == [[0, 0, 0]] * 2
    output, _ = cell(np.ones((1, 2), np.float32), cell.zero_state(1, np.float32))
    assert [variable.name for variable in cell.variables] == ["scale/weight"]
    np.testing.assert_array_equal(output[0], cell.variables[0].value)


def test_the_class_itself_is_abstract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        RNNCell()  # type: ignore[abstract]  # on purpose
