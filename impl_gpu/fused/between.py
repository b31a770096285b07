"""Applies what wrappers do to a chunk of values, between the layers and above them.

Finished rows of a chunk hold anything: they are never read, so what is done to them does not matter.
"""

from .. import kernels
from .call import Call
from .plan import Add, Drop
from .ragged import Chunk


def drop(call: Call, chunk: Chunk, value: int, stage: Drop) -> None:
    """A chunk thinned, step by step: every step has noise of its own."""
    width = call.widths[value]
    step_bytes = chunk.active * width * call.precision.stored
    for index in range(chunk.length):
        uniform = call.noise.at(index, stage.draw)
        kernels.launch_drop_rows(
            call.device,
            call.stream,
            dtype=call.precision.name,
            out=call.address(value, chunk) + index * step_bytes,
            v=call.address(stage.source, chunk) + index * step_bytes,
            uniform=uniform.ptr,
            uniform_row=uniform.row,
            order=call.order,
            lengths=None,
            keep=call.plan.draws[stage.draw].keep,
            t=chunk.first + index,
            rows=chunk.active,
            n=width,
        )


def add(call: Call, chunk: Chunk, value: int, stage: Add) -> None:
    """The sum of two values."""
    kernels.launch_residual_add(
        call.device,
        call.stream,
        dtype=call.precision.name,
        out=call.address(value, chunk),
        a=call.address(stage.left, chunk),
        b=call.address(stage.right, chunk),
        count=chunk.length * chunk.active * call.widths[value],
    )


def write_outputs(call: Call, chunk: Chunk) -> None:
    """The last value to its place in the caller's outputs, zeros for finished rows."""
    last = len(call.plan.stages)
    kernels.launch_write_chunk(
        call.device,
        call.stream,
        dtype=call.precision.name,
        clock=call.clock(len(call.plan.layers) - 1),
        lengths=call.lengths,
        order=call.order,
        chunk=call.address(last, chunk),
        n=call.widths[last],
        active=chunk.active,
        rows=call.runs.batch_size,
        t0=chunk.first,
        len=chunk.length,
    )
