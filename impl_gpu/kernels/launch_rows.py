"""Launches the kernels that move rows as they are, whatever their dtype.

Every argument is named as the kernel's parameter in rows.cu, which says what it means; pointers are addresses, sizes
and strides count elements of ``itemsize`` bytes. The widest pieces that all of them allow are moved. With no rows,
or empty ones, nothing is launched.
"""

from typing import Any

from ..device.seam import Device
from . import geometry
from .registry import INT, LONG, kernel


def launch_masked_copy(
    device: Device,
    stream: Any,
    *,
    itemsize: int,
    dst: int,
    src: int,
    other: int | None,
    lengths: int | None,
    t: int,
    rows: int,
    row_elements: int,
    dst_row: int,
    src_row: int,
    other_row: int = 0,
) -> None:
    """``masked_copy``: row by row ``src`` where t < lengths[row], else ``other``, or zeros where that is None."""
    if not rows or not row_elements:
        return
    strides = (row_elements * itemsize, dst_row * itemsize, src_row * itemsize, other_row * itemsize)
    width = geometry.piece(dst, src, other or 0, *strides)
    nbytes = 2 * rows * strides[0] + (rows * INT if lengths else 0)
    values = (dst, src, other, lengths, t, rows, *(stride // width for stride in strides))
    _launch(device, stream, "masked_copy", width, rows, strides[0], 1, values, "masked copy", nbytes)


def launch_pack_rows(
    device: Device,
    stream: Any,
    *,
    itemsize: int,
    dst: int,
    src: int,
    order: int | None,
    active: int,
    base: int,
    lengths: int | None = None,
    chunk: int,
    T: int,
    rows: int,
    row_elements: int,
    src_t: int,
    src_row: int,
    packed: int,
    purpose: str = "pack rows",
) -> None:
    """``pack_rows``: of each step the first active rows of the order, one after another; zeros past their lengths.

    ``active`` and ``base`` are addresses of tables with an entry for each chunk; ``packed`` counts the rows of dst.
    """
    if not packed or not row_elements:
        return
    row, src_t, src_row = row_elements * itemsize, src_t * itemsize, src_row * itemsize
    width = geometry.piece(dst, src, row, src_t, src_row)
    nbytes = 2 * packed * row + rows * INT * (bool(lengths) + bool(order)) + -(-T // chunk) * (INT + LONG)
    values = (dst, src, order, active, base, lengths, chunk, T, rows, row // width, src_t // width, src_row // width)
    _launch(device, stream, "pack_rows", width, rows, row, T, values, purpose, nbytes)


def launch_move_rows(
    device: Device,
    stream: Any,
    *,
    itemsize: int,
    dst: int,
    src: int,
    order: int | None,
    gather: int,
    rows: int,
    row_elements: int,
    dst_row: int,
    src_row: int,
) -> None:
    """``move_rows``: gather: dst[r] = src[order[r]] ("load state"); else dst[order[r]] = src[r] ("store state")."""
    if not rows or not row_elements:
        return
    row, dst_row, src_row = row_elements * itemsize, dst_row * itemsize, src_row * itemsize
    width = geometry.piece(dst, src, row, dst_row, src_row)
    nbytes = 2 * rows * row + (rows * INT if order else 0)
    values = (dst, src, order, int(gather), rows, row // width, dst_row // width, src_row // width)
    purpose = "load state" if gather else "store state"
    _launch(device, stream, "move_rows", width, rows, row, 1, values, purpose, nbytes)


def _launch(
    device: Device,
    stream: Any,
    entry: str,
    width: int,
    rows: int,
    row: int,
    steps: int,
    values: tuple[Any, ...],
    purpose: str,
    nbytes: int,
) -> None:
    shape = geometry.blocks(rows, row // width, steps)
    device.launch(kernel("rows", entry, f"bytes{width}"), shape.grid, shape.block, values, stream, purpose, nbytes)
