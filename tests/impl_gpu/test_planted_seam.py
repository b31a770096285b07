"""Plants defects in work on the seam: the host side must show each within 20 schedules, and none where none is planted.

Each program returns whether its result is right; ``planted`` says whether it has the defect of its test's name.
"""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impl_gpu.device.seam import Gemm, SeamError, row_major

SCHEDULES = 20
ROOT = Path(__file__).resolve().parents[2]

Program = Callable[[Any, bool], bool]

SOURCE = """
extern "C" __global__ void add(float* y, const float* x, float a, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] += a * x[i];
}
extern "C" __global__ void add_past(float* y, const float* x, float a, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= n) y[i] += a * x[0];
}
struct alignas(16) Four { float at[4]; };
extern "C" __global__ void double_vec(float* y, int n) {
    int i = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
    if (i >= n) return;
    HC_CHECK_ALIGNED(y + i);
    Four four = *reinterpret_cast<Four*>(y + i);
    for (int k = 0; k < 4; ++k) four.at[k] *= 2;
    *reinterpret_cast<Four*>(y + i) = four;
}
"""

REVERSE = """
extern "C" __global__ void reverse(float* y, int n) {
    __shared__ float row[64];
    row[threadIdx.x] = y[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = row[n - 1 - threadIdx.x];
}
extern "C" __global__ void reverse_at_once(float* y, int n) {
    __shared__ float row[64];
    row[threadIdx.x] = y[threadIdx.x];
    y[threadIdx.x] = row[n - 1 - threadIdx.x];
}
"""


@pytest.fixture
def shows(make_desk: Callable[..., Any]) -> Callable[..., None]:
    """``shows(program)``: right in all schedules without the defect, not in all with it, and why (a message) if it is
    an error; ``always``: in each of them."""

    def outcome(program: Program, planted: bool, seed: int, source: str) -> str:
        desk = make_desk(seed, source)
        try:
            right = program(desk, planted)
            desk.device.finish()
        except SeamError as error:
            return str(error)
        return "right" if right else "wrong"

    def check(program: Program, message: str = "wrong", always: bool = False, source: str = SOURCE) -> None:
        assert [outcome(program, False, seed, source) for seed in range(SCHEDULES)] == ["right"] * SCHEDULES
        planted = [outcome(program, True, seed, source) for seed in range(SCHEDULES)]
        seen = [said for said in planted if said != "right"]
        assert len(seen) >= (SCHEDULES if always else 1)
        assert all(message in said for said in seen), seen

    return check


