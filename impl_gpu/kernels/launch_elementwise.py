"""Launches the kernels that add, drop, write a chunk to the caller and set the clock.

Every argument is named as the kernel's parameter in the source, which says what it means. Pointers are addresses.
With no elements nothing is launched.
"""

from typing import Any

import numpy as np

from ..device.seam import Device
from . import geometry
from .registry import CLOCK_BYTES, ELEMENT_SIZES, INT, kernel


def launch_residual_add(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    out: int,
    a: int,
    b: int,
    count: int,
) -> None:
    """``residual_add``: out = a + b, all ``count`` elements; out may be a or b."""
    if not count:
        return
    size = ELEMENT_SIZES[dtype]
    width = geometry.ACCESS // size
    wide = (out | a | b) % geometry.ACCESS == 0 and count >= geometry.LEAST_VECTOR_THREADS * width
    if not wide:
        width = 1
    chosen = kernel("elementwise", "residual_add_vec" if wide else "residual_add", dtype)
    grid = (-(-count // (geometry.THREADS * width)), 1, 1)
    device.launch(chosen, grid, (geometry.THREADS, 1, 1), (out, a, b, count), stream, "residual", 3 * count * size)


def launch_drop_rows(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    out: int,
    v: int,
    uniform: int,
    order: int | None,
    lengths: int | None,
    keep: float,
    t: int,
    rows: int,
    n: int,
    uniform_row: int,
) -> None:
    """``drop_rows``: out = v / keep * floor(keep + uniform), where t < lengths[row]; out may be v."""
    if not rows or not n:
        return
    size = ELEMENT_SIZES[dtype]
    draws = rows if uniform_row else 1
    nbytes = 2 * rows * n * size + draws * n * size + INT * rows * ((lengths is not None) + (order is not None))
    if dtype == "float16":
        keep = float(np.float16(keep))  # once: by way of float32 it would be rounded twice
    values = (out, v, uniform, order, lengths, keep, t, rows, n, uniform_row)
    addresses = out | v | uniform | uniform_row * size
    _launch(device, stream, "drop_rows", dtype, rows, n, 1, addresses, values, "dropout", nbytes)


def launch_write_chunk(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    clock: int,
    lengths: int | None,
    order: int | None,
    chunk: int,
    n: int,
    active: int,
    rows: int,
    t0: int,
    len: int,
) -> None:
    """``write_chunk``: a chunk [len, active, n] to the caller's outputs from step t0 on, +0 for finished rows."""
    if not rows or not n or not len:
        return
    size = ELEMENT_SIZES[dtype]
    nbytes = len * n * size * (active + rows)
    nbytes += INT * ((active if lengths else 0) + (rows if order else 0))
    values = (clock, lengths, order, chunk, n, active, rows, t0, len)
    _launch(device, stream, "write_chunk", dtype, rows, n, len, chunk, values, "write chunk", nbytes)


def launch_set_clock(
    device: Device,
    stream: Any,
    *,
    clock: int,
    now: int,
    outputs: int | None,
    output_t: int,
    output_row: int,
) -> None:
    """``set_clock``: the next chunk starts at ``now``; outputs lie by those strides, in elements of their dtype."""
    values = (clock, now, outputs, output_t, output_row)
    device.launch(kernel("clock", "set_clock", "any"), (1, 1, 1), (1, 1, 1), values, stream, "set clock", CLOCK_BYTES)


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
    width = geometry.vector(ELEMENT_SIZES[dtype], columns, addresses, rows * steps)
    chosen = kernel("elementwise", entry if width == 1 else f"{entry}_vec", dtype)
    shape = geometry.blocks(rows, columns // width, steps)
    device.launch(chosen, shape.grid, shape.block, values, stream, purpose, nbytes)
