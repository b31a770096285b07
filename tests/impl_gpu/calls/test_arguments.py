"""Tests the checks of the nine arguments: kind, argument and clause of each refusal, and that none costs anything."""

import re
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple, TensorShape, VariableScope, VariableStore, array_module
from impl_gpu import BasicLSTMCell, BasicRNNCell, LSTMCell, RNNCell, dynamic_rnn, launch_log
from impl_gpu.abstract import Abstract
from impl_gpu.arguments import (
    check_arguments,
    check_cell,
    check_flag,
    check_output_dtype,
    check_parallel_iterations,
    check_scope,
)
from impl_gpu.check_lengths import check_lengths

B, T, D, N = 2, 3, 4, 5


class LookAlike:
    """Has all that a cell has, but is no RNNCell."""

    state_size = output_size = 2

    def __call__(self, inputs: Any, state: Any) -> Any:
        return inputs, state

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        return None


class Pair(RNNCell):
    """A user's cell whose state is two arrays; it is never to be called."""

    state_size = (2, 1)
    output_size = 2

    def call(self, inputs: Any, state: Any) -> Any:
        raise AssertionError("a refused call has run the cell")


class Sized(RNNCell):
    """A user's cell of any sizes; it is never to be called."""

    def __init__(self, state_size: Any, output_size: Any) -> None:
        super().__init__()
        self.sizes = (state_size, output_size)

    @property
    def state_size(self) -> Any:
        return self.sizes[0]

    @property
    def output_size(self) -> Any:
        return self.sizes[1]

    def call(self, inputs: Any, state: Any) -> Any:
        raise AssertionError("a refused call has run the cell")


def x(*shape: int, dtype: str = "float32") -> Any:
    return np.ones(shape or (B, T, D), dtype)


class Wrong(NamedTuple):
    """A call that is refused: what differs from a good one, the kind of the error, the argument and the clause."""

    changes: dict[str, Any]
    kind: type[Exception]
    argument: str
    clause: str


def each(argument: str, kind: type[Exception], clause: str, *values: Any, **more: Any) -> list[Wrong]:
    return [Wrong({argument: value, **more}, kind, argument, clause) for value in values]


READ_ONLY = type("ReadOnly", (dict,), {"__init__": lambda self, **given: dict.__init__(self, **given)})

