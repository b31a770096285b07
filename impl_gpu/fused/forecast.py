"""Foretells which path a cell takes and how much memory the fused path needs, before anything runs."""

from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError

from ..abstract import Abstract
from ..arguments import Arguments, check_arguments, check_cell
from ..check_lengths import read_lengths
from ..device import current_device
from ..dtypes import as_dtype
from ..settings import current
from .entry import workspace_layout
from .inputs import packed_bytes
from .plan import Add, Drop, Layer, Plan, Refusal, plan
from .precision import PRECISIONS, Precision
from .ragged import Schedule, schedule


def explain(cell: Any) -> str:
    """Which path a call of dynamic_rnn with this cell takes, and why, in words.

    That of a call of dynamic_rnn_vjp, which may differ, is in ``vjp.memory`` and ``training_bytes``. A built-in cell
    with inputs of a dtype that has no kernels is refused by the cell itself, so that the dtype does not matter here.

    Raises:
        TypeError: ``cell`` is no RNNCell instance [CELL-2, CELL-3].
    """
    check_cell(cell)
    stages = plan_or_reason(cell)
    if isinstance(stages, str):
        return f"any-cell path: {stages}"
    return "fused path: " + ", ".join(_described(stages))


def plan_or_reason(cell: Any) -> Plan | str:
    """The plan of the cell, or why it goes the any-cell path."""
    if current().path == "cell":
        return "the switch path says so"
    stages = plan(cell)
    return stages.reason if isinstance(stages, Refusal) else stages


def refusal(cell: Any, given: Arguments) -> str | None:
    """Why the fused path can't run this call; None: it can.

    The cell has taken a step of shapes by now, so that shapes and dtypes agree with each other.
    """
    if given.max_time == 0:
        return "there are no steps"
    stages = plan_or_reason(cell)
    if isinstance(stages, str):
        return stages
    if len(given.input_shapes) != 1 or given.input_shapes[0].ndim != 3:
        return "inputs of another form than [batch, time, depth]"
    if given.input_shapes[0].dtype.name not in PRECISIONS:
        return f"inputs of dtype {given.input_shapes[0].dtype}"
    return None


def workspace_bytes(
    cell: Any,
    inputs_shape: tuple[int, ...],
    dtype: Any,
    sequence_length: Any = None,
    parallel_iterations: Any = None,
    time_major: Any = False,
) -> int:
    """The device memory in bytes that such a call works in, beside its inputs, outputs, states and weights.

    It counts the workspace, which stays for the next call, and the packed copy of the inputs that ragged or
    batch-major ones need. It is what the call itself computes before it allocates. A cell that goes the any-cell path
    has no workspace, so 0.

    Args:
        cell: the cell; it need not have been called yet.
        inputs_shape: [B, T, d], or [T, B, d] with ``time_major``; the memory of the inputs has no gaps.
        dtype, sequence_length, parallel_iterations, time_major: as for dynamic_rnn; dtype is that of the inputs.

    Raises:
        TypeError, ValueError: as dynamic_rnn does for these arguments.
    """
    found = foreseen(cell, inputs_shape, dtype, sequence_length, parallel_iterations, time_major)
    if isinstance(found, str):
        return 0
    needed = workspace_layout(found.plan, found.depth, found.precision, found.runs, current()).nbytes
    return needed + found.packed_bytes


class Foreseen(NamedTuple):
    """A call of the fused path before it is made; ``packed_bytes`` are those of a packed copy of its inputs."""

    given: Arguments
    plan: Plan
    depth: int
    precision: Precision
    runs: Schedule
    packed_bytes: int


def foreseen(
    cell: Any,
    inputs_shape: Any,
    dtype: Any,
    sequence_length: Any,
    parallel_iterations: Any,
    time_major: Any,
    swap_memory: Any = False,
) -> Foreseen | str:
    """The call with these arguments, those of ``workspace_bytes``, or why it goes the any-cell path.

    Raises:
        TypeError, ValueError: as ``workspace_bytes`` does.
    """
    inputs = Abstract(_checked_shape(inputs_shape), None if dtype is None else as_dtype(dtype))
    given = check_arguments(
        cell, inputs, sequence_length, None, dtype, parallel_iterations, swap_memory, time_major, None
    )
    stages = plan_or_reason(cell)
    if isinstance(stages, str):
        return stages
    if len(inputs.shape) != 3:
        raise ArgumentValueError("inputs_shape", "three sizes", str(inputs.shape), "VAR-16")
    if inputs.dtype.name not in PRECISIONS:
        raise ArgumentValueError("dtype", f"one of {', '.join(PRECISIONS)}", str(inputs.dtype), "EQ-22")
    lengths = given.lengths
    if lengths is not None and not isinstance(lengths, np.ndarray):
        lengths = read_lengths(current_device(), lengths)
    runs = schedule(lengths, given.max_time, given.batch_size, given.parallel_iterations)
    depth, precision = inputs.shape[2], PRECISIONS[inputs.dtype.name]
    in_place = runs.whole and (given.time_major or 1 in inputs.shape[:2])
    packed = 0 if in_place else packed_bytes(runs, depth * precision.stored)
    return Foreseen(given, stages, depth, precision, runs, packed)


def _checked_shape(value: Any) -> tuple[int, ...]:
    wanted = "a tuple of integers of at least 0"
    if not isinstance(value, (tuple, list)) or not all(_is_integer(size) for size in value):
        raise ArgumentTypeError("inputs_shape", wanted, repr(value), "IN-17")
    if any(size < 0 for size in value):
        raise ArgumentValueError("inputs_shape", wanted, repr(value), "IN-11")
    return tuple(int(size) for size in value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _described(stages: Plan) -> list[str]:
    words = []
    for stage in stages.stages:
        if isinstance(stage, Layer):
            projected = f" and {stage.outputs} outputs" if stage.outputs != stage.units else ""
            words.append(f"{stage.kind} of {stage.units} units{projected}")
            words += [f"dropout of its state {drop.name}" for drop in stage.state_drops]
        elif isinstance(stage, Drop):
            words.append("dropout of what goes in" if not stage.in_place else "dropout of what comes out")
        elif isinstance(stage, Add):
            words.append("sum with what went in")
    return words
