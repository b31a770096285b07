"""Runs the backward pass: chunks from the last to the first, in each chunk the stages from the highest down.

In each layer go first its steps, backward, then what they add to the gradients of the weights, and to those of what the
layer reads. The equations are in ``layers``, the chunks come from ``keeper``, and the caller's arrays are in ``outer``.
"""

from dataclasses import dataclass
from typing import Any

from .. import kernels
from ..device.seam import Device
from ..fused.inputs import Inputs
from ..fused.layers import KINDS
from ..fused.layout import Layout, Tables
from ..fused.plan import Add, Drop, Layer, Plan
from ..fused.precision import Precision
from ..fused.ragged import Chunk, Schedule
from .carried import carried_regions
from .keeper import Keeper
from .layers import BACK, BackSteps
from .layers.products import Matrix, hand_back
from .noise import NoiseAgain
from .outer import Cotangents, InputGradients
from .sums import Sums, sums_layout
from .tape import layer_numbers, tape_layout, value_address
from .values import ValueGradients, gradient_places


def backward_layout(plan: Plan, widths: list[int], precision: Precision, runs: Schedule) -> Layout:
    """The workspace of a backward pass.

    Regions: "tables"; "sum i", the gradient of weight number i; those of ``carried_regions``; "d value v"
    [P, B, width] of the accumulator; "d gates" [P, B, G n], the other scratch of the layers, and "partial", sums on
    their way: the layers take turns with these.
    """
    B, P = runs.batch_size, runs.per_chunk
    shared: dict[str, int] = {}
    for layer in plan.layers:
        columns = KINDS[layer.kind].GATES * layer.units
        scratch = BACK[layer.kind].scratch(layer, precision)
        needed = {"d gates": P * B * columns * precision.stored}
        needed |= {name: P * B * nbytes for name, nbytes in scratch.each_step.items()}
        needed |= {name: B * nbytes for name, nbytes in scratch.each_row.items()}
        needed["partial"] = kernels.partial_sums_bytes(precision.name, P * B, columns)
        for name, nbytes in needed.items():
            shared[name] = max(shared.get(name, 0), nbytes)
    values = [(f"d value {v}", P * B * widths[v] * precision.accumulated) for v in gradient_places(plan)]
    tables = [("tables", Tables.of(runs).nbytes)]
    sums = sums_layout(plan, precision).regions
    return Layout((*tables, *sums, *carried_regions(plan, precision, B), *values, *shared.items()))


@dataclass(frozen=True)
class Pass:
    """All that one backward pass works with; addresses are of the device."""

    device: Device
    stream: Any
    plan: Plan
    widths: list[int]
    precision: Precision
    runs: Schedule
    tf32: bool
    workspace: dict[str, int]
    lengths: int | None
    order: int | None
    weights: list[Any]  # of each layer
    inputs: Inputs
    keeper: Keeper
    noise: NoiseAgain
    cotangents: Cotangents
    d_inputs: InputGradients
    values: ValueGradients
    sums: Sums


