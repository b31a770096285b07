"""Holds all that one call of the fused path works with, and says where it lies."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from ..device.seam import Device
from ..settings import Options
from .inputs import Inputs
from .layout import SLOTS, place_of
from .noise import Noise
from .outputs import Outputs
from .plan import Layer, Plan
from .precision import Precision
from .ragged import Chunk, Schedule
from .workspace import Workspace


class Projected(NamedTuple):
    """The address of sums, and whether every step has its own, one after the other."""

    ptr: int
    each_step: bool


@dataclass(frozen=True)
class Call:
    """One call; addresses are of the device."""

    device: Device
    stream: Any  # the caller's
    side: Any  # runs beside it
    plan: Plan
    widths: list[int]  # columns of each value
    precision: Precision
    runs: Schedule
    options: Options
    workspace: Workspace
    lengths: int | None  # the address of the table
    order: int | None
    weights: list[Any]  # of each layer, as addresses
    inputs: Inputs
    outputs: Outputs
    noise: Noise

    @property
    def overlaps(self) -> bool:
        return may_overlap(self.plan, self.runs, self.options)

    def address(self, value: int, chunk: Chunk) -> int:
        """Where a chunk of that value lies: ``active`` rows for each step, without gaps."""
        place = place_of(self.plan, value)
        if place == 0:
            return self.inputs.address(chunk)
        return self.workspace.addresses[f"value {place}"]

    def chunk_out(self, value: int, chunk: Chunk) -> int | None:
        """Where that value is to be written; None: straight to the caller, by the layer on top."""
        at_top = value == len(self.plan.stages)
        return None if at_top and isinstance(self.plan.stages[-1], Layer) else self.address(value, chunk)

    def saved_c(self, layer: int, chunk: Chunk) -> int | None:
        """Where the c of a layer after each step is to be written besides; None: nowhere."""
        return None

    def projected(self, layer: int) -> "Projected":
        """Where the sums of a projection go."""
        return Projected(self.workspace.addresses.get("projected", 0), False)

    def clock(self, layer: int) -> int:
        """Where the clock of a layer lies."""
        return self.workspace.addresses[f"clock {layer}"]

    def gates(self, number: int, layer: int) -> int:
        """Where the gates of that chunk lie: chunks take turns with the slots, and so do layers."""
        return self.workspace.addresses[f"gates {number % SLOTS if self.overlaps else 0}"]


def may_overlap(plan: Plan, runs: Schedule, options: Options) -> bool:
    """Whether input products run ahead: there is a next chunk, and they read nothing but the inputs themselves."""
    return options.overlap and len(runs.chunks) > 1 and isinstance(plan.stages[0], Layer)
