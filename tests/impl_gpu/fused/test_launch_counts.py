"""Counts in the launch log what a call of the fused path asks of the device."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import impl_gpu
from impl_gpu import BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell, MultiRNNCell, ResidualWrapper
from impl_gpu.device.log import LaunchLog
from impl_gpu.kernels import declared

B, D = 19, 3
WORK = ("zero", "put", "get", "copy", "gemm", "kernel")

STEPS: dict[str, tuple[Callable[[], Any], dict[str, int], dict[str, int]]] = {
    "basic rnn": (lambda: BasicRNNCell(4), {"recurrent product": 1}, {"basic rnn step": 1}),
    "basic lstm": (lambda: BasicLSTMCell(4), {"recurrent product": 1}, {"lstm step": 1}),
    "lstm": (
        lambda: LSTMCell(4, use_peepholes=True, cell_clip=1),
        {"recurrent product": 1},
        {"lstm step": 1},
    ),
    "gru": (
        lambda: GRUCell(4),
        {"recurrent product": 1, "candidate product": 1},
        {"gru gates": 1, "gru candidate": 1},
    ),
    "projected lstm": (
        lambda: LSTMCell(4, num_proj=2),
        {"recurrent product": 1, "projection product": 1},
        {"lstm step": 1, "lstm projection": 1},
    ),
    "two layers": (
        lambda: MultiRNNCell([LSTMCell(4), GRUCell(2)]),
        {"recurrent product": 2, "candidate product": 1},
        {"lstm step": 1, "gru gates": 1, "gru candidate": 1},
    ),
}

HEADERS: dict[str, list[tuple[str, str, dict[str, int]]]] = {
    "basic rnn": [("basic_rnn", "basic_rnn_step_masked", {"n": 4})],
    "basic lstm": [("lstm", "lstm_step_masked", {"n": 4})],
    "lstm": [("lstm", "lstm_step_masked", {"n": 4, "peepholes": 1})],
    "gru": [("gru", "gru_gates", {"n": 4}), ("gru", "gru_candidate_masked", {"n": 4})],
    "projected lstm": [("lstm", "lstm_step_projected", {"n": 4}), ("lstm", "lstm_projection_masked", {"p": 2})],
    "two layers": [
        ("lstm", "lstm_step_masked", {"n": 4, "order": 0}),  # its outputs stay in the order by length
        ("gru", "gru_gates", {"n": 2}),
        ("gru", "gru_candidate_masked", {"n": 2}),
    ],
}
"""Source, entry point and sizes of every kernel of a step."""


def inputs(steps: int, time_major: bool = False) -> Any:
    shape = (steps, B, D) if time_major else (B, steps, D)
    return np.random.default_rng(steps).normal(size=shape).astype("float32")


def others(log: LaunchLog, products: dict[str, int], kernels: dict[str, int]) -> int:
    """How much work there is beside the steps' products and kernels and the input products."""
    all_work = sum(log.count(kind) for kind in WORK)
    steps = sum(log.count("gemm", name) for name in products) + sum(log.count("kernel", name) for name in kernels)
    return all_work - steps - log.count("gemm", "input product")


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_so_many_products_and_kernels(bench: Any, name: str, ragged: bool, graph: bool) -> None:
    make, products, kernels = STEPS[name]
    cell = bench.built(make(), D)
    layers = 2 if name == "two layers" else 1
    found = set()
    for steps in (2, 7, 8, 9, 33):
        # One row at least reaches the end.
        lengths = [steps, *np.random.default_rng(steps).integers(0, steps, B - 1).tolist()] if ragged else None
        with impl_gpu.options(graph=graph):
            for _ in range(2 if graph else 0):  # seen, then captured
                bench.call(cell, inputs(steps), sequence_length=lengths, parallel_iterations=4, clear=False)
            log = bench.call(cell, inputs(steps), sequence_length=lengths, parallel_iterations=4, clear=False).log
        assert log.count("replay") == (layers * (steps // 4 + (steps % 4 > 1)) if graph else 0)
        for purpose, count in products.items():
            assert log.count("gemm", purpose) == count * steps
        for purpose, count in kernels.items():
            assert log.count("kernel", purpose) == count * steps
        assert log.count("gemm", "input product") == layers * -(-steps // 4)
        assert sum(log.count("gemm", purpose) for purpose in products) + layers * -(-steps // 4) == log.count("gemm")
        found.add(others(log, products, kernels))
        bench.clear()
    assert len(found) == 1, found


@pytest.mark.parametrize("name", ["lstm", "two layers"])
def test_more_parallel_iterations_are_more_memory_and_fewer_launches(bench: Any, name: str) -> None:
    cell = bench.built(STEPS[name][0](), D)
    told, launched = [], []
    for parallel_iterations in (1, 2, 8, 32):
        told.append(impl_gpu.workspace_bytes(cell, (B, 32, D), "float32", parallel_iterations=parallel_iterations))
        log = bench.call(cell, inputs(32), parallel_iterations=parallel_iterations).log
        launched.append(sum(log.count(kind) for kind in WORK))
    # With a single chunk the second slot of gates is gone: compare without one too.
    with impl_gpu.options(overlap=False):
        alone = [
            impl_gpu.workspace_bytes(cell, (B, 32, D), "float32", parallel_iterations=steps) for steps in (1, 2, 8, 32)
        ]
    assert told == sorted(set(told))
    assert alone == sorted(set(alone))
    assert launched == sorted(set(launched), reverse=True)


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("lengths", [None, [7] * B, list(range(B)), [0] * B])
@pytest.mark.parametrize("name", ["gru", "two layers", "projected lstm"])
def test_workspace_bytes_are_the_bytes_that_a_call_allocates(
    bench: Any, name: str, lengths: list[int] | None, time_major: bool, overlap: bool
) -> None:
    cell = bench.built(STEPS[name][0](), D)
    arguments: dict[str, Any] = {
        "sequence_length": lengths,
        "time_major": time_major,
        "parallel_iterations": 3,
    }
    with impl_gpu.options(overlap=overlap):
        told = impl_gpu.workspace_bytes(cell, inputs(7, time_major).shape, "float32", **arguments)
        log = bench.call(cell, inputs(7, time_major), **arguments).log
    worked_in = [e.nbytes for e in log.entries if e.kind == "allocate" and e.purpose in ("workspace", "packed inputs")]
    assert told == sum(worked_in) > 0


def test_a_batch_of_one_is_time_major_as_it_lies(bench: Any) -> None:
    cell = bench.built(GRUCell(4), D)
    x = np.zeros((1, 7, D), "float32")
    log = bench.call(cell, x).log
    assert log.count("kernel", "transpose") == 0
    told = impl_gpu.workspace_bytes(cell, x.shape, x.dtype)
    assert told == next(e.nbytes for e in log.entries if e.purpose == "workspace")


@pytest.mark.parametrize("name", STEPS)
def test_time_major_launches_no_transposition_and_batch_major_one(bench: Any, name: str) -> None:
    cell = bench.built(STEPS[name][0](), D)
    for lengths in (None, list(range(B))):
        log = bench.call(cell, inputs(7, time_major=True), time_major=True, sequence_length=lengths).log
        assert log.count("kernel", "transpose") == log.count("copy") == 0
        assert log.count("kernel", "pack rows") == (0 if lengths is None else 1)
        log = bench.call(cell, inputs(7), sequence_length=lengths).log
        assert log.count("kernel", "transpose") == 1
        assert log.count("kernel", "pack rows") == log.count("copy") == 0


@pytest.mark.parametrize("graph", [False, True])
def test_the_host_waits_for_nothing(bench: Any, graph: bool) -> None:
    """Lengths on the host, new ones and new weights in each of many calls that nobody has read back."""
    cell = bench.built(MultiRNNCell([LSTMCell(4), ResidualWrapper(LSTMCell(4))]), D)
    bench.restart(0)
    with impl_gpu.device.use_device(bench.device), impl_gpu.options(graph=graph), impl_gpu.launch_log() as log:
        kept = []
        for seed in range(25):
            bench.reassign(cell, seed)
            lengths = np.random.default_rng(seed).integers(0, 8, B)
            kept.append(impl_gpu.dynamic_rnn(cell, inputs(7), lengths, dtype="float32", parallel_iterations=2))
    assert log.count("synchronize") == 0


def test_tables_are_copied_only_when_they_are_others(bench: Any) -> None:
    cell, x = bench.built(GRUCell(4), D), inputs(7)
    copied = [
        bench.call(cell, x, sequence_length=lengths, clear=False).log.count("put", "tables")
        for lengths in (None, None, [3] * B, [3] * B, [4] * B, None)
    ]
    assert copied == [1, 0, 1, 0, 1, 0]  # the last one takes the workspace of the first, where its tables still are


def test_finished_rows_are_in_no_product_beyond_the_granules(bench: Any) -> None:
    """A chunk multiplies the rows alive at its first step, rounded up to 8."""
    rows, steps = 100, 24
    lengths = np.random.default_rng(0).integers(0, steps + 1, rows)
    cell = bench.built(LSTMCell(4), D)
    x = np.zeros((rows, steps, D), "float32")
    for parallel_iterations in (1, 4, 32):
        log = bench.call(cell, x, sequence_length=lengths, parallel_iterations=parallel_iterations).log
        recurrent = [e.detail.n for e in log.executed() if e.kind == "gemm" and e.purpose == "recurrent product"]
        hoisted = [e.detail.n for e in log.executed() if e.kind == "gemm" and e.purpose == "input product"]
        alive = [np.count_nonzero(lengths > t - t % parallel_iterations) for t in range(lengths.max())]
        assert recurrent == [min(-(-count // 8) * 8, rows) for count in alive]
        assert sum(hoisted) == sum(recurrent)
    # At one step a chunk only the rounding is left: less than 8 rows a step above what the lengths ask for.
    log = bench.call(cell, x, sequence_length=lengths, parallel_iterations=1).log
    multiplied = sum(e.detail.n for e in log.executed() if e.kind == "gemm" and e.purpose == "recurrent product")
    assert lengths.sum() <= multiplied < lengths.sum() + 8 * steps
    assert multiplied < 0.7 * rows * steps


def test_past_the_longest_row_nothing_runs(bench: Any) -> None:
    cell, x = bench.built(LSTMCell(4), D), inputs(20, time_major=True)
    log = bench.call(cell, x, sequence_length=[5] * (B - 1) + [3], time_major=True, parallel_iterations=4).log
    assert log.count("gemm", "input product") == 2
    assert log.count("kernel", "lstm step") == 8
    assert [e.nbytes for e in log.executed() if e.purpose == "outputs past the end"] == [12 * B * 4 * 4]


def test_bytes_are_those_of_the_step(bench: Any) -> None:
    """LSTM in float32: per row and unit four gates, c read, c, h and the output written; biases, lengths and order."""
    cell, n, steps = bench.built(LSTMCell(4), D), 4, 6
    log = bench.call(cell, inputs(steps), sequence_length=[2] + [steps] * (B - 1)).log
    moved = [e.nbytes for e in log.executed() if e.purpose == "lstm step"]
    assert moved == [4 * (B * n * (4 + 4) + 4 * n + 2 * B)] * steps


@pytest.mark.parametrize("name", STEPS)
def test_every_kernel_of_a_step_moves_the_bytes_that_its_header_declares(bench: Any, name: str) -> None:
    cell, steps = bench.built(STEPS[name][0](), D), 3
    log = bench.call(cell, inputs(steps), sequence_length=[1, *[steps] * (B - 1)]).log
    everything = {"active": B, "rows": B, "lengths": 1, "order": 1, "peepholes": 0, "saved": 0}
    for module, entry, sizes in HEADERS[name]:
        moved = [e.nbytes for e in log.executed() if e.kind == "kernel" and e.detail == entry]
        assert moved == [declared.moved(module, entry, "float32", **{**everything, **sizes})] * steps


def test_two_chunks_ahead_use_the_second_stream_only_when_there_is_a_next_one(bench: Any) -> None:
    cell = bench.built(GRUCell(4), D)
    waits = {}
    for steps in (4, 8, 12, 16):
        waits[steps] = bench.call(cell, inputs(steps), parallel_iterations=4).log.count("wait")
    assert waits[8] > waits[4]
    assert waits[16] - waits[12] == 2  # one for the products of the chunk, one for its slot
