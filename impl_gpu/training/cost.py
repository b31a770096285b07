"""Predicts what a chunk costs to move and to compute again, and so decides what swap_memory does.

The model has four numbers: bytes a second between device and host, products a second by dtype, the time that a step
takes however small it is, and how much longer the backward pass is than the forward one. Copies run beside the steps,
so that only what they take longer than these is lost:

    move       lost = max(0, nbytes / COPY_BYTES - forward) + max(0, nbytes / COPY_BYTES - backward)
    recompute  lost = max(0, kept / COPY_BYTES - forward) + max(0, kept / COPY_BYTES - backward - again) + again

with the bytes of the chunks that are moved, the forward time of all of them, and backward = BACKWARD * forward. The
way with the smaller loss is taken. The last chunks stay where a budget has room for them beside the slots.

The numbers are predictions for an NVIDIA H200 on PCI Express 5, not measurements. Where they are wrong the results are
right and the time is not: ``options(swap="move")`` or ``options(swap="recompute")`` says it better.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..device.memory import UNLIMITED
from ..settings import Options

COPY_BYTES = 50e9
"""Bytes a second between pinned host memory and the device, each way."""
FLOPS = {"float16": 500e12, "bfloat16": 500e12, "tf32": 250e12, "float32": 50e12, "float64": 40e12}
"""Operations a second of products that fill the device, a multiplication and an addition being two."""
STEP_SECONDS = 6e-6
"""What one step of one layer takes beside the operations of its products: launches, and waiting for the step before."""
BACKWARD = 2.0
"""How long the backward pass is, compared with the forward one: two products for each one."""

MOST_SLOTS = 3
"""Blocks on the device while chunks are moved: one is worked in, and two are on their way."""


class Block(NamedTuple):
    """What one chunk keeps for the backward pass: ``nbytes``, of which the first ``kept_bytes`` can't be recomputed.

    ``seconds`` is what its forward pass takes, ``again`` what it takes to recompute the rest.
    """

    nbytes: int
    kept_bytes: int
    seconds: float
    again: float


class Decision(NamedTuple):
    """``way`` is "keep", "move" or "recompute", and ``words`` say why.

    ``slots`` are the blocks on the device that chunks take turns with, beside those of the last ``staying`` chunks,
    which are kept whatever the way.
    """

    way: str
    slots: int
    words: str
    staying: int = 0


def block(
    nbytes: int, kept_bytes: int, *, steps: int, flops: float, recomputed_flops: float, dtype: str, tf32: bool
) -> Block:
    """A chunk of ``steps`` steps, those of all layers counted, whose products take ``flops`` operations.

    ``recomputed_flops`` are those of the products that make the gates again, for all steps at once.
    """
    rate = FLOPS["tf32" if tf32 and dtype == "float32" else dtype]
    return Block(nbytes, kept_bytes, steps * STEP_SECONDS + flops / rate, recomputed_flops / rate)


def decide(blocks: Sequence[Block], swap_memory: bool, options: Options, free: int) -> Decision:
    """What happens to the chunks of one call; ``free`` is what the device has left for them."""
    needed = sum(block.nbytes for block in blocks)
    if not swap_memory:
        return Decision("keep", len(blocks), "kept on the device: swap_memory is False")
    budget = free if options.memory_budget is None else options.memory_budget
    slots = _slots(blocks, budget)
    if options.swap != "auto":
        said = f'{_DONE[options.swap]}: options(swap="{options.swap}") says so'
        return Decision(options.swap, max(1, min(slots, len(blocks) - 1)), said)
    if needed <= budget:
        return Decision("keep", len(blocks), f"kept on the device: {needed} bytes fit {_said(budget)}")
    full = f"{needed} bytes do not fit {_said(budget)}"
    if slots >= len(blocks):
        return Decision("keep", len(blocks), f"kept on the device: {full}, but there are too few chunks to move")
    # What is free now is left to the caller; a budget is there to be used.
    staying = _staying(blocks, slots, budget) if options.memory_budget is not None else 0
    moving = blocks[: len(blocks) - staying]
    forward = sum(block.seconds for block in blocks)
    lost = {way: _lost(moving, forward, way) for way in ("move", "recompute")}
    way = min(lost, key=lambda one: lost[one])  # the first of equals
    other = "recompute" if way == "move" else "move"
    why = f"{full}, and to {way} loses {_ms(lost[way])}, to {other} {_ms(lost[other])}"
    but = f", but for the last {staying} of {len(blocks)} chunks" if staying else ""
    return Decision(way, slots, f"{_DONE[way]}{but}: {why}", staying)


def moved_bytes(block: Block, way: str) -> int:
    """What goes to the host of a chunk."""
    return {"keep": 0, "move": block.nbytes, "recompute": block.kept_bytes}[way]


def recomputed_bytes(block: Block, way: str) -> int:
    """What is computed again of a chunk in each backward pass."""
    return block.nbytes - block.kept_bytes if way == "recompute" else 0


_DONE = {"move": "moved to the host", "recompute": "moved to the host without the gates, which are computed again"}


def _slots(blocks: Sequence[Block], budget: int) -> int:
    """Three where they fit and there are more chunks than that, else two."""
    largest = max((block.nbytes for block in blocks), default=0)
    return MOST_SLOTS if len(blocks) > MOST_SLOTS and MOST_SLOTS * largest <= budget else MOST_SLOTS - 1


def _staying(blocks: Sequence[Block], slots: int, budget: int) -> int:
    """How many of the last chunks the budget has room for beside the slots."""
    left = budget - slots * max(block.nbytes for block in blocks)
    staying = 0
    for block in reversed(blocks):
        left -= block.nbytes
        if left < 0:
            break
        staying += 1
    return staying


def _lost(moving: Sequence[Block], forward: float, way: str) -> float:
    """The seconds that both passes take longer than without swapping; ``forward`` is what that of all chunks takes."""
    copying = sum(moved_bytes(block, way) for block in moving) / COPY_BYTES
    again = sum(block.again for block in moving) if way == "recompute" else 0.0
    return max(0.0, copying - forward) + max(0.0, copying - BACKWARD * forward - again) + again


def _said(budget: int) -> str:
    return "memory without a limit" if budget >= UNLIMITED // 2 else f"{budget}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"
