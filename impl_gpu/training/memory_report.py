"""Reports in numbers what a call that can be pulled back keeps, moves and computes again.

A forecast and a report are made by the same function, of the same blocks and the same decision.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .cost import Block, Decision, moved_bytes, recomputed_bytes


class MemoryReport(NamedTuple):
    """Bytes, but for the words and counts; None where they can't be known.

    The arrays of the caller (inputs, outputs, states, gradients) are in none of them but ``peak_bytes``.
    """

    path: str = ""
    """Which path the call takes: "fused" or "any-cell"."""
    chunks: int = 0
    parallel_iterations: int = 0
    """Steps of a chunk."""
    saved_bytes: int | None = 0
    """Device memory that is held for the backward pass."""
    unswapped_bytes: int | None = 0
    """What it would be without swapping."""
    host_bytes: int = 0
    """Page-locked host memory."""
    moved_bytes: int = 0
    """What the forward pass sends to the host."""
    fetched_bytes: int = 0
    """What the first backward pass gets back: the last chunks that took turns are still on the device then."""
    recomputed_bytes: int = 0
    """What a backward pass computes again."""
    slots: int = 0
    """Blocks on the device which chunks take turns with; without swapping each has its own."""
    workspace_bytes: int | None = 0
    """What the steps of both passes work in."""
    peak_bytes: int | None = 0
    """The most device memory that was in use at a time during the call and its pulls so far, all that impl_gpu
    allocated on the device counted."""
    decision: str = ""
    """What happens to the chunks, and why."""


def forecast(blocks: Sequence[Block], decision: Decision) -> MemoryReport:
    """What the keeper of these blocks will say; ``path``, ``parallel_iterations`` and what is not its own are left."""
    way = decision.way
    moving = blocks[: len(blocks) - decision.staying]
    moved = [moved_bytes(block, way) for block in moving]
    return MemoryReport(
        chunks=len(blocks),
        saved_bytes=sum(device_sizes(blocks, decision)),
        unswapped_bytes=sum(block.nbytes for block in blocks),
        host_bytes=sum(moved),
        moved_bytes=sum(moved),
        fetched_bytes=sum(moved[: len(moving) - decision.slots]),
        recomputed_bytes=sum(recomputed_bytes(block, way) for block in moving),
        slots=decision.slots,
        decision=decision.words,
    )


def of_the_cell(steps: int, reason: str, peak_bytes: int | None = None) -> MemoryReport:
    """The report of an any-cell call, whose pulls hold what they please; ``reason`` is why it goes there."""
    return MemoryReport(
        path="any-cell",
        chunks=steps,
        parallel_iterations=1,
        saved_bytes=None,
        unswapped_bytes=None,
        workspace_bytes=None,
        peak_bytes=peak_bytes,
        decision=f"kept on the device: what the pull of a cell holds is its own, and can't be moved ({reason})",
    )


def device_sizes(blocks: Sequence[Block], decision: Decision) -> list[int]:
    """The blocks on the device: the slots, which hold any chunk that takes turns with them, and what stays."""
    if decision.way == "keep":
        return [block.nbytes for block in blocks]
    moving, staying = blocks[: len(blocks) - decision.staying], blocks[len(blocks) - decision.staying :]
    largest = max((block.nbytes for block in moving), default=0)
    return [largest] * decision.slots + [block.nbytes for block in staying]
