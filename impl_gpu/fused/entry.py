"""Takes one call of the fused path from its arguments to its results.

It takes memory out of the caches, has everything enqueued, and puts the memory back before the device has begun:
events, not the host, see to it that the next user comes later.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

from ..arguments import Arguments
from ..device.seam import Device
from ..settings import Options, current
from .caches import Caches, caches_of
from .call import Call, may_overlap
from .chooser import choose
from .inputs import Inputs
from .layout import SLOTS, Layout, Tables, layout
from .noise import Noise
from .outputs import Outputs
from .plan import Plan, Refusal, plan
from .precision import PRECISIONS, Numbers, Precision
from .ragged import Schedule, schedule
from .state import States
from .weights import PackedWeights
from .workspace import Workspace


def run(cell: Any, given: Arguments, device: Device) -> tuple[list[Any], Any]:
    """The leaves of the outputs, and the state, of a cell that has stages and has been built.

    Args:
        cell: what ``plan`` takes, and every step of shapes has taken.
        given: the Arguments of the call, entered, of B rows and T steps.
        device: where it runs.

    All work is enqueued on the caller's current stream, or joined with it, when this returns.
    """
    stages = plan(cell)
    if isinstance(stages, Refusal):
        raise ValueError(f"the fused path can't run {stages.reason}")
    (x,) = given.inputs
    precision = PRECISIONS[x.dtype.name]
    runs = schedule(given.lengths, given.max_time, given.batch_size, given.parallel_iterations)
    options, stream, caches = current(), device.current_stream(), caches_of(device)
    inputs = Inputs(x, given.time_major, runs, precision)
    widths = stages.widths(inputs.depth)
    with caches.lock:
        outputs = Outputs(device, stream, runs, widths[-1], given.time_major, x.dtype)
        needed = workspace_layout(stages, inputs.depth, precision, runs, options)
        packed = packed_weights(caches, stages, widths, stream)
        with taken_workspace(caches, needed, stream) as workspace:
            tables = upload_tables(caches, workspace, runs, inputs.is_packed or runs.lengths is not None, stream)
            order = None if runs.order is None else tables["order"]
            inputs.pack(device, stream, tables)
            states = States(device, stream, stages.layers, workspace.addresses, order, runs.batch_size, precision)
            states.load(given.initial_state)
            choose(
                Call(
                    device=device,
                    stream=stream,
                    side=caches.streams.side_of(stream),
                    plan=stages,
                    widths=widths,
                    precision=precision,
                    runs=runs,
                    options=options,
                    workspace=workspace,
                    lengths=None if runs.lengths is None else tables["lengths"],
                    order=order,
                    weights=[one.addresses for one in packed],
                    inputs=inputs,
                    outputs=outputs,
                    noise=Noise(device, stages, inputs.depth, runs.batch_size, x.dtype),
                )
            ).run()
            leaves = states.store(flatten(given.state_size), x.dtype)
    return [outputs.array], pack_sequence_as(given.state_size, leaves)  # STATE-3


def workspace_layout(stages: Plan, depth: int, precision: Precision, runs: Schedule, options: Options) -> Layout:
    """The workspace that a call takes."""
    return layout(stages, depth, precision, runs, SLOTS if may_overlap(stages, runs, options) else 1)


@contextlib.contextmanager
def taken_workspace(caches: Caches, needed: Layout, stream: Any) -> Iterator[Workspace]:
    """A workspace of that layout, out of the pool for as long as work on it is being enqueued on ``stream``."""
    workspace = caches.workspaces.take(needed)
    workspace.begin(stream)
    try:
        yield workspace
    finally:
        workspace.end(stream)
        caches.workspaces.give_back(workspace)


def packed_weights(
    caches: Caches, stages: Plan, widths: list[int], stream: Any, values: Sequence[Sequence[Numbers]] | None = None
) -> list[PackedWeights]:
    """The weights of each layer, with these values of its variables; None: as they are now."""
    packed = [caches.weights.of(layer, widths[layer.source]) for layer in stages.layers]
    for index, (layer, weights) in enumerate(zip(stages.layers, packed, strict=True)):
        weights.begin(layer, stream, None if values is None else values[index])
    return packed


def upload_tables(caches: Caches, workspace: Workspace, runs: Schedule, needed: bool, stream: Any) -> dict[str, int]:
    """The addresses of the tables of this call, which are copied if ``needed`` and not there from the call before."""
    tables = Tables.of(runs)
    data, ptr = tables.fill(runs), workspace.addresses["tables"]
    if needed and workspace.tables != data:
        caches.staging.put(ptr, [(0, np.frombuffer(data, np.uint8))], stream, "tables")
        workspace.tables = data
    return {name: ptr + offset for name, offset in tables.offsets.items()}
