"""Checks each method of the seam alone: memory, order, graphs, arrays, and the smallest of kernels."""

from typing import Any

import numpy as np

from .. import kernels
from ..device.seam import Kernel, SeamError, row_major
from . import memory_checks
from .desk import Desk, Numbers
from .findings import Findings

CLOCK = np.dtype(
    [("now", np.int32), ("next", np.int32), ("outputs", np.uint64), ("output_t", np.int64), ("output_row", np.int64)]
)
"""struct Clock of common.cuh."""
SIZES = (1, 2, 511, 512, 513, 4096, 1 << 20)


def check(desk: Desk, findings: Findings, seed: int) -> None:
    """All parts; what is large is small in a rehearsal."""
    rng = np.random.RandomState(seed)
    parts = {
        "memory": _memory,
        "launch": _launch,
        "product": _product,
        "order of streams": _order,
        "events": _events,
        "graph": _graph,
        "what a capture refuses": _refusals,
        "an abandoned capture": _abandoned,
        "memory given back": _given_back,
        "memory counted": memory_checks.counted,
        "memory moved to the host": memory_checks.moved,
        "arrays": _arrays,
    }
    for name, part in parts.items():
        with findings.part(name):
            part(desk, findings, rng)


def _bytes(rng: Any, count: int) -> Numbers:
    return np.asarray(rng.randint(0, 256, count), np.uint8)


def _memory(desk: Desk, findings: Findings, rng: Any) -> None:
    device, stream = desk.device, desk.stream
    for size in SIZES:
        data = _bytes(rng, size)
        one, two = desk.upload(data), device.allocate(size, stream, "prove")
        findings.that(f"allocate {size}", one.ptr % 256 == 0, f"{one.ptr:#x} is not aligned to 256 bytes")
        findings.equal(f"put and get {size}", desk.download(one.ptr, data), data)
        device.copy(two.ptr, one.ptr, size, stream, "prove")
        findings.equal(f"copy {size}", desk.download(two.ptr, data), data)
        if size > 2:
            device.zero(two.ptr + 1, size - 2, stream, "prove")
            wanted = data.copy()
            wanted[1:-1] = 0
            findings.equal(f"zero {size}", desk.download(two.ptr, data), wanted)
    findings.that("allocate 0", device.allocate(0, stream, "prove").nbytes == 0, "it has bytes")


def _set_clock(desk: Desk, clock: int, now: int, stream: Any = None) -> None:
    kernels.launch_set_clock(
        desk.device, stream or desk.stream, clock=clock, now=now, outputs=clock, output_t=2**33 + 1, output_row=-(2**33)
    )


def _launch(desk: Desk, findings: Findings, rng: Any) -> None:
    blank = np.zeros(1, CLOCK)
    clock = desk.upload(blank)
    _set_clock(desk, clock.ptr, -7)
    found = desk.download(clock.ptr, blank)[0]
    findings.that(
        "arguments keep their widths",
        found.tolist() == (-7, -7, clock.ptr, 2**33 + 1, -(2**33)),
        f"got {found} for a clock at {clock.ptr}",
    )
    kernel = kernels.kernel("clock", "set_clock", "any")
    for name, grid, block in (("grid", (1, 65536, 1), (1, 1, 1)), ("block", (1, 1, 1), (2048, 1, 1))):
        values = (clock.ptr, 0, None, 0, 0)
        findings.refused(f"too large a {name}", SeamError, _launch_as, desk, kernel, grid, block, values)
    findings.refused("too few arguments", SeamError, _launch_as, desk, kernel, (1, 1, 1), (1, 1, 1), (clock.ptr,))


def _launch_as(desk: Desk, kernel: Kernel, grid: Any, block: Any, values: Any) -> None:
    desk.device.launch(kernel, grid, block, values, desk.stream, "prove", 0)


def _product(desk: Desk, findings: Findings, rng: Any) -> None:
    a, b = (np.asarray(rng.randint(-8, 9, shape), np.float32) for shape in ((2, 3), (3, 4)))
    arrays = {"a": a, "b": b, "c": np.full((2, 4), np.nan, np.float32)}
    found = desk.after(arrays, lambda at: desk.device.gemm(_row_major(at, a.shape[0], 4, 3), desk.stream, "prove"))
    findings.equal("a product of small integers, exact", found["c"], a @ b)


