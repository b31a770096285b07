"""Lays out what a chunk of the forward pass leaves in its block for the backward pass.

Letters: ``length`` steps and ``active`` rows of a chunk, n units, p columns of h, G gates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..fused.call import Call, Projected
from ..fused.layers import KINDS
from ..fused.layout import Layout
from ..fused.plan import Layer, Plan
from ..fused.precision import Precision
from ..fused.ragged import Chunk
from .layers import BACK


class TapeLayout(NamedTuple):
    """The regions of a block: in front what must be kept, behind it what the kept ones can make again.

    Kept are, by the number k of a layer and in the order of rows by length:

        "h k"          [length + 1, active, p]  h before each step, and after the last
        "c k"          [length + 1, active, n]  the same of c
        "value v"      [length, active, width]  a sum or a thinned value that a layer reads
        "projected k"  [length, active, p]      of the accumulator: h before it was clipped

    and can be made again: "gates k" [length, active, G n] of the accumulator, as the steps leave them. A row that is
    finished holds zeros in h, c and values, so that products over all rows add nothing of it.
    """

    kept: Layout
    again: Layout
    states_bytes: int  # of h and c, which stand in front

    @property
    def nbytes(self) -> int:
        return self.kept.nbytes + self.again.nbytes

    def addresses(self, base: int) -> dict[str, int]:
        """Where each region begins in the block at ``base``."""
        return {**self.kept.addresses(base), **self.again.addresses(base + self.kept.nbytes)}


def tape_layout(plan: Plan, widths: Sequence[int], precision: Precision, chunk: Chunk) -> TapeLayout:
    """The block of a chunk."""
    rows = chunk.length * chunk.active
    states, others, again = [], [], []
    for index, layer in enumerate(plan.layers):
        kind = KINDS[layer.kind]
        for name in layer.states:
            nbytes = (rows + chunk.active) * columns_of(layer, name) * precision.stored
            states.append((f"{name} {index}", nbytes))
        if BACK[layer.kind].keeps_projected(kind.options(layer.cell)):
            others.append((f"projected {index}", rows * layer.outputs * precision.accumulated))
        if BACK[layer.kind].KEEPS_GATES:
            again.append((f"gates {index}", rows * kind.GATES * layer.units * precision.accumulated))
    values = [(f"value {value}", rows * widths[value] * precision.stored) for value in read_values(plan)]
    return TapeLayout(Layout((*states, *values, *others)), Layout(tuple(again)), Layout(tuple(states)).nbytes)


def columns_of(layer: Layer, state: str) -> int:
    """The columns of a layer's state "c" or "h"."""
    return layer.units if state == "c" else layer.outputs


def read_values(plan: Plan) -> list[int]:
    """The values that a layer reads, and that are neither the inputs nor the h of another layer."""
    read = {layer.source for layer in plan.layers}
    return [v for v, stage in enumerate(plan.stages, start=1) if v in read and not isinstance(stage, Layer)]


def unread_values(plan: Plan) -> list[int]:
    """The sums and thinned values that no layer reads: a backward pass does without them."""
    read = read_values(plan)
    return [v for v, stage in enumerate(plan.stages, start=1) if v not in read and not isinstance(stage, Layer)]


def layer_numbers(plan: Plan) -> dict[int, int]:
    """The numbers of the layers by the values that they make."""
    values = [value for value, stage in enumerate(plan.stages, start=1) if isinstance(stage, Layer)]
    return {value: index for index, value in enumerate(values)}


def value_address(plan: Plan, addresses: dict[str, int], precision: Precision, value: int, chunk: Chunk) -> int | None:
    """Where a chunk of a value, not of the inputs, lies in a block; None: it is not there."""
    if value in (numbers := layer_numbers(plan)):
        before = chunk.active * plan.layers[numbers[value]].outputs * precision.stored  # h before the first step
        return addresses[f"h {numbers[value]}"] + before
    return addresses.get(f"value {value}")


@dataclass(frozen=True)
class TapedCall(Call):
    """A call whose layers leave what they make in the block of the chunk at hand, ``tape``."""

    tape: dict[str, int] = field(default_factory=dict)  # the addresses of its regions

    @property
    def overlaps(self) -> bool:
        return False

    def address(self, value: int, chunk: Chunk) -> int:
        if value == 0:
            return self.inputs.address(chunk)
        found = value_address(self.plan, self.tape, self.precision, value, chunk)
        return self.workspace.addresses[f"value {value}"] if found is None else found

    def chunk_out(self, value: int, chunk: Chunk) -> int | None:
        return self.address(value, chunk)

    def gates(self, number: int, layer: int) -> int:
        found = self.tape.get(f"gates {layer}")
        return self.workspace.addresses["gates"] if found is None else found

    def saved_c(self, layer: int, chunk: Chunk) -> int | None:
        if (c := self.tape.get(f"c {layer}")) is None:
            return None
        return c + chunk.active * self.plan.layers[layer].units * self.precision.stored

    def projected(self, layer: int) -> Projected:
        found = self.tape.get(f"projected {layer}")
        return super().projected(layer) if found is None else Projected(found, each_step=True)
