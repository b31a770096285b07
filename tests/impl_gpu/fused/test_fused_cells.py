"""Tests every built-in cell on the fused path against float64: dense and ragged, every dtype, several schedules."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import impl_gpu
from impl_gpu import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    GRUCell,
    LSTMCell,
    LSTMStateTuple,
    MultiRNNCell,
    ResidualWrapper,
)

SCHEDULES = 10
T, B, D = 5, 11, 3  # rows beyond one granule of 8, steps beyond one chunk
LENGTHS = [3, 0, 5, 1, 9, 2, 5, -4, 4, 1, 2]

CELLS: dict[str, Callable[[], Any]] = {
    "basic rnn": lambda: BasicRNNCell(4),
    "basic rnn with NumPy's tanh": lambda: BasicRNNCell(4, activation=np.tanh),
    "basic lstm": lambda: BasicLSTMCell(4, forget_bias=0.25),
    "basic lstm, one array": lambda: BasicLSTMCell(4, state_is_tuple=False),
    "gru": lambda: GRUCell(4),
    "lstm": lambda: LSTMCell(4),
    "lstm, forget bias": lambda: LSTMCell(4, forget_bias=-0.5),
    "lstm, one array": lambda: LSTMCell(4, state_is_tuple=False),
    "lstm, peepholes": lambda: LSTMCell(4, use_peepholes=True),
    "lstm, cell clip": lambda: LSTMCell(4, cell_clip=0.3),
    "lstm, cell clip 0": lambda: LSTMCell(4, cell_clip=0),
    "lstm, projection": lambda: LSTMCell(4, num_proj=2),
    "lstm, wide projection": lambda: LSTMCell(3, num_proj=5),
    "lstm, projection clip": lambda: LSTMCell(4, num_proj=2, proj_clip=0.2),
    "lstm, shards": lambda: LSTMCell(4, num_proj=3, num_unit_shards=2, num_proj_shards=3),
    "lstm, everything": lambda: LSTMCell(
        5, use_peepholes=True, cell_clip=0.4, num_proj=3, proj_clip=0.25, forget_bias=0.5, state_is_tuple=False
    ),
    "stack": lambda: MultiRNNCell([LSTMCell(4), GRUCell(2), BasicRNNCell(3)]),
    "stack, one array": lambda: MultiRNNCell(
        [GRUCell(2), BasicLSTMCell(3, state_is_tuple=False), LSTMCell(4, num_proj=1, state_is_tuple=False)],
        state_is_tuple=False,
    ),
    "stack in a stack": lambda: MultiRNNCell([MultiRNNCell([GRUCell(2), LSTMCell(3)]), BasicRNNCell(4)]),
    "device": lambda: DeviceWrapper(LSTMCell(4), "/gpu:0"),
    "residual": lambda: ResidualWrapper(GRUCell(D)),
    "residual in a stack": lambda: MultiRNNCell([LSTMCell(4), ResidualWrapper(LSTMCell(4, num_proj=4)), GRUCell(2)]),
    "residual of a stack": lambda: ResidualWrapper(
        MultiRNNCell([LSTMCell(4), ResidualWrapper(GRUCell(4)), GRUCell(D)])
    ),
}

FORMS: dict[str, dict[str, Any]] = {
    "dense": {},
    "dense, time-major": {"time_major": True},
    "ragged": {"sequence_length": LENGTHS},
    "ragged, time-major": {"sequence_length": np.array(LENGTHS, np.int32), "time_major": True},
}


def inputs(time_major: bool = False, dtype: Any = "float32", depth: int = D, seed: int = 5) -> Any:
    """Normal numbers [B, T, D] or [T, B, D]."""
    x = np.random.default_rng(seed).normal(size=(B, T, depth)).astype(dtype)
    return x.swapaxes(0, 1) if time_major else x


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CELLS)
def test_every_cell_is_right_under_every_schedule(bench: Any, name: str, form: str) -> None:
    arguments = FORMS[form]
    cell, x = bench.built(CELLS[name](), D), inputs("time_major" in arguments)
    wanted = bench.expected(cell, x, **arguments)
    for seed in range(SCHEDULES):
        bench.restart(seed)
        got = bench.call(cell, x, parallel_iterations=(1, 2, 32)[seed % 3], **arguments)
        assert got.log.notes == []  # no word of the any-cell path
        bench.check(got, wanted, T)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", ["basic rnn", "gru", "lstm", "lstm, everything", "residual of a stack"])
def test_every_dtype_is_right(bench: Any, name: str, dtype: str) -> None:
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    cell, x = bench.built(CELLS[name](), D, dtype), inputs(dtype=dtype)
    for arguments in FORMS["dense"], FORMS["ragged"]:
        wanted = bench.expected(cell, x, **arguments)
        for seed in range(3):
            bench.restart(seed)
            got = bench.call(cell, x, parallel_iterations=2, **arguments)
            assert got.log.notes == []
            assert {one.dtype for one in (got.outputs, *got.state)} == {np.dtype(dtype)}
            bench.check(got, wanted, T)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["basic rnn", "lstm, one array", "lstm, everything", "stack", "stack, one array"])
def test_an_initial_state_is_where_it_starts(bench: Any, name: str, form: str) -> None:
    arguments = FORMS[form]
    cell, x = bench.built(CELLS[name](), D), inputs("time_major" in arguments)
    state = state_of(cell.state_size, np.random.default_rng(7))
    wanted = bench.expected(cell, x, initial_state=state, **arguments)
    for seed in range(SCHEDULES):
        bench.restart(seed)
        got = bench.call(cell, x, initial_state=state, parallel_iterations=2, **arguments)
        bench.check(got, wanted, T)


def state_of(size: Any, rng: np.random.Generator) -> Any:
    """Normal numbers in the form of a state_size."""
    if isinstance(size, LSTMStateTuple):
        return LSTMStateTuple(*(state_of(part, rng) for part in size))
    if isinstance(size, tuple):
        return tuple(state_of(part, rng) for part in size)
    return rng.normal(size=(B, size)).astype("float32")


def test_what_lengths_leave_alone_is_exact_to_the_bit(bench: Any) -> None:
    """SEQ-4, SEQ-5: also where the padding holds NaN, and the state -0.0 and NaNs of every kind."""
    cell, x = bench.built(LSTMCell(4), D), inputs()
    lengths = np.array([5, 0, 3, 0, 1, 0, 2, 0, 4, 0, 0])
    x[np.arange(T) >= lengths[:, None]] = np.nan
    bits = np.random.default_rng(3).integers(0, 2**32, (2, B, 4), dtype=np.uint32)
    c, h = bits.view(np.float32)
    c[lengths > 0], h[lengths > 0] = 0.5, -0.25
    for seed in range(SCHEDULES):
        bench.restart(seed)
        got = bench.call(cell, x, sequence_length=lengths, initial_state=LSTMStateTuple(c, h), parallel_iterations=2)
        past = np.arange(T) >= lengths[:, None]
        assert not got.outputs[past].view(np.uint32).any()  # +0, not -0
        assert np.isfinite(got.outputs).all()
        for mine, start in zip(got.state, (c, h), strict=True):
            assert mine[lengths == 0].tobytes() == start[lengths == 0].tobytes()
            assert np.isfinite(mine[lengths > 0]).all()


@pytest.mark.parametrize("lengths", [[0] * B, [-1] * B, [2] * B, [5] * B, list(range(B, 0, -1)), [0] * (B - 1) + [5]])
def test_lengths_at_the_edges(bench: Any, lengths: list[int]) -> None:
    for name, time_major in (("gru", True), ("stack", False), ("residual", False)):
        cell, x = bench.built(CELLS[name](), D), inputs(time_major)
        arguments = {"sequence_length": lengths, "time_major": time_major}
        wanted = bench.expected(cell, x, **arguments)
        for seed in range(3):
            bench.restart(seed)
            bench.check(bench.call(cell, x, parallel_iterations=2, **arguments), wanted, T)


@pytest.mark.parametrize("name", ["gru", "lstm", "lstm, everything", "stack", "residual of a stack"])
def test_no_rows_give_no_rows_and_launch_nothing(bench: Any, name: str) -> None:
    cell = bench.built(CELLS[name](), D)
    empty: list[int] = []
    for lengths in (None, empty):
        got = bench.call(cell, np.zeros((0, T, D), "float32"), sequence_length=lengths)
        assert got.outputs.shape == (0, T, cell.output_size)
        assert [leaf.shape for leaf in got.state] == [(0, n) for n in flat(cell.state_size)]
        assert got.log.count("kernel") == got.log.count("gemm") == got.log.count("zero") == 0


def flat(size: Any) -> list[int]:
    return [n for part in size for n in flat(part)] if isinstance(size, tuple) else [size]


def test_no_steps_give_the_initial_state(bench: Any) -> None:
    cell = bench.built(LSTMCell(4), D)
    state = state_of(cell.state_size, np.random.default_rng(1))
    got = bench.call(cell, np.zeros((B, 0, D), "float32"), initial_state=state)
    assert got.outputs.shape == (B, 0, 4)
    assert [leaf.tobytes() for leaf in got.state] == [leaf.tobytes() for leaf in state]


def test_inputs_of_no_columns_leave_the_recurrence(bench: Any) -> None:
    for cell in (GRUCell(4), LSTMCell(3, num_proj=2)):
        bench.built(cell, 0)
        x = np.zeros((B, T, 0), "float32")
        wanted = bench.expected(cell, x, sequence_length=LENGTHS)
        for seed in range(3):
            bench.restart(seed)
            got = bench.call(cell, x, sequence_length=LENGTHS, parallel_iterations=2)
            bench.check(got, wanted, T)
            assert got.log.notes == []


def test_inputs_and_states_may_lie_in_any_stride(bench: Any) -> None:
    """A view is read where it is as long as the elements of a row follow each other, and copied where they do not."""
    from impl_gpu.device import use_device

    cell, x = bench.built(GRUCell(4), D), inputs()
    wide = np.random.default_rng(2).normal(size=(2 * B, 2 * T, 2 * D)).astype("float32")
    wide_h = np.random.default_rng(3).normal(size=(B, 9)).astype("float32")
    views = {
        "rows and steps apart": (slice(None, None, 2), slice(1, None, 2), slice(1, 1 + D)),
        "backwards": (slice(B - 1, None, -1), slice(T, 0, -1), slice(0, D)),
        "columns apart": (slice(0, B), slice(0, T), slice(0, None, 2)),
    }
    for seed, (name, view) in enumerate(views.items()):
        bench.restart(seed)
        x, h = wide[view], wide_h[:, 1:9:2] if name == "columns apart" else wide_h[:, 3:7]
        wanted = bench.expected(cell, x, initial_state=h, sequence_length=LENGTHS)
        with use_device(bench.device):
            on_device, state = bench.device.enter(wide)[view], bench.device.enter(wide_h)
            state = state[:, 1:9:2] if name == "columns apart" else state[:, 3:7]
            outputs, final = impl_gpu.dynamic_rnn(
                cell, on_device, sequence_length=LENGTHS, initial_state=state, parallel_iterations=2
            )
        np.testing.assert_allclose(bench.device.to_numpy(outputs), wanted.outputs, rtol=0, atol=1e-5)
        np.testing.assert_allclose(bench.device.to_numpy(final), wanted.state[0], rtol=0, atol=1e-5)


def test_one_cell_in_two_places_shares_its_weights(bench: Any) -> None:
    shared = LSTMCell(D)
    cell, x = bench.built(MultiRNNCell([shared, shared]), D), inputs()
    wanted = bench.expected(cell, x, sequence_length=LENGTHS)
    got = bench.call(cell, x, sequence_length=LENGTHS, parallel_iterations=2)
    bench.check(got, wanted, T)
    assert got.log.count("put", "weights") == 1
