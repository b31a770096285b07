"""Holds every address and number that the steps of one layer use within one chunk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...device.seam import Device, row_major
from ..precision import Numbers, Precision

Read = Callable[[Any], Numbers]
"""The value of a cell's weight, as one array of the host."""


@dataclass(frozen=True)
class Steps:
    """All that a graph of these steps is captured with: equal Steps are the same work on the same memory.

    Addresses are of the device. Letters: B rows, n units, p columns of h, G gates.
    """

    kind: str  # a key of KINDS
    options: Any  # the ``options`` of its file, hashable
    precision: Precision
    tf32: bool
    units: int  # n
    outputs: int  # p
    rows: int  # B
    active: int
    length: int  # steps
    weights: Any  # the ``weights`` of its file, as addresses
    gates: int  # [length, active, G n] of the accumulator: the input products; overwritten
    c: int  # [B, n]; 0 where there is none, as below
    h: int  # [B, p]
    scratch: int  # [B, n]
    projected: int  # [B, p] of the accumulator
    projected_each: bool  # [length, active, p] instead, a place for each step
    lengths: int | None  # int32 [B], None: every step counts
    order: int | None  # int32 [B], None: rows stand as the caller has them
    clock: int
    chunk_out: int | None  # [length, active, p]; None: outputs go where the clock says
    saved_c: int | None  # [length, active, n], c after each step; None: it is not kept

    def gates_at(self, step: int, gates: int) -> int:
        """The address of [active, gates n] of one step."""
        return self.gates + step * self.active * gates * self.units * self.precision.accumulated

    def chunk_out_at(self, step: int) -> int | None:
        if self.chunk_out is None:
            return None
        return self.chunk_out + step * self.active * self.outputs * self.precision.stored

    def saved_c_at(self, step: int) -> int | None:
        if self.saved_c is None:
            return None
        return self.saved_c + step * self.active * self.units * self.precision.stored

    def projected_at(self, step: int) -> int:
        passed = step * self.active * self.outputs * self.precision.accumulated if self.projected_each else 0
        return self.projected + passed


class Step(NamedTuple):
    """A step: its number in the chunk, and the first step of the chunk, or -1 where the clock holds that."""

    number: int
    chunk_first: int


def when(s: Steps, step: Step) -> dict[str, Any]:
    """What every kernel of a step is launched with: its dtype, its rows and its time."""
    return {
        "dtype": s.precision.name,
        "clock": s.clock,
        "lengths": s.lengths,
        "active": s.active,
        "t0": step.chunk_first,
        "step": step.number,
        "first": int(step.number == 0),
    }


def where(s: Steps, step: Step) -> dict[str, Any]:
    """What the last kernel of a step is launched with besides: where its outputs go, and how the clock moves on."""
    return {
        "order": s.order,
        "chunk_out": s.chunk_out_at(step.number),
        "rows": s.rows,
        "last": int(step.number == s.length - 1),
        "chunk": s.length,
    }


def product(
    device: Device,
    stream: Any,
    s: Steps,
    purpose: str,
    *,
    left: int,
    weight: int,
    into: int,
    inner: int,
    columns: int,
    row: int,
    accumulate: bool = True,
) -> None:
    """``into`` [active, columns] (+)= ``left`` [active, inner] ``weight`` [inner, columns].

    ``row`` is how many elements one row of ``into`` is from the next.
    """
    call = row_major(
        left,
        weight,
        into,
        s.active,
        columns,
        inner,
        dtype=s.precision.name,
        accumulator=s.precision.accumulator,
        lda=inner,
        ldb=columns,
        ldc=row,
        accumulate=accumulate,
        tf32=s.tf32,
    )
    device.gemm(call, stream, purpose)
