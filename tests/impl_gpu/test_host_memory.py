"""Tests the memory of the host side: poison, guards, what is live and what was given back."""

import ctypes
import gc

import numpy as np
import pytest

from impl_gpu.device import host_memory
from impl_gpu.device.host_memory import GUARD, Memory
from impl_gpu.device.seam import SeamError


def test_fresh_memory_is_aligned_and_nan() -> None:
    memory = Memory()
    for nbytes in (1, 4, 511, 4096):
        region = memory.allocate(nbytes, "device", "x")
        assert region.start % 512 == 0
        assert region.end - region.start == nbytes
        assert ctypes.string_at(region.start, nbytes) == b"\xff" * nbytes
    assert np.isnan(np.frombuffer(b"\xff" * 8, np.float16)).all()


def test_memory_given_back_is_poisoned_and_refused() -> None:
    memory = Memory()
    region = memory.allocate(16, "device", "workspace")
    ctypes.memset(region.start, 0, 16)
    memory.check(region.start + 8, 8, "device", "read")
    memory.reclaim(region)
    assert ctypes.string_at(region.start, 16) == b"\xff" * 16
    with pytest.raises(SeamError, match=r"^read: use after free of 'workspace' \(16 bytes, device\)$"):
        memory.check(region.start + 8, 8, "device", "read")
    memory.forget_reclaimed()
    with pytest.raises(SeamError, match=r"^read: 0x\w+ lies in no memory of this device"):
        memory.check(region.start + 8, 8, "device", "read")


def test_only_so_much_memory_stays_in_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_memory, "QUARANTINE", 100)
    memory = Memory()
    first, second = (memory.allocate(64, "device", name) for name in ("first", "second"))
    memory.reclaim(first)
    memory.reclaim(second)
    with pytest.raises(SeamError, match="lies in no memory"):
        memory.check(first.start, 1, "device", "read")
    with pytest.raises(SeamError, match="use after free of 'second'"):
        memory.check(second.start, 1, "device", "read")


def test_what_is_refused() -> None:
    memory = Memory()
    region = memory.allocate(16, "pinned", "staging")
    with pytest.raises(SeamError, match=r"^x: at least 1 byte to allocate, got 0$"):
        memory.allocate(0, "device", "x")
    with pytest.raises(SeamError, match=r"^put: expected device memory, got 'staging' \(16 bytes, pinned\)$"):
        memory.check(region.start, 4, "device", "put")
    with pytest.raises(
        SeamError, match=r"^put: 8 bytes from byte 12 on do not lie within 'staging' \(16 bytes, pinned\)$"
    ):
        memory.check(region.start + 12, 8, "pinned", "put")
    with pytest.raises(
        SeamError, match=r"^put: 0x\w+ lies in no memory of this device; 3 bytes behind 'staging' \(16 bytes, pinned\)$"
    ):
        memory.check(region.end + 3, 1, "pinned", "put")
    with pytest.raises(SeamError, match=r"; 2 bytes before 'staging' \(16 bytes, pinned\)$"):
        memory.check(region.start - 2, 1, "pinned", "put")
    with pytest.raises(SeamError, match=r"^put: 0x1 lies in no memory of this device$"):
        Memory().check(1, 1, "pinned", "put")


@pytest.mark.parametrize(
    ("offset", "where"),
    [
        (-1, "1 bytes before its start"),
        (-GUARD, f"{GUARD} bytes before its start"),
        (16, "0 bytes behind its end"),
        (16 + GUARD - 1, f"{GUARD - 1} bytes behind its end"),
    ],
)
def test_writing_beside_a_region_is_seen(offset: int, where: str) -> None:
    memory = Memory()
    region = memory.allocate(16, "device", "result")
    memory.check_guards()
    ctypes.memset(region.start + offset, 0, 1)
    message = rf"^overrun of 'result' \(16 bytes, device\): something was written {where}$"
    with pytest.raises(SeamError, match=message):
        memory.check_guards()
    with pytest.raises(SeamError, match=message):
        memory.reclaim(region)
    assert memory.live() == []


def test_regions_are_found_among_many() -> None:
    memory = Memory()
    regions = [memory.allocate(8 * (1 + i % 7), "device", str(i)) for i in range(300)]
    for region in regions[::2]:
        memory.reclaim(region)
    for region in regions[1::2]:
        memory.check(region.end - 1, 1, "device", "read")
    assert [region.purpose for region in memory.live()] == [str(i) for i in range(1, 300, 2)]
    gc.collect()
