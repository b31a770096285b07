"""Schedules which rows of a batch run at which step: rows sorted by length, steps cut into chunks.

It is pure arithmetic on the host. Letters: T steps, B rows.
"""

from typing import NamedTuple

import numpy as np

from .precision import Numbers

ROWS_AT_ONCE = 8
"""A chunk runs as many rows as live at its first step, rounded up to a multiple of this, and at most all."""


class Chunk(NamedTuple):
    """Steps ``first`` to ``first + length - 1``, run on the first ``active`` of the sorted rows.

    ``base`` is the row at which its inputs begin when they are packed: step by step, ``active`` rows each.
    """

    first: int
    length: int
    active: int
    base: int


class Schedule(NamedTuple):
    """What runs when.

    ``order`` int32 [B]: the caller's row at each sorted place; None: the rows stand as they are.
    ``lengths`` int32 [B]: of the sorted rows, within 0 to T; None: every step counts for every row.
    ``chunks`` end before the first one in which no row lives: from step ``end`` on nothing runs at all.
    """

    batch_size: int
    steps: int
    per_chunk: int
    order: Numbers | None
    lengths: Numbers | None
    chunks: tuple[Chunk, ...]

    @property
    def end(self) -> int:
        return self.chunks[-1].first + self.chunks[-1].length if self.chunks else 0

    @property
    def packed_rows(self) -> int:
        """How many rows of inputs all chunks read, one after the other."""
        return sum(chunk.length * chunk.active for chunk in self.chunks)

    @property
    def whole(self) -> bool:
        """Whether every chunk runs every row where it stands, so that inputs need no packing for lengths' sake."""
        return self.order is None and all(chunk.active == self.batch_size for chunk in self.chunks)


def schedule(lengths: Numbers | None, steps: int, batch_size: int, parallel_iterations: int) -> Schedule:
    """Sort the rows by length, longest first, and cut the steps into chunks.

    Args:
        lengths: integers [B] as the caller has them, also below 0 or above T; None: all T.
        steps: T.
        batch_size: B.
        parallel_iterations: how many steps make a chunk; the last one may be shorter.
    """
    per_chunk = max(1, min(parallel_iterations, steps))
    order, clamped = _sorted_rows(lengths, steps)
    chunks: list[Chunk] = []
    base = 0
    for first in range(0, steps, per_chunk):
        length = min(per_chunk, steps - first)
        active = batch_size if clamped is None else _rows_alive(clamped, first)
        if active == 0:
            break
        chunks.append(Chunk(first, length, active, base))
        base += length * active
    return Schedule(batch_size, steps, per_chunk, order, clamped, tuple(chunks))


def _sorted_rows(lengths: Numbers | None, steps: int) -> tuple[Numbers | None, Numbers | None]:
    """(order, lengths in that order); rows of one length keep their order among each other."""
    if lengths is None or not len(lengths):
        return None, None
    # SEQ-14: below 0 is 0; SEQ-15: above T is T; SEQ-11: only then narrowed
    clamped = np.clip(lengths, 0, steps).astype(np.int32)
    if clamped.min() == steps:
        return None, None
    if (clamped[:-1] >= clamped[1:]).all():
        return None, clamped
    order = np.argsort(-clamped, kind="stable").astype(np.int32)
    return order, clamped[order]


def _rows_alive(sorted_lengths: Numbers, step: int) -> int:
    alive = int(np.count_nonzero(sorted_lengths > step))  # SEQ-8: every row that has this step
    return min(-(-alive // ROWS_AT_ONCE) * ROWS_AT_ONCE, len(sorted_lengths))
