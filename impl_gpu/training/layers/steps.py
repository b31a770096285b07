"""Holds every address and number that the steps of one layer use within one chunk, backward."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...fused.precision import Precision


@dataclass(frozen=True)
class BackSteps:
    """Addresses are of the device, 0 where there is nothing of the kind.

    Letters: B rows, d columns of what the layer reads, n units, p columns of h, G gates. All but what says so has a
    place for each step: [length, active, ...]. STORE is the dtype of inputs and states, ACC the accumulator.
    """

    kind: str  # a key of BACK
    options: Any  # the ``options`` of the forward equations
    precision: Precision
    tf32: bool
    depth: int  # d
    units: int  # n
    outputs: int  # p
    active: int
    length: int
    first: int  # the step of the call that step 0 is
    steps: int  # of the call
    weights: Any  # the ``weights`` of the forward equations, as addresses
    lengths: int | None  # int32 [B], None: every step counts

    x: int  # STORE [.., d]
    h: int  # STORE [length + 1, active, p], before each step
    c: int  # STORE [length + 1, active, n]
    gates: int  # ACC [.., G n]
    projected: int  # ACC [.., p]

    d_out: int | None  # ACC [.., p], None: zeros
    d_next: int  # ACC [B, p]: the gradient of h that a step hands to the one before
    d_last: int  # ACC [B, p]: the gradient of a row's last h
    d_c: int  # ACC [B, n], in place
    d_gates: int  # STORE [.., G n]
    scratch: dict[str, int] = field(default_factory=dict)  # by the names of ``scratch`` of the file

    @property
    def rows(self) -> int:
        """Rows of all steps."""
        return self.length * self.active

    def stored_at(self, base: int, step: int, columns: int) -> int:
        """Where [active, columns] of a step lies in STORE."""
        return base + step * self.active * columns * self.precision.stored

    def summed_at(self, base: int, step: int, columns: int) -> int:
        """Where [active, columns] of a step lies in ACC."""
        return base + step * self.active * columns * self.precision.accumulated

    def d_out_at(self, step: int) -> int | None:
        return None if self.d_out is None else self.summed_at(self.d_out, step, self.outputs)


class Scratch(NamedTuple):
    """Bytes: by name, those of a row of each step of a chunk, and those of a row of the batch."""

    each_step: dict[str, int]
    each_row: dict[str, int]
