"""Takes a step of BasicLSTMCell and LSTMCell backward: one kernel and one product, with a projection two of each.

Letters: d columns of the inputs, n units, p columns of h; gates i, j, f, o side by side.
"""

from typing import Any

from ... import kernels
from ...device.seam import Device
from ...fused.layers.lstm import GATES, Options
from ...fused.layers.lstm import options as options_of
from ...fused.precision import Precision
from .products import Matrix, add_column_sums, add_weight_gradient, product, recomputed_products
from .steps import BackSteps, Scratch

KEEPS_GATES = True


def keeps_projected(options: Options) -> bool:
    """Whether h before its clip is kept: from a clipped h alone one can't tell whether it was clipped."""
    return options.projected and options.proj_clip >= 0


def h_is_unbounded(options: Options) -> bool:
    """Where a product, with nothing to bound it, makes h, which may overflow then while its gradients don't."""
    return options.projected and options.proj_clip < 0


def scratch(layer: Any, precision: Precision) -> Scratch:
    """With a projection: m before it, and the gradients of h and of m; where h is unbounded, "h before"."""
    options = options_of(layer.cell)
    if not options.projected:
        return Scratch({}, {})
    each_step = {"m": layer.units * precision.stored, "d_projected": layer.outputs * precision.stored}
    if h_is_unbounded(options):
        each_step["h before"] = layer.outputs * precision.stored
    return Scratch(each_step, {"d_m": layer.units * precision.accumulated})


def trained(cell: Any) -> dict[str, Any]:
    """kernel [d + p, 4 n], bias [4 n]; w_f, w_i, w_o [n]; projection [n, p]."""
    has = options_of(cell)
    weights = {"kernel": cell._kernel, "bias": cell._bias}
    if has.peepholes:
        weights |= {"w_f": cell._w_f, "w_i": cell._w_i, "w_o": cell._w_o}
    if has.projected:
        weights["projection"] = cell._projection
    return weights


def recompute(device: Device, stream: Any, s: BackSteps) -> None:
    """gates = x K + h R."""
    recomputed_products(device, stream, s, GATES, GATES * s.units)


def step_back(device: Device, stream: Any, s: BackSteps, step: int) -> None:
    """d_gates and d_c from d_h and what the step has kept;  d_next = d_gates R^T.

    With a projection: d_m = d_h P^T first, and m again for the gradient of P.
    """
    n, p, projected = s.units, s.outputs, s.options.projected
    d_out, d_next, d_last, m = s.d_out_at(step), s.d_next, s.d_last, None
    if _hides_last_h(s):
        _copy_h_before(device, stream, s, step)
    if projected:
        _projection_back(device, stream, s, step)
        d_out, m = s.scratch["d_m"], s.stored_at(s.scratch["m"], step, n)
    d_gates = s.stored_at(s.d_gates, step, GATES * n)
    kernels.launch_lstm_step_back(
        device,
        stream,
        dtype=s.precision.name,
        lengths=s.lengths,
        gates=s.summed_at(s.gates, step, GATES * n),
        bias=s.weights.bias,
        peepholes=s.weights.peepholes,
        c_old=s.stored_at(s.c, step, n),
        c_new=s.stored_at(s.c, step + 1, n),
        d_out=d_out,
        d_next=None if projected else d_next,
        d_last=None if projected else d_last,
        dc=s.d_c,
        d_gates=d_gates,
        m=m,
        n=n,
        active=s.active,
        t=s.first + step,
        steps=s.steps,
        forget_bias=s.options.forget_bias,
        cell_clip=s.options.cell_clip,
    )
    product(
        device,
        stream,
        s,
        "recurrent gradient",
        left=Matrix(d_gates, GATES * n),
        right=Matrix(s.weights.recurrent, GATES * n),
        into=Matrix(d_next, p),
        rows=s.active,
        inner=GATES * n,
        columns=p,
        accumulate=False,
        transpose_right=True,
    )


def _hides_last_h(s: BackSteps) -> bool:
    """Whether the last h of a row, which lies where h before the step after it would, must not meet the zeros of that
    step's d_gates: an Inf in it would make NaN of them [GRAD-12]."""
    return s.lengths is not None and h_is_unbounded(s.options)


def _copy_h_before(device: Device, stream: Any, s: BackSteps, step: int) -> None:
    """h before a step, zeros in the rows that are finished."""
    p = s.outputs
    kernels.launch_masked_copy(
        device,
        stream,
        itemsize=s.precision.stored,
        dst=s.stored_at(s.scratch["h before"], step, p),
        src=s.stored_at(s.h, step, p),
        other=None,
        lengths=s.lengths,
        t=s.first + step,
        rows=s.active,
        row_elements=p,
        dst_row=p,
        src_row=p,
    )


def _projection_back(device: Device, stream: Any, s: BackSteps, step: int) -> None:
    """The gradient of h through the clip, and d_m."""
    n, p = s.units, s.outputs
    d_projected = s.stored_at(s.scratch["d_projected"], step, p)
    kernels.launch_lstm_projection_back(
        device,
        stream,
        dtype=s.precision.name,
        lengths=s.lengths,
        projected=s.summed_at(s.projected, step, p) if keeps_projected(s.options) else None,
        d_out=s.d_out_at(step),
        d_next=s.d_next,
        d_last=s.d_last,
        d_projected=d_projected,
        p=p,
        active=s.active,
        t=s.first + step,
        steps=s.steps,
        proj_clip=s.options.proj_clip,
    )
    product(
        device,
        stream,
        s,
        "projection gradient",
        left=Matrix(d_projected, p),
        right=Matrix(s.weights.projection, p),
        into=Matrix(s.scratch["d_m"], n),
        rows=s.active,
        inner=p,
        columns=n,
        accumulate=False,
        transpose_right=True,
    )


def weight_gradients(device: Device, stream: Any, s: BackSteps, into: dict[str, int]) -> None:
    """kernel += [x; h]^T d_gates, bias += the sums of d_gates; w_f and w_i by the old c, w_o by the new one;
    projection += m^T d_projected."""
    n, p, row = s.units, s.outputs, GATES * s.units
    right = Matrix(s.d_gates, row)
    upper, lower = into["kernel"], into["kernel"] + s.depth * row * s.precision.accumulated
    h = s.scratch["h before"] if _hides_last_h(s) else s.h
    add_weight_gradient(
        device, stream, s, "input weight gradient",
        left=Matrix(s.x, s.depth), right=right, into=Matrix(upper, row), rows=s.depth, columns=row,
    )  # fmt: skip
    add_weight_gradient(
        device, stream, s, "recurrent weight gradient",
        left=Matrix(h, p), right=right, into=Matrix(lower, row), rows=p, columns=row,
    )  # fmt: skip
    add_column_sums(device, stream, s, sums=into["bias"], values=right, columns=row)
    if s.options.peepholes:
        for name, gate, c in (("w_i", 0, s.c), ("w_f", 2, s.c), ("w_o", 3, s.stored_at(s.c, 1, n))):
            d_gate = Matrix(s.d_gates + gate * n * s.precision.stored, row)
            add_column_sums(device, stream, s, sums=into[name], values=d_gate, columns=n, other=Matrix(c, n))
    if s.options.projected:
        add_weight_gradient(
            device, stream, s, "projection weight gradient",
            left=Matrix(s.scratch["m"], n), right=Matrix(s.scratch["d_projected"], p),
            into=Matrix(into["projection"], p), rows=n, columns=p,
        )  # fmt: skip