WRONG: list[Wrong] = [
    *each("cell", TypeError, "CELL-2", 3, None, "LSTMCell", BasicRNNCell, [BasicRNNCell(2)], check_cell),
    *each("cell", TypeError, "CELL-3", LookAlike()),
    *each("cell", TypeError, "STATE-3", Sized("two", 2), Sized((2, 1.5), 2)),
    *each("cell", ValueError, "STATE-3", Sized(-1, 2)),
    *each("cell", TypeError, "OUT-4", Sized(2, None), Sized(2, True)),
    *each("cell", ValueError, "OUT-4", Sized(2, (1, -2))),
    *each("inputs", ValueError, "IN-5", None),
    *each("inputs", ValueError, "IN-6", None, time_major=True),
    *each("inputs", ValueError, "IN-7", []),
    *each("inputs", TypeError, "IN-8", {1: x(), "a": x()}, READ_ONLY(a=x()), defaultdict(list, a=x())),
    *each("inputs", ValueError, "IN-9", (), {}, [[]], ((), [])),
    *each("inputs", ValueError, "IN-10", (x(), x(B + 1, T, 2)), [x(), x(B, T + 1, 2)], {"a": x(), "b": x(T, B, 2)}),
    *each("inputs", ValueError, "IN-11", x(B), np.float32(1), 2.0, True, (x(), x(B))),
    *each("inputs", ValueError, "IN-12", (x(), None), [None, x()]),
    *each("inputs", ValueError, "IN-15", [1.0, 2.0], [[[1, 2]]], (x(), 1)),
    *each("inputs", TypeError, "IN-17", "text", object(), check_cell, (x(), b"text")),
    *each("inputs", TypeError, "IN-17", np.full((B, T, D), "text"), x(dtype="longdouble"), x(dtype="object")),
    *each("sequence_length", ValueError, "SEQ-16", 2, False, 1.5, np.array(2), np.int32(2), [[2], [1]]),
    *each("sequence_length", ValueError, "SEQ-16", np.array([[2, 1]]), (np.array([2]), 1)),
    *each("sequence_length", ValueError, "SEQ-17", np.array([2]), [2, 1, 3], (), np.array([], np.int64)),
    *each("sequence_length", TypeError, "SEQ-18", "21", object(), [2.0, 1.0], [True, False], ["2", "1"]),
    *each(
        "sequence_length", TypeError, "SEQ-18", *(np.ones(B, d) for d in ("int8", "uint32", "float32", "bool", "S1"))
    ),
    *each("initial_state", ValueError, "INIT-8", x(B + 1, N), x(1, N), x(B, N + 1), x(N), x(B, N, 1), np.float32(0)),
    *each("initial_state", TypeError, "INIT-9", (x(B, N),), 0.0, "zeros", object(), [x(B, N)]),
    *each("initial_state", TypeError, "INIT-9", x(B, N, dtype="longdouble"), np.full((B, N), "text")),
    *each("initial_state", ValueError, "INIT-9", x(B, 2), (x(B, 2),), (x(B, 2), x(B, 1), x(B, 1)), (), cell=Pair()),
    *each("initial_state", TypeError, "INIT-9", [x(B, 2), x(B, 1)], {"a": x(B, 2)}, (x(B, 2), None), cell=Pair()),
    *each("initial_state", TypeError, "INIT-9", {1: x(B, 2), "a": x(B, 1)}, cell=Sized({"a": 2, "b": 1}, 1)),
    *each("initial_state", ValueError, "INIT-9", {"a": x(B, 2), "c": x(B, 1)}, cell=Sized({"a": 2, "b": 1}, 1)),
    *each("dtype", ValueError, "DTYPE-3", None),
    *each("dtype", ValueError, "DTYPE-4", None, cell=Pair(), initial_state=(x(B, 2), x(B, 1, dtype="int8"))),
    *each("dtype", ValueError, "DTYPE-9", None, cell=Sized((), 2), initial_state=(), inputs=x(B, 0, D)),
    *each("dtype", TypeError, "DTYPE-12", float, int, complex, "float", "floaty", 1.5, object(), x(2), np.floating),
    *each("dtype", TypeError, "DTYPE-12", "S3", np.str_, np.dtype("V4"), np.longdouble, "datetime64[s]", [np.float32]),
    *each("dtype", TypeError, "DTYPE-13", bool, ""),
    *each("parallel_iterations", ValueError, "PAR-3", 0, -1, np.int64(0)),
    *each("parallel_iterations", TypeError, "PAR-3", True, np.True_, 4.0, "4", [4], object()),
    *each("swap_memory", TypeError, "SWAP-3", 0, 1, None, "no", 0.0, np.array([True])),
    *each("time_major", TypeError, "TIME-6", 0, 1, None, "no", 0.0, np.array([True])),
    *each("scope", TypeError, "SCOPE-9", 1, 0, True, b"rnn", ["rnn"], object()),
    *each("scope", ValueError, "SCOPE-10", "", "my scope", "rnn$", "/rnn"),
]


def named(wrong: Wrong) -> str:
    """The same in every process: without addresses."""
    return f"{wrong.clause} {re.sub(' at 0x[0-9a-f]+', '', repr(wrong.changes)):.40}"


@pytest.mark.parametrize("wrong", WRONG, ids=named)
def test_a_wrong_argument_is_refused_and_costs_nothing(wrong: Wrong, store: VariableStore) -> None:
    good = {"cell": BasicRNNCell(N), "inputs": x(), "sequence_length": [2, 1], "dtype": "float32"}
    with launch_log() as log, pytest.raises(wrong.kind) as caught:
        dynamic_rnn(**{**good, **wrong.changes})
    error: Any = caught.value
    assert str(error).startswith(f"{wrong.argument}: expected {error.wanted}, got {error.got} [{wrong.clause}]")
    assert (error.argument, error.clause) == (wrong.argument, wrong.clause)
    assert log.entries == []
    assert not store.variables


BUILT_IN_REFUSALS: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (BasicRNNCell(N), {"inputs": x(dtype="int32")}, TypeError, "EQ-22"),
    (BasicRNNCell(N), {"inputs": x(B, T)}, ValueError, "VAR-16"),
    (BasicRNNCell(N), {"inputs": (x(), x())}, TypeError, "VAR-16"),
    (BasicLSTMCell(N), {"dtype": "float64"}, TypeError, "EQ-21"),
    (BasicLSTMCell(N), {"dtype": "float64", "initial_state": (x(B, N), x(B, N))}, TypeError, "DTYPE-10"),
    (LSTMCell(N, num_unit_shards=20), {}, ValueError, "VAR-15"),
]


