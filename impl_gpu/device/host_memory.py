"""Keeps the memory of the host side: which addresses belong to which buffer, and what lies around them.

Every buffer is a malloc of its own between two guards of known bytes. Fresh memory is poisoned (0xFF: NaN in every
floating type), and so is memory given back, which stays known as such until the model starts anew.
"""

import bisect
import ctypes
import threading
from collections import deque
from typing import Any

import numpy as np

from .seam import SeamError

ALIGNMENT = 512
POISON = 0xFF
GUARD_BYTE = 0xC5
QUARANTINE = 256 << 20
"""Bytes of given back memory that stay known; the oldest is really freed beyond it."""

_LIBC = ctypes.CDLL(None)
_MEMALIGN = _LIBC.memalign
_MEMALIGN.argtypes = (ctypes.c_size_t, ctypes.c_size_t)
_MEMALIGN.restype = ctypes.c_void_p
_FREE = _LIBC.free
_FREE.argtypes = (ctypes.c_void_p,)
_FREE.restype = None

SANITIZED = hasattr(_LIBC, "__asan_init")
"""Whether the address sanitizer is in this process; it wants buffers of exactly their size, and guards them itself."""
GUARD = 0 if SANITIZED else ALIGNMENT
_GUARD_BYTES = bytes([GUARD_BYTE]) * GUARD


class Region:
    """Some bytes from ``start`` on. ``place`` is "device" or "pinned"; ``stream`` the one it was allocated for."""

    __slots__ = ("end", "live", "place", "purpose", "start", "stream")

    def __init__(self, start: int, nbytes: int, place: str, purpose: str, stream: Any) -> None:
        self.start = start
        self.end = start + nbytes
        self.place = place
        self.purpose = purpose
        self.stream = stream
        self.live = True

    def __str__(self) -> str:
        return f"{self.purpose!r} ({self.end - self.start} bytes, {self.place})"


class Memory:
    """All regions, live or given back and not yet forgotten. ``lock`` keeps threads apart, from the streams too."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._regions: dict[int, Region] = {}
        self._starts: list[int] = []
        self._quarantine: deque[Region] = deque()
        self._quarantined = 0

    def allocate(self, nbytes: int, place: str, purpose: str, stream: Any = None) -> Region:
        """A fresh, poisoned region of exactly ``nbytes``."""
        if nbytes < 1:
            raise SeamError(f"{purpose}: at least 1 byte to allocate, got {nbytes}")
        base = _MEMALIGN(ALIGNMENT, nbytes + 2 * GUARD)
        if not base:
            raise SeamError(f"{purpose}: the machine has no {nbytes} bytes left")
        start = base + GUARD
        if GUARD:
            ctypes.memset(base, GUARD_BYTE, GUARD)
            ctypes.memset(start + nbytes, GUARD_BYTE, GUARD)
        ctypes.memset(start, POISON, nbytes)
        region = Region(start, nbytes, place, purpose, stream)
        with self.lock:
            self._regions[start] = region
            bisect.insort(self._starts, start)
        return region

    def reclaim(self, region: Region) -> None:
        """Take a region back: poison it and refuse it from now on.

        Raises:
            SeamError: something was written beside the region.
        """
        region.live = False
        intact = self._intact(region)
        ctypes.memset(region.start, POISON, region.end - region.start)
        with self.lock:
            self._quarantine.append(region)
            self._quarantined += region.end - region.start
            while self._quarantined > QUARANTINE:
                self._release(self._quarantine.popleft())
        if not intact:
            raise _overrun(region)

    def forget_reclaimed(self) -> None:
        """Really free what was given back."""
        with self.lock:
            while self._quarantine:
                self._release(self._quarantine.popleft())

    def live(self) -> list[Region]:
        """What is in use."""
        with self.lock:
            return [region for region in self._regions.values() if region.live]

    def check_guards(self) -> None:
        """Look around every live region.

        Raises:
            SeamError: something was written beside one.
        """
        for region in self.live():
            if not self._intact(region):
                raise _overrun(region)

    def holds(self, address: int, nbytes: int, place: str) -> bool:
        """Whether the bytes lie within one live region of this place."""
        with self.lock:
            region = self._regions.get(address) or self._below(address)
        return region is not None and region.live and region.place == place and address + nbytes <= region.end

    def check(self, address: int, nbytes: int, place: str, purpose: str) -> None:
        """Refuse ``nbytes`` from ``address`` on that do not lie within one live region of this place.

        Raises:
            SeamError: naming ``purpose``, what was asked for, and the region that it hits or misses.
        """
        with self.lock:
            region = self._regions.get(address) or self._below(address)
        if region is None or address >= region.end:
            raise SeamError(f"{purpose}: {address:#x} lies in no memory of this device{self._beside(address)}")
        if not region.live:
            raise SeamError(f"{purpose}: use after free of {region}")
        if region.place != place:
            raise SeamError(f"{purpose}: expected {place} memory, got {region}")
        if address + nbytes > region.end:
            asked = f"{nbytes} bytes from byte {address - region.start} on"
            raise SeamError(f"{purpose}: {asked} do not lie within {region}")

    def _below(self, address: int) -> Region | None:
        index = bisect.bisect_right(self._starts, address)
        return self._regions[self._starts[index - 1]] if index else None

    def _beside(self, address: int) -> str:
        below = self._below(address)
        index = bisect.bisect_right(self._starts, address)
        above = self._regions[self._starts[index]] if index < len(self._starts) else None
        if below is not None and (above is None or address - below.end <= above.start - address):
            return f"; {address - below.end} bytes behind {below}"
        return "" if above is None else f"; {above.start - address} bytes before {above}"

    def _intact(self, region: Region) -> bool:
        if not GUARD:
            return True
        before = ctypes.string_at(region.start - GUARD, GUARD)
        return before == _GUARD_BYTES and ctypes.string_at(region.end, GUARD) == _GUARD_BYTES

    def _release(self, region: Region) -> None:
        self._quarantined -= region.end - region.start
        del self._regions[region.start]
        del self._starts[bisect.bisect_left(self._starts, region.start)]
        _FREE(region.start - GUARD)


def _overrun(region: Region) -> SeamError:
    before = np.frombuffer(ctypes.string_at(region.start - GUARD, GUARD), np.uint8) != GUARD_BYTE
    after = np.frombuffer(ctypes.string_at(region.end, GUARD), np.uint8) != GUARD_BYTE
    if after.any():
        where = f"{int(after.argmax())} bytes behind its end"
    else:
        where = f"{GUARD - int(before.nonzero()[0][-1])} bytes before its start"
    return SeamError(f"overrun of {region}: something was written {where}")
