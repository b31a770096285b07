"""Tests what the cost model decides, in which words, and what a keeper then reports."""

from typing import Any

import pytest

from impl_gpu.device.host import HostDevice
from impl_gpu.device.memory import Peak
from impl_gpu.device.seam import OutOfDeviceMemory
from impl_gpu.fused.caches import caches_of
from impl_gpu.fused.layout import Layout
from impl_gpu.settings import Options
from impl_gpu.training.cost import COPY_BYTES, FLOPS, STEP_SECONDS, Block, Decision, block, decide
from impl_gpu.training.keeper import ADVICE, choose_keeper, naming_swap_memory
from impl_gpu.training.memory_report import MemoryReport, forecast

COPY = 3000 / COPY_BYTES
"""What a block of 3000 bytes takes to copy."""


def blocks(count: int, seconds: float = 1.0, again: float = 0.0, kept: int = 1000) -> list[Block]:
    return [Block(3000, kept, seconds, again)] * count


def test_the_time_of_a_chunk() -> None:
    made = block(10, 5, steps=4, flops=3e12, recomputed_flops=1e12, dtype="float32", tf32=False)
    assert made == Block(10, 5, 4 * STEP_SECONDS + 3e12 / FLOPS["float32"], 1e12 / FLOPS["float32"])
    fast = block(10, 5, steps=0, flops=1e12, recomputed_flops=1e12, dtype="float32", tf32=True)
    assert fast.seconds == 1e12 / FLOPS["tf32"]
    assert block(10, 5, steps=0, flops=1e12, recomputed_flops=0, dtype="float64", tf32=True).seconds == 0.025


@pytest.mark.parametrize(
    ("given", "decision"),
    [
        (
            (blocks(8), False, Options(swap="move", memory_budget=1), 0),
            Decision("keep", 8, "kept on the device: swap_memory is False"),
        ),
        ((blocks(8), True, Options(), 24000), Decision("keep", 8, "kept on the device: 24000 bytes fit 24000")),
        (
            (blocks(8), True, Options(), 2**62),
            Decision("keep", 8, "kept on the device: 24000 bytes fit memory without a limit"),
        ),
        (
            (blocks(8), True, Options(memory_budget=23999), 10**9),
            Decision(
                "move",
                3,
                "moved to the host, but for the last 4 of 8 chunks: "
                "24000 bytes do not fit 23999, and to move loses 0 ms, to recompute 0 ms",
                4,
            ),
        ),
        (  # the copies are as long as four of the forward passes, and hide behind the backward one but for half
            (blocks(8, COPY / 4, COPY / 4), True, Options(), 8999),
            Decision(
                "recompute",
                2,
                "moved to the host without the gates, which are computed again: 24000 bytes do not fit 8999, "
                "and to recompute loses 0.00016 ms, to move 0.0006 ms",
            ),
        ),
        (  # the gates cost more to make than to move
            (blocks(8, COPY / 4, 10 * COPY), True, Options(), 9000),
            Decision(
                "move",
                3,
                "moved to the host: 24000 bytes do not fit 9000, and to move loses 0.0006 ms, to recompute 0.00484 ms",
            ),
        ),
        (
            (blocks(8), True, Options(memory_budget=9001), 0),
            Decision(
                "move", 3, "moved to the host: 24000 bytes do not fit 9001, and to move loses 0 ms, to recompute 0 ms"
            ),
        ),
        (
            (blocks(2), True, Options(), 5999),
            Decision("keep", 2, "kept on the device: 6000 bytes do not fit 5999, but there are too few chunks to move"),
        ),
        ((blocks(3), True, Options(), 8999), "move"),
        (
            (blocks(2), True, Options(swap="recompute"), 10**9),
            Decision(
                "recompute",
                1,
                'moved to the host without the gates, which are computed again: options(swap="recompute") says so',
            ),
        ),
        (
            (blocks(8), True, Options(swap="move", memory_budget=8999), 10**9),
            Decision("move", 2, 'moved to the host: options(swap="move") says so'),
        ),
        (([], True, Options(), 0), Decision("keep", 0, "kept on the device: 0 bytes fit 0")),
    ],
)
def test_what_is_decided(given: Any, decision: Any) -> None:
    found = decide(*given)
    assert found == decision or found.way == decision


def test_what_shape_a_of_the_benchmarks_would_do() -> None:
    """LSTM of 1024 units, 512 steps of 64 rows, in chunks of 32: float32 hides its gates, TF32 does not."""
    rows, units, steps = 64, 1024, 32
    gates, kept = 4 * steps * rows * units * 4, 2 * (steps + 1) * rows * units * 4
    flops = 2.0 * steps * rows * 2 * units * 4 * units
    for tf32, way in ((False, "move"), (True, "recompute")):
        chunk = block(gates + kept, kept, steps=steps, flops=flops, recomputed_flops=flops, dtype="float32", tf32=tf32)
        assert decide([chunk] * 16, True, Options(memory_budget=2**29), 0).way == way