def _row_major(at: dict[str, int], rows: int, columns: int, inner: int, accumulate: bool = False) -> Any:
    return row_major(
        *(at["a"], at["b"], at["c"], rows, columns, inner),
        dtype="float32",
        accumulator="float32",
        lda=inner,
        ldb=columns,
        ldc=columns,
        accumulate=accumulate,
    )


def _order(desk: Desk, findings: Findings, rng: Any) -> None:
    """Long copies on one stream, and another that must not overtake them."""
    device, size = desk.device, (64 << 20) if desk.on_gpu else (1 << 14)
    data = np.asarray(np.resize(_bytes(rng, 1 << 14), size))
    source, through, target = desk.upload(data), desk.upload(np.zeros(size, np.uint8)), desk.upload(data[::-1])
    one, two, event = device.new_stream(), device.new_stream(), device.new_event()
    for _ in range(8):
        device.zero(through.ptr, size, one, "prove")
        device.copy(through.ptr, source.ptr, size, one, "prove")
    device.record_event(event, one)
    device.wait_event(two, event)
    device.copy(target.ptr, through.ptr, size, two, "prove")
    findings.equal("a stream that waits finds all done", desk.download(target.ptr, data, two), data)


def _events(desk: Desk, findings: Findings, rng: Any) -> None:
    device, stream = desk.device, desk.device.new_stream()
    event = device.new_event()
    device.wait_event(stream, event)  # never recorded: does nothing
    data = _bytes(rng, 4096)
    pinned, buffer = desk.pinned(data), device.allocate(4096, stream, "prove")
    device.put(buffer.ptr, pinned.ptr, 4096, stream, "prove")
    device.record_event(event, stream)
    device.synchronize_event(event, "prove")
    findings.that("an event that was waited for has passed", device.has_passed(event), "it says it has not")
    device.record_event(event, stream)  # again
    device.synchronize(stream, "prove")
    findings.that("an event recorded again has passed", device.has_passed(event), "it says it has not")
    findings.equal("what came before an event is done", desk.download(buffer.ptr, data), data)


def _graph(desk: Desk, findings: Findings, rng: Any) -> None:
    """Every kind of work in a graph, replayed on other data than it was captured with."""
    device, stream = desk.device, desk.device.new_stream()
    a, b = (np.asarray(rng.randint(-8, 9, shape), np.float32) for shape in ((4, 5), (5, 6)))
    buffers = {"a": desk.upload(a), "b": desk.upload(b), "c": desk.upload(np.zeros((4, 6), np.float32))}
    at = {name: buffer.ptr for name, buffer in buffers.items()}
    clock, copied = desk.upload(np.zeros(1, CLOCK)), desk.upload(np.zeros((4, 6), np.float32))

    def work() -> None:
        device.zero(at["c"], 4 * 6 * 4, stream, "prove")
        device.gemm(_row_major(at, 4, 6, 5, accumulate=True), stream, "prove")
        _set_clock(desk, clock.ptr, 11, stream)
        device.copy(copied.ptr, at["c"], 4 * 6 * 4, stream, "prove")

    device.synchronize(desk.stream, "prove")
    work()  # once before the capture: loads what a capture can't
    device.synchronize(stream, "prove")
    device.begin_capture(stream)
    work()
    graph = device.end_capture(stream)
    for turn in range(3):
        moved = a + turn + 1  # not what the work before has left
        pinned = desk.pinned(moved)
        device.put(at["a"], pinned.ptr, moved.nbytes, stream, "prove")
        device.zero(clock.ptr, CLOCK.itemsize, stream, "prove")
        device.replay(graph, stream, "prove")
        findings.equal(f"replay {turn}", desk.download(copied.ptr, np.zeros((4, 6), np.float32), stream), moved @ b)
        findings.that(
            "its kernel ran", desk.download(clock.ptr, np.zeros(1, CLOCK), stream)[0]["now"] == 11, "it did not"
        )
    other = device.new_stream()
    device.zero(copied.ptr, 4 * 6 * 4, other, "prove")
    device.replay(graph, other, "prove")
    findings.equal("on another stream", desk.download(copied.ptr, np.zeros((4, 6), np.float32), other), (a + 3) @ b)


