"""Computes where everything lies in a workspace, and how many bytes that takes.

Letters: B rows, P steps in a chunk, n units, p columns of h, G gates. A workspace does not depend on T: what does (the
packed inputs and the tables that say where) is allocated for the call.
"""

from typing import NamedTuple

import numpy as np

from ..kernels import CLOCK_BYTES
from .layers import KINDS
from .plan import Add, Drop, Layer, Plan
from .precision import Precision
from .ragged import Schedule

ALIGNMENT = 256
SLOTS = 2
"""Chunks that can be under way at once, each with gates of its own: one in its steps, one in its input products."""


class Layout(NamedTuple):
    """Regions of a workspace in their order; equal layouts can share one workspace."""

    regions: tuple[tuple[str, int], ...]  # (name, bytes)

    @property
    def nbytes(self) -> int:
        return sum(aligned(size) for _, size in self.regions)

    def addresses(self, base: int) -> dict[str, int]:
        """Where each region begins when the workspace begins at ``base``."""
        found = {}
        for name, size in self.regions:
            found[name] = base
            base += aligned(size)
        return found


def aligned(nbytes: int) -> int:
    """``nbytes`` rounded up so that the next region begins on a boundary that any vector access may have."""
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def layout(plan: Plan, depth: int, precision: Precision, runs: Schedule, slots: int) -> Layout:
    """The workspace of a call whose inputs have ``depth`` columns.

    Regions: "tables" (see ``Tables``); "clock k", "c k" [B, n] and "h k" [B, p] of layer k; "gates s" [P, B, G n] for
    each of ``slots`` chunks under way; the scratch of the layers, one for all of them, who take turns; and "value v"
    [P, B, width] of each value that has memory of its own.
    """
    B, P = runs.batch_size, runs.per_chunk
    clocks, states = [], []
    gates, scratch = 0, dict[str, int]()
    for index, layer in enumerate(plan.layers):
        kind = KINDS[layer.kind]
        clocks.append((f"clock {index}", CLOCK_BYTES))
        for name in layer.states:
            columns = layer.units if name == "c" else layer.outputs
            states.append((f"{name} {index}", B * columns * precision.stored))
        gates = max(gates, P * B * kind.GATES * layer.units * precision.accumulated)
        for name, nbytes in kind.scratch(layer, precision).items():
            scratch[name] = max(scratch.get(name, 0), B * nbytes)
    widths = plan.widths(depth)
    values = [(f"value {v}", P * B * widths[v] * precision.stored) for v in kept_values(plan)]
    slot_regions = [(f"gates {slot}", gates) for slot in range(slots)]
    tables = [("tables", Tables.of(runs).nbytes)]
    return Layout((*tables, *clocks, *states, *slot_regions, *scratch.items(), *values))


def kept_values(plan: Plan) -> list[int]:
    """The values with memory of their own: not the inputs, not what takes the place of another value, and not the
    output of a layer at the top, which goes straight to the caller."""
    kept = []
    for value, stage in enumerate(plan.stages, start=1):
        at_top = value == len(plan.stages)
        if (isinstance(stage, Layer) and not at_top) or (isinstance(stage, Drop) and not stage.in_place):
            kept.append(value)
    return kept


def place_of(plan: Plan, value: int) -> int:
    """The value whose memory ``value`` lies in."""
    stage = plan.stages[value - 1] if value else None
    if isinstance(stage, Add):
        return place_of(plan, stage.right)
    if isinstance(stage, Drop) and stage.in_place:
        return place_of(plan, stage.source)
    return value


class Tables(NamedTuple):
    """What the kernels look up, one after the other in one region, so that one copy brings all of it.

    ``base`` int64 and ``active`` int32, one for each chunk of packed inputs; then, where rows differ in length,
    ``lengths`` and ``order`` int32 [B]. There is room for ``chunks`` chunks: a power of two, so that sequences of
    about one length share a workspace. Rows that all count are packed as one chunk, whatever T.
    """

    chunks: int
    rows: int

    @classmethod
    def of(cls, runs: Schedule) -> "Tables":
        if runs.lengths is None:
            return cls(1, 0)
        room = 1
        while room < len(runs.chunks):
            room *= 2
        return cls(room, runs.batch_size)

    @property
    def nbytes(self) -> int:
        return 12 * self.chunks + 8 * self.rows

    @property
    def offsets(self) -> dict[str, int]:
        """The byte at which each table begins."""
        lengths = 12 * self.chunks
        return {"base": 0, "active": 8 * self.chunks, "lengths": lengths, "order": lengths + 4 * self.rows}

    def fill(self, runs: Schedule) -> bytes:
        """The tables of one call as they are to lie in the region."""
        base, active = np.zeros(self.chunks, np.int64), np.zeros(self.chunks, np.int32)
        if runs.lengths is None:
            active[0] = runs.batch_size
            return base.tobytes() + active.tobytes()
        base[: len(runs.chunks)] = [chunk.base for chunk in runs.chunks]
        active[: len(runs.chunks)] = [chunk.active for chunk in runs.chunks]
        order = np.arange(self.rows, dtype=np.int32) if runs.order is None else runs.order
        return base.tobytes() + active.tobytes() + runs.lengths.tobytes() + order.tobytes()
