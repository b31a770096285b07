"""Takes the forward pass of a call that is to be pulled back from its arguments to its results.

As in the fused path it takes memory out of the caches, has everything enqueued, and puts the memory back; but what the
backward pass needs stays with a keeper, and runs neither in graphs nor ahead.
"""

from typing import Any

from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

from .. import fused
from ..arguments import Arguments
from ..device.memory import Peak
from ..device.seam import Device
from ..fused.caches import caches_of
from ..fused.entry import packed_weights, taken_workspace, upload_tables
from ..fused.inputs import Inputs
from ..fused.outputs import Outputs
from ..fused.plan import Refusal, plan
from ..fused.precision import PRECISIONS
from ..fused.ragged import schedule
from ..fused.state import States
from ..fused.weights import values_of
from ..settings import current
from .keeper import choose_keeper, naming_swap_memory
from .noise import KeptNoise
from .pulled import Forward, Pulled
from .saving import SavingLoop
from .sizes import bytes_besides, sizes_of
from .tape import TapedCall


def refusal(cell: Any, given: Arguments) -> str | None:
    """Why the fused path can't train this call; None: it can.

    The cell has taken a step of shapes by now, so that shapes and dtypes agree with each other.
    """
    reason = fused.refusal(cell, given)
    stages = plan(cell)
    if reason is not None or isinstance(stages, Refusal):
        return reason
    if any(layer.state_drops for layer in stages.layers):
        return "gradients through dropout of states"
    return None


def run(cell: Any, given: Arguments, device: Device) -> tuple[list[Any], Any, Pulled]:
    """The leaves of the outputs, the state, and what pulls gradients back, of a cell that has been built.

    Args:
        cell: one that ``refusal`` does not refuse.
        given: the Arguments of the call, entered, of B rows and T steps, T at least 1.
        device: where it runs.

    Raises:
        OutOfDeviceMemory: there is too little for what the call works in and keeps for the backward pass [SWAP-4].

    All work is enqueued on the caller's current stream, or joined with it, when this returns.
    """
    stages = plan(cell)
    if isinstance(stages, Refusal):
        raise ValueError(f"the fused path can't train {stages.reason}")
    (x,) = given.inputs
    precision = PRECISIONS[x.dtype.name]
    runs = schedule(given.lengths, given.max_time, given.batch_size, given.parallel_iterations)
    options, stream, caches = current()._replace(graph=False, overlap=False), device.current_stream(), caches_of(device)
    inputs = Inputs(x, given.time_major, runs, precision, shielded=True)
    widths = stages.widths(inputs.depth)
    sizes = sizes_of(stages, widths, precision, runs, options.tf32)
    state_widths = [int(width) for width in flatten(given.state_size)]
    with naming_swap_memory(given.swap_memory), caches.lock, device.watched(peak := Peak()):
        values = [values_of(layer) for layer in stages.layers]
        besides = bytes_besides(sizes, stages, widths, precision, runs)
        keeper = choose_keeper(device, stream, sizes.blocks, given.swap_memory, options, besides)
        noise = KeptNoise(device, stages, inputs.depth, runs.batch_size, x.dtype)
        try:
            with taken_workspace(caches, sizes.forward, stream) as workspace:
                outputs = Outputs(device, stream, runs, widths[-1], given.time_major, x.dtype)
                packed = packed_weights(caches, stages, widths, stream, values)
                tables = upload_tables(caches, workspace, runs, inputs.is_packed or runs.lengths is not None, stream)
                order = None if runs.order is None else tables["order"]
                inputs.pack(device, stream, tables)
                states = States(device, stream, stages.layers, workspace.addresses, order, runs.batch_size, precision)
                states.load(given.initial_state)  # GRAD-18
                call = TapedCall(
                    device=device,
                    stream=stream,
                    side=stream,
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
                    noise=noise,
                )
                SavingLoop(call, keeper).run()
                leaves = states.store(state_widths, x.dtype)
        finally:
            keeper.finished(stream)
        device.record_event(done := device.new_event(), stream)
    forward = Forward(
        device=device,
        stream=stream,
        plan=stages,
        precision=precision,
        runs=runs,
        options=options,
        widths=widths,
        sizes=sizes,
        keeper=keeper,
        noise=noise.kept,
        values=values,
        x=x,
        time_major=given.time_major,
        state_widths=state_widths,
        has_initial_state=given.initial_state is not None,
        swap_memory=given.swap_memory,
        done=done,
        pulled=device.new_event(),
        peak=peak,
    )
    return [outputs.array], pack_sequence_as(given.state_size, leaves), Pulled(forward)