def test_freed_buffer_still_in_use_by_another_stream(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, other = desk.device, desk.device.new_stream()
        y = desk.upload(np.zeros(8), stream=other)
        x = desk.upload(np.arange(8), purpose="borrowed")
        desk.launch("add", y.ptr, x.ptr, 1.0, 8, stream=other)
        if not planted:
            used = device.new_event()
            device.record_event(used, other)
            device.wait_event(desk.stream, used)
        del x
        return bool((desk.download(y, stream=other) == np.arange(8)).all())

    shows(program, "add: add: x: use after free of 'borrowed' (32 bytes, device)")


def test_two_streams_share_a_workspace_without_an_event(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, other = desk.device, desk.device.new_stream()
        first, second = desk.upload(np.full(8, 1)), desk.upload(np.full(8, 2))
        workspace = desk.upload(np.zeros(8), purpose="workspace")
        results = [desk.upload(np.zeros(8)) for _ in range(2)]
        for x, result, stream in zip((first, second), results, (desk.stream, other), strict=True):
            device.copy(workspace.ptr, x.ptr, 32, stream, "use")
            device.copy(result.ptr, workspace.ptr, 32, stream, "result")
            if stream is desk.stream and not planted:
                used = device.new_event()
                device.record_event(used, stream)
                device.wait_event(other, used)
        device.synchronize(other, "end")
        got = [desk.download(result) for result in results]
        return bool((got[0] == 1).all() and (got[1] == 2).all())

    shows(program)


def test_re_recorded_event_used_as_if_it_stood_for_the_old_work(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, producer, other = desk.device, desk.device.new_stream(), desk.device.new_stream()
        x, y = desk.upload(np.ones(8)), desk.upload(np.zeros(8))
        event, another = device.new_event(), device.new_event()
        desk.launch("add", x.ptr, x.ptr, 1.0, 8, stream=producer)
        device.record_event(event, producer)
        device.record_event(event if planted else another, other)
        device.wait_event(desk.stream, event)
        device.copy(y.ptr, x.ptr, 32, desk.stream, "use")
        right = bool((desk.download(y) == 2).all())
        device.synchronize(producer, "end")
        return right

    shows(program)


def test_missing_stream_wait(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, producer = desk.device, desk.device.new_stream()
        x, y = desk.upload(np.ones(8)), desk.upload(np.zeros(8))
        desk.launch("add", x.ptr, x.ptr, 1.0, 8, stream=producer)
        made = device.new_event()
        device.record_event(made, producer)
        if not planted:
            device.wait_event(desk.stream, made)
        device.copy(y.ptr, x.ptr, 32, desk.stream, "use")
        right = bool((desk.download(y) == 2).all())
        device.synchronize(producer, "end")
        return right

    shows(program)


def test_ring_slot_reused_too_early(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device = desk.device
        slots = [desk.pinned(np.zeros(4)) for _ in range(2)]
        used = [device.new_event() for _ in slots]
        y = desk.upload(np.zeros((5, 4)))
        for step in range(5):
            slot = step % 2
            if not planted:
                device.synchronize_event(used[slot], "slot")
            desk.view(slots[slot])[...] = step
            device.put(y.ptr + 16 * step, slots[slot].ptr, 16, desk.stream, "step")
            device.record_event(used[slot], desk.stream)
        return bool((desk.download(y).reshape(5, 4) == np.arange(5)[:, None]).all())

    shows(program)


def test_staging_dropped_before_the_copy_ran(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        y, staging = desk.upload(np.zeros(4)), desk.pinned(np.ones(4))
        desk.device.put(y.ptr, staging.ptr, 16, desk.stream, "step")
        if not planted:
            desk.device.synchronize(desk.stream, "copied")
        del staging
        return bool((desk.download(y) == 1).all())

    shows(program, "step: use after free of 'staging' (16 bytes, pinned)")


def test_host_read_before_the_copy_finished(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, x = desk.device, desk.upload(np.ones(8))
        target = device.pinned(32, "result")
        device.get(target.ptr, x.ptr, 32, desk.stream, "result")
        if not planted:
            device.synchronize(desk.stream, "result")
        right = bool((desk.view(target) == 1).all())
        device.synchronize(desk.stream, "end")
        return right

    shows(program)


def test_allocation_during_capture(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, own = desk.device, desk.device.new_stream()
        x = desk.upload(np.ones(8), stream=own)
        scratch = None if planted else device.allocate(32, own, "scratch")
        device.begin_capture(own)
        try:
            scratch = scratch or device.allocate(32, own, "scratch")
            device.copy(scratch.ptr, x.ptr, 32, own, "use")
        except SeamError:
            device.abandon_capture(own)
            raise
        device.replay(device.end_capture(own), own, "chunk")
        return bool((desk.download(scratch, stream=own) == 1).all())

    shows(program, "cudaErrorStreamCaptureUnsupported: scratch: an allocation during a capture", always=True)


def test_work_on_another_stream_during_capture(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, own = desk.device, desk.device.new_stream()
        x = desk.upload(np.ones(8), stream=own)
        desk.launch("add", x.ptr, x.ptr, 0.0, 8, stream=own)
        device.begin_capture(own)
        try:
            desk.launch("add", x.ptr, x.ptr, 1.0, 8, stream=desk.stream if planted else own)
        except SeamError:
            device.abandon_capture(own)
            raise
        device.replay(device.end_capture(own), own, "chunk")
        return bool((desk.download(x, stream=own) == 2).all())

    shows(program, "cudaErrorStreamCaptureIsolation", always=True)


@pytest.mark.parametrize("kind", ["kernel", "product"])
def test_first_use_within_a_capture(kind: str, shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, own = desk.device, desk.device.new_stream()
        x, y = desk.upload(np.ones(4), stream=own), desk.upload(np.zeros(4), stream=own)
        call = row_major(
            x.ptr, x.ptr, y.ptr, 2, 2, 2, dtype="float32", accumulator="float32", lda=2, ldb=2, ldc=2, accumulate=False
        )

        def work() -> None:
            if kind == "kernel":
                desk.launch("add", y.ptr, x.ptr, 1.0, 4, stream=own)
            else:
                device.gemm(call, own, "product")

        if not planted:
            work()
            device.zero(y.ptr, 16, own, "again")
        device.begin_capture(own)
        try:
            work()
        except SeamError:
            device.abandon_capture(own)
            raise
        device.replay(device.end_capture(own), own, "chunk")
        return bool((desk.download(y, stream=own) == (1 if kind == "kernel" else 2)).all())

    used = {"kernel": "add: the first use of add", "product": "product: the first use of this shape of a product"}
    shows(program, f"cudaErrorStreamCaptureUnsupported: {used[kind]} during a capture", always=True)


def test_stale_weights_in_a_replayed_graph(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, own = desk.device, desk.device.new_stream()
        y, weights = desk.upload(np.zeros(8), stream=own), desk.upload(np.full(8, 1), stream=own)
        desk.launch("add", y.ptr, weights.ptr, 0.0, 8, stream=own)
        device.begin_capture(own)
        desk.launch("add", y.ptr, weights.ptr, 1.0, 8, stream=own)
        graph = device.end_capture(own)
        device.replay(graph, own, "chunk")
        kept = weights
        if planted:
            weights = desk.upload(np.full(8, 2), stream=own)
        else:
            staging = desk.pinned(np.full(8, 2))
            device.put(weights.ptr, staging.ptr, 32, own, "weights")
        device.replay(graph, own, "chunk")
        right = bool((desk.download(y, stream=own) == 3).all())
        return right and kept.nbytes == 32

    shows(program, always=True)


def test_graph_over_freed_weights(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        device, own = desk.device, desk.device.new_stream()
        y, weights = desk.upload(np.zeros(8), stream=own), desk.upload(np.full(8, 1), stream=own, purpose="weights")
        desk.launch("add", y.ptr, weights.ptr, 0.0, 8, stream=own)
        device.begin_capture(own)
        desk.launch("add", y.ptr, weights.ptr, 1.0, 8, stream=own)
        graph = device.end_capture(own)
        if planted:
            del weights
        device.replay(graph, own, "chunk")
        return bool((desk.download(y, stream=own) == 1).all())

    shows(program, "use after free of 'weights'", always=True)


GEMM_DEFECTS: dict[str, dict[str, Any]] = {
    "transposed A": {"transpose_a": True, "lda": 5},
    "transposed B": {"transpose_b": True, "ldb": 7},
    "operands exchanged": {"exchanged": True},
    "A a row off": {"a_offset": 4},
    "wrong lda": {"lda": 6},
    "wrong ldb": {"ldb": 6},
    "wrong ldc": {"ldc": 8},
    "half as wide": {"a_type": "float16", "b_type": "float16"},
    "beta of another step": {"beta": 1.0},
}


@pytest.mark.parametrize("defect", GEMM_DEFECTS)
def test_wrong_product(defect: str, shows: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(6, 5)).astype(np.float32), rng.normal(size=(5, 7)).astype(np.float32)

    def program(desk: Any, planted: bool) -> bool:
        a, b, c = desk.upload(left), desk.upload(right), desk.upload(np.full((6, 7), 0.5))
        call = row_major(
            a.ptr, b.ptr, c.ptr, 6, 7, 5, dtype="float32", accumulator="float32", lda=5, ldb=7, ldc=7, accumulate=False
        )
        changes = dict(GEMM_DEFECTS[defect]) if planted else {}
        if changes.pop("exchanged", False):
            changes.update(a=call.b, lda=7, b=call.a, ldb=7)
        changes["a"] = changes.get("a", call.a) + changes.pop("a_offset", 0)
        desk.device.gemm(Gemm(**{**call._asdict(), **changes}), desk.stream, "product")
        return np.allclose(desk.download(c).reshape(6, 7), left @ right, rtol=1e-5)

    shows(program, "", always=True)


def test_misaligned_view_for_a_16_byte_access(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        y = desk.upload(np.ones(17))
        desk.launch("double_vec", y.ptr + (4 if planted else 0), 16)
        return float(desk.download(y).sum()) == 33

    shows(program, "double_vec: double_vec: a 16-byte access at", always=True)


@pytest.mark.parametrize(("name", "kind"), [("n", "long long"), ("a", "double"), ("a", "int"), ("x", "long long")])
def test_wrong_argument_width(name: str, kind: str, shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        x, y = desk.upload(np.ones(8)), desk.upload(np.zeros(8))
        kernel = desk.kernel("add", **({name: kind} if planted else {}))
        desk.device.launch(kernel, (1, 1, 1), (32, 1, 1), (y.ptr, x.ptr, 1, 8), desk.stream, "add", 0)
        return bool((desk.download(y) == 1).all())

    shows(program, f"add: {name} is declared as {kind!r}", always=True)


def test_missing_barrier(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        y = desk.upload(np.arange(64))
        desk.launch("reverse_at_once" if planted else "reverse", y.ptr, 64, threads=64)
        return bool((desk.download(y) == np.arange(64)[::-1]).all())

    shows(program, source=REVERSE)


def test_overrun_seen_by_the_guards(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        x, y = desk.upload(np.ones(8)), desk.upload(np.zeros(8), purpose="result")
        desk.launch("add_past" if planted else "add", y.ptr, x.ptr, 1.0, 8)
        return bool((desk.download(y) == 1).all())

    shows(program, "overrun of 'result' (32 bytes, device): something was written", always=True)


def test_copy_past_the_end(shows: Callable[..., None]) -> None:
    def program(desk: Any, planted: bool) -> bool:
        x, y = desk.upload(np.ones(8)), desk.upload(np.zeros(8), purpose="result")
        desk.device.copy(y.ptr + 4, x.ptr, 32 if planted else 28, desk.stream, "move")
        return bool((desk.download(y)[1:] == 1).all())

    shows(program, "move: 32 bytes from byte 4 on do not lie within 'result' (32 bytes, device)", always=True)


OVERRUN = """
    import sys
    import numpy as np
    sys.path[:0] = [{tests!r}]
    from conftest import Desk
    from test_planted_seam import FIBERS, SOURCE

    desk = Desk(0, SOURCE)
    x, y = desk.upload(np.ones(8)), desk.upload(np.zeros(8))
    desk.launch("add", y.ptr, x.ptr, 1.0, 8)
    assert (desk.download(y) == 1).all()
    desk = Desk(0, FIBERS)
    y = desk.upload(np.arange(64))
    desk.launch("rotate", y.ptr, 64, threads=64, shared=65 * 4)
    assert desk.download(y).tolist() == [*range(1, 64), 0]
    print("right so far", flush=True)
    if {entry!r} == "rotate":
        desk.launch("rotate", y.ptr, 64, threads=64, shared=64 * 4)
    else:
        desk = Desk(0, SOURCE)
        x, y = desk.upload(np.ones(8)), desk.upload(np.zeros(8))
        desk.launch("add_past", y.ptr, x.ptr, 1.0, 8)
    desk.download(y)
"""

FIBERS = """
extern "C" __global__ void rotate(float* y, int n) {
    extern __shared__ float row[];
    row[threadIdx.x] = y[threadIdx.x];
    if (threadIdx.x == 0) row[n] = y[0];
    __syncthreads();
    y[threadIdx.x] = row[threadIdx.x + 1];
}
"""


@pytest.mark.parametrize(
    ("entry", "source", "statement"), [("add_past", SOURCE, "y[i] += a * x[0]"), ("rotate", FIBERS, "row[n] = y[0]")]
)
def test_overrun_under_the_address_sanitizer(entry: str, source: str, statement: str) -> None:
    compiler = os.environ.get("CXX", "c++")
    runtime = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    environment = {
        **os.environ,
        "LD_PRELOAD": runtime.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",
        "IMPL_GPU_HOST_FLAGS": "-fsanitize=address -g1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "spec")]),
    }
    script = textwrap.dedent(OVERRUN).format(tests=str(Path(__file__).parent), entry=entry)
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout == "right so far\n", ran.stderr
    assert ran.returncode != 0
    assert "heap-buffer-overflow" in ran.stderr
    line = 1 + source[: source.index(statement)].count("\n")
    assert re.search(rf"in {entry} .*/test-float32-\w+\.cu:{line}\b", ran.stderr), ran.stderr
