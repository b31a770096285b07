"""Tests the checks of the nine arguments: each refusal word for word, and which of several comes first."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import RNNCell as CellProtocol
from dynamic_rnn_spec import VariableScope, VariableStore
from impl_ref import BasicRNNCell, dynamic_rnn
from impl_ref.checks.arguments import (
    check_cell,
    check_flag,
    check_lengths,
    check_lengths_size,
    check_output_dtype,
    check_parallel_iterations,
    check_scope,
)


class LookAlike:
    """Has all that a cell has, and is none."""

    state_size = output_size = 2

    def __call__(self, inputs: Any, state: Any) -> Any:
        return inputs, state

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        return None


@pytest.mark.parametrize(
    ("cell", "got", "clause", "hint"),
    [
        (3, "3", "CELL-2", None),
        (None, "None", "CELL-2", None),
        ("LSTMCell", "'LSTMCell'", "CELL-2", None),
        (BasicRNNCell, "the type BasicRNNCell", "CELL-2", "make an instance of it"),
        (LookAlike, "the type LookAlike", "CELL-2", None),
        ([BasicRNNCell(2)], "an object of type list", "CELL-2", None),
        (check_cell, "an object of type function", "CELL-2", None),
        (LookAlike(), "an object of type LookAlike", "CELL-3", None),
    ],
)
def test_only_an_instance_of_rnncell_is_a_cell(cell: Any, got: str, clause: str, hint: Any, refused: Any) -> None:
    with refused(TypeError, "cell", "an instance of RNNCell", got, clause, hint):
        check_cell(cell)


def test_a_cell_of_either_base_is_a_cell() -> None:
    check_cell(BasicRNNCell(2))
    assert issubclass(BasicRNNCell, CellProtocol)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, ">i4"])
def test_lengths_of_int32_and_int64_are_kept(dtype: Any) -> None:
    lengths = check_lengths(np.array([3, -1], dtype))
    assert lengths is not None
    assert lengths.tolist() == [3, -1]


def test_lengths_of_ints_of_any_size_are_accepted() -> None:
    assert check_lengths(None) is None
    lengths = check_lengths([0, 2**100, -(2**100), np.int32(5)])
    assert lengths is not None
    assert lengths.tolist() == [0, 2**63 - 1, -(2**63), 5]


@pytest.mark.parametrize(
    ("lengths", "got"),
    [
        (3, "a single number"),
        (False, "a single number"),
        (np.int32(3), "shape ()"),
        (np.zeros((2, 1), np.int32), "shape (2, 1)"),
        (np.zeros((2, 1)), "shape (2, 1)"),
        ([[1], [2]], "a list with a list at [0]"),
        ((1, np.array([1])), "a tuple with a ndarray at [1]"),
    ],
)
def test_lengths_of_another_rank_are_refused(lengths: Any, got: str, refused: Any) -> None:
    with refused(ValueError, "sequence_length", "rank 1", got, "SEQ-16"):
        check_lengths(lengths)


@pytest.mark.parametrize("dtype", ["float32", "bool", "int8", "int16", "uint32", "uint64", "complex64", "S1", "O"])
def test_lengths_of_another_dtype_are_refused(dtype: str, refused: Any) -> None:
    lengths = np.zeros(2, dtype)
    with refused(TypeError, "sequence_length", "dtype int32 or int64", str(lengths.dtype), "SEQ-18"):
        check_lengths(lengths)


@pytest.mark.parametrize(("length", "got"), [(True, "True"), (1.0, "1.0"), ("1", "'1'"), (None, "None")])
def test_a_list_of_something_else_is_refused(length: Any, got: str, refused: Any) -> None:
    with refused(TypeError, "sequence_length", "an int at [1]", got, "SEQ-18"):
        check_lengths([1, length])


def test_lengths_that_are_no_vector_at_all_are_refused(refused: Any) -> None:
    wanted = "an int32 or int64 vector, or a list or tuple of ints"
    with refused(TypeError, "sequence_length", wanted, "'12'", "SEQ-18"):
        check_lengths("12")


def test_one_length_is_wanted_for_each_row(refused: Any) -> None:
    check_lengths_size(None, 2)
    check_lengths_size(np.array([1, 2]), 2)
    with refused(ValueError, "sequence_length", "shape (2,)", "(1,)", "SEQ-17"):
        check_lengths_size(np.array([1]), 2)


def test_scopes() -> None:
    scope = VariableScope("a")
    assert check_scope(None) == "rnn"
    assert check_scope("a/b-c.d_1") == "a/b-c.d_1"
    assert check_scope(scope) is scope


@pytest.mark.parametrize("scope", ["", "_a", "a b", "a\n", "a:0"])
def test_a_name_that_is_none_is_refused(scope: str, refused: Any) -> None:
    wanted = "a name of letters, digits and _.-/ that begins with a letter, a digit or a point"
    with refused(ValueError, "scope", wanted, repr(scope), "SCOPE-10"):
        check_scope(scope)


@pytest.mark.parametrize(("scope", "got"), [(0, "0"), (b"rnn", "b'rnn'"), (["rnn"], "an object of type list")])
def test_a_scope_of_another_type_is_refused(scope: Any, got: str, refused: Any) -> None:
    with refused(TypeError, "scope", "a string, a VariableScope or None", got, "SCOPE-9"):
        check_scope(scope)


def test_flags_are_bools(refused: Any) -> None:
    assert check_flag("swap_memory", np.bool_(True), "SWAP-3") is True
    for value, got in [(1, "1"), (None, "None"), ("no", "'no'")]:
        with refused(TypeError, "time_major", "True or False", got, "TIME-6"):
            check_flag("time_major", value, "TIME-6")


def test_a_positive_integer_is_wanted_for_parallel_iterations(refused: Any) -> None:
    assert [check_parallel_iterations(value) for value in (None, 1, np.int8(4), 2**40)] == [32, 1, 4, 2**40]
    for value in (0, -1):
        with refused(ValueError, "parallel_iterations", "at least 1", str(value), "PAR-3"):
            check_parallel_iterations(value)
    for other, got in [
        (True, "True"),
        (4.0, "4.0"),
        ("4", "'4'"),
        (np.bool_(True), f"an object of type {np.bool_.__name__}"),
    ]:
        with refused(TypeError, "parallel_iterations", "a positive integer or None", got, "PAR-3"):
            check_parallel_iterations(other)


def test_the_dtype_of_outputs_without_steps(refused: Any) -> None:
    f4, i4 = np.dtype(np.float32), np.dtype(np.int32)
    state = [np.zeros(1, f4), np.zeros(1, f4)]
    assert check_output_dtype(i4, state, 0, has_outputs=True) == i4
    assert check_output_dtype(None, state, 0, has_outputs=True) == f4
    assert check_output_dtype(None, [], 1, has_outputs=True) is None
    assert check_output_dtype(None, [], 0, has_outputs=False) is None
    with refused(ValueError, "dtype", "a dtype, since initial_state is missing", "None", "DTYPE-3"):
        check_output_dtype(None, None, 1, has_outputs=True)
    got = "None with a state of float32, int32"
    with refused(ValueError, "dtype", "a dtype, since initial_state has several", got, "DTYPE-4"):
        check_output_dtype(None, [*state, np.zeros(1, i4)], 1, has_outputs=True)
    wanted = "a dtype, since neither the empty initial_state nor a step tells that of the outputs"
    with refused(ValueError, "dtype", wanted, "None", "DTYPE-9"):
        check_output_dtype(None, [], 0, has_outputs=True)


def test_the_first_wrong_argument_in_order_is_refused(store: VariableStore) -> None:
    class Watched(BasicRNNCell):
        def call(self, inputs: Any, state: Any) -> Any:
            raise AssertionError("the cell was called")

    right = (
        Watched(2),
        np.zeros((2, 3, 2), np.float32),
        [1, 2],
        np.zeros((2, 2), np.float32),
        np.float32,
        1,
        False,
        False,
    )
    wrong = [
        (0, 3, "CELL-2"),
        (1, None, "IN-5"),
        (2, [[1]], "SEQ-16"),
        (8, 3, "SCOPE-9"),
        (7, "no", "TIME-6"),
        (2, [1], "SEQ-17"),
        (4, float, "DTYPE-12"),
        (3, np.zeros((2, 3)), "INIT-8"),
        (5, 0, "PAR-3"),
        (6, None, "SWAP-3"),
    ]
    for first, (_, _, clause) in enumerate(wrong):
        arguments: list[Any] = [*right, "rnn"]
        for position, value, _ in reversed(wrong[first:]):
            arguments[position] = value
        with pytest.raises((TypeError, ValueError), match=rf"\[{clause}\]"):
            dynamic_rnn(*arguments)
    assert store.variables == {}