class Backward:
    """One pull under way. ``run`` enqueues the whole pass."""

    def __init__(self, what: Pass) -> None:
        self._pass = what
        self._numbers = layer_numbers(what.plan)

    def run(self) -> None:
        runs = self._pass.runs
        self._pass.d_inputs.zero_past_the_end()
        for number, chunk in reversed(list(enumerate(runs.chunks))):  # GRAD-5
            self._run_chunk(number, chunk)

    def _run_chunk(self, number: int, chunk: Chunk) -> None:
        p = self._pass
        address, again = p.keeper.recall(number, p.stream)
        tape = tape_layout(p.plan, p.widths, p.precision, chunk).addresses(address)
        p.noise.steps_from(chunk.first, chunk.length)
        p.values.next_chunk()
        self._load_cotangent(chunk)
        for value, stage in reversed(list(enumerate(p.plan.stages, start=1))):
            if isinstance(stage, Layer):
                self._run_layer(chunk, value, stage, tape, again)
            elif isinstance(stage, Drop):
                self._drop(chunk, value, stage)
            else:
                self._add(chunk, value, stage)
        p.keeper.used(number, p.stream)
        p.d_inputs.store(p.values.of(0), chunk)

    def _load_cotangent(self, chunk: Chunk) -> None:
        """Load the outputs' cotangent, unless it is zeros and a layer, which can do without it, is on top."""
        p = self._pass
        if not (p.cotangents.are_zeros and isinstance(p.plan.stages[-1], Layer)):
            into = p.values.into(len(p.plan.stages))
            p.cotangents.load(into.ptr, chunk)

    def _run_layer(self, chunk: Chunk, value: int, layer: Layer, tape: dict[str, int], again: bool) -> None:
        p, index, back = self._pass, self._numbers[value], BACK[layer.kind]
        s = self._steps(chunk, value, layer, index, tape)
        if again and back.KEEPS_GATES:
            back.recompute(p.device, p.stream, s)
        for step in reversed(range(chunk.length)):
            back.step_back(p.device, p.stream, s, step)
        back.weight_gradients(p.device, p.stream, s, p.sums.of(index))
        d_x = p.values.into(layer.source)
        hand_back(p.device, p.stream, s, Matrix(d_x.ptr, s.depth), d_x.accumulate, KINDS[layer.kind].GATES)

    def _steps(self, chunk: Chunk, value: int, layer: Layer, index: int, tape: dict[str, int]) -> BackSteps:
        p, at = self._pass, self._pass.workspace
        at_top = value == len(p.plan.stages)
        names = {**(scratch := BACK[layer.kind].scratch(layer, p.precision)).each_step, **scratch.each_row}
        return BackSteps(
            kind=layer.kind,
            options=KINDS[layer.kind].options(layer.cell),
            precision=p.precision,
            tf32=p.tf32,
            depth=p.widths[layer.source],
            units=layer.units,
            outputs=layer.outputs,
            active=chunk.active,
            length=chunk.length,
            first=chunk.first,
            steps=p.runs.steps,
            weights=p.weights[index],
            lengths=p.lengths,
            x=self._source(chunk, layer, tape),
            h=tape[f"h {index}"],
            c=tape.get(f"c {index}", 0),
            gates=tape.get(f"gates {index}", 0),
            projected=tape.get(f"projected {index}", 0),
            d_out=None if at_top and p.cotangents.are_zeros else p.values.of(value),
            d_next=at[f"d next {index}"],
            d_last=at[f"d last {index}"],
            d_c=at.get(f"d c {index}", 0),
            d_gates=at["d gates"],
            scratch={name: at[name] for name in (*names, "partial")},
        )

    def _source(self, chunk: Chunk, layer: Layer, tape: dict[str, int]) -> int:
        """Where what the layer reads lies: in the inputs, or in the block."""
        if layer.source == 0:
            return self._pass.inputs.address(chunk)
        found = value_address(self._pass.plan, tape, self._pass.precision, layer.source, chunk)
        if found is None:
            raise ValueError(f"value {layer.source}, which a layer reads, has not been kept")
        return found

    def _drop(self, chunk: Chunk, value: int, stage: Drop) -> None:
        """The gradient of a thinned value, step by step, through the noise that it was thinned by."""
        p, width = self._pass, self._pass.widths[value]
        step_bytes = chunk.active * width * p.precision.accumulated
        for index in range(chunk.length):
            uniform = p.noise.at(index, stage.draw)
            kernels.launch_drop_gradient(
                p.device,
                p.stream,
                dtype=p.precision.name,
                d=p.values.of(value) + index * step_bytes,
                uniform=uniform.ptr,
                uniform_row=uniform.row,
                order=p.order,
                keep=p.plan.draws[stage.draw].keep,
                rows=chunk.active,
                n=width,
            )
        p.values.hand_back(stage.source, value, chunk.length * chunk.active)

    def _add(self, chunk: Chunk, value: int, stage: Add) -> None:
        """The gradient of a sum is that of both of its parts [GRAD-4]."""
        for part in (stage.left, stage.right):
            self._pass.values.hand_back(part, value, chunk.length * chunk.active)