def _refusals(desk: Desk, findings: Findings, rng: Any) -> None:
    device, stream, other = desk.device, desk.device.new_stream(), desk.device.new_stream()
    buffer, event = desk.upload(np.zeros(16, np.uint8)), device.new_event()
    refused = {
        "an allocation": lambda: device.allocate(16, stream, "prove"),
        "pinned memory": lambda: device.pinned(16, "prove"),
        "a wait of the host": lambda: device.synchronize(stream, "prove"),
        "a wait for an event": lambda: device.synchronize_event(event, "prove"),
        "another stream": lambda: device.zero(buffer.ptr, 16, other, "prove"),
    }
    for name, call in refused.items():
        device.begin_capture(stream)
        try:
            findings.refused(name, SeamError, call)
        finally:
            device.abandon_capture(stream)
    findings.equal("the device works on", desk.download(buffer.ptr, np.zeros(16, np.uint8)), np.zeros(16, np.uint8))


def _abandoned(desk: Desk, findings: Findings, rng: Any) -> None:
    device, stream, data = desk.device, desk.device.new_stream(), _bytes(rng, 64)
    buffer = desk.upload(data)
    device.begin_capture(stream)
    device.zero(buffer.ptr, 64, stream, "prove")
    device.abandon_capture(stream)
    findings.equal("what was captured did not run", desk.download(buffer.ptr, data, stream), data)
    device.zero(buffer.ptr, 64, stream, "prove")
    findings.equal("the stream works on", desk.download(buffer.ptr, data, stream), np.zeros(64, np.uint8))


def _given_back(desk: Desk, findings: Findings, rng: Any) -> None:
    """Buffers that die while work on them is enqueued, their memory taken again at once on the same stream."""
    device, stream = desk.device, desk.device.new_stream()
    data = np.asarray(np.resize(_bytes(rng, 1 << 12), (8 << 20) if desk.on_gpu else (1 << 13)))
    source, target = desk.upload(data), desk.upload(np.zeros_like(data))
    for _ in range(50):
        between = device.allocate(data.nbytes, stream, "prove")
        device.copy(between.ptr, source.ptr, data.nbytes, stream, "prove")
        device.copy(target.ptr, between.ptr, data.nbytes, stream, "prove")
        del between
        again = device.allocate(data.nbytes, stream, "prove")
        device.zero(again.ptr, data.nbytes, stream, "prove")
        del again
    findings.equal("memory is taken again in the order of its stream", desk.download(target.ptr, data, stream), data)


def _arrays(desk: Desk, findings: Findings, rng: Any) -> None:
    device = desk.device
    for dtype in ("bool", "int8", "int32", "int64", "float16", "float32", "float64", "complex64"):
        data = np.asarray(rng.randint(0, 2, (3, 4)), dtype)
        entered = device.enter(data)
        findings.equal(f"enter and back, {dtype}", device.to_numpy(entered), data)
        findings.that(f"a device array enters as it is, {dtype}", device.enter(entered) is entered, "it was copied")
        findings.equal(f"turned, {dtype}", device.to_numpy(device.enter(data.T)), data.T)
    buffer = desk.upload(np.arange(6, dtype=np.float32))
    view = device.array(buffer, (2, 2), np.float32, 8)
    findings.equal("an array over a buffer", device.to_numpy(view), np.array([[2, 3], [4, 5]], np.float32))
    findings.equal("an empty array", device.to_numpy(device.enter(np.zeros((0, 3)))), np.zeros((0, 3)))
    if desk.on_gpu:
        _lent(desk, findings)


def _lent(desk: Desk, findings: Findings) -> None:
    """Arrays of PyTorch, where it is, without a copy; and the caller's stream."""
    import cupy

    with cupy.cuda.Stream(non_blocking=True) as stream:
        findings.that("the caller's stream is the current one", desk.device.current_stream() == stream, "it is not")
    try:
        import torch
    except ImportError:
        findings.figures["PyTorch"] = "not installed"
        return
    findings.figures["PyTorch"] = torch.__version__
    for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.int64):
        tensor = torch.ones((3, 4), dtype=dtype, device="cuda")
        entered = desk.device.enter(tensor)
        findings.that(f"{dtype} without a copy", entered.data.ptr == tensor.data_ptr(), "another address")
        findings.that(f"{dtype} as it was", entered.shape == (3, 4) and bool((entered == 1).all()), "other values")
