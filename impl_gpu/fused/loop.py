"""The loop of the fused path: chunks of steps, in each chunk the layers from the lowest up, in each layer its steps.

It refuses to know an equation (``layers``), how rows were sorted (``ragged``) and who owned the memory before
(``workspace``). Letters: T steps, B rows, t a step.
"""

from typing import Any, NamedTuple

from .. import kernels
from ..device.seam import Device
from ..settings import Options
from .graphs import run_steps
from .layers import KINDS, Step, Steps
from .layout import place_of
from .noise import Noise
from .plan import Add, Drop, Layer, Plan
from .precision import Precision
from .products import ProductsAhead, input_product
from .ragged import Chunk, Schedule
from .sequence import Inputs, Outputs
from .workspace import Workspace


class Call(NamedTuple):
    """All that one call of the fused path works with."""

    device: Device
    stream: Any  # the caller's
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


def may_overlap(plan: Plan, runs: Schedule, options: Options) -> bool:
    """Whether input products run ahead: there is a next chunk, and they read nothing but the inputs themselves."""
    return options.overlap and len(runs.chunks) > 1 and isinstance(plan.stages[0], Layer)


class Loop:
    """One call under way. ``run`` enqueues all steps on the caller's stream."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._layer_of_stage: dict[int, int] = {}
        for value, stage in enumerate(call.plan.stages, start=1):
            if isinstance(stage, Layer):
                self._layer_of_stage[value] = len(self._layer_of_stage)
        self._clocks: dict[int, int] = {}  # the step that each layer's clock stands at, where it is known
        self._ahead: ProductsAhead | None = None

    def run(self) -> None:
        call = self._call
        call.outputs.zero_past_the_end()
        if call.runs.chunks:
            self._set_clock(len(call.plan.layers) - 1, 0)  # the kernels that write outputs find them by it
        if call.overlaps:
            self._ahead = ProductsAhead(call.device, call.stream, call.workspace, call.runs.chunks)
            self._ahead.start(0, self._fill_lowest)
        for number, chunk in enumerate(call.runs.chunks):
            if self._ahead:
                self._ahead.start(number + 1, self._fill_lowest)
            self._run_chunk(number, chunk)
            if self._ahead:
                self._ahead.leave(number)
        call.noise.skip_steps(call.runs.steps - call.runs.end)

    def _run_chunk(self, number: int, chunk: Chunk) -> None:
        call = self._call
        call.noise.next_steps(chunk.length)
        for value, stage in enumerate(call.plan.stages, start=1):
            if isinstance(stage, Layer):
                self._run_layer(number, chunk, value, stage)
            elif isinstance(stage, Drop):
                self._drop(chunk, value, stage)
            else:
                self._add(chunk, stage)
        if not isinstance(call.plan.stages[-1], Layer):
            self._write_outputs(chunk)

    def _run_layer(self, number: int, chunk: Chunk, value: int, layer: Layer) -> None:
        call, index = self._call, self._layer_of_stage[value]
        if self._ahead and index == 0:
            self._ahead.await_products(number)
        else:
            self._fill(call.stream, layer, index, chunk, self._gates(number))
        steps = self._steps(number, chunk, value, layer, index)
        if layer.state_drops:
            self._run_dropped_steps(chunk, layer, steps)
        elif call.options.graph and chunk.length > 1:  # a clock needs two steps to move on
            self._replay_steps(chunk, index, steps)
        else:
            run_steps(call.device, call.stream, steps, chunk.first)

    def _replay_steps(self, chunk: Chunk, index: int, steps: Steps) -> None:
        call = self._call
        graph = call.workspace.graphs.of(steps)
        if graph is None:
            run_steps(call.device, call.stream, steps, chunk.first)
            return
        if self._clocks.get(index) != chunk.first:
            self._set_clock(index, chunk.first)
        call.device.replay(graph, call.stream, "steps of a chunk")
        self._clocks[index] = chunk.first + chunk.length

    def _run_dropped_steps(self, chunk: Chunk, layer: Layer, steps: Steps) -> None:
        """Steps whose new state is thinned before the next one sees it, in the rows that are not finished."""
        call = self._call
        for index in range(chunk.length):
            KINDS[steps.kind].run_step(call.device, call.stream, steps, Step(index, chunk.first))
            for dropped in layer.state_drops:
                state, width = (steps.c, layer.units) if dropped.name == "c" else (steps.h, layer.outputs)
                uniform = call.noise.at(index, dropped.draw, dropped.start)
                kernels.launch_drop_rows(
                    call.device,
                    call.stream,
                    dtype=call.precision.name,
                    out=state,
                    v=state,
                    uniform=uniform.ptr,
                    uniform_row=uniform.row,
                    order=call.order,
                    lengths=call.lengths,
                    keep=call.plan.draws[dropped.draw].keep,
                    t=chunk.first + index,
                    rows=chunk.active,
                    n=width,
                )

    def _drop(self, chunk: Chunk, value: int, stage: Drop) -> None:
        """A chunk of a value thinned, step by step; finished rows of it are read by nobody, so they may be too."""
        call, width = self._call, self._call.widths[value]
        step_bytes = chunk.active * width * call.precision.stored
        if not step_bytes:
            return
        for index in range(chunk.length):
            uniform = call.noise.at(index, stage.draw)
            kernels.launch_drop_rows(
                call.device,
                call.stream,
                dtype=call.precision.name,
                out=self._address(value, chunk) + index * step_bytes,
                v=self._address(stage.source, chunk) + index * step_bytes,
                uniform=uniform.ptr,
                uniform_row=uniform.row,
                order=call.order,
                lengths=None,
                keep=call.plan.draws[stage.draw].keep,
                t=chunk.first + index,
                rows=chunk.active,
                n=width,
            )

    def _add(self, chunk: Chunk, stage: Add) -> None:
        call = self._call
        into = self._address(stage.right, chunk)
        kernels.launch_residual_add(
            call.device,
            call.stream,
            dtype=call.precision.name,
            out=into,
            a=self._address(stage.left, chunk),
            b=into,
            count=chunk.length * chunk.active * call.widths[stage.right],
        )

    def _write_outputs(self, chunk: Chunk) -> None:
        call, top = self._call, len(self._call.plan.stages)
        kernels.launch_write_chunk(
            call.device,
            call.stream,
            dtype=call.precision.name,
            clock=self._clock(len(call.plan.layers) - 1),
            lengths=call.lengths,
            order=call.order,
            chunk=self._address(top, chunk),
            n=call.widths[top],
            active=chunk.active,
            rows=call.runs.batch_size,
            t0=chunk.first,
            len=chunk.length,
        )

    def _fill_lowest(self, stream: Any, chunk: Chunk, gates: int) -> None:
        self._fill(stream, self._call.plan.layers[0], 0, chunk, gates)

    def _fill(self, stream: Any, layer: Layer, index: int, chunk: Chunk, gates: int) -> None:
        call = self._call
        input_product(
            call.device,
            stream,
            layer,
            call.weights[index].inputs,
            call.precision,
            inputs=self._address(layer.source, chunk),
            depth=call.widths[layer.source],
            gates=gates,
            chunk=chunk,
            tf32=call.options.tf32,
        )

    def _steps(self, number: int, chunk: Chunk, value: int, layer: Layer, index: int) -> Steps:
        call, at = self._call, self._call.workspace.addresses
        at_top = value == len(call.plan.stages)
        return Steps(
            kind=layer.kind,
            options=KINDS[layer.kind].options(layer.cell),
            precision=call.precision,
            tf32=call.options.tf32,
            units=layer.units,
            outputs=layer.outputs,
            rows=call.runs.batch_size,
            active=chunk.active,
            length=chunk.length,
            weights=call.weights[index],
            gates=self._gates(number),
            c=at.get(f"c {index}", 0),
            h=at[f"h {index}"],
            scratch=at.get("scratch", 0),
            projected=at.get("projected", 0),
            lengths=call.lengths,
            order=call.order,
            clock=self._clock(index),
            chunk_out=None if at_top else self._address(value, chunk),
        )

    def _gates(self, number: int) -> int:
        slot = number % 2 if self._ahead else 0
        return self._call.workspace.addresses[f"gates {slot}"]

    def _address(self, value: int, chunk: Chunk) -> int:
        place = place_of(self._call.plan, value)
        if place == 0:
            return self._call.inputs.address(chunk)
        return self._call.workspace.addresses[f"value {place}"]

    def _clock(self, layer: int) -> int:
        return self._call.workspace.addresses[f"clock {layer}"]

    def _set_clock(self, layer: int, t: int) -> None:
        outputs = self._call.outputs
        kernels.launch_set_clock(
            self._call.device,
            self._call.stream,
            clock=self._clock(layer),
            now=t,
            outputs=outputs.ptr,
            output_t=outputs.strides[0],
            output_row=outputs.strides[1],
        )
        self._clocks[layer] = t
