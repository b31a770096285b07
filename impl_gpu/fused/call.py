"""All that one call of the fused path works with, and where it lies; it refuses to run any of it."""

from dataclasses import dataclass
from typing import Any

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

    def clock(self, layer: int) -> int:
        """Where the clock of a layer lies."""
        return self.workspace.addresses[f"clock {layer}"]

    def gates(self, number: int) -> int:
        """Where the gates of that chunk lie: chunks take turns with the slots."""
        return self.workspace.addresses[f"gates {number % SLOTS if self.overlaps else 0}"]


def may_overlap(plan: Plan, runs: Schedule, options: Options) -> bool:
    """Whether input products run ahead: there is a next chunk, and they read nothing but the inputs themselves."""
    return options.overlap and len(runs.chunks) > 1 and isinstance(plan.stages[0], Layer)
