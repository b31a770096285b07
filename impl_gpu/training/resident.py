"""Keeps every chunk on the device."""

from collections.abc import Sequence
from typing import Any

from ..device.seam import Device
from .cost import Block, Decision
from .holding import Holding
from .memory_report import MemoryReport, device_sizes, forecast

MOVE = "swap_memory=True moves it to the host [SWAP-4]"
SMALLER = "swap_memory can move it only if a smaller parallel_iterations makes more chunks of it [SWAP-4]"


class Resident:
    """A block on the device for each chunk."""

    def __init__(
        self, device: Device, stream: Any, blocks: Sequence[Block], decision: Decision, swap_memory: bool
    ) -> None:
        advice = SMALLER if swap_memory else MOVE
        self._holding = Holding(device, stream, device_sizes(blocks, decision), advice)
        self._report = forecast(blocks, decision)

    def begin(self, number: int, stream: Any) -> int:
        """The chunk's own block."""
        return self._holding.address(number)

    def written(self, number: int, stream: Any) -> None:
        """Nothing to do: no copy waits for the chunk."""

    def finished(self, stream: Any) -> None:
        """The blocks may be given back after the work of ``stream``."""
        self._holding.end_pass(stream)

    def recall(self, number: int, stream: Any) -> tuple[int, bool]:
        """The chunk's own block, with all that was written."""
        self._holding.await_last_pass(stream)
        return self._holding.address(number), False

    def used(self, number: int, stream: Any) -> None:
        """Nothing to do: no copy waits for the block."""

    def report(self) -> MemoryReport:
        """The report of a call that holds all its blocks."""
        return self._report._replace(saved_bytes=self._holding.device_bytes())
