"""Foretells the memory that training a call takes, by the computation that the call itself makes."""

import copy
from typing import Any

from dynamic_rnn_spec import VariableStore, use_store, variable_scope

from .. import settings
from ..cells.shapes import step_on_shapes
from ..device import current_device
from ..device.memory import rounded
from ..fused.forecast import Foreseen, foreseen
from ..fused.plan import Plan, Refusal, plan
from .entry import refusal
from .keeper import decide_on
from .memory_report import MemoryReport, device_sizes, forecast, of_the_cell
from .sizes import bytes_besides, sizes_of


def training_bytes(
    cell: Any,
    inputs_shape: tuple[int, ...],
    dtype: Any,
    sequence_length: Any = None,
    parallel_iterations: Any = None,
    time_major: Any = False,
    swap_memory: Any = False,
) -> MemoryReport:
    """The MemoryReport that ``vjp.memory`` of such a call would be, if it were made now on the current device.

    ``peak_bytes`` is what is in use now and all that the call and a pull of it allocate besides: inputs and cotangents
    that are not on the device yet, and noise from the host, are not known of. The pulls of a cell on the any-cell path
    hold what they please, so that nothing is known there.

    Args:
        cell: the cell; it need not have been called yet.
        inputs_shape: [B, T, d], or [T, B, d] with ``time_major``; the memory of the inputs has no gaps.
        dtype, sequence_length, parallel_iterations, time_major, swap_memory: as for dynamic_rnn_vjp; dtype is that of
            the inputs.

    Raises:
        TypeError, ValueError: as dynamic_rnn does for these arguments.
    """
    found = foreseen(cell, inputs_shape, dtype, sequence_length, parallel_iterations, time_major, swap_memory)
    reason = found if isinstance(found, str) else refusal(cell, found.given)
    if isinstance(found, str) or reason is not None:
        return of_the_cell(inputs_shape[0 if time_major else 1], str(reason))
    given, device, options = found.given, current_device(), settings.current()
    stages = _built(cell, found)
    widths = stages.widths(found.depth)
    sizes = sizes_of(stages, widths, found.precision, found.runs, options.tf32)
    besides = bytes_besides(sizes, stages, widths, found.precision, found.runs)
    decision = decide_on(device, sizes.blocks, given.swap_memory, options, besides)
    report = forecast(sizes.blocks, decision)
    held = sum(rounded(nbytes) for nbytes in device_sizes(sizes.blocks, decision))
    return report._replace(
        path="fused",
        parallel_iterations=found.runs.per_chunk,
        workspace_bytes=sizes.workspace_bytes,
        peak_bytes=device.live_bytes() + held + besides,
    )


def _built(cell: Any, found: Foreseen) -> Plan:
    """The plan of the cell, or where it has no variables yet of a copy that has."""
    if all(layer.cell.built for layer in found.plan.layers):
        return found.plan
    cell = copy.deepcopy(cell)
    with use_store(VariableStore()), variable_scope(found.given.scope) as opened:
        step_on_shapes(cell, found.given, opened)
    stages = plan(cell)
    if isinstance(stages, Refusal):
        raise ValueError(f"the copy of a cell is another one: {stages.reason}")
    return stages
