"""Tests what runs beside what (overlap, graphs, new weights, two streams): the same bits under every schedule."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec import default_store
from impl_gpu import DropoutWrapper, GRUCell, LSTMCell, MultiRNNCell, ResidualWrapper
from impl_gpu.device import use_device

SCHEDULES = 10
T, B, D = 9, 13, 3

CELLS: dict[str, Callable[[], Any]] = {
    "gru": lambda: GRUCell(4),
    "lstm": lambda: LSTMCell(4, use_peepholes=True, cell_clip=1),
    "projected lstm": lambda: LSTMCell(4, num_proj=2),
    "stack": lambda: MultiRNNCell([LSTMCell(4), ResidualWrapper(LSTMCell(4)), GRUCell(2)]),
}
LENGTHS = [9, 0, 4, 1, 7, 7, 2, 9, 0, 3, 5, 8, 1]


def inputs(seed: int = 5, batch_size: int = B, steps: int = T) -> Any:
    return np.random.default_rng(seed).normal(size=(batch_size, steps, D)).astype("float32")


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("name", CELLS)
def test_the_second_stream_changes_no_bit(bench: Any, name: str, lengths: Any) -> None:
    cell, x = bench.built(CELLS[name](), D), inputs()
    with impl_gpu.options(overlap=False):
        alone = bench.call(cell, x, sequence_length=lengths, parallel_iterations=2)
    for seed in range(SCHEDULES):
        bench.restart(seed)
        beside = bench.call(cell, x, sequence_length=lengths, parallel_iterations=2)
        assert beside.same_bits(alone)
        assert beside.log.count("wait") > alone.log.count("wait")


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("name", CELLS)
def test_graphs_change_no_bit(bench: Any, name: str, lengths: Any) -> None:
    """Seen, captured and replayed; with the steps of the last chunk, which is a single one, as ever."""
    cell, x = bench.built(CELLS[name](), D), inputs()
    eager = bench.call(cell, x, sequence_length=lengths, parallel_iterations=2)
    for seed in range(SCHEDULES):
        bench.restart(seed)
        logs = []
        with impl_gpu.options(graph=True):
            for _ in range(3):
                got = bench.call(cell, x, sequence_length=lengths, parallel_iterations=2, clear=False)
                assert got.same_bits(eager)
                logs.append(got.log)
        assert logs[1].count("replay") == logs[2].count("replay") == 4 * (3 if name == "stack" else 1)
        assert logs[0].count("capture") > logs[2].count("capture") == 0


def test_a_graph_serves_other_inputs_lengths_steps_and_outputs(bench: Any) -> None:
    """What changes from call to call is read when the graph runs."""
    cell = bench.built(CELLS["stack"](), D)
    for seed in range(SCHEDULES):
        bench.restart(seed)
        with impl_gpu.options(graph=True):
            for call in range(4):
                rng = np.random.default_rng([seed, call])
                steps = int(rng.integers(5, 9))
                x = inputs(call, steps=steps)
                lengths = rng.permutation([steps] * 8 + list(range(B - 8)))
                got = bench.call(cell, x, sequence_length=lengths, parallel_iterations=2, clear=False)
                bench.check(got, bench.expected(cell, x, sequence_length=lengths), steps)
                assert got.log.count("replay") > 0 or call == 0


def test_a_clock_is_set_where_a_chunk_before_was_not_replayed(bench: Any) -> None:
    """A call whose first chunk has been captured and whose second is new, and the other way round."""
    cell = bench.built(GRUCell(4), D)
    ends = {"first": [4] * 8 + [2] * 5, "second": [4] * 13, "third": [4] * 8 + [1] * 5}
    for seed in range(SCHEDULES):
        bench.restart(seed)
        with impl_gpu.options(graph=True, overlap=False):
            for name in ("first", "first", "second", "third", "second", "first"):
                x = inputs(seed, steps=4)
                lengths = ends[name]
                got = bench.call(cell, x, sequence_length=lengths, parallel_iterations=2, clear=False)
                bench.check(got, bench.expected(cell, x, sequence_length=lengths), 4)


@pytest.mark.parametrize("graph", [False, True])
def test_new_weights_are_used_at_once(bench: Any, graph: bool) -> None:
    """Assigned while calls with the old ones are still under way: each call computes with those of its time."""
    cell, x = bench.built(CELLS["stack"](), D), inputs()
    wanted = []
    for version in range(4):
        bench.reassign(cell, version)
        wanted.append(bench.expected(cell, x, sequence_length=LENGTHS))
    for seed in range(SCHEDULES):
        bench.restart(seed)
        with use_device(bench.device), impl_gpu.options(graph=graph):
            on_device = bench.device.enter(x)
            results = []
            for version in range(4):
                bench.reassign(cell, version)
                results.append(impl_gpu.dynamic_rnn(cell, on_device, LENGTHS, dtype="float32", parallel_iterations=2))
            for result, right in zip(results, wanted, strict=True):
                bench.check(bench.result(*result), right, T)


@pytest.mark.parametrize("graph", [False, True])
def test_calls_on_two_streams_take_turns_with_one_workspace(bench: Any, graph: bool) -> None:
    cell = bench.built(CELLS["lstm"](), D)
    calls = [(inputs(call), np.roll(LENGTHS, call)) for call in range(6)]
    wanted = [bench.expected(cell, x, sequence_length=lengths) for x, lengths in calls]
    for seed in range(SCHEDULES):
        bench.restart(seed)
        device = bench.device
        streams = [device.new_stream(), device.new_stream()]
        with use_device(device), impl_gpu.options(graph=graph), impl_gpu.launch_log() as log:
            results = []
            for call, (x, lengths) in enumerate(calls):
                with device.stream(streams[call % 2]):
                    results.append(impl_gpu.dynamic_rnn(cell, x, lengths, dtype="float32", parallel_iterations=2))
            for call, result in enumerate(results):
                with device.stream(streams[call % 2]):
                    bench.check(bench.result(*result), wanted[call], T)
        assert [e.purpose for e in log.entries if e.kind == "allocate"].count("workspace") == 1


def test_models_take_turns_and_keep_their_own(bench: Any) -> None:
    """Equal layouts share a workspace, not the weights and not the graphs."""
    cells = [bench.built(GRUCell(4), D, seed=seed) for seed in range(3)]
    x = inputs()
    wanted = [bench.expected(cell, x) for cell in cells]
    for seed in range(SCHEDULES):
        bench.restart(seed)
        with impl_gpu.options(graph=True):
            for _ in range(3):
                for cell, right in zip(cells, wanted, strict=True):
                    bench.check(bench.call(cell, x, parallel_iterations=2, clear=False), right, T)


def test_weights_end_with_their_variables(bench: Any) -> None:
    for seed in range(4):
        with impl_gpu.use_store(impl_gpu.VariableStore(seed=seed)):
            cell = bench.built(GRUCell(4), D, seed=seed)
            bench.check(bench.call(cell, inputs(), clear=False), bench.expected(cell, inputs()), T)
    cell = bench.built(LSTMCell(2), D)
    bench.call(cell, inputs(), clear=False)
    bench.device.finish()
    assert [purpose for purpose, _ in bench.device.live()].count("weights") < 4


def test_a_call_that_fails_leaves_the_next_one_right(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The products of the next chunk are under way on the second stream when the steps of this one fail."""
    from impl_gpu.fused.layers import gru

    cell, x = bench.built(GRUCell(4), D), inputs()
    wanted = bench.expected(cell, x)
    for seed in range(SCHEDULES):
        bench.restart(seed)
        with monkeypatch.context() as patched:
            patched.setattr(gru, "run_step", lambda *arguments: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                bench.call(cell, x, parallel_iterations=2, clear=False)
        bench.check(bench.call(cell, x, parallel_iterations=2, clear=False), wanted, T)
        bench.clear()


@pytest.mark.parametrize("broken_off", [0, 1])
def test_steps_are_captured_only_when_all_of_them_have_run(
    bench: Any, monkeypatch: pytest.MonkeyPatch, broken_off: int
) -> None:
    """Kernels are loaded when they run first: what a failed call left out can't be captured by the next one."""
    from impl_gpu.device.host import HostDevice

    cell, x = bench.built(CELLS["projected lstm"](), D), inputs()
    wanted = bench.expected(cell, x)
    launch, launched = HostDevice._do_launch, list[Any]()

    def failing(device: Any, kernel: Any, *arguments: Any) -> None:
        if kernel.entry.startswith("lstm"):
            launched.append(kernel)
            if len(launched) == broken_off + 1:
                raise KeyboardInterrupt
        launch(device, kernel, *arguments)

    with impl_gpu.options(graph=True):
        bench.restart(0)
        with monkeypatch.context() as patched:
            patched.setattr(HostDevice, "_do_launch", failing)
            with pytest.raises(KeyboardInterrupt):
                bench.call(cell, x, parallel_iterations=3, clear=False)
        for _ in range(3):
            bench.check(bench.call(cell, x, parallel_iterations=3, clear=False), wanted, T)


def test_a_workspace_stays_where_the_end_of_its_call_is_unknown(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given back, it would be another call's memory while the work of the broken one may still run."""
    from impl_gpu.fused.workspace import Workspace

    cell, x = bench.built(GRUCell(4), D), inputs()
    wanted = bench.expected(cell, x)
    for seed in range(SCHEDULES):
        bench.restart(seed)
        with monkeypatch.context() as patched:
            patched.setattr(Workspace, "end", lambda workspace, stream: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                bench.call(cell, x, parallel_iterations=2, clear=False)
        for _ in range(2):
            bench.check(bench.call(cell, x, parallel_iterations=2, clear=False), wanted, T)
        bench.device.finish()


def test_a_capture_that_fails_is_abandoned(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from impl_gpu.fused import graphs

    cell, x = bench.built(GRUCell(4), D), inputs()
    wanted = bench.expected(cell, x)
    run_steps = graphs.run_steps

    def failing(device: Any, stream: Any, steps: Any, chunk_first: int) -> None:
        run_steps(device, stream, steps, chunk_first)
        raise ZeroDivisionError

    with impl_gpu.options(graph=True):
        with monkeypatch.context() as patched:
            patched.setattr(graphs, "run_steps", failing)
            with pytest.raises(ZeroDivisionError):
                bench.call(cell, x, parallel_iterations=2, clear=False)
        for _ in range(2):
            bench.check(bench.call(cell, x, parallel_iterations=2, clear=False), wanted, T)


def test_idle_workspaces_are_kept_up_to_a_bound(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from impl_gpu.fused import workspace

    cell = bench.built(GRUCell(4), D)
    x = inputs()
    needed = [impl_gpu.workspace_bytes(cell, x[:rows].shape, "float32", time_major=True) for rows in (1, 2, 3)]
    monkeypatch.setattr(workspace, "POOL_BYTES", needed[1] + needed[2])
    made = []
    for rows in (1, 2, 3, 2, 3, 1):
        time_first = x[:rows].swapaxes(0, 1)
        log = bench.call(cell, time_first, time_major=True, clear=False).log
        made.append([e.purpose for e in log.entries if e.kind == "allocate"].count("workspace"))
    assert made == [1, 1, 1, 0, 0, 1]


def test_staging_gives_back_what_no_copy_reads(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from impl_gpu.fused import staging

    monkeypatch.setattr(staging, "KEPT_BYTES", 0)
    cell = bench.built(GRUCell(4), D)
    for seed in range(SCHEDULES):
        bench.restart(seed)
        for version in range(4):
            bench.reassign(cell, version)
            x = inputs(version)
            got = bench.call(cell, x, sequence_length=np.roll(LENGTHS, version), clear=False)
            bench.check(got, bench.expected(cell, x, sequence_length=np.roll(LENGTHS, version)), T)
        bench.clear()


def test_tf32_is_asked_for_and_float32_only(bench: Any) -> None:
    for dtype in ("float32", "float64", "float16"):
        cell = bench.built(CELLS["projected lstm"](), D, dtype)
        for tf32 in (False, True):
            with impl_gpu.options(tf32=tf32):
                log = bench.call(cell, inputs().astype(dtype)).log
            wanted = "64F" if dtype == "float64" else "32F_FAST_TF32" if tf32 and dtype == "float32" else "32F"
            assert {e.detail.compute for e in log.executed() if e.kind == "gemm"} == {wanted}


def test_dropped_states_run_without_a_graph(bench: Any) -> None:
    cell = bench.built(DropoutWrapper(GRUCell(4), state_keep_prob=0.5, seed=1), D)
    with impl_gpu.options(graph=True):
        for _ in range(3):
            log = bench.call(cell, inputs(), clear=False).log
            assert log.count("replay") == 0
            assert log.count("kernel", "dropout") == T


def test_streams_are_few_and_never_ended(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a device each stream that multiplies holds 32 MiB, and memory comes back by stream: many shapes share them."""
    from impl_gpu.fused import streams, workspace

    made: list[Any] = []
    new_stream = bench.device.new_stream

    def counted() -> Any:
        made.append(new_stream())
        return made[-1]

    monkeypatch.setattr(bench.device, "new_stream", counted)
    cell = bench.built(GRUCell(4), D)
    with impl_gpu.options(graph=True):
        for rows in [*range(1, 14), *range(1, 14)]:
            x = inputs()[:rows]
            for _ in range(2):
                bench.check(bench.call(cell, x, parallel_iterations=2, clear=False), bench.expected(cell, x), T)
        impl_gpu.clear_caches()
        bench.call(cell, inputs(), parallel_iterations=2)
    assert 3 <= len(made) <= 2 + workspace.POOL_SIZE + 1  # home, a side, one for the graphs of each workspace
    callers = [new_stream() for _ in range(9)]
    for caller in callers:
        with bench.device.stream(caller):
            bench.check(
                bench.call(cell, inputs(), parallel_iterations=2, clear=False), bench.expected(cell, inputs()), T
            )
    assert len(made) <= 2 + workspace.POOL_SIZE + 1 + streams.SIDES


def test_graphs_of_two_owners_of_a_stream_do_not_run_at_once(bench: Any) -> None:
    """On a device they would write into one workspace of cuBLAS, that of the stream that both were captured on."""
    from impl_gpu.fused.streams import Streams

    for seed in range(SCHEDULES):
        bench.restart(seed)
        device, ran, ended = bench.device, list[str](), bench.device.new_event()
        streams, one, two = Streams(device), device.new_stream(), device.new_stream()
        capturing = streams.take_capturing(one)
        device.enqueue(one, "replay", ran.append, "the first owner's")
        device.record_event(ended, one)
        device.wait_event(streams.home, ended)  # as at the end of each call
        streams.give_back_capturing(capturing)

        assert streams.take_capturing(two) is capturing
        device.synchronize(two, "replay")
        assert ran


def test_more_callers_streams_than_sides_share_them(bench: Any) -> None:
    cell = bench.built(LSTMCell(4), D)
    wanted = [bench.expected(cell, inputs(call)) for call in range(12)]
    for seed in range(SCHEDULES):
        bench.restart(seed)
        device = bench.device
        callers = [device.new_stream() for _ in range(6)]
        results = []
        with use_device(device):
            for call in range(12):
                with device.stream(callers[call % 6]):
                    results.append(impl_gpu.dynamic_rnn(cell, inputs(call), dtype="float32", parallel_iterations=2))
            for call, result in enumerate(results):
                with device.stream(callers[call % 6]):
                    bench.check(bench.result(*result), wanted[call], T)


def test_graphs_are_kept_up_to_a_bound(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from impl_gpu.fused import graphs

    monkeypatch.setattr(graphs, "GRAPHS_KEPT", 3)
    cell, x = bench.built(CELLS["stack"](), D), inputs()
    wanted = bench.expected(cell, x, sequence_length=LENGTHS)
    with impl_gpu.options(graph=True):
        for seed in range(4):
            bench.restart(seed)
            for _ in range(3):
                got = bench.call(cell, x, sequence_length=LENGTHS, parallel_iterations=2, clear=False)
                bench.check(got, wanted, T)
    (workspace,) = bench.device.kept["fused"].workspaces._idle.values()
    assert len(workspace.graphs._found) == 3


@pytest.mark.parametrize("graph", [False, True])
def test_threads_call_at_once(bench: Any, graph: bool) -> None:
    """Each on a stream of its own; the store and the cell are in common."""
    cell = bench.built(CELLS["stack"](), D)
    wanted = [bench.expected(cell, inputs(call)) for call in range(5)]
    bench.restart(3)
    device, store = bench.device, default_store()

    def work() -> None:
        with (
            impl_gpu.use_store(store),
            use_device(device),
            impl_gpu.options(graph=graph),
            device.stream(device.new_stream()),
        ):
            for call in range(5):
                result = impl_gpu.dynamic_rnn(cell, inputs(call), dtype="float32", parallel_iterations=2)
                bench.check(bench.result(*result), wanted[call], T)

    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(work) for _ in range(3)]:
            done.result()
