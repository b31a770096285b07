"""Tests the any-cell path on users' cells of every dtype and rank: launches counted, values bit for bit as NumPy's."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from dynamic_rnn_spec import RNNCell as CellProtocol
from dynamic_rnn_spec import TensorShape, array_module
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure
from impl_gpu import RNNCell, dynamic_rnn, launch_log

B, T = 4, 5
LENGTHS = [3, 0, 9, -1]
DTYPES = ["bool", "int8", "uint16", "int32", "int64", "float16", "float64", "complex64", "complex128"]


class Carry(RNNCell):
    """The new state is the input, the output the old state."""

    def __init__(self, dims: Any = (2,)) -> None:
        super().__init__()
        self.dims = TensorShape(dims)
        self.calls = 0

    @property
    def state_size(self) -> Any:
        return self.dims

    @property
    def output_size(self) -> Any:
        return self.dims

    def call(self, inputs: Any, state: Any) -> Any:
        self.calls += 1
        return state, inputs


class Total(RNNCell):
    """Sums of two states of different dtypes, in a list and a dict."""

    @property
    def state_size(self) -> Any:
        return [2, {"count": TensorShape([])}]

    @property
    def output_size(self) -> Any:
        return 2, [TensorShape([2, 2])]

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        return [np.zeros((batch_size, 2), "f8"), {"count": np.zeros(batch_size, "i4")}]

    def call(self, inputs: Any, state: Any) -> Any:
        xp = array_module(inputs)
        total, count = state[0] + inputs, state[1]["count"] + 1
        return (total, [xp.stack([total, inputs], axis=2)]), [total, {"count": count}]


def wild(*shape: int, dtype: Any, seed: int = 0) -> Any:
    """Any bits at all, NaNs of any payload and negative zeros among them; a bool is 0 or 1."""
    rng = np.random.RandomState(seed)
    if dtype == "bool":
        return rng.rand(*shape) < 0.5
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(rng.bytes(size), dtype).reshape(shape)


def bits(array: Any) -> list[Any]:
    return [array.shape, array.dtype, np.ascontiguousarray(array).tobytes()]


def carried(x: Any, state: Any, lengths: Any) -> tuple[Any, Any]:
    """What Carry makes of x [B, T, ...] row by row."""
    outputs, final = np.zeros_like(x), state.copy()
    for b, length in enumerate(lengths):
        for t in range(min(length, x.shape[1])):
            outputs[b, t], final[b] = final[b], x[b, t]
    return outputs, final


@pytest.mark.parametrize("dims", [(), (1,), (3,), (2, 3), (4, 0), (2, 1, 2)])
@pytest.mark.parametrize("dtype", [*DTYPES, ml_dtypes.bfloat16])
def test_rows_are_copied_bit_for_bit(dtype: Any, dims: Any) -> None:
    x, state = wild(B, T, *dims, dtype=dtype), wild(B, *dims, dtype=dtype, seed=1)
    wanted_outputs, wanted_state = carried(x, state, LENGTHS)
    outputs, final = dynamic_rnn(Carry(dims), x, LENGTHS, state)
    assert bits(outputs.get()) == bits(wanted_outputs)
    assert bits(final.get()) == bits(wanted_state)
    time_major, final = dynamic_rnn(Carry(dims), x.swapaxes(0, 1), LENGTHS, state, time_major=True)
    assert bits(time_major.get()) == bits(wanted_outputs.swapaxes(0, 1))
    assert bits(final.get()) == bits(wanted_state)


VIEWS: dict[str, Any] = {
    "transposed": ((3, T, B), (3, B), lambda array: array.T),
    "backwards": ((B, T, 3), (B, 3), lambda array: array[(slice(None, None, -1),) * array.ndim]),
    "every other": ((2 * B, 2 * T, 6), (2 * B, 6), lambda array: array[(slice(1, None, 2),) * array.ndim]),
    "one row for all": (
        (1, T, 3),
        (1, 3),
        lambda array: array_module(array).broadcast_to(array, (B, *array.shape[1:])),
    ),
}


@pytest.mark.parametrize("name", VIEWS)
def test_inputs_and_states_may_be_views(name: str, device: Any) -> None:
    x_shape, state_shape, viewed = VIEWS[name]
    x, state = wild(*x_shape, dtype="int32"), wild(*state_shape, dtype="int32", seed=1)
    wanted_outputs, wanted_state = carried(viewed(x), viewed(state), LENGTHS)
    outputs, final = dynamic_rnn(Carry((3,)), viewed(device.enter(x)), LENGTHS, viewed(device.enter(state)))
    assert outputs.get().tolist() == wanted_outputs.tolist()
    assert final.get().tolist() == wanted_state.tolist()


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_structures_of_several_dtypes(lengths: Any) -> None:
    x = np.arange(B * T * 2, dtype="f8").reshape(B, T, 2)
    (total, (pair,)), (final, counts) = dynamic_rnn(Total(), x, lengths, dtype="float64")
    counted = [min(max(n, 0), T) for n in lengths or [T] * B]
    assert counts["count"].get().tolist() == counted
    for b, n in enumerate(counted):
        sums = np.cumsum(x[b, :n], axis=0)
        assert total.get()[b].tolist() == [*sums.tolist(), *[[0, 0]] * (T - n)]
        assert pair.get()[b, :n, :, 0].tolist() == sums.tolist()
        assert final.get()[b].tolist() == (sums[-1].tolist() if n else [0, 0])


@pytest.mark.parametrize("time_major", [False, True])
def test_the_cell_is_called_for_every_step_and_one_kernel_is_launched_for_each_leaf(time_major: bool) -> None:
    """And nothing else, so no transposition in either layout."""
    cell = Carry()
    x = np.ones((T, B, 2) if time_major else (B, T, 2), "f4")
    with launch_log() as log:
        dynamic_rnn(cell, x, LENGTHS, dtype="float32", time_major=time_major)
    assert cell.calls == T
    assert log.count("kernel", "masked copy") == 2 * T + 1  # output and state of each step; the final state
    assert log.count("kernel") == 2 * T + 1
    assert log.count("copy") == log.count("synchronize") == 0
    assert log.notes == ["any-cell path: a cell of type Carry"]


def test_without_lengths_states_are_not_copied_but_once() -> None:
    with launch_log() as log:
        dynamic_rnn(Carry(), np.ones((B, T, 2), "f4"), dtype="float32")
    assert log.count("kernel", "masked copy") == T + 1


def test_a_cell_may_return_the_same_memory_at_each_step() -> None:
    class Reuse(Carry):
        kept: Any = None

        def call(self, inputs: Any, state: Any) -> Any:
            self.kept = inputs.copy() if self.calls == 0 else self.kept
            self.kept[...] = inputs
            self.calls += 1
            return self.kept, self.kept

    x = wild(B, T, 2, dtype="int32")
    outputs, state = dynamic_rnn(Reuse(), x, [5, 3, 1, 2], dtype="int32")
    assert state.get().tolist() == [x[b, n - 1].tolist() for b, n in enumerate([5, 3, 1, 2])]
    assert outputs.get()[1, :3].tolist() == x[1, :3].tolist()


@pytest.mark.parametrize("shape", [(0, T, 2), (B, 0, 2), (B, T, 0)])
def test_empty_arrays_launch_nothing(shape: Any) -> None:
    cell = Carry(shape[2:])
    with launch_log() as log:
        outputs, state = dynamic_rnn(cell, np.ones(shape, "f4"), [1] * shape[0], dtype="float32")
    assert log.count("kernel") == (1 if shape[1] == 0 else 0)
    assert (outputs.shape, state.shape) == (shape, (shape[0], *shape[2:]))
    assert cell.calls == shape[1]


def test_a_state_of_rank_0_belongs_to_no_row() -> None:
    class Counter(RNNCell):
        state_size = (1, 1)
        output_size = 1

        def zero_state(self, batch_size: int, dtype: Any) -> Any:
            return np.zeros((), dtype), np.zeros((batch_size, 1), dtype)

        def call(self, inputs: Any, state: Any) -> Any:
            return state[1] + state[0], (state[0] + 1, state[1] + 1)

    _, (count, rows) = dynamic_rnn(Counter(), np.ones((B, T), "f4"), LENGTHS, dtype="float32")
    assert count.get().tolist() == T
    assert rows.get().ravel().tolist() == [3, 0, 5, 0]


def test_a_cell_that_returns_one_array_for_all_is_copied_for_each() -> None:
    class Alias(RNNCell):
        state_size = (2, 2)
        output_size = 2

        def call(self, inputs: Any, state: Any) -> Any:
            return state[0], (inputs, inputs)

    x = np.arange(B * T * 2, dtype="f4").reshape(B, T, 2)
    outputs, (first, second) = dynamic_rnn(Alias(), x, dtype="float32")
    assert first.data.ptr != second.data.ptr
    assert first.get().tolist() == second.get().tolist() == x[:, -1].tolist()
    assert outputs.get()[:, 1:].tolist() == x[:, :-1].tolist()


def test_numpy_arrays_from_a_cell_are_uploaded() -> None:
    class OnHost(CellProtocol):
        state_size = output_size = 2

        def call(self, inputs: Any, state: Any) -> Any:
            h = np.full((B, 2), 7, "f4")
            return h, h

    outputs, state = dynamic_rnn(OnHost(), np.ones((B, T, 2), "f4"), LENGTHS, dtype="float32")
    assert state.get()[:, 0].tolist() == [7, 0, 7, 0]
    assert outputs.get().sum() == 7 * 2 * (3 + T)


def test_the_caller_s_stream_is_the_one_that_is_used(device: Any) -> None:
    x = wild(B, T, 2, dtype="int32")
    wanted, _ = carried(x, np.zeros((B, 2), "i4"), LENGTHS)
    for seed in range(20):
        device.restart(seed)
        with device.stream(device.new_stream()):
            outputs, _ = dynamic_rnn(Carry(), x, LENGTHS, dtype="int32")
            assert outputs.get().tolist() == wanted.tolist()


FAULTS: list[tuple[Any, type[Exception], str, str]] = [
    (lambda x, s: x, TypeError, "CELL-12", "a pair (output, state) from each step"),
    (lambda x, s: (x, s, s), ValueError, "CELL-12", "a pair (output, state) from each step"),
    (lambda x, s: ((x, x), s), ValueError, "CELL-12", "an output nested like output_size"),
    (lambda x, s: (3.0, s), TypeError, "OUT-7", "an array as output"),
    (lambda x, s: (x[:, :1], s), ValueError, "OUT-7", "an output of shape (4, 2)"),
    (lambda x, s: (x.astype("f8"), s), TypeError, "DTYPE-10", "an output of dtype float32"),
    (lambda x, s: (x, (s,)), ValueError, "CELL-10", "a state nested like the old one"),
    (lambda x, s: (x, None), TypeError, "CELL-11", "an array as state"),
    (lambda x, s: (x, s[:, :1]), ValueError, "CELL-11", "a state of shape (4, 2)"),
    (lambda x, s: (x, s.astype("i4")), TypeError, "CELL-11", "a state of dtype float32"),
]


@pytest.mark.parametrize(("step", "kind", "clause", "wanted"), FAULTS)
def test_what_a_cell_may_not_return(step: Any, kind: Any, clause: str, wanted: str) -> None:
    class Faulty(RNNCell):
        state_size = output_size = 2

        def call(self, inputs: Any, state: Any) -> Any:
            return step(inputs, state)

    with pytest.raises(kind) as caught:
        dynamic_rnn(Faulty(), np.ones((B, T, 2), "f4"), dtype="float32")
    assert (caught.value.argument, caught.value.clause, caught.value.wanted) == ("cell", clause, wanted)


def test_what_a_cell_raises_reaches_the_caller_and_leaves_nothing(store: Any) -> None:
    class Failing(RNNCell):
        state_size = output_size = 2

        def build(self, inputs_shape: Any) -> None:
            self.add_variable("w", [1])

        def call(self, inputs: Any, state: Any) -> Any:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        dynamic_rnn(Failing(), np.ones((B, T, 2), "f4"), dtype="float32")
    assert not store.variables


@pytest.mark.parametrize(
    ("leaf", "kind", "wanted"),
    [
        (1.0, TypeError, "arrays in its zero_state"),
        (np.zeros((B + 1, 2), "f4"), ValueError, "a row for each of 4 lengths in its zero_state"),
    ],
)
def test_a_zero_state_that_fits_no_rows_is_refused(leaf: Any, kind: Any, wanted: str) -> None:
    class Odd(Carry):
        def zero_state(self, batch_size: int, dtype: Any) -> Any:
            return leaf

    with pytest.raises(kind) as caught:
        dynamic_rnn(Odd(), np.ones((B, T, 2), "f4"), LENGTHS, dtype="float32")
    assert (caught.value.clause, caught.value.wanted) == ("CELL-9", wanted)


def test_results_are_copies_even_when_no_step_counts(device: Any) -> None:
    state = device.enter(np.ones((B, 2), "f4"))
    for x, lengths in ((np.ones((B, 0, 2), "f4"), None), (np.ones((B, T, 2), "f4"), [0] * B)):
        _, final = dynamic_rnn(Carry(), x, lengths, state)
        assert final.data.ptr != state.data.ptr
        assert final.get().tolist() == state.get().tolist()


def test_inputs_of_several_shapes_reach_the_cell_as_a_structure() -> None:
    class Seen(Carry):
        def call(self, inputs: Any, state: Any) -> Any:
            self.seen = map_structure(lambda leaf: (leaf.shape, str(leaf.dtype)), inputs)
            return state, state

    cell = Seen()
    x: Any = {"b": [np.ones((B, T), "i1")], "a": (np.ones((B, T, 3, 1), "c8"), [])}
    dynamic_rnn(cell, x, dtype="float32")
    assert cell.seen == {"b": [((B,), "int8")], "a": (((B, 3, 1), "complex64"), [])}
    assert list(cell.seen) == ["b", "a"]
    assert len(flatten(cell.seen)) > 0
