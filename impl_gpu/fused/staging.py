"""Hands bytes from the host to the device through page-locked memory.

A copy reads its source when it runs, long after the call that asked for it has returned. So a slot is written again
only when the event behind its copy has passed, and while none has there is another slot: the host never waits.
"""

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..device.seam import Buffer, Device
from .precision import Numbers

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

    def put(self, ptr: int, parts: Sequence[tuple[int, Numbers]], stream: Any, purpose: str) -> None:
        """Copy arrays to the device, each to ``ptr`` plus its offset, in the order of ``stream`` and in one piece.

        The arrays are read now. What lies between them is undefined afterwards.
        """
        nbytes = max(offset + array.nbytes for offset, array in parts)
        slot = self._free_slot(nbytes, purpose)
        memory = np.ctypeslib.as_array((ctypes.c_uint8 * nbytes).from_address(slot.buffer.ptr))
        for offset, array in parts:
            memory[offset : offset + array.nbytes].view(array.dtype).reshape(array.shape)[...] = array
        self._device.put(ptr, slot.buffer.ptr, nbytes, stream, purpose)
        self._device.record_event(slot.copied, stream)
        self._slots.append(slot)
        self.give_back(KEPT_BYTES)

    def take_over(self, buffer: Buffer, copied: Any) -> None:
        """Keep pinned memory whose owner has died, at least until that event has passed; may be called at any time."""
        self._slots.append(_Slot(buffer, copied))

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