@pytest.mark.parametrize("path", ["auto", "cell"])
@pytest.mark.parametrize(("cell", "changes", "kind", "clause"), BUILT_IN_REFUSALS)
def test_what_a_built_in_cell_refuses_costs_nothing_either(
    cell: Any, changes: Any, kind: Any, clause: str, path: str, store: VariableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPL_GPU_PATH", path)
    with launch_log() as log, pytest.raises(kind) as caught:
        dynamic_rnn(cell, **{"inputs": x(), "sequence_length": [2, 1], "dtype": "float32", **changes})
    assert caught.value.clause == clause
    assert log.entries == []
    assert not store.variables
    assert not cell.built


def test_variables_that_are_taken_or_missing_are_refused_before_anything_is_launched() -> None:
    dynamic_rnn(BasicRNNCell(N), x(), dtype="float32")
    for cell, clause in ((BasicRNNCell(N), "SCOPE-6"), (LSTMCell(N, reuse=True), "SCOPE-12")):
        with launch_log() as log, pytest.raises(ValueError, match=clause):
            dynamic_rnn(cell, x(), dtype="float32")
        assert log.entries == []


def test_an_array_on_the_device_is_refused_like_any_other(device: Any) -> None:
    inputs, state, lengths = device.enter(x()), device.enter(x(B, N + 1)), device.enter(x(B))
    with launch_log() as log:
        with pytest.raises(ValueError, match="INIT-8"):
            dynamic_rnn(BasicRNNCell(N), inputs, initial_state=state, dtype="float32")
        with pytest.raises(TypeError, match="SEQ-18"):
            dynamic_rnn(BasicRNNCell(N), inputs, lengths, dtype="float32")
    assert log.entries == []


ARRAY = "an array [batch, max_time, ...]"
MESSAGES: list[tuple[dict[str, Any], str]] = [
    (
        {"cell": BasicRNNCell},
        (
            "cell: expected an instance of RNNCell, got the type BasicRNNCell [CELL-2]; "
            "a class is no cell yet: make an instance"
        ),
    ),
    ({"inputs": None}, f"inputs: expected {ARRAY}, got None [IN-5]"),
    ({"inputs": (x(), x(3))}, f"inputs: expected {ARRAY} at [1] of rank 2 or more, got shape (3,) [IN-11]"),
    (
        {"inputs": [1.0]},
        (
            f"inputs: expected {ARRAY} at [0], got 1.0 [IN-15]; "
            "a list is always a structure: for an array say np.array(...)"
        ),
    ),
    (
        {"inputs": {"a": x(), "b": x(B, 7)}},
        "inputs: expected first two dimensions (2, 3) at ['b'], as at ['a'], got shape (2, 7) [IN-10]",
    ),
    (
        {"inputs": np.full((B, T), "text")},
        f"inputs: expected {ARRAY} of numbers or bools, got dtype <U4 [IN-17]; CuPy has no text",
    ),
    ({"sequence_length": [2]}, "sequence_length: expected shape (2,), got (1,) [SEQ-17]"),
    ({"sequence_length": [2, [1]]}, "sequence_length: expected rank 1, got a list with a list at [1] [SEQ-16]"),
    ({"initial_state": x(1, N)}, "initial_state: expected shape (2, 5), got (1, 5) [INIT-8]"),
    (
        {"initial_state": (x(B, 2),), "cell": Pair()},
        "initial_state: expected the 2 parts [0], [1], got 1: [0] [INIT-9]",
    ),
    (
        {"initial_state": x(B, 2), "cell": Pair()},
        "initial_state: expected a tuple of 2 parts, got an array of shape (2, 2) [INIT-9]",
    ),
    ({"dtype": None}, "dtype: expected a dtype where no initial_state is given, got None [DTYPE-3]"),
    (
        {"dtype": "float"},
        (
            "dtype: expected a dtype of numbers or bools, as an object, a NumPy scalar type or a name, "
            "got 'float' [DTYPE-12]; say 'float64' if that is meant"
        ),
    ),
    (
        {"scope": "a b"},
        (
            "scope: expected a name of letters, digits and _.-/ with a letter, a digit or a point in front, "
            "got 'a b' [SCOPE-10]"
        ),
    ),
    ({"parallel_iterations": 0}, "parallel_iterations: expected at least 1, got 0 [PAR-3]"),
]


@pytest.mark.parametrize(("changes", "message"), MESSAGES)
def test_a_refusal_says_what_was_wanted_and_what_came(changes: dict[str, Any], message: str) -> None:
    good = {"cell": BasicRNNCell(N), "inputs": x(), "sequence_length": [2, 1], "dtype": "float32"}
    with pytest.raises((TypeError, ValueError)) as caught:
        dynamic_rnn(**{**good, **changes})
    assert str(caught.value) == message


ORDER: list[dict[str, Any]] = [
    {"cell": 3},
    {"inputs": None},
    {"sequence_length": 2},
    {"scope": ""},
    {"time_major": "no"},
    {"inputs": (x(), x(B + 1, T, 1))},
    {"sequence_length": [1]},
    {"dtype": "float"},
    {"initial_state": x(1, 1)},
    {"parallel_iterations": 0},
    {"swap_memory": 1},
]


@pytest.mark.parametrize("index", range(len(ORDER) - 1))
def test_of_two_wrong_arguments_the_first_in_the_order_of_the_checks_is_named(index: int) -> None:
    first, second = ORDER[index], ORDER[index + 1]
    with pytest.raises((TypeError, ValueError)) as caught:
        dynamic_rnn(**{"cell": BasicRNNCell(N), "inputs": x(), "dtype": "float32", **second, **first})
    assert caught.value.argument == next(iter(first))  # type: ignore[attr-defined]


def given(**changes: Any) -> Any:
    values = dict.fromkeys(("sequence_length", "initial_state", "dtype", "parallel_iterations", "scope"), None)
    good = {"cell": BasicRNNCell(N), "inputs": x(), **values, "swap_memory": False, "time_major": False}
    return check_arguments(**{**good, "dtype": "float32", **changes})


def test_what_the_paths_read() -> None:
    made = given(sequence_length=[7, -1], time_major=np.False_, parallel_iterations=np.int16(4))
    assert (made.batch_size, made.max_time, made.parallel_iterations) == (B, T, 4)
    assert made.lengths.tolist() == [7, -1]
    assert (made.scope, made.time_major, made.swap_memory) == ("rnn", False, False)
    assert made.output_dims == [(N,)]
    assert made.state_shapes is None
    assert (made.input_shapes[0].shape, made.input_shapes[0].dtype) == ((B, T, D), np.float32)


def test_time_major_inputs_have_their_batch_second() -> None:
    made = given(inputs=(x(T, B), x(T, B, 1, 2)), time_major=True)
    assert (made.batch_size, made.max_time) == (B, T)


def test_nothing_moves_until_it_is_entered(device: Any) -> None:
    inputs, state = x(), x(B, N)
    with launch_log() as log:
        made = given(inputs=inputs, initial_state=state, sequence_length=np.array([1, 2], np.int32))
        assert made.inputs[0] is inputs
        assert log.entries == []
        made.enter(device)
    assert log.count("put", "upload") == 2
    assert made.lengths.dtype == np.int64
    assert made.inputs[0].get().tolist() == inputs.tolist()
    assert made.initial_state[0].get().tolist() == state.tolist()


def test_lengths_on_the_device_cost_one_wait(device: Any) -> None:
    made = given(sequence_length=device.enter(np.array([3, 1], np.int32)))
    with launch_log() as log:
        made.enter(device)
    assert log.count("synchronize") == 1
    assert made.lengths.tolist() == [3, 1]


def test_a_state_keeps_its_dtype_and_a_plain_tuple_serves_for_a_named_one() -> None:
    made = given(cell=BasicLSTMCell(N), initial_state=(x(B, N), x(B, N)), dtype=None)
    assert made.output_dtype == np.float32
    assert made.state_size == LSTMStateTuple(N, N)
    assert [known.shape for known in made.state_shapes] == [(B, N)] * 2


def test_a_missing_dtype_is_that_of_the_state() -> None:
    state = [Abstract((2,), "int8"), Abstract((2,), "int8")]
    assert check_output_dtype(None, state, needed=True) == np.int8
    assert check_output_dtype(None, [], needed=False) is None
    assert check_output_dtype(np.dtype("f4"), state, needed=True) == np.float32


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_lengths_are_taken_as_they_are(dtype: Any) -> None:
    lengths = np.array([3, -1], dtype)
    assert check_lengths(lengths) is lengths
    assert check_lengths(None) is None


def test_a_list_of_ints_of_any_size_is_a_vector_of_lengths() -> None:
    lengths = check_lengths([3, np.int32(-1), np.int64(2), 2**80, -(2**80)])
    assert lengths.dtype == np.int64
    assert lengths.tolist() == [3, -1, 2, 2**63 - 1, -(2**63)]


def test_scopes_and_flags_and_numbers() -> None:
    scope = VariableScope("mine")
    assert check_scope(scope) is scope
    assert check_scope("a/b.c-d_0") == "a/b.c-d_0"
    assert check_scope(None) == "rnn"
    assert check_flag("swap_memory", np.True_, "SWAP-3") is True
    assert check_parallel_iterations(None) == 32
    assert type(check_parallel_iterations(np.uint8(7))) is int


def test_sizes_may_be_tensor_shapes_in_any_structure() -> None:
    cell = Sized([TensorShape([2, 3]), {"a": 4}], (TensorShape([]), 1))
    state = [x(B, 2, 3), {"a": x(B, 4, dtype="int8")}]
    made = given(cell=cell, initial_state=state)
    assert made.output_dims == [(), (1,)]
    assert [known.shape for known in made.state_shapes] == [(B, 2, 3), (B, 4)]


def test_an_abstract_array_belongs_to_no_module() -> None:
    with pytest.raises(TypeError, match="array_module"):
        array_module(Abstract((2,), "float32"))
