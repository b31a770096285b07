"""Runs the steps of one layer, chunk by chunk: one by one, from a graph, or with drops between them.

The input products lie in the gates already when the steps of a chunk begin; the equations are in ``layers``.
"""

from .. import kernels
from .call import Call
from .graphs import run_steps
from .layers import KINDS, Step, Steps
from .plan import Layer
from .ragged import Chunk


class Recurrence:
    """Layer number ``index`` of a call, which makes that value."""

    def __init__(self, call: Call, layer: Layer, index: int, value: int) -> None:
        self._call = call
        self.layer = layer
        self.index = index
        self._value = value
        self._clock_at: int | None = None  # the step that the layer's clock stands at, where that is known

    def run(self, chunk: Chunk, gates: int) -> None:
        """All steps of a chunk whose input products are in ``gates``."""
        call, steps = self._call, self._steps(chunk, gates)
        if self.layer.state_drops:
            self._run_with_drops(chunk, steps)
        elif call.options.graph and chunk.length > 1:  # a clock needs two steps to move on
            self._replay(chunk, steps)
        else:
            run_steps(call.device, call.stream, steps, chunk.first)

    def set_clock(self, t: int) -> None:
        """Have the clock say that the next chunk begins at step ``t``, and where the outputs are."""
        outputs = self._call.outputs
        kernels.launch_set_clock(
            self._call.device,
            self._call.stream,
            clock=self._call.clock(self.index),
            now=t,
            outputs=outputs.ptr,
            output_t=outputs.strides[0],
            output_row=outputs.strides[1],
        )
        self._clock_at = t

    def _replay(self, chunk: Chunk, steps: Steps) -> None:
        call = self._call
        graph = call.workspace.graphs.of(steps, call.stream)
        if graph is None:
            run_steps(call.device, call.stream, steps, chunk.first)
            call.workspace.graphs.have_run(steps)
            return
        # CELL-4: the call that used this clock before may have ended at any step.
        if self._clock_at != chunk.first:
            self.set_clock(chunk.first)
        call.device.replay(graph, call.stream, "steps of a chunk")
        self._clock_at = chunk.first + chunk.length

    def _run_with_drops(self, chunk: Chunk, steps: Steps) -> None:
        """Steps whose new state is thinned before the next one sees it, in the rows that are not finished."""
        call = self._call
        for number in range(chunk.length):
            KINDS[steps.kind].run_step(call.device, call.stream, steps, Step(number, chunk.first))
            for dropped in self.layer.state_drops:
                is_c = dropped.name == "c"
                uniform = call.noise.at(number, dropped.draw, dropped.start)
                kernels.launch_drop_rows(
                    call.device,
                    call.stream,
                    dtype=call.precision.name,
                    out=steps.c if is_c else steps.h,
                    v=steps.c if is_c else steps.h,
                    uniform=uniform.ptr,
                    uniform_row=uniform.row,
                    order=call.order,
                    lengths=call.lengths,
                    keep=call.plan.draws[dropped.draw].keep,
                    t=chunk.first + number,
                    rows=chunk.active,
                    n=steps.units if is_c else steps.outputs,
                )

    def _steps(self, chunk: Chunk, gates: int) -> Steps:
        call, layer, at = self._call, self.layer, self._call.workspace.addresses
        projected = call.projected(self.index)
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
            weights=call.weights[self.index],
            gates=gates,
            c=at.get(f"c {self.index}", 0),
            h=at[f"h {self.index}"],  # CELL-5: one place for all chunks, where each step finds what the last one left
            scratch=at.get("scratch", 0),
            projected=projected.ptr,
            projected_each=projected.each_step,
            lengths=call.lengths,
            order=call.order,
            clock=call.clock(self.index),
            chunk_out=call.chunk_out(self._value, chunk),
            saved_c=call.saved_c(self.index, chunk),
        )
