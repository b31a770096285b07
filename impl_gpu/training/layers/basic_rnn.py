"""Takes a step of BasicRNNCell backward: one kernel and one product.

Letters: d columns of the inputs, n units.
"""

from typing import Any

from ... import kernels
from ...device.seam import Device
from ...fused.precision import Precision
from .products import Matrix, add_column_sums, add_weight_gradient, product
from .steps import BackSteps, Scratch

KEEPS_GATES = False  # what a step needs of them is h itself


def keeps_projected(options: Any) -> bool:
    """There is no projection."""
    return False


def scratch(layer: Any, precision: Precision) -> Scratch:
    """No memory beside the gradient of the gates."""
    return Scratch({}, {})


def trained(cell: Any) -> dict[str, Any]:
    """kernel [d + n, n], bias [n]."""
    return {"kernel": cell._kernel, "bias": cell._bias}


def step_back(device: Device, stream: Any, s: BackSteps, step: int) -> None:
    """d_gates = (1 - h^2) d_h;  d_next = d_gates R^T."""
    n = s.units
    d_gates = s.stored_at(s.d_gates, step, n)
    kernels.launch_basic_rnn_step_back(
        device,
        stream,
        dtype=s.precision.name,
        lengths=s.lengths,
        h_new=s.stored_at(s.h, step + 1, n),
        d_out=s.d_out_at(step),
        d_next=s.d_next,
        d_last=s.d_last,
        d_gates=d_gates,
        n=n,
        active=s.active,
        t=s.first + step,
        steps=s.steps,
    )
    product(
        device,
        stream,
        s,
        "recurrent gradient",
        left=Matrix(d_gates, n),
        right=Matrix(s.weights.recurrent, n),
        into=Matrix(s.d_next, n),
        rows=s.active,
        inner=n,
        columns=n,
        accumulate=False,
        transpose_right=True,
    )


def weight_gradients(device: Device, stream: Any, s: BackSteps, into: dict[str, int]) -> None:
    """kernel += [x; h]^T d_gates, bias += the sums of d_gates."""
    n, right = s.units, Matrix(s.d_gates, s.units)
    upper, lower = into["kernel"], into["kernel"] + s.depth * n * s.precision.accumulated
    add_weight_gradient(
        device, stream, s, "input weight gradient",
        left=Matrix(s.x, s.depth), right=right, into=Matrix(upper, n), rows=s.depth, columns=n,
    )  # fmt: skip
    add_weight_gradient(
        device, stream, s, "recurrent weight gradient",
        left=Matrix(s.h, n), right=right, into=Matrix(lower, n), rows=n, columns=n,
    )  # fmt: skip
    add_column_sums(device, stream, s, sums=into["bias"], values=right, columns=n)
