"""Tests how device memory is counted and limited, on the host side and through what is wrapped around it."""

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from impl_gpu.device.host import HostDevice
from impl_gpu.device.memory import UNLIMITED, Meter, Peak, rounded
from impl_gpu.device.seam import OutOfDeviceMemory
from impl_gpu.device.wrapped import Synchronous


def test_a_pool_hands_out_whole_units() -> None:
    assert [rounded(nbytes) for nbytes in (0, 1, 512, 513)] == [0, 512, 512, 1024]


def test_a_peak_is_the_most_while_it_is_watched() -> None:
    meter, outer, inner = Meter(), Peak(), Peak()
    meter.take(500)
    with meter.watched(outer):
        meter.take(1024)
        meter.give_back(500)
        with meter.watched(inner):
            meter.give_back(1024)
    meter.take(5000)
    meter.give_back(5000)
    assert (meter.live, outer.nbytes, inner.nbytes) == (0, 1536, 1024)
    with meter.watched(inner):  # on from what it was
        meter.take(512)
    assert inner.nbytes == 1024


@pytest.mark.parametrize("around", [lambda device: device, Synchronous])
def test_buffers_and_arrays_count_and_pinned_memory_does_not(around: Callable[[Any], Any]) -> None:
    device = around(HostDevice(0))
    stream = device.current_stream()
    with device.watched(peak := Peak()):
        first, second = device.allocate(600, stream, "first"), device.allocate(8, stream, "second")
        pinned, empty = device.pinned(5000, "pinned"), device.allocate(0, stream, "empty")
    array = device.array(first, (150,), np.float32)
    del first
    gc.collect()
    assert device.live_bytes() == 1024 + 512
    del array, second
    gc.collect()
    assert (device.live_bytes(), peak.nbytes) == (0, 1536)
    assert (pinned.nbytes, empty.nbytes, device.free_bytes()) == (5000, 0, UNLIMITED)


def test_a_buffer_counts_until_it_dies_and_not_until_its_stream_gets_there() -> None:
    """As a pool counts it, which hands the memory out again in the order of the stream: whatever the schedule."""
    for seed in range(6):
        device = HostDevice(seed, memory_limit=2048)
        stream = device.current_stream()
        for _ in range(10):
            one, two = (device.allocate(1024, stream, "turn") for _ in range(2))
            device.copy(two.ptr, one.ptr, 1024, stream, "turn")
            del one, two
        device.finish()


def test_a_limit_is_kept_and_told() -> None:
    device = HostDevice(0, memory_limit=4096)
    stream = device.current_stream()
    tape = device.allocate(3000, stream, "tape")
    with pytest.raises(OutOfDeviceMemory) as raised:
        device.allocate(1025, stream, "workspace")
    assert str(raised.value) == "workspace: wanted 1025 bytes of device memory, 1024 are left"
    assert (raised.value.wanted, raised.value.had, raised.value.purpose) == (1025, 1024, "workspace")
    assert isinstance(raised.value, MemoryError)
    assert device.free_bytes() == 1024
    assert device.allocate(1024, stream, "workspace").nbytes == 1024
    device.memory_limit = 1000
    assert device.free_bytes() == 0
    device.memory_limit = None
    assert device.allocate(10**6, stream, "more").nbytes == 10**6
    assert tape.nbytes == 3000


def test_a_host_array_takes_of_the_limit_too() -> None:
    device = HostDevice(0, memory_limit=1024)
    with pytest.raises(OutOfDeviceMemory, match=r"^upload: wanted 4000 bytes of device memory, 1024 are left$"):
        device.enter(np.zeros(1000, np.float32))


def test_memory_in_a_circle_of_references_is_found_before_it_is_missed() -> None:
    device = HostDevice(0, memory_limit=1024)
    circle: list[Any] = [device.allocate(1024, device.current_stream(), "circle")]
    circle.append(circle)
    del circle
    assert device.allocate(1024, device.current_stream(), "again").nbytes == 1024


def test_who_keeps_memory_for_later_is_asked_before_any_is_refused() -> None:
    device = HostDevice(0, memory_limit=2048)
    stream = device.current_stream()
    kept = [device.allocate(1024, stream, "idle"), device.allocate(1024, stream, "in use")]
    asked: list[int] = []

    def make_room() -> None:
        asked.append(len(kept))
        if len(kept) > 1:
            del kept[0]

    device.when_full(make_room)
    assert device.allocate(1000, stream, "workspace").nbytes == 1000
    again = device.allocate(1024, stream, "workspace")
    assert asked == [2]
    with pytest.raises(OutOfDeviceMemory, match=r"^more: wanted 1 bytes of device memory, 0 are left$"):
        device.allocate(1, stream, "more")
    assert (asked, again.nbytes) == ([2, 1], 1024)
