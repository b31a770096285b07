"""Computes input products for a whole chunk of steps at once, for the lowest layer one chunk ahead of the steps.

The products run on a stream beside the caller's, into one of two gate
slots, while the steps of the chunk before work in the other. Four events in all keep them apart, two for each slot:
``filled`` says to the steps that the products are there, ``free`` says to the products that the steps have left.
"""

from collections.abc import Callable
from typing import Any

from ..device.seam import Device, row_major
from .layers import KINDS
from .layout import SLOTS
from .plan import Layer
from .precision import Precision
from .ragged import Chunk
from .workspace import Workspace


def input_product(
    device: Device,
    stream: Any,
    layer: Layer,
    weight: int,
    precision: Precision,
    *,
    inputs: int,
    depth: int,
    gates: int,
    chunk: Chunk,
    tf32: bool,
) -> None:
    """gates [length * active, G n] = inputs [length * active, depth] K: what no step of the chunk has to wait for."""
    rows, columns = chunk.length * chunk.active, KINDS[layer.kind].GATES * layer.units
    if depth == 0:
        device.zero(gates, rows * columns * precision.accumulated, stream, "input product of no columns")
        return
    call = row_major(
        inputs,
        weight,
        gates,
        rows,
        columns,
        depth,
        dtype=precision.name,
        accumulator=precision.accumulator,
        lda=depth,
        ldb=columns,
        ldc=columns,
        accumulate=False,
        tf32=tf32,
    )
    device.gemm(call, stream, "input product")


class ProductsAhead:
    """The input products of the lowest layer, on a second stream."""

    def __init__(
        self,
        device: Device,
        stream: Any,
        side: Any,
        workspace: Workspace,
        chunks: tuple[Chunk, ...],
    ) -> None:
        """What ``stream`` has been given so far makes all that the products, on ``side``, read."""
        self._device = device
        self._stream = stream
        self._side = side
        self._workspace = workspace
        self._chunks = chunks
        self._await_inputs()

    def start(self, number: int, fill: Callable[[Any, Chunk, int], None]) -> None:
        """Enqueue the products of that chunk, if there is one, into the slot that chunk ``number - 2`` had.

        ``fill(stream, chunk, gates)`` enqueues the product of a chunk.
        """
        if number >= len(self._chunks):
            return
        slot = number % SLOTS
        if number >= SLOTS:
            self._await_steps(slot)
        fill(self._side, self._chunks[number], self._workspace.addresses[f"gates {slot}"])
        self._device.record_event(self._workspace.filled[slot], self._side)

    def await_products(self, number: int) -> None:
        """Later work on the caller's stream finds the products of that chunk in its slot [PAR-2]."""
        self._device.wait_event(self._stream, self._workspace.filled[number % SLOTS])

    def leave(self, number: int) -> None:
        """The caller's stream has been given all work on the slot of that chunk."""
        self._device.record_event(self._workspace.free[number % SLOTS], self._stream)

    def join(self) -> None:
        """Later work on the caller's stream comes after all products, also those that no steps have waited for."""
        self._device.record_event(self._workspace.started, self._side)
        self._device.wait_event(self._stream, self._workspace.started)

    def _await_inputs(self) -> None:
        """The products find what the caller's stream has been given to do so far done [PAR-2]."""
        self._device.record_event(self._workspace.started, self._stream)
        self._device.wait_event(self._side, self._workspace.started)

    def _await_steps(self, slot: int) -> None:
        """Later products find the slot left by the steps that worked in it [PAR-2]."""
        self._device.wait_event(self._side, self._workspace.free[slot])
