"""Adds up what training a call takes: the blocks of its chunks, and the memory beside them."""

from typing import NamedTuple

from ..device.memory import rounded
from ..fused.inputs import packed_bytes
from ..fused.layers import KINDS
from ..fused.layers.lstm import options as lstm_options
from ..fused.layout import Layout, aligned
from ..fused.plan import Layer, Plan
from ..fused.precision import Precision
from ..fused.ragged import Chunk, Schedule
from .backward import backward_layout
from .cost import Block, block
from .layers import BACK
from .saving import saving_layout
from .tape import columns_of, tape_layout


class Sizes(NamedTuple):
    """``blocks`` of the chunks, and the workspaces of both passes."""

    blocks: list[Block]
    forward: Layout
    backward: Layout

    @property
    def workspace_bytes(self) -> int:
        """What both passes work in; they keep it for the next call."""
        return self.forward.nbytes + self.backward.nbytes


def sizes_of(plan: Plan, widths: list[int], precision: Precision, runs: Schedule, tf32: bool) -> Sizes:
    """The sizes of a call."""
    blocks = [_block(plan, widths, precision, chunk, tf32) for chunk in runs.chunks]
    forward = saving_layout(plan, widths, precision, runs)
    return Sizes(blocks, forward, backward_layout(plan, widths, precision, runs))


def bytes_besides(sizes: Sizes, plan: Plan, widths: list[int], precision: Precision, runs: Schedule) -> int:
    """Device memory that a call and its pull want beside the blocks, with the layers' variables made: workspaces,
    packed inputs and weights, outputs and states, and all gradients. Each as if it were alone in its buffer."""
    rows = runs.steps * runs.batch_size
    arrays = [packed_bytes(runs, widths[0] * precision.stored), rows * widths[-1] * precision.stored]
    arrays += [rows * widths[0] * precision.stored, sizes.forward.nbytes, sizes.backward.nbytes]
    for layer in plan.layers:
        arrays += 2 * [aligned(variable.value.nbytes) for variable in layer.cell.variables]
        arrays += 2 * [runs.batch_size * columns_of(layer, name) * precision.stored for name in layer.states]
    return sum(rounded(nbytes) for nbytes in arrays)


def _block(plan: Plan, widths: list[int], precision: Precision, chunk: Chunk, tf32: bool) -> Block:
    needed = tape_layout(plan, widths, precision, chunk)
    rows, flops, again = chunk.length * chunk.active, 0, 0
    for layer in plan.layers:
        of_gates = 2 * rows * (widths[layer.source] + layer.outputs) * KINDS[layer.kind].GATES * layer.units
        flops += of_gates + 2 * rows * _projection(layer)
        again += of_gates if BACK[layer.kind].KEEPS_GATES else 0
    return block(
        needed.nbytes,
        needed.kept.nbytes,
        steps=chunk.length * len(plan.layers),
        flops=flops,
        recomputed_flops=again,
        dtype=precision.name,
        tf32=tf32,
    )


def _projection(layer: Layer) -> int:
    """Multiplications of a row by a projection."""
    projected = layer.kind == "lstm" and lstm_options(layer.cell).projected
    return layer.units * layer.outputs if projected else 0
