"""Runs a step of GRUCell: two products and two kernels, since the reset comes before the candidate's product.

Letters: B rows, d columns of the inputs, n units; gates r, u, c side by side.
"""

from typing import Any, NamedTuple

import numpy as np

from ... import kernels
from ...device.seam import Device
from ..precision import Precision
from .steps import Read, Step, Steps, product, when, where

GATES = 3


class Weights(NamedTuple):
    """Arrays, or their addresses."""

    inputs: Any  # [d, 3 n]: r, u, c
    recurrent: Any  # [n, 2 n]: r, u
    candidate: Any  # [n, n]: c
    bias: Any  # [3 n]


def options(cell: Any) -> tuple[()]:
    """A GRUCell has no options that its kernels read."""
    return ()


def weights(cell: Any, depth: int, read: Read) -> Weights:
    """gates/kernel [d + n, 2 n] and candidate/kernel [d + n, n]: the parts for x side by side, those for h apart."""
    gates, candidate = read(cell._gates_kernel), read(cell._candidate_kernel)
    return Weights(
        np.concatenate([gates[:depth], candidate[:depth]], axis=1),
        gates[depth:],
        candidate[depth:],
        np.concatenate([read(cell._gates_bias), read(cell._candidate_bias)]),
    )


def scratch(layer: Any, precision: Precision) -> dict[str, int]:
    """r h, which the candidate's product reads."""
    return {"scratch": layer.units * precision.stored}


def run_step(device: Device, stream: Any, s: Steps, step: Step) -> None:
    """r, u = sigmoid(x K + h R + b);  c = tanh(x K + (r h) R + b);  h = u h + (1 - u) c."""
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
        inner=n,
        columns=2 * n,
        row=GATES * n,
    )
    kernels.launch_gru_gates(
        device, stream, **when(s, step), gates=gates, bias=s.weights.bias, h=s.h, reset=s.scratch, n=n
    )
    product(
        device,
        stream,
        s,
        "candidate product",
        left=s.scratch,
        weight=s.weights.candidate,
        into=gates + 2 * n * s.precision.accumulated,
        inner=n,
        columns=n,
        row=GATES * n,
    )
    kernels.launch_gru_candidate(
        device, stream, **when(s, step), **where(s, step), gates=gates, bias=s.weights.bias, h=s.h, n=n
    )