@pytest.mark.parametrize(
    ("swap_memory", "options", "wanted"),
    [
        (False, Options(), MemoryReport(saved_bytes=21500, slots=8)),
        (
            True,
            Options(swap="move"),
            MemoryReport(saved_bytes=9000, slots=3, host_bytes=21500, moved_bytes=21500, fetched_bytes=12500),
        ),
        (
            True,
            Options(swap="recompute", memory_budget=6000),
            MemoryReport(
                saved_bytes=6000,
                slots=2,
                host_bytes=7700,
                moved_bytes=7700,
                fetched_bytes=5700,
                recomputed_bytes=13800,
            ),
        ),
        (
            True,
            Options(memory_budget=15100),
            MemoryReport(saved_bytes=15000, slots=3, host_bytes=15500, moved_bytes=15500, fetched_bytes=6500),
        ),
    ],
)
def test_a_keeper_reports_what_was_forecast(swap_memory: bool, options: Options, wanted: MemoryReport) -> None:
    chunks = [Block(500, 500, 1.0, 0.0), Block(3000, 1200, 1.0, 0.0), *blocks(6)]
    device = HostDevice(0)
    keeper = choose_keeper(device, device.current_stream(), chunks, swap_memory, options)
    decision = decide(chunks, swap_memory, options, device.free_bytes())
    assert keeper.report() == forecast(chunks, decision)
    assert keeper.report() == wanted._replace(chunks=8, unswapped_bytes=21500, decision=decision.words)
    assert wanted.saved_bytes is not None
    assert device.live_bytes() >= wanted.saved_bytes
    assert sum(nbytes for purpose, nbytes in device.live() if purpose == "swapped blocks") == wanted.host_bytes


def test_what_is_held_does_not_grow_with_the_chunks() -> None:
    for count in (4, 40, 400):
        device = HostDevice(0)
        with device.watched(peak := Peak()):
            keeper = choose_keeper(device, device.current_stream(), blocks(count), True, Options(memory_budget=9000))
        report = keeper.report()
        assert (report.saved_bytes, report.unswapped_bytes) == (9000, 3000 * count)
        assert peak.nbytes <= 3 * 3072


# --- not enough memory -----------------------------------------------------------------------------------------------


def keep(device: HostDevice, count: int, swap_memory: bool, options: Options) -> Any:
    return choose_keeper(device, device.current_stream(), blocks(count), swap_memory, options)


def test_too_little_memory_without_swapping_names_swap_memory() -> None:
    device = HostDevice(0, memory_limit=12288)
    with pytest.raises(OutOfDeviceMemory) as raised:
        keep(device, 8, False, Options())
    assert str(raised.value) == (
        "kept for the backward pass: wanted 24000 bytes of device memory, 12288 are left; "
        "swap_memory=True moves it to the host [SWAP-4]"
    )
    assert (raised.value.wanted, raised.value.had) == (24000, 12288)
    assert device.live_bytes() == 0
    held = keep(device, 8, True, Options()).report()
    assert (held.saved_bytes, held.host_bytes) == (9000, 24000)


def test_too_little_memory_for_the_slots_names_parallel_iterations() -> None:
    device = HostDevice(0, memory_limit=5000)
    with pytest.raises(OutOfDeviceMemory, match=r"; a smaller parallel_iterations makes smaller chunks$"):
        keep(device, 8, True, Options())
    with pytest.raises(OutOfDeviceMemory, match=r"; swap_memory can move it only if a smaller .* \[SWAP-4\]$"):
        keep(device, 2, True, Options())
    device.finish()
    assert device.live() == []


def test_memory_that_is_wanted_beside_counts() -> None:
    device = HostDevice(0, memory_limit=24576)
    stream = device.current_stream()
    assert choose_keeper(device, stream, blocks(8), True, Options(), besides=500).report().slots == 8
    assert choose_keeper(device, stream, blocks(8), True, Options(), besides=600).report().slots == 3


def test_too_little_memory_beside_a_keeper_names_swap_memory_too() -> None:
    device = HostDevice(0, memory_limit=512)
    for swap_memory, advice in ((True, ""), (False, ADVICE)):
        with pytest.raises(OutOfDeviceMemory) as raised, naming_swap_memory(swap_memory):
            device.allocate(600, device.current_stream(), "outputs")
        assert (raised.value.wanted, raised.value.had, raised.value.purpose) == (600, 512, "outputs")
        assert raised.value.advice == advice
        assert str(raised.value).endswith(f"512 are left; {advice}" if advice else "512 are left")
    with pytest.raises(OutOfDeviceMemory, match=r"left; it is said$"), naming_swap_memory(False):
        raise OutOfDeviceMemory(1, 2, "tape", "it is said")


def test_idle_workspaces_make_room_for_blocks() -> None:
    device = HostDevice(0, memory_limit=30000)
    caches = caches_of(device)
    caches.workspaces.give_back(caches.workspaces.take(Layout((("region", 10000),))))
    assert device.free_bytes() < 24000
    assert keep(device, 8, True, Options()).report().slots == 8
    assert keep(device, 8, False, Options()).report().saved_bytes == 24000
    device.finish()
