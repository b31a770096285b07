"""Computes the products and sums of the backward equations, over one step or over all steps of a chunk.

Operands are of STORE and lie row after row, results are of ACC.
"""

from typing import Any, NamedTuple

from ... import kernels
from ...device.seam import Device, row_major
from .steps import BackSteps


class Matrix(NamedTuple):
    """An operand: its address, and the elements from one row of what lies there to the next."""

    ptr: int
    row: int


def product(
    device: Device,
    stream: Any,
    s: BackSteps,
    purpose: str,
    *,
    left: Matrix,
    right: Matrix,
    into: Matrix,
    rows: int,
    inner: int,
    columns: int,
    accumulate: bool,
    transpose_left: bool = False,
    transpose_right: bool = False,
) -> None:
    """``into`` [rows, columns] of ACC (+)= left [rows, inner] right [inner, columns] of STORE; nothing if it is empty.

    A transposed operand lies as its transpose.
    """
    if not rows or not columns:
        return
    call = row_major(
        *(left.ptr, right.ptr, into.ptr, rows, columns, inner),
        dtype=s.precision.name,
        accumulator=s.precision.accumulator,
        lda=left.row,
        ldb=right.row,
        ldc=into.row,
        accumulate=accumulate,
        tf32=s.tf32,
        transpose_a=transpose_left,
        transpose_b=transpose_right,
    )
    device.gemm(call, stream, purpose)


def add_weight_gradient(
    device: Device,
    stream: Any,
    s: BackSteps,
    purpose: str,
    *,
    left: Matrix,
    right: Matrix,
    into: Matrix,
    rows: int,
    columns: int,
) -> None:
    """``into`` [rows, columns] += left^T right, over all rows of all steps of the chunk."""
    product(
        device,
        stream,
        s,
        purpose,
        left=left,
        right=right,
        into=into,
        rows=rows,
        inner=s.rows,  # GRAD-15: all steps of the chunk, however many there are
        columns=columns,
        accumulate=True,
        transpose_left=True,
    )


def add_column_sums(
    device: Device, stream: Any, s: BackSteps, *, sums: int, values: Matrix, columns: int, other: Matrix | None = None
) -> None:
    """``sums`` [columns] += the sums of values (times other) over all rows of all steps of the chunk."""
    kernels.launch_column_sums(
        device,
        stream,
        dtype=s.precision.name,
        sums=sums,
        values=values.ptr,
        other=None if other is None else other.ptr,
        partial=s.scratch["partial"],
        rows=s.rows,
        n=columns,
        values_row=values.row,
        other_row=0 if other is None else other.row,
    )


def hand_back(device: Device, stream: Any, s: BackSteps, d_x: Matrix, accumulate: bool, gates: int) -> None:
    """``d_x`` [.., d] (+)= d_gates K^T: the gradient of what the layer reads, for all steps at once."""
    columns = gates * s.units
    product(
        device,
        stream,
        s,
        "input gradient",
        left=Matrix(s.d_gates, columns),
        right=Matrix(s.weights.inputs, columns),
        into=d_x,
        rows=s.rows,
        inner=columns,
        columns=s.depth,
        accumulate=accumulate,
        transpose_right=True,
    )


def recomputed_products(device: Device, stream: Any, s: BackSteps, gates: int, recurrent_columns: int) -> None:
    """``gates`` [.., G n] = x K, and in their first columns + h R: one product each for all steps."""
    columns = gates * s.units
    into = Matrix(s.gates, columns)
    if s.depth:
        product(
            device,
            stream,
            s,
            "recomputed gates",
            left=Matrix(s.x, s.depth),
            right=Matrix(s.weights.inputs, columns),
            into=into,
            rows=s.rows,
            inner=s.depth,
            columns=columns,
            accumulate=False,
        )
    else:
        device.zero(s.gates, s.rows * columns * s.precision.accumulated, stream, "input product of no columns")
    product(
        device,
        stream,
        s,
        "recomputed gates",
        left=Matrix(s.h, s.outputs),
        right=Matrix(s.weights.recurrent, recurrent_columns),
        into=into,
        rows=s.rows,
        inner=s.outputs,
        columns=recurrent_columns,
        accumulate=True,
    )
