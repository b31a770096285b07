"""Launches the kernels that move gradients in and out, sum rows and take drops backwards.

Every argument is named as the kernel's parameter in gradients.cu, which says what it means. Pointers are addresses,
those that may be None are null then; strides count elements. With no elements nothing is launched.
"""

from typing import Any

import numpy as np

from ..device.seam import Device
from . import geometry
from .registry import ELEMENT_SIZES, GATE_SIZES, INT, kernel

MODULE = "gradients"
STRIPS = 64
"""Partial sums of a column, at most. With 4096 columns of float32 that is 65536 threads of 16-byte accesses, and adding
64 rows of partial sums costs little beside thousands of rows. It decides the order of sums: no device may change it."""


def launch_load_cotangent(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    dst: int,
    src: int | None,
    order: int | None,
    lengths: int | None,
    n: int,
    active: int,
    first: int,
    length: int,
    src_t: int,
    src_row: int,
) -> None:
    """``load_cotangent``: the caller's d_outputs of steps first to first + length, +0 past a row's length."""
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = length * active * n * (A + (S if src else 0)) + INT * active * (bool(lengths) + bool(order))
    values = (dst, src, order, lengths, n, active, first, length, src_t, src_row)
    addresses = dst | (src or 0) | (src_t | src_row) * S
    _launch(device, stream, "load_cotangent", dtype, active, n, length, addresses, values, "load cotangent", nbytes)


def launch_store_gradient(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    dst: int,
    src: int,
    order: int | None,
    lengths: int | None,
    n: int,
    active: int,
    rows: int,
    first: int,
    length: int,
    dst_t: int,
    dst_row: int,
) -> None:
    """``store_gradient``: the gradient of a chunk's inputs to the caller's layout, +0 for rows not alive."""
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = length * n * (active * A + rows * S) + INT * ((active if lengths else 0) + (rows if order else 0))
    values = (dst, src, order, lengths, n, active, rows, first, length, dst_t, dst_row)
    addresses = dst | src | (dst_t | dst_row) * S
    _launch(device, stream, "store_gradient", dtype, rows, n, length, addresses, values, "store gradient", nbytes)


def launch_load_state_cotangent(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    dst: int,
    src: int | None,
    order: int | None,
    rows: int,
    n: int,
    src_row: int,
) -> None:
    """``load_state_cotangent``: a leaf of the caller's d_state, in the order by length."""
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = rows * n * (A + (S if src else 0)) + (rows * INT if order else 0)
    values = (dst, src, order, rows, n, src_row)
    addresses = dst | (src or 0) | src_row * S
    _launch(
        device, stream, "load_state_cotangent", dtype, rows, n, 1, addresses, values, "load state cotangent", nbytes
    )


def launch_store_state_gradient(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    dst: int,
    carried: int,
    original: int | None,
    order: int | None,
    lengths: int | None,
    rows: int,
    n: int,
    steps: int,
    dst_row: int,
    original_row: int,
) -> None:
    """``store_state_gradient``: what was carried to the first step; the bits of ``original`` for rows without steps."""
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = rows * n * (A + S) + INT * rows * (bool(lengths) + bool(order))
    values = (dst, carried, original, order, lengths, rows, n, steps, dst_row, original_row)
    addresses = dst | carried | (original or 0) | (dst_row | original_row) * S
    _launch(
        device, stream, "store_state_gradient", dtype, rows, n, 1, addresses, values, "store state gradient", nbytes
    )


def launch_drop_gradient(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    d: int,
    uniform: int,
    order: int | None,
    keep: float,
    rows: int,
    n: int,
    uniform_row: int,
) -> None:
    """``drop_gradient``: d / keep * floor(keep + uniform), in place; what ``drop_rows`` dropped passes nothing."""
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = rows * n * 2 * A + (rows if uniform_row else 1) * n * S + (rows * INT if order else 0)
    if dtype == "float16":
        keep = float(np.float16(keep))  # once, as for drop_rows
    values = (d, uniform, order, keep, rows, n, uniform_row)
    addresses = d | uniform | uniform_row * S
    _launch(device, stream, "drop_gradient", dtype, rows, n, 1, addresses, values, "dropout back", nbytes)


def partial_sums_bytes(dtype: str, rows: int, n: int) -> int:
    """Bytes of the ``partial`` that ``launch_column_sums`` needs."""
    return min(rows, STRIPS) * n * GATE_SIZES[dtype]


def launch_column_sums(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    sums: int,
    values: int,
    other: int | None,
    partial: int,
    rows: int,
    n: int,
    values_row: int,
    other_row: int = 0,
) -> None:
    """``column_sums`` and ``add_partial_sums``: sums += the sum over the rows of values, or of values * other.

    ``partial`` is scratch of ``partial_sums_bytes``. The sums are the same bits whenever the sizes are.
    """
    if not rows or not n:
        return
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    strips = min(rows, STRIPS)
    nbytes = rows * n * (2 if other else 1) * S + strips * n * A
    width = geometry.vector(S, n, values | (other or 0) | partial | (values_row | other_row) * S, strips)
    chosen = kernel(MODULE, "column_sums" if width == 1 else "column_sums_vec", dtype)
    shape = geometry.blocks(strips, n // width)
    given = (values, other, partial, rows, strips, n, values_row, other_row)
    device.launch(chosen, shape.grid, shape.block, given, stream, "sum columns", nbytes)
    grid = (-(-n // geometry.THREADS), 1, 1)
    adding = kernel(MODULE, "add_partial_sums", dtype)
    block = (geometry.THREADS, 1, 1)
    device.launch(adding, grid, block, (sums, partial, strips, n), stream, "sum columns", (strips + 2) * n * A)


def launch_narrow_values(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    dst: int,
    src: int,
    count: int,
) -> None:
    """``narrow_values``: numbers of the accumulator rounded to the dtype."""
    if not count:
        return
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    width = geometry.ACCESS // A
    if (dst | src) % geometry.ACCESS or count < geometry.LEAST_VECTOR_THREADS * width:
        width = 1
    chosen = kernel(MODULE, "narrow_values" if width == 1 else "narrow_values_vec", dtype)
    grid = (-(-count // (geometry.THREADS * width)), 1, 1)
    device.launch(chosen, grid, (geometry.THREADS, 1, 1), (dst, src, count), stream, "narrow", count * (A + S))


def _launch(
    device: Device,
    stream: Any,
    entry: str,
    dtype: str,
    rows: int,
    columns: int,
    steps: int,
    addresses: int,
    values: tuple[Any, ...],
    purpose: str,
    nbytes: int,
) -> None:
    """16-byte accesses are those of ACC here, so a thread has as many columns as ACC has in 16 bytes."""
    if not rows or not columns or not steps:
        return
    width = geometry.vector(GATE_SIZES[dtype], columns, addresses, rows * steps)
    chosen = kernel(MODULE, entry if width == 1 else f"{entry}_vec", dtype)
    shape = geometry.blocks(rows, columns // width, steps)
    device.launch(chosen, shape.grid, shape.block, values, stream, purpose, nbytes)
