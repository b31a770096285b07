"""Computes the blocks of a launch, and how many columns each thread reads at once."""

from functools import cache
from typing import NamedTuple

THREADS = 128  # of a block, as common.cuh has it
ACCESS = 16  # bytes of the widest access
MAX_BLOCKS_Y = MAX_BLOCKS_Z = 65535

LEAST_VECTOR_THREADS = 16384
"""Threads below which 16-byte accesses are not worth their width: about a block for each of the 132 multiprocessors of
an H200, so that small batches spread over the whole device instead. Reasoned, not measured."""


class Blocks(NamedTuple):
    """A launch over rows and columns; a block is ``block[0]`` groups of columns by ``block[1]`` rows."""

    grid: tuple[int, int, int]
    block: tuple[int, int, int]


@cache
def blocks(rows: int, groups: int, steps: int = 1) -> Blocks:
    """Rows along grid.x, groups of columns along grid.y, steps along grid.z.

    A block has THREADS threads; where a row has fewer groups, it takes several rows.
    """
    width = min(THREADS, 1 << max(groups - 1, 0).bit_length())
    height = THREADS // width
    grid = (-(-rows // height), min(-(-groups // width), MAX_BLOCKS_Y), min(steps, MAX_BLOCKS_Z))
    return Blocks(grid, (width, height, 1))


def vector(size: int, columns: int, addresses: int, rows: int) -> int:
    """Columns for each thread: 16 bytes of elements of ``size`` where that is legal and worth it, else 1.

    ``addresses`` are all pointers of the launch merged by | into one number. An ACC is never narrower than a STORE, so
    what keeps rows of STORE aligned keeps rows of ACC aligned.
    """
    width = ACCESS // size
    if addresses % ACCESS or columns % width or rows * columns < LEAST_VECTOR_THREADS * width:
        return 1
    return width


def piece(*numbers: int) -> int:
    """The widest of 16, 8, 4, 2 and 1 bytes that divides every number: addresses, and strides and rows in bytes."""
    merged = 0
    for number in numbers:
        merged |= number
    return min(merged & -merged, ACCESS) if merged else ACCESS
