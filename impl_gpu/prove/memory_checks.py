"""Checks device memory alone: how it is counted and refused, and chunks moved to the host and back."""

import time
from typing import Any

import numpy as np

from ..device.memory import UNLIMITED, Peak
from ..device.seam import OutOfDeviceMemory
from ..fused.caches import caches_of
from ..settings import Options
from ..training.cost import COPY_BYTES, Block
from ..training.keeper import choose_keeper
from .desk import Desk, Numbers
from .findings import Findings

CHUNKS = 7


def counted(desk: Desk, findings: Findings, rng: Any) -> None:
    """Buffers and arrays over them count while they live; what is not there is refused in the seam's own words."""
    device = desk.device
    before = device.live_bytes()
    with device.watched(peak := Peak()):
        buffer = device.allocate(1000, desk.stream, "prove")
    array = device.array(buffer, (10,), np.float32)
    del buffer
    held = device.live_bytes() - before
    findings.that("an array holds what it lies over", held == 1024, f"{held} bytes more, for 1000 in units of 512")
    del array
    findings.that("memory given back is not held", device.live_bytes() == before, "it is")
    most = peak.nbytes - before
    findings.that("the peak stays", most == 1024, f"it is {most} bytes more")
    free = device.free_bytes()
    if free < UNLIMITED:
        findings.figures["free bytes"] = free
        findings.refused("more than there is", OutOfDeviceMemory, device.allocate, 2 * free, desk.stream, "prove")
        data = np.arange(64, dtype=np.uint8)
        again = desk.upload(data)
        findings.equal("the device works on", desk.download(again.ptr, data), data)


def moved(desk: Desk, findings: Findings, rng: Any) -> None:
    """Chunks that are written on one stream, moved and fetched on another, and read on a third."""
    device, nbytes = desk.device, (16 << 20) if desk.on_gpu else (1 << 12)
    chunks = [np.resize(np.asarray(rng.randint(0, 256, 4099), np.uint8), nbytes) for _ in range(CHUNKS)]
    sources = [desk.upload(chunk) for chunk in chunks]
    target = desk.upload(np.zeros(nbytes * CHUNKS, np.uint8))
    blocks = [Block(nbytes, nbytes, 0.0, 0.0)] * CHUNKS
    forward, other = device.new_stream(), device.new_stream()
    with caches_of(device).lock:
        keeper = choose_keeper(device, forward, blocks, True, Options(swap="move"))
        for number, source in enumerate(sources):
            address = keeper.begin(number, forward)
            device.zero(address, nbytes, forward, "prove")
            device.copy(address, source.ptr, nbytes, forward, "prove")
            keeper.written(number, forward)
        keeper.finished(forward)
        for stream in (other, forward):
            for number in range(CHUNKS - 1, -1, -1):
                address, _ = keeper.recall(number, stream)
                device.copy(target.ptr + number * nbytes, address, nbytes, stream, "prove")
                keeper.used(number, stream)
            keeper.finished(stream)
            wanted: Numbers = np.concatenate(chunks)
            findings.equal("chunks come back as they were", desk.download(target.ptr, wanted, stream), wanted)
            device.zero(target.ptr, nbytes * CHUNKS, stream, "prove")
            device.synchronize(stream, "prove")
    report = keeper.report()
    slots, said = 3 * nbytes, (report.saved_bytes, report.host_bytes)
    findings.that("only the slots are held", said == (slots, nbytes * CHUNKS), f"{report}")
    _speed(desk, findings, nbytes)


def _speed(desk: Desk, findings: Findings, nbytes: int) -> None:
    """How fast copies are, beside what the cost model believes; a figure, not a check."""
    device, stream = desk.device, desk.stream
    buffer, pinned = device.allocate(nbytes, stream, "prove"), device.pinned(nbytes, "prove")
    for name, copy, into, out_of in (
        ("to the host", device.get, pinned.ptr, buffer.ptr),
        ("to the device", device.put, buffer.ptr, pinned.ptr),
    ):
        copy(into, out_of, nbytes, stream, "prove")
        device.synchronize(stream, "prove")
        begun = time.perf_counter()
        for _ in range(20):
            copy(into, out_of, nbytes, stream, "prove")
        device.synchronize(stream, "prove")
        findings.figures[f"bytes a second {name}"] = round(20 * nbytes / (time.perf_counter() - begun))
    findings.figures["bytes a second by the cost model"] = COPY_BYTES
