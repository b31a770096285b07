"""Runs the forward pass so that it leaves what the backward one needs.

It is the loop of the fused path with every layer writing into the block of the chunk at hand instead of a workspace,
and with the caller's outputs written chunk by chunk.
"""

from .. import kernels
from ..fused.layers import KINDS
from ..fused.layout import Layout, Tables
from ..fused.loop import Loop
from ..fused.plan import Plan
from ..fused.precision import Precision
from ..fused.ragged import Chunk, Schedule
from ..kernels import CLOCK_BYTES
from .keeper import Keeper
from .layers import BACK
from .tape import TapedCall, columns_of, tape_layout, unread_values


def saving_layout(plan: Plan, widths: list[int], precision: Precision, runs: Schedule) -> Layout:
    """The workspace of the forward pass.

    Regions: "tables"; "clock k", "c k" [B, n] and "h k" [B, p] of layer k, as they are after the last step so far;
    "gates" [P, B, G n] of the layers whose gates are not kept; the scratch of the layers, who take turns; and
    "value v" [P, B, width] of the values that the backward pass does without.
    """
    B, P = runs.batch_size, runs.per_chunk
    regions = [("tables", Tables.of(runs).nbytes)]
    shared: dict[str, int] = {}
    for index, layer in enumerate(plan.layers):
        kind, back = KINDS[layer.kind], BACK[layer.kind]
        regions.append((f"clock {index}", CLOCK_BYTES))
        regions += [(f"{name} {index}", B * columns_of(layer, name) * precision.stored) for name in layer.states]
        needed = {name: B * nbytes for name, nbytes in kind.scratch(layer, precision).items()}
        if not back.KEEPS_GATES:
            needed["gates"] = P * B * kind.GATES * layer.units * precision.accumulated
        for name, nbytes in needed.items():
            shared[name] = max(shared.get(name, 0), nbytes)
    values = [(f"value {value}", P * B * widths[value] * precision.stored) for value in unread_values(plan)]
    return Layout((*regions, *shared.items(), *values))


class SavingLoop(Loop):
    """One call under way, chunk by chunk into the blocks of ``keeper``."""

    def __init__(self, call: TapedCall, keeper: Keeper) -> None:
        super().__init__(call)
        self._taped = call
        self._keeper = keeper

    def _run_chunk(self, number: int, chunk: Chunk) -> None:
        call = self._taped
        address = self._keeper.begin(number, call.stream)
        found = tape_layout(call.plan, call.widths, call.precision, chunk)
        call.tape.clear()
        call.tape.update(found.addresses(address))
        if not _all_live_on(call.runs, chunk):
            call.device.zero(address, found.states_bytes, call.stream, "finished rows")
        self._save_states(chunk)
        super()._run_chunk(number, chunk)
        self._keeper.written(number, call.stream)

    def _save_states(self, chunk: Chunk) -> None:
        """The states before the first step, zeros in finished rows."""
        call = self._taped
        for index, layer in enumerate(call.plan.layers):
            for name in layer.states:
                width = columns_of(layer, name)
                kernels.launch_masked_copy(
                    call.device,
                    call.stream,
                    itemsize=call.precision.stored,
                    dst=call.tape[f"{name} {index}"],
                    src=call.workspace.addresses[f"{name} {index}"],
                    other=None,
                    lengths=call.lengths,
                    t=chunk.first,
                    rows=chunk.active,
                    row_elements=width,
                    dst_row=width,
                    src_row=width,
                )


def _all_live_on(runs: Schedule, chunk: Chunk) -> bool:
    """Whether no row of the chunk is finished before its end."""
    return runs.lengths is None or bool(runs.lengths[chunk.active - 1] >= chunk.first + chunk.length)
