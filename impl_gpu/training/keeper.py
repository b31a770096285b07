"""Defines who keeps the chunks from the forward pass to the backward one: the interface, and the choice.

A call goes through its chunks in order: ``begin``, its work, ``written``. A pull goes through them from the last to the
first: ``recall``, its work, ``used``. Each of the two ends with ``finished``, which belongs in a ``finally``: it is as
right after half a pass, and without it the memory is held for ever, since there is no telling when its work ends.

    keeper = choose_keeper(device, stream, blocks, swap_memory, options)
    try:
        for number in range(len(blocks)):
            address = keeper.begin(number, stream)
            ...  # writes the block, and may read that of number - 1
            keeper.written(number, stream)
    finally:
        keeper.finished(stream)

Whoever enqueues through a keeper holds the lock of the device's caches.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from ..device.seam import Device, OutOfDeviceMemory
from ..fused.caches import caches_of
from ..settings import Options
from .cost import Block, Decision, block, decide
from .memory_report import MemoryReport
from .resident import Resident
from .swapped import Swapped

__all__ = ["Block", "Keeper", "block", "choose_keeper", "decide_on", "naming_swap_memory"]

ADVICE = "swap_memory=True moves what is kept for the backward pass to the host [SWAP-4]"


class Keeper(Protocol):
    """The keeper of one call, made before anything of the call is enqueued."""

    def begin(self, number: int, stream: Any) -> int:
        """The device address of that chunk's block: later work on ``stream`` may write it.

        The block of ``number - 1`` stays where it is until ``begin(number + 1)``.
        """

    def written(self, number: int, stream: Any) -> None:
        """All that writes the block has been enqueued on ``stream``. It may still be read."""

    def finished(self, stream: Any) -> None:
        """All work of the pass has been enqueued on ``stream``."""

    def recall(self, number: int, stream: Any) -> tuple[int, bool]:
        """The address where later work on ``stream`` finds the block, and whether its gates must be recomputed.

        Then only the first ``kept_bytes`` are there, and the rest may be written; else nothing may.
        """

    def used(self, number: int, stream: Any) -> None:
        """All that works in the block has been enqueued on ``stream``."""

    def report(self) -> MemoryReport:
        """What is held, moved and recomputed; the caller adds what the keeper does not know."""


def choose_keeper(
    device: Device, stream: Any, blocks: Sequence[Block], swap_memory: bool, options: Options, besides: int = 0
) -> Keeper:
    """The keeper of a call with these chunks, all its memory allocated. Later work on ``stream`` may use it.

    ``besides`` is how much device memory the call will want beside it.

    Raises:
        OutOfDeviceMemory: the device does not have that much left; the message says what would help [SWAP-4].
    """
    decision = decide_on(device, blocks, swap_memory, options, besides)
    if decision.way == "keep":
        return Resident(device, stream, blocks, decision, swap_memory)
    return Swapped(device, stream, blocks, decision)


def decide_on(device: Device, blocks: Sequence[Block], swap_memory: bool, options: Options, besides: int) -> Decision:
    """What ``choose_keeper`` would decide now."""
    free = 0
    if swap_memory and options.memory_budget is None:
        idle = caches_of(device).workspaces.idle_bytes()  # given back before any allocation is refused
        free = max(0, device.free_bytes() + idle - besides)
    return decide(blocks, swap_memory, options, free)


@contextlib.contextmanager
def naming_swap_memory(swap_memory: bool) -> Iterator[None]:
    """Around a pass: add to an error of too little memory what would make room.

    Raises:
        OutOfDeviceMemory: as it was raised within, with advice if it had none [SWAP-4].
    """
    try:
        yield
    except OutOfDeviceMemory as error:
        if swap_memory or error.advice:
            raise
        raise OutOfDeviceMemory(error.wanted, error.had, error.purpose, ADVICE) from error
