"""Moves the states of the layers: from what the caller gave into the workspace, and back out."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..arrays import in_whole_rows
from ..device.seam import Device
from .plan import Columns, Layer
from .precision import Precision


class States:
    """The states of all layers, in the workspace in sorted order; for the caller, leaves in the caller's order."""

    def __init__(
        self,
        device: Device,
        stream: Any,
        layers: Sequence[Layer],
        addresses: dict[str, int],
        order: int | None,
        rows: int,
        precision: Precision,
    ) -> None:
        self._device = device
        self._stream = stream
        self._layers = layers
        self._addresses = addresses
        self._order = order
        self._rows = rows
        self._precision = precision

    def load(self, leaves: Sequence[Any] | None) -> None:
        """The initial states: those given, or zeros."""
        given = None if leaves is None else [in_whole_rows(leaf) for leaf in leaves]
        for columns, ptr in self._each():
            if given is None:
                nbytes = self._rows * columns.width * self._precision.stored
                self._device.zero(ptr, nbytes, self._stream, "zero state")
                continue
            leaf = given[columns.leaf]  # INIT-3, INIT-5
            self._move(
                dst=ptr,  # SIG-6: the steps write their states here, never into the caller's
                src=leaf.data.ptr + columns.start * leaf.itemsize,
                gather=1,
                row_elements=columns.width,
                dst_row=columns.width,
                src_row=leaf.strides[0] // leaf.itemsize,
            )

    def store(self, widths: Sequence[int], dtype: Any) -> list[Any]:
        """The states as new arrays [B, width], one for each leaf of the whole."""
        leaves = []
        for width in widths:
            # INIT-10: memory of its own, also where no step has changed the state that was given.
            buffer = self._device.allocate(max(1, self._rows * width * self._precision.stored), self._stream, "state")
            leaves.append(self._device.array(buffer, (self._rows, width), np.dtype(dtype)))  # STATE-1
        for columns, ptr in self._each():
            leaf = leaves[columns.leaf]
            self._move(
                dst=leaf.data.ptr + columns.start * leaf.itemsize,
                src=ptr,
                gather=0,
                row_elements=columns.width,
                dst_row=widths[columns.leaf],
                src_row=columns.width,
            )
        return leaves

    def _each(self) -> Iterator[tuple[Columns, int]]:
        """The columns of the whole and the address of every state; nothing where there are no rows."""
        for layer, one in enumerate(self._layers):
            for name, columns in one.states.items():
                if self._rows:
                    yield columns, self._addresses[f"{name} {layer}"]

    def _move(self, **what: Any) -> None:
        kernels.launch_move_rows(
            self._device, self._stream, itemsize=self._precision.stored, order=self._order, rows=self._rows, **what
        )
