"""Tests the protocol of a cell: when it builds, where its variables live, and what is left when building fails."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import (
    AUTO_REUSE,
    ArgumentValueError,
    LSTMStateTuple,
    RNNCell,
    VariableStore,
    array_module,
    default_store,
    get_variable,
    reset_default_store,
    use_store,
    variable_scope,
)
from dynamic_rnn_spec.initializers import Constant, Ones
from dynamic_rnn_spec.vocabulary.rnn_cell import part_sizes, snake_case


class Doubler(RNNCell):
    """A user's cell: one weight, and the functions of its inputs' array module."""

    state_size = 1
    output_size = 1
    partitions: Any = None

    def build(self, inputs_shape: Any) -> None:
        self.kernel = self.add_variable(
            "kernel", [inputs_shape[-1], 1], initializer=Constant(2), partitions=self.partitions
        )

    def call(self, inputs: Any, state: Any) -> Any:
        output = array_module(inputs).matmul(inputs, self.kernel.read(inputs))
        return output, state + output


@pytest.fixture
def store() -> Any:
    with use_store(VariableStore(seed=0)) as fresh:
        yield fresh


X = np.ones((2, 3), np.float32)
S = np.zeros((2, 1), np.float32)


def test_the_first_call_builds_in_the_scope_and_dtype_it_finds(store: VariableStore) -> None:
    cell = Doubler()
    with variable_scope("rnn"):
        output, state = cell(X, S)
    with variable_scope("elsewhere"):
        cell(X, state)
    assert list(store.variables) == ["rnn/doubler/kernel"]
    assert store.variables["rnn/doubler/kernel"].dtype == np.float32
    assert output.tolist() == [[6], [6]]
    assert [variable.name for variable in cell.variables] == ["rnn/doubler/kernel"]
    assert cell.built


def test_an_explicit_scope_is_the_cells_scope(store: VariableStore) -> None:
    Doubler()(X, S, scope="here")
    assert list(store.variables) == ["here/kernel"]


def test_names_dtype_and_trainable_can_be_given(store: VariableStore) -> None:
    Doubler(name="mine", dtype=np.float64, trainable=False)(X.astype(np.float64), S)
    assert list(store.variables) == ["mine/kernel"]
    assert store.variables["mine/kernel"].dtype == np.float64
    assert not store.variables["mine/kernel"].trainable


def test_a_second_cell_in_one_open_scope_is_refused_and_not_numbered(store: VariableStore) -> None:
    with variable_scope("rnn"):
        first = Doubler()
        first(X, S)
        first(X, S)
        with pytest.raises(ArgumentValueError, match="SCOPE-6"):
            Doubler()(X, S)
        Doubler(reuse=True)(X, S)
        with pytest.raises(ArgumentValueError, match="SCOPE-6"):
            Doubler()(X, S)
    assert list(store.variables) == ["rnn/doubler/kernel"]


def test_a_second_cell_in_one_open_scope_shares_where_that_reuses(store: VariableStore) -> None:
    with variable_scope("rnn", reuse=AUTO_REUSE):
        Doubler()(X, S)
        Doubler()(X, S)
    assert list(store.variables) == ["rnn/doubler/kernel"]


def test_a_cell_is_numbered_after_a_scope_that_was_opened_by_its_name(store: VariableStore) -> None:
    Doubler()(X, S, scope="doubler")
    Doubler()(X, S)
    assert list(store.variables) == ["doubler/kernel", "doubler_1/kernel"]


def test_a_weight_in_place_of_its_value_is_told_apart_from_an_array(store: VariableStore) -> None:
    with pytest.raises(TypeError, match=r"a weight is no array: weight\.read\(like\) gives its value"):
        X @ Doubler().add_variable("w", [1, 1])


def test_variables_are_of_the_machines_byte_order(store: VariableStore) -> None:
    Doubler()(X.astype(X.dtype.newbyteorder(">")), S)
    assert store.variables["doubler/kernel"].dtype.isnative


def test_a_second_cell_shares_only_with_reuse(store: VariableStore) -> None:
    with variable_scope("rnn"):
        Doubler()(X, S)
    with pytest.raises(ArgumentValueError, match="SCOPE-6"), variable_scope("rnn"):
        Doubler()(X, S)
    with variable_scope("rnn", reuse=True):
        Doubler()(X, S)
    with variable_scope("rnn"):
        Doubler(reuse=AUTO_REUSE)(X, S)
    assert list(store.variables) == ["rnn/doubler/kernel"]


def test_a_failed_first_call_leaves_no_variable_and_the_cell_can_be_tried_again(store: VariableStore) -> None:
    class Late(Doubler):
        broken = True

        def call(self, inputs: Any, state: Any) -> Any:
            if self.broken:
                raise KeyError("late")
            return super().call(inputs, state)

    cell = Late()
    with pytest.raises(KeyError):
        cell(X, S, scope="first")
    assert not store.variables
    assert not cell.built
    assert cell.variables == ()
    cell.broken = False
    cell(X, S, scope="second")
    assert list(store.variables) == ["second/kernel"]


def test_a_cell_whose_init_does_not_call_super_works(store: VariableStore) -> None:
    class Bare(Doubler):
        def __init__(self) -> None:
            self.note = "no super().__init__()"

    Bare()(X, S)
    assert list(store.variables) == ["bare/kernel"]


def test_a_cell_may_use_get_variable_in_its_call(store: VariableStore) -> None:
    class Functional(RNNCell):
        state_size = 1
        output_size = 1

        def call(self, inputs: Any, state: Any) -> Any:
            kernel = get_variable("kernel", [3, 1], initializer=Ones())
            return inputs @ kernel.read(inputs), state

    cell = Functional()
    cell(X, S)
    assert cell(X, S)[0].tolist() == [[3], [3]]
    assert list(store.variables) == ["functional/kernel"]


def test_a_partitioned_weight_reads_as_one(store: VariableStore) -> None:
    cell = Doubler()
    cell.partitions = 2
    assert cell(X, S)[0].tolist() == [[6], [6]]
    assert {name: variable.shape for name, variable in store.variables.items()} == {
        "doubler/kernel/part_0": (2, 1),
        "doubler/kernel/part_1": (1, 1),
    }
    assert cell.kernel.shape == (3, 1)
    assert cell.kernel.read().tolist() == [[2], [2], [2]]


@pytest.mark.parametrize(("rows", "parts", "sizes"), [(8, 3, [3, 3, 2]), (6, 3, [2, 2, 2]), (2, 2, [1, 1])])
def test_parts_are_even_with_the_longer_ones_first(rows: int, parts: int, sizes: Any) -> None:
    assert part_sizes(rows, parts) == sizes


@pytest.mark.parametrize("parts", [0, 4])
def test_a_split_into_no_or_too_many_parts_is_refused(parts: int) -> None:
    with pytest.raises(ArgumentValueError) as caught:
        part_sizes(3, parts)
    assert str(caught.value) == f"partitions: expected 1 to 3 parts, got {parts} [VAR-15]"


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("BasicRNNCell", "basic_rnn_cell"),
        ("GRUCell", "gru_cell"),
        ("BasicLSTMCell", "basic_lstm_cell"),
        ("LSTMCell", "lstm_cell"),
        ("MultiRNNCell", "multi_rnn_cell"),
        ("MyCellTwo", "my_cell_two"),
        ("_Hidden", "private__hidden"),
        ("lower", "lower"),
    ],
)
def test_the_default_scope_is_the_class_name_in_snake_case(name: str, scope: str) -> None:
    assert snake_case(name) == scope


def test_an_abstract_cell_says_what_is_missing() -> None:
    with pytest.raises(TypeError, match="abstract"):
        RNNCell()  # type: ignore[abstract]  # that is what is tested

    class Silent(RNNCell):
        state_size = 1
        output_size = 1

    with pytest.raises(TypeError, match=r"Silent: a cell defines call\(inputs, state\)"):
        Silent()(X, S)
    with pytest.raises(TypeError, match=r"Silent\.zero_state: arrays belong to an implementation"):
        Silent().zero_state(2, np.float32)


def test_array_module_knows_numpy_and_refuses_what_it_does_not_know() -> None:
    assert array_module(np.zeros(1)) is np
    assert array_module(np.float32(1)) is np
    with pytest.raises(TypeError, match="array_module: expected an array of NumPy or CuPy, got list"):
        array_module([1.0])


def test_an_lstm_state_has_c_before_h() -> None:
    assert LSTMStateTuple(1, 2) == (1, 2)
    assert LSTMStateTuple._fields == ("c", "h")


def test_the_default_store_can_be_emptied() -> None:
    get_variable("test_the_default_store_can_be_emptied", [1])
    reset_default_store()
    assert not default_store().variables
