"""Loops over a call of the fused path: chunks of steps, in each chunk the stages from the lowest up.

The equations are in ``layers``, the order of the rows in ``ragged``, and the memory comes from ``workspace``.
"""

from typing import Any

from .between import add, drop, write_outputs
from .call import Call
from .plan import Add, Drop, Layer
from .products import ProductsAhead, input_product
from .ragged import Chunk
from .recurrence import Recurrence


class Loop:
    """One call under way. ``run`` enqueues all of it on the caller's stream."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._recurrences: dict[int, Recurrence] = {}  # by the value that they make
        for value, stage in enumerate(call.plan.stages, start=1):
            if isinstance(stage, Layer):
                self._recurrences[value] = Recurrence(call, stage, len(self._recurrences), value)
        self._ahead: ProductsAhead | None = None

    def run(self) -> None:
        call = self._call
        call.outputs.zero_past_the_end()
        if call.runs.chunks:
            *_, top = self._recurrences.values()
            top.set_clock(0)  # by it the kernels find the outputs
        if call.overlaps:
            self._ahead = ProductsAhead(call.device, call.stream, call.side, call.workspace, call.runs.chunks)
        try:
            self._run_chunks()
        finally:
            if self._ahead:
                self._ahead.join()
        call.noise.skip_steps(call.runs.steps - call.runs.end)

    def _run_chunks(self) -> None:
        if self._ahead:
            self._ahead.start(0, self._fill_lowest)
        for number, chunk in enumerate(self._call.runs.chunks):
            if self._ahead:
                self._ahead.start(number + 1, self._fill_lowest)
            self._run_chunk(number, chunk)
            if self._ahead:
                self._ahead.leave(number)

    def _run_chunk(self, number: int, chunk: Chunk) -> None:
        call = self._call
        call.noise.next_steps(chunk.length)
        for value, stage in enumerate(call.plan.stages, start=1):
            if isinstance(stage, Layer):
                self._run_layer(number, chunk, value)
            elif isinstance(stage, Drop):
                drop(call, chunk, value, stage)
            elif isinstance(stage, Add):
                add(call, chunk, value, stage)
        if call.chunk_out(len(call.plan.stages), chunk) is not None:
            write_outputs(call, chunk)

    def _run_layer(self, number: int, chunk: Chunk, value: int) -> None:
        """The input products of all steps, unless they are there already; then the steps one after the other."""
        recurrence = self._recurrences[value]
        gates = self._call.gates(number, recurrence.index)
        if self._ahead and recurrence.index == 0:
            self._ahead.await_products(number)
        else:
            self._fill(recurrence, self._call.stream, chunk, gates)
        recurrence.run(chunk, gates)

    def _fill_lowest(self, stream: Any, chunk: Chunk, gates: int) -> None:
        lowest = next(iter(self._recurrences.values()))
        self._fill(lowest, stream, chunk, gates)

    def _fill(self, recurrence: Recurrence, stream: Any, chunk: Chunk, gates: int) -> None:
        call, layer = self._call, recurrence.layer
        input_product(
            call.device,
            stream,
            layer,
            call.weights[recurrence.index].inputs,
            call.precision,
            inputs=call.address(layer.source, chunk),
            depth=call.widths[layer.source],
            gates=gates,
            chunk=chunk,
            tf32=call.options.tf32,
        )
