"""Moves chunks to the host while the forward pass runs, and fetches them ahead of the backward one.

The chunks take turns with a ring of slots on the device: chunk k has slot k mod slots, and each chunk a pinned block of
its own. The last chunks may stay, each in a slot of its own. All copies run on one stream beside those of the passes,
so they never overtake each other; three events of each slot keep the copies and the passes apart:

    used     the pass has left the slot     -> the copy out of it, or the next copy into it, may run
    left     the copy out of it has run     -> the pass may write it again
    arrived  the copy into it has run       -> the pass may read it

Of a block's contents it needs only this: the first ``kept_bytes`` are enough where the rest is recomputed.
"""

from collections.abc import Sequence
from typing import Any

from ..device.seam import Device
from .cost import Block, Decision, moved_bytes, recomputed_bytes
from .holding import Holding
from .memory_report import MemoryReport, device_sizes, forecast

SMALLER = "a smaller parallel_iterations makes smaller chunks"
COPIES = "the stream of swapping"


class _Slot:
    """A block of the ring: the chunk that it holds, whether a pass works in it, and its events."""

    def __init__(self, device: Device, number: int) -> None:
        self.number = number
        self.holds: int | None = None
        self.busy = False
        self.used = device.new_event()
        self.left = device.new_event()
        self.arrived = device.new_event()


class Swapped:
    """A ring of blocks on the device, and a pinned block for each chunk."""

    def __init__(self, device: Device, stream: Any, blocks: Sequence[Block], decision: Decision) -> None:
        self._device = device
        self._copies = copies_of(device)
        self._moving = len(blocks) - decision.staying
        moving, sizes = blocks[: self._moving], device_sizes(blocks, decision)
        self._moved = [moved_bytes(block, decision.way) for block in moving]
        self._recomputed = [recomputed_bytes(block, decision.way) > 0 for block in moving] + [False] * decision.staying
        self._slots = [_Slot(device, number) for number in range(len(sizes))]
        self._ring = decision.slots
        self._report = forecast(blocks, decision)
        self._holding = Holding(device, stream, sizes, SMALLER, self._moved, self._copies)

    # The forward pass.

    def begin(self, number: int, stream: Any) -> int:
        """The slot of that chunk, when the copy of what was in it has left."""
        slot = self._slot(number)
        self._await_left(slot, stream)
        slot.busy, slot.holds = True, None
        return self._address(slot)

    def written(self, number: int, stream: Any) -> None:
        """Begin the copy of that chunk to the host, unless it stays."""
        slot = self._slot(number)
        slot.holds = number
        if number < self._moving:
            self._device.record_event(slot.used, stream)
            self._await_written(slot)
            self._copy_out(number, slot)
            self._device.record_event(slot.left, self._copies)

    def finished(self, stream: Any) -> None:
        """No slot is in use any more, not even one that a broken-off pass has never left."""
        for slot in self._slots:
            if slot.busy:
                self._leave(slot, stream)
        self._holding.end_pass(stream)

    # The backward pass.

    def recall(self, number: int, stream: Any) -> tuple[int, bool]:
        """The slot of that chunk, when it has arrived; those before it are on their way from now on."""
        slot = self._slot(number)
        if slot.busy:
            raise ValueError(f"chunk {number} is recalled while chunk {slot.holds} is in its slot and not used yet")
        self._await_last_pass(stream)
        self._fetch(number)
        self._await_arrived(slot, stream)
        slot.busy = True
        for ahead in self._ahead(number):
            if not self._slot(ahead).busy:
                self._fetch(ahead)
        return self._address(slot), self._recomputed[number]

    def used(self, number: int, stream: Any) -> None:
        """The slot may be fetched into."""
        self._leave(self._slot(number), stream)

    def report(self) -> MemoryReport:
        """The slots are held, and the pinned blocks."""
        held, pinned = self._holding.device_bytes(), self._holding.pinned_bytes()
        return self._report._replace(saved_bytes=held, host_bytes=pinned)

    # The copies.

    def _fetch(self, number: int) -> None:
        """Copy that chunk into its slot, unless it is there."""
        slot = self._slot(number)
        if slot.holds != number:
            slot.holds = None
            self._await_used(slot)
            self._copy_in(number, slot)
            self._device.record_event(slot.arrived, self._copies)
            slot.holds = number

    def _copy_out(self, number: int, slot: _Slot) -> None:
        target = self._holding.pinned_address(number)
        self._device.get(target, self._address(slot), self._moved[number], self._copies, "swap out")

    def _copy_in(self, number: int, slot: _Slot) -> None:
        source = self._holding.pinned_address(number)  # GRAD-14: that chunk's own bytes
        self._device.put(self._address(slot), source, self._moved[number], self._copies, "swap in")

    def _leave(self, slot: _Slot, stream: Any) -> None:
        self._device.record_event(slot.used, stream)
        slot.busy = False

    def _await_last_pass(self, stream: Any) -> None:
        """Wait for the pass before, even on another stream."""
        self._holding.await_last_pass(stream)

    def _ahead(self, number: int) -> range:
        """The chunks that the other slots are for while the pass works in that one."""
        return range(number - 1, max(-1, number - self._ring), -1)

    def _await_written(self, slot: _Slot) -> None:
        """Later copies find what the pass has written [GRAD-14]."""
        self._device.wait_event(self._copies, slot.used)

    def _await_used(self, slot: _Slot) -> None:
        """Later copies find the slot left by the pass."""
        self._device.wait_event(self._copies, slot.used)

    def _await_left(self, slot: _Slot, stream: Any) -> None:
        """Later work of the pass finds the slot copied."""
        self._device.wait_event(stream, slot.left)

    def _await_arrived(self, slot: _Slot, stream: Any) -> None:
        """Later work of the pass finds in the slot what was fetched [GRAD-14]."""
        self._device.wait_event(stream, slot.arrived)

    def _slot(self, number: int) -> _Slot:
        """The slot of that chunk: the slots of the ring come first, then those of the chunks that stay."""
        return self._slots[number % self._ring if number < self._moving else self._ring + number - self._moving]

    def _address(self, slot: _Slot) -> int:
        return self._holding.address(slot.number)


def copies_of(device: Device) -> Any:
    """The stream of all copies of swapping on this device; one, which lives as long as the device."""
    return device.kept.get(COPIES) or device.kept.setdefault(COPIES, device.new_stream())
