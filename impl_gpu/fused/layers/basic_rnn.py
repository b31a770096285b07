"""Runs a step of BasicRNNCell: one product and one kernel.

Letters: B rows, d columns of the inputs, n units.
"""

from typing import Any, NamedTuple

from ... import kernels
from ...device.seam import Device
from ..precision import Precision
from .steps import Read, Step, Steps, product, when, where

GATES = 1


class Weights(NamedTuple):
    """Arrays, or their addresses."""

    inputs: Any  # [d, n]
    recurrent: Any  # [n, n]
    bias: Any  # [n]


def options(cell: Any) -> tuple[()]:
    """A BasicRNNCell has no options that its kernel reads."""
    return ()


def weights(cell: Any, depth: int, read: Read) -> Weights:
    """The kernel [d + n, n] in its two parts, and the bias."""
    kernel = read(cell._kernel)
    return Weights(kernel[:depth], kernel[depth:], read(cell._bias))


def scratch(layer: Any, precision: Precision) -> dict[str, int]:
    """No memory beside gates and states."""
    return {}


def run_step(device: Device, stream: Any, s: Steps, step: Step) -> None:
    """gates: x K + h R;  h = tanh(gates + b)."""
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
        columns=n,
        row=n,
    )
    kernels.launch_basic_rnn_step(
        device, stream, **when(s, step), **where(s, step), gates=gates, bias=s.weights.bias, h=s.h, n=n
    )
