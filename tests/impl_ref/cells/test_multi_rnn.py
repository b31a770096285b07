"""Tests MultiRNNCell: the order of the cells, their states and their names."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple, TensorShape, VariableStore
from impl_ref import BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell, MultiRNNCell, RNNCell, dynamic_rnn


class Plus(RNNCell):
    """Emits its inputs plus a constant and counts."""

    state_size = 1
    output_size = 1

    def __init__(self, constant: float) -> None:
        super().__init__()
        self.constant = constant

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs * 10 + self.constant, state + self.constant


def test_the_output_of_each_cell_is_the_input_of_the_next() -> None:
    stack = MultiRNNCell([Plus(1), Plus(2)])
    outputs, state = dynamic_rnn(stack, np.array([[[3.0], [4.0]]]), dtype=np.float64)
    assert outputs.tolist() == [[[312], [412]]]
    assert [leaf.tolist() for leaf in state] == [[[2]], [[4]]]
    joined = MultiRNNCell((Plus(1), Plus(2)), state_is_tuple=False)
    assert joined.state_size == 2
    same, row = dynamic_rnn(joined, np.array([[[3.0], [4.0]]]), dtype=np.float64)
    assert (same.tolist(), row.tolist()) == (outputs.tolist(), [[2, 4]])


def test_names_sizes_and_states(store: VariableStore) -> None:
    stack = MultiRNNCell([LSTMCell(3), MultiRNNCell([GRUCell(2)])])
    assert stack.state_size == (LSTMStateTuple(3, 3), (2,))
    assert stack.output_size == 2
    _, state = dynamic_rnn(stack, np.ones((1, 2, 4), np.float32), dtype=np.float32)
    assert [type(part) for part in state] == [LSTMStateTuple, tuple]
    assert [v.name for v in stack.variables] == list(store.variables)
    assert list(store.variables)[:3] == [
        "rnn/multi_rnn_cell/cell_0/lstm_cell/kernel",
        "rnn/multi_rnn_cell/cell_0/lstm_cell/bias",
        "rnn/multi_rnn_cell/cell_1/multi_rnn_cell/cell_0/gru_cell/gates/kernel",
    ]


def test_one_instance_twice_has_one_set_of_variables(store: VariableStore, refused: Any) -> None:
    cell = BasicRNNCell(3)
    stack = MultiRNNCell([cell, cell])
    dynamic_rnn(stack, np.ones((1, 2, 3)), dtype=np.float64)
    names = ["rnn/multi_rnn_cell/cell_0/basic_rnn_cell/kernel", "rnn/multi_rnn_cell/cell_0/basic_rnn_cell/bias"]
    assert list(store.variables) == names
    assert [v.name for v in stack.variables] == names
    other = BasicRNNCell(3)
    with refused(ValueError, "inputs", "shape (1, 2) at each step", "(1, 3)", "VAR-16"):
        dynamic_rnn(MultiRNNCell([other, other]), np.ones((1, 2, 2)), dtype=np.float64, scope="b")
    assert list(store.variables) == names


def test_what_is_no_stack_of_cells_is_refused(refused: Any) -> None:
    with refused(TypeError, "cells", "a list or tuple of cells", "an object of type BasicRNNCell", "EQ-8"):
        MultiRNNCell(BasicRNNCell(2))
    with refused(ValueError, "cells", "at least one cell", "none", "EQ-8"):
        MultiRNNCell([])
    with refused(TypeError, "cells[1]", "an instance of RNNCell", "None", "CELL-2"):
        MultiRNNCell([BasicRNNCell(2), None])
    with refused(TypeError, "state_is_tuple", "True or False", "0", "EQ-8"):
        MultiRNNCell([BasicRNNCell(2)], 0)


def test_states_that_can_t_stand_side_by_side_are_refused(refused: Any) -> None:
    wanted = "an integer state_size, since state_is_tuple is False"
    with refused(ValueError, "cells[1]", wanted, "LSTMStateTuple(c=2, h=2)", "EQ-8"):
        MultiRNNCell([BasicRNNCell(2), BasicLSTMCell(2)], state_is_tuple=False)
    shaped = Plus(1)
    shaped.state_size = TensorShape([1])  # type: ignore[assignment]  # a size of another kind
    with refused(ValueError, "cells[0]", wanted, "TensorShape([1])", "EQ-8"):
        MultiRNNCell([shaped], state_is_tuple=False)


def test_a_state_of_another_form_is_refused(refused: Any) -> None:
    stack, x = MultiRNNCell([Plus(1), Plus(2)]), np.zeros((1, 1))
    with refused(ValueError, "state", "a tuple of 2, one for each cell", "1 parts", "INIT-9"):
        stack(x, (x,))
    with refused(TypeError, "state", "a tuple of 2, one for each cell", "an object of type ndarray", "INIT-9"):
        stack(x, x)
    joined = MultiRNNCell([Plus(1), Plus(2)], state_is_tuple=False)
    wanted = "one array [batch, columns], since state_is_tuple is False"
    with refused(TypeError, "state", wanted, "an object of type list", "INIT-9"):
        joined(x, [x, x])


def test_a_list_of_states_serves_too() -> None:
    stack, x = MultiRNNCell([Plus(1), Plus(2)]), np.zeros((1, 1))
    assert [state.tolist() for state in stack(x, [x, x])[1]] == [state.tolist() for state in stack(x, (x, x))[1]]
