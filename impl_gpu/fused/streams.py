"""Owns the streams that this package makes beside the caller's.

None is ever ended while its device lives: pools hand memory out again by stream, and a new stream could be taken for
an ended one whose work is still under way. For the same reason they are few, and shared.
"""

from collections import OrderedDict
from typing import Any

from ..device.seam import Device

SIDES = 4
"""How many streams have a second one of their own; where more streams of callers are at work, some share one."""


class Streams:
    """The streams of one device.

    ``home`` is where memory that outlives a call is allocated, written from the host and given back. It waits for the
    end of every call, so all of that comes after whatever has used the memory, on any stream.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self.home = device.new_stream()
        self._sides: OrderedDict[Any, Any] = OrderedDict()  # by the caller's stream, the longest unused first
        self._capturing: list[Any] = []
        self._left = device.new_event()

    def side_of(self, stream: Any) -> Any:
        """A stream to run beside this one."""
        side = self._sides.pop(stream, None)
        if side is None and len(self._sides) >= SIDES:
            _, side = self._sides.popitem(last=False)
        if side is None:
            side = self._device.new_stream()
        self._sides[stream] = side
        return side

    def take_capturing(self, stream: Any) -> Any:
        """A stream to capture graphs on, for one owner at a time: what is replayed shares what belongs to it.

        Graphs of an owner before may still run: later work on ``stream``, where the first replay is to go, waits for
        the end of their calls.
        """
        if not self._capturing:
            return self._device.new_stream()
        self._device.record_event(self._left, self.home)
        self._device.wait_event(stream, self._left)
        return self._capturing.pop()

    def give_back_capturing(self, stream: Any) -> None:
        """Take back a stream whose owner has dropped its graphs."""
        self._capturing.append(stream)
