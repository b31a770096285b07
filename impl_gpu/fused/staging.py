"""Page-locked memory through which the host hands bytes to the device; it refuses to know what they mean.

A copy reads its source when it runs, long after the call that asked for it has returned. So a slot is written again
only when the event behind its copy has passed, and while none has there is another slot: the host never waits.
"""

import ctypes
from typing import Any, NamedTuple

from ..device.seam import Buffer, Device

KEPT_BYTES = 2**26
"""Slots that no copy reads any more are given back while all slots together hold more than this."""


class _Slot(NamedTuple):
    buffer: Buffer
    copied: Any  # the event behind the last copy out of it


class Staging:
    """The slots of one device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._slots: list[_Slot] = []

    def put(self, ptr: int, data: bytes, stream: Any, purpose: str) -> None:
        """Copy ``data`` to the device at ``ptr``, in the order of ``stream``; ``data`` may be forgotten at once."""
        slot = self._free_slot(len(data), purpose)
        ctypes.memmove(slot.buffer.ptr, data, len(data))
        self._device.put(ptr, slot.buffer.ptr, len(data), stream, purpose)
        self._device.record_event(slot.copied, stream)
        self._slots.append(slot)
        self.give_back(KEPT_BYTES)

    def give_back(self, kept: int) -> None:
        """Let go of slots that no copy reads any more until no more than ``kept`` bytes are held."""
        held = sum(slot.buffer.nbytes for slot in self._slots)
        for slot in list(self._slots):
            if held > kept and self._is_free(slot):
                self._slots.remove(slot)
                held -= slot.buffer.nbytes

    def _free_slot(self, nbytes: int, purpose: str) -> _Slot:
        """The smallest free slot of that size, taken out; else a new one."""
        fitting = [slot for slot in self._slots if slot.buffer.nbytes >= nbytes and self._is_free(slot)]
        if not fitting:
            return _Slot(self._device.pinned(nbytes, purpose), self._device.new_event())
        smallest = min(fitting, key=lambda slot: slot.buffer.nbytes)
        self._slots.remove(smallest)
        return smallest

    def _is_free(self, slot: _Slot) -> bool:
        return self._device.has_passed(slot.copied)
