"""Runs a step of BasicLSTMCell and LSTMCell: one product and one kernel, with a projection two of each.

Letters: B rows, d columns of the inputs, n units, p columns of h; gates i, j, f, o side by side.
"""

from typing import Any, NamedTuple

import numpy as np

from ... import kernels
from ...cells import LSTMCell
from ...device.seam import Device
from ..precision import Precision
from .steps import Read, Step, Steps, product, when, where

GATES = 4
NO_CLIP = -1.0


class Options(NamedTuple):
    """The numbers of a cell; a bound below 0 bounds nothing."""

    forget_bias: float
    cell_clip: float
    proj_clip: float
    peepholes: bool
    projected: bool


class Weights(NamedTuple):
    """Arrays, or their addresses; None where the cell has no such thing."""

    inputs: Any  # [d, 4 n]
    recurrent: Any  # [p, 4 n]
    bias: Any  # [4 n]
    peepholes: Any  # [3 n]: f, i, o
    projection: Any  # [n, p]


def options(cell: Any) -> Options:
    """The options of either cell; a BasicLSTMCell has a forget bias only."""
    if type(cell) is not LSTMCell:
        return Options(cell._forget_bias, NO_CLIP, NO_CLIP, False, False)
    cell_clip = NO_CLIP if cell._cell_clip is None else cell._cell_clip
    proj_clip = NO_CLIP if cell._proj_clip is None else cell._proj_clip
    return Options(cell._forget_bias, cell_clip, proj_clip, cell._use_peepholes, cell._num_proj is not None)


def weights(cell: Any, depth: int, read: Read) -> Weights:
    """The kernel [d + p, 4 n] in its two parts, the bias, and the peepholes and projection that the cell has."""
    kernel = read(cell._kernel)
    has = options(cell)
    return Weights(
        kernel[:depth],
        kernel[depth:],
        read(cell._bias),
        np.concatenate([read(w) for w in (cell._w_f, cell._w_i, cell._w_o)]) if has.peepholes else None,
        read(cell._projection) if has.projected else None,
    )


def scratch(layer: Any, precision: Precision) -> dict[str, int]:
    """With a projection: m before it, and the sums of its product."""
    if not options(layer.cell).projected:
        return {}
    return {"scratch": layer.units * precision.stored, "projected": layer.outputs * precision.accumulated}


def run_step(device: Device, stream: Any, s: Steps, step: Step) -> None:
    """i, j, f, o = x K + h R + b;  c = sigmoid(f) c + sigmoid(i) tanh(j);  h = sigmoid(o) tanh(c) [P]."""
    n = s.units
    gates = s.gates_at(step.number, GATES)
    product(
        device,
        stream,
        s,
        "recurrent product",
        left=s.h,
        weight=s.weights.recurrent,
        into=gates,
        inner=s.outputs,
        columns=GATES * n,
        row=GATES * n,
    )
    equation: dict[str, Any] = {
        "gates": gates,
        "bias": s.weights.bias,
        "peepholes": s.weights.peepholes,
        "c": s.c,
        "n": n,
        "forget_bias": s.options.forget_bias,
        "cell_clip": s.options.cell_clip,
        "saved_c": s.saved_c_at(step.number),
    }
    projected = s.projected_at(step.number)
    if not s.options.projected:  # EQ-17: a proj_clip is not looked at
        kernels.launch_lstm_step(device, stream, **when(s, step), **where(s, step), **equation, h=s.h)
        return
    kernels.launch_lstm_step_projected(device, stream, **when(s, step), **equation, m=s.scratch)
    product(
        device,
        stream,
        s,
        "projection product",
        left=s.scratch,
        weight=s.weights.projection,
        into=projected,
        inner=n,
        columns=s.outputs,
        row=s.outputs,
        accumulate=False,
    )
    kernels.launch_lstm_projection(
        device,
        stream,
        **when(s, step),
        **where(s, step),
        projected=projected,
        h=s.h,
        p=s.outputs,
        proj_clip=s.options.proj_clip,
    )
