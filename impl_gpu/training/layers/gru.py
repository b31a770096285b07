"""Takes a step of GRUCell backward: two kernels and two products, since the reset came before the candidate's.

Letters: d columns of the inputs, n units; gates r, u, c side by side.
"""

from typing import Any

from ... import kernels
from ...device.seam import Device
from ...fused.layers.gru import GATES
from ...fused.precision import Precision
from .products import Matrix, add_column_sums, add_weight_gradient, product, recomputed_products
from .steps import BackSteps, Scratch

KEEPS_GATES = True


def keeps_projected(options: Any) -> bool:
    """There is no projection."""
    return False


def scratch(layer: Any, precision: Precision) -> Scratch:
    """r h, and its gradient."""
    return Scratch({"reset": layer.units * precision.stored}, {"d_reset": layer.units * precision.accumulated})


def trained(cell: Any) -> dict[str, Any]:
    """gates [d + n, 2 n] and its bias [2 n], candidate [d + n, n] and its bias [n]."""
    return {
        "gates kernel": cell._gates_kernel,
        "gates bias": cell._gates_bias,
        "candidate kernel": cell._candidate_kernel,
        "candidate bias": cell._candidate_bias,
    }


def recompute(device: Device, stream: Any, s: BackSteps) -> None:
    """gates = x K + h R; then u activated, and for c the product of r h, as the steps leave them."""
    n = s.units
    recomputed_products(device, stream, s, GATES, 2 * n)
    kernels.launch_gru_gates(
        device,
        stream,
        dtype=s.precision.name,
        clock=None,
        lengths=None,
        gates=s.gates,
        bias=s.weights.bias,
        h=s.h,
        reset=s.scratch["reset"],
        n=n,
        active=s.rows,
        t0=0,
        step=0,
        first=0,
    )
    product(
        device,
        stream,
        s,
        "recomputed gates",
        left=Matrix(s.scratch["reset"], n),
        right=Matrix(s.weights.candidate, n),
        into=Matrix(s.gates + 2 * n * s.precision.accumulated, GATES * n),
        rows=s.rows,
        inner=n,
        columns=n,
        accumulate=True,
    )


def step_back(device: Device, stream: Any, s: BackSteps, step: int) -> None:
    """d_u and d_c from d_h;  d_reset = d_c Rc^T;  d_r;  d_next = u d_h + r d_reset + [d_r; d_u] R^T."""
    n, stored = s.units, s.precision.stored
    gates = s.summed_at(s.gates, step, GATES * n)
    h_old, d_gates = s.stored_at(s.h, step, n), s.stored_at(s.d_gates, step, GATES * n)
    shared = {
        "dtype": s.precision.name,
        "lengths": s.lengths,
        "gates": gates,
        "bias": s.weights.bias,
        "h_old": h_old,
        "d_next": s.d_next,
        "d_gates": d_gates,
        "n": n,
        "active": s.active,
        "t": s.first + step,
    }
    kernels.launch_gru_candidate_back(device, stream, **shared, d_out=s.d_out_at(step), d_last=s.d_last, steps=s.steps)
    product(
        device,
        stream,
        s,
        "candidate gradient",
        left=Matrix(d_gates + 2 * n * stored, GATES * n),
        right=Matrix(s.weights.candidate, n),
        into=Matrix(s.scratch["d_reset"], n),
        rows=s.active,
        inner=n,
        columns=n,
        accumulate=False,
        transpose_right=True,
    )
    reset = s.stored_at(s.scratch["reset"], step, n)
    kernels.launch_gru_gates_back(device, stream, **shared, d_reset=s.scratch["d_reset"], reset=reset)
    product(
        device,
        stream,
        s,
        "recurrent gradient",
        left=Matrix(d_gates, GATES * n),
        right=Matrix(s.weights.recurrent, 2 * n),
        into=Matrix(s.d_next, n),
        rows=s.active,
        inner=2 * n,
        columns=n,
        accumulate=True,
        transpose_right=True,
    )


def weight_gradients(device: Device, stream: Any, s: BackSteps, into: dict[str, int]) -> None:
    """gates += [x; h]^T [d_r; d_u], candidate += [x; r h]^T d_c, and the biases the sums of these."""
    n, row, stored, summed = s.units, GATES * s.units, s.precision.stored, s.precision.accumulated
    x, d_ru, d_c = Matrix(s.x, s.depth), Matrix(s.d_gates, row), Matrix(s.d_gates + 2 * n * stored, row)
    parts = (("gates", d_ru, 2 * n, s.h, "recurrent"), ("candidate", d_c, n, s.scratch["reset"], "candidate"))
    for name, right, columns, state, purpose in parts:
        upper = into[f"{name} kernel"]
        lower = upper + s.depth * columns * summed
        add_weight_gradient(
            device, stream, s, "input weight gradient",
            left=x, right=right, into=Matrix(upper, columns), rows=s.depth, columns=columns,
        )  # fmt: skip
        add_weight_gradient(
            device, stream, s, f"{purpose} weight gradient",
            left=Matrix(state, n), right=right, into=Matrix(lower, columns), rows=n, columns=columns,
        )  # fmt: skip
        add_column_sums(device, stream, s, sums=into[f"{name} bias"], values=right, columns=columns)
