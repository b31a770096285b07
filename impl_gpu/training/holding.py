"""Holds the memory of one call from its forward pass to its last pull, on the device and page-locked.

Device memory is allocated and given back in the order of the stream ``home``, which waits for the end of every pass.
Pinned memory is the host's own, free at once when it is given back, so it waits until the last copy has run. What dies
in the middle of a pass can't be given back at all, for there is no telling when the work on it ends.
"""

from collections.abc import Sequence
from typing import Any

from ..device.seam import Buffer, Device, OutOfDeviceMemory
from ..fused.caches import caches_of
from ..fused.staging import KEPT_BYTES

PURPOSE = "kept for the backward pass"
LOST = "buffers of passes that were broken off"


class Holding:
    """Device blocks of these sizes, and pinned ones. Later work on ``stream`` may use them; ``side`` makes the copies.

    Raises:
        OutOfDeviceMemory: with all that is wanted, what was left, and ``advice``.
    """

    def __init__(
        self,
        device: Device,
        stream: Any,
        sizes: Sequence[int],
        advice: str,
        pinned_sizes: Sequence[int] = (),
        side: Any = None,
    ) -> None:
        self._device = device
        self._side = side
        caches = caches_of(device)
        caches.staging.give_back(KEPT_BYTES)
        self._staging = caches.staging
        self._home = caches.streams.home
        self._passing = False  # whether work is being enqueued that home does not know of yet
        self._buffers: list[Buffer] = []
        self._pinned: list[Buffer] = []
        self._ended = device.new_event()
        self._copied = device.new_event()
        self._allocate(sizes, advice)
        self._pinned = [device.pinned(nbytes, "swapped blocks") for nbytes in pinned_sizes]
        device.record_event(self._ended, self._home)
        device.wait_event(stream, self._ended)

    def address(self, number: int) -> int:
        """The address of a device block, for work of a pass, which begins now if none is under way."""
        self._passing = True
        return self._buffers[number].ptr

    def pinned_address(self, number: int) -> int:
        """The address of a pinned block."""
        return self._pinned[number].ptr

    def device_bytes(self) -> int:
        """The bytes of all device blocks."""
        return sum(buffer.nbytes for buffer in self._buffers)

    def pinned_bytes(self) -> int:
        """The bytes of all pinned blocks."""
        return sum(buffer.nbytes for buffer in self._pinned)

    def await_last_pass(self, stream: Any) -> None:
        """Later work on ``stream`` comes after all that the pass before was given, on its stream."""
        self._device.wait_event(stream, self._ended)

    def end_pass(self, stream: Any) -> None:
        """All work of the pass has been enqueued, on ``stream`` and the side."""
        self._device.record_event(self._ended, stream)
        if self._side is not None:
            self._device.record_event(self._copied, self._side)
        self._tell_home()
        self._passing = False

    def _tell_home(self) -> None:
        """Memory that is given back from now on comes after the pass."""
        self._device.wait_event(self._home, self._ended)
        self._device.wait_event(self._home, self._copied)

    def _allocate(self, sizes: Sequence[int], advice: str) -> None:
        try:
            self._take(sizes)
        except OutOfDeviceMemory as error:
            self._buffers.clear()
            raise OutOfDeviceMemory(sum(sizes), self._device.free_bytes(), PURPOSE, advice) from error

    def _take(self, sizes: Sequence[int]) -> None:
        for nbytes in sizes:
            self._buffers.append(self._device.allocate(nbytes, self._home, PURPOSE))

    def __del__(self) -> None:
        if self._passing:
            self._device.kept.setdefault(LOST, []).append((self._buffers, self._pinned))
            return
        for buffer in self._pinned:
            self._staging.take_over(buffer, self._copied)
