"""Lays out the inputs of a call as chunks of rows that a product can read.

Letters: T steps, B rows, d columns; x seen as [T, B, d] whatever the caller's layout.
"""

from typing import Any

from .. import kernels
from ..arrays import in_whole_rows
from ..device.seam import Buffer, Device
from .precision import Precision
from .ragged import Chunk, Schedule


class Inputs:
    """x, read where it lies if its rows follow each other as the chunks want them, else from one packed copy."""

    def __init__(self, x: Any, time_major: bool, runs: Schedule, precision: Precision, shielded: bool = False) -> None:
        """``shielded``: rows hold zeros past their lengths, whatever the caller's hold there."""
        x = in_whole_rows(x if time_major else x.swapaxes(0, 1), leading=2)  # IN-1, TIME-2
        self._x = x
        self._runs = runs
        self._precision = precision
        self._purpose = "pack rows" if time_major else "transpose"
        self._shielded = shielded and runs.lengths is not None
        self._direct = runs.whole and bool(x.flags.c_contiguous) and not self._shielded
        self._packed: Buffer | None = None
        self._row_bytes: int = x.shape[2] * precision.stored

    @property
    def depth(self) -> int:
        return int(self._x.shape[2])

    @property
    def is_packed(self) -> bool:
        """Whether they are read from a packed copy."""
        return not self._direct and packed_bytes(self._runs, self._row_bytes) > 0

    def pack(self, device: Device, stream: Any, tables: dict[str, int]) -> None:
        """Make the packed copy, if one is needed; ``tables`` has the addresses of what says where rows go."""
        if not self.is_packed:
            return
        runs, x = self._runs, self._x
        self._packed = device.allocate(packed_bytes(runs, self._row_bytes), stream, "packed inputs")
        kernels.launch_pack_rows(
            device,
            stream,
            itemsize=self._precision.stored,
            dst=self._packed.ptr,
            src=x.data.ptr,
            order=None if runs.order is None else tables["order"],
            active=tables["active"],
            base=tables["base"],
            lengths=tables["lengths"] if self._shielded else None,
            chunk=runs.steps if runs.lengths is None else runs.per_chunk,
            T=runs.end,
            rows=max(chunk.active for chunk in runs.chunks),
            row_elements=self.depth,
            src_t=x.strides[0] // x.itemsize,
            src_row=x.strides[1] // x.itemsize,
            packed=runs.packed_rows,
            purpose=self._purpose,
        )

    def address(self, chunk: Chunk) -> int:
        """Where the inputs of a chunk begin: ``active`` rows for each of its steps, without gaps."""
        if self._direct:
            return int(self._x.data.ptr) + chunk.first * self._runs.batch_size * self._row_bytes
        packed = 0 if self._packed is None else self._packed.ptr
        return packed + chunk.base * self._row_bytes


def packed_bytes(runs: Schedule, row_bytes: int) -> int:
    """What a packed copy of the inputs takes."""
    return runs.packed_rows * row_bytes
