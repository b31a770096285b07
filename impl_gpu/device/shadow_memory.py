"""Keeps track of a device's memory for a shadow: regions that it was told of, and their twins on the host.

A twin is a copy of a region in the memory of a host device, at an address with the same alignment. An address in the
region has one in its twin.
"""

import ctypes
import weakref
from typing import Any, NamedTuple

import numpy as np

from .host import HostDevice

ALIGNMENT = 512

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


class Region(NamedTuple):
    """The bytes from ``start`` on."""

    start: int
    nbytes: int

    def holds(self, address: int) -> bool:
        return self.start <= address < self.start + self.nbytes


class Regions:
    """Regions that are alive as long as their owners are."""

    def __init__(self) -> None:
        self._owners: dict[Region, weakref.ref[Any]] = {}

    def add(self, start: int, nbytes: int, owner: Any) -> None:
        """Memory that is there while ``owner`` is."""
        if nbytes:
            self._owners[Region(start, nbytes)] = weakref.ref(owner)

    def find(self, address: int) -> Region | None:
        """The region of an address, the largest where there are several; None: it is in none."""
        for region in [region for region, owner in self._owners.items() if owner() is None]:
            del self._owners[region]
        found = [region for region in self._owners if region.holds(address)]
        return max(found, key=lambda region: region.nbytes, default=None)


def seen(address: int, nbytes: int) -> Bytes:
    """Memory that the processor can read, as it is now and will be."""
    raw: Any = (ctypes.c_uint8 * nbytes).from_address(address)
    return np.frombuffer(raw, np.uint8)


class Twin:
    """The copy of a region on ``host``; ``before`` is what it held at first."""

    def __init__(self, host: HostDevice, region: Region, before: Bytes) -> None:
        self.region = region
        self.before = before
        host.purpose = "shadow"
        self._buffer = host._do_allocate(region.nbytes + ALIGNMENT, host.current_stream())
        host.synchronize(host.current_stream(), "shadow")
        self._start = self._buffer.ptr + (region.start - self._buffer.ptr) % ALIGNMENT
        self.bytes = seen(self._start, region.nbytes)
        self.bytes[...] = before

    def translate(self, address: int) -> int:
        """The address in the twin for one in the region."""
        return self._start + address - self.region.start

    def back(self, address: int) -> int | None:
        """The address in the region for one in the twin; None: it is not in the twin."""
        offset = address - self._start
        return self.region.start + offset if 0 <= offset < self.region.nbytes else None
