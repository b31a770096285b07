"""Carries the gradients of the states, from the caller's cotangents of the final state to the initial state.

Letters: B rows, n units, p columns of h.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..arrays import in_whole_rows
from ..device.seam import Device
from ..fused.plan import Columns, Plan
from ..fused.precision import Precision
from ..fused.ragged import Schedule
from .tape import columns_of


def carried_regions(plan: Plan, precision: Precision, rows: int) -> list[tuple[str, int]]:
    """The regions of each layer k, in the accumulator and in the order by length: "d c k" [B, n]; "d last k" [B, p],
    the gradient of the last h of each row; "d next k" [B, p], that of the h that the step before has made."""
    regions = []
    for index, layer in enumerate(plan.layers):
        for name in layer.states:
            nbytes = rows * columns_of(layer, name) * precision.accumulated
            names = ("d c",) if name == "c" else ("d last", "d next")
            regions += [(f"{one} {index}", nbytes) for one in names]
    return regions


class Carried:
    """The gradients of the states during one pull; each step hands them to the step before it."""

    def __init__(
        self,
        device: Device,
        stream: Any,
        plan: Plan,
        precision: Precision,
        runs: Schedule,
        addresses: dict[str, int],
        order: int | None,
        lengths: int | None,
    ) -> None:
        self._device = device
        self._stream = stream
        self._plan = plan
        self._precision = precision
        self._rows = runs.batch_size
        self._steps = runs.steps
        self._addresses = addresses
        self._order = order
        self._lengths = lengths

    def load(self, d_state: Sequence[Any]) -> None:
        """The caller's cotangents of the final state, by leaf; None: zeros."""
        leaves = [None if leaf is None else in_whole_rows(leaf) for leaf in d_state]
        for index, name, columns in self._each():
            leaf = leaves[columns.leaf]
            kernels.launch_load_state_cotangent(
                self._device,
                self._stream,
                dtype=self._precision.name,
                dst=self._addresses[f"{'d c' if name == 'c' else 'd last'} {index}"],
                src=None if leaf is None else _column(leaf, columns),
                order=self._order,
                rows=self._rows,
                n=columns.width,
                src_row=_row(leaf),
            )

    def store(self, d_state: Sequence[Any], widths: Sequence[int], dtype: Any) -> list[Any]:
        """The gradients of the initial state as new arrays [B, width], one for each leaf of the whole.

        Those of rows without a step that counts are the caller's cotangents, bit for bit [GRAD-10].
        """
        originals = [None if leaf is None else in_whole_rows(leaf) for leaf in d_state]
        leaves = []
        for width in widths:
            nbytes = max(1, self._rows * width * self._precision.stored)
            buffer = self._device.allocate(nbytes, self._stream, "gradient of the initial state")
            leaves.append(self._device.array(buffer, (self._rows, width), np.dtype(dtype)))
        for index, name, columns in self._each():
            leaf, original = leaves[columns.leaf], originals[columns.leaf]
            kernels.launch_store_state_gradient(
                self._device,
                self._stream,
                dtype=self._precision.name,
                dst=_column(leaf, columns),
                carried=self._addresses[f"{'d c' if name == 'c' else 'd next'} {index}"],
                original=None if original is None else _column(original, columns),
                order=self._order,
                lengths=self._lengths,
                rows=self._rows,
                n=columns.width,
                steps=self._steps,
                dst_row=_row(leaf),
                original_row=_row(original),
            )
        return leaves

    def _each(self) -> Iterator[tuple[int, str, Columns]]:
        """Every state of every layer; of none where there are no rows."""
        for index, layer in enumerate(self._plan.layers if self._rows else ()):
            for name, columns in layer.states.items():
                yield index, name, columns


def _column(leaf: Any, columns: Columns) -> int:
    """The address of the first of these columns."""
    return int(leaf.data.ptr) + columns.start * int(leaf.itemsize)


def _row(leaf: Any) -> int:
    """Elements from one row to the next; 0 of no leaf."""
    return 0 if leaf is None else int(leaf.strides[0]) // int(leaf.itemsize)
