"""Keeps the weights of a layer in device memory as its products read them.

They stay at one address as long as their variables live, so that graphs over them stay right, and are written anew
when a variable has another value. That is done on the stream ``home``, which waits for the end of every call: so a
write comes after all that read the old values, on whatever stream.
"""

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..device.seam import Buffer, Device
from .layers import KINDS
from .layers.steps import Read
from .layout import aligned
from .plan import Layer
from .precision import Numbers
from .staging import Staging
from .streams import Streams


class PackedWeights:
    """The weights of one layer. ``addresses`` has the form of its kind's ``Weights``, with None for what it lacks."""

    def __init__(self, device: Device, streams: Streams, staging: Staging, layer: Layer, depth: int) -> None:
        self._device = device
        self._home = streams.home
        self._staging = staging
        self._depth = depth
        self._variables = [weakref.ref(variable) for variable in layer.cell.variables]
        self._values: list[Numbers] = []  # of the variables, at the last write
        self._written = device.new_event()
        self._buffer: Buffer | None = None
        self.addresses: Any = None

    def alive(self) -> bool:
        """Whether all of its variables are still alive."""
        return all(variable() is not None for variable in self._variables)

    def is_of(self, layer: Layer) -> bool:
        """Whether these are weights of that layer's variables, and not of dead ones that had the same ids."""
        return _same([variable() for variable in self._variables], layer.cell.variables)

    def begin(self, layer: Layer, stream: Any, values: Sequence[Numbers] | None = None) -> None:
        """Later work on ``stream`` finds these values of the variables; None: those that they have now."""
        values = values_of(layer) if values is None else list(values)
        if not self._holds(values):
            self._write(KINDS[layer.kind].weights(layer.cell, self._depth, _reader(layer, values)))
            self._values = values
        self._await_write(stream)

    def _holds(self, values: list[Numbers]) -> bool:
        """Whether the last write was of these arrays: a variable that is assigned gets another one."""
        return _same(self._values, values)

    def _await_write(self, stream: Any) -> None:
        """Later work on ``stream`` finds the values of the variables that the cell has."""
        self._device.wait_event(stream, self._written)

    def _write(self, packed: Any) -> None:
        offsets, nbytes = _laid_out(packed)
        if self._buffer is None:
            self._buffer = self._device.allocate(nbytes, self._home, "weights")
            base = self._buffer.ptr
            self.addresses = type(packed)(*(None if offset is None else base + offset for offset in offsets))
        parts = [(offset, part) for offset, part in zip(offsets, packed, strict=True) if offset is not None]
        self._staging.put(self._buffer.ptr, parts, self._home, "weights")
        self._device.record_event(self._written, self._home)


class WeightsCache:
    """The packed weights of one device, by what they were packed from."""

    def __init__(self, device: Device, streams: Streams, staging: Staging) -> None:
        self._device = device
        self._streams = streams
        self._staging = staging
        self._kept: dict[tuple[Any, ...], PackedWeights] = {}

    def of(self, layer: Layer, depth: int) -> PackedWeights:
        """The packed weights of this layer; cells that share their variables share them."""
        self._forget_dead()
        key = (layer.kind, KINDS[layer.kind].options(layer.cell), depth, *map(id, layer.cell.variables))
        found = self._kept.get(key)
        if found is None or not found.is_of(layer):
            found = self._kept[key] = PackedWeights(self._device, self._streams, self._staging, layer, depth)
        return found

    def clear(self) -> None:
        """Let go of all of them."""
        self._kept.clear()

    def _forget_dead(self) -> None:
        for key in [key for key, weights in self._kept.items() if not weights.alive()]:
            del self._kept[key]


def values_of(layer: Layer) -> list[Numbers]:
    """What the variables of a layer hold now. These arrays are never written to: an assignment brings another one."""
    return [variable.value for variable in layer.cell.variables]


def _reader(layer: Layer, values: Sequence[Numbers]) -> Read:
    known = dict(zip(layer.cell.variables, values, strict=True))

    def read(weight: Any) -> Numbers:
        parts = [known[part] for part in weight.parts]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return read


def _same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


def _laid_out(packed: Any) -> tuple[list[int | None], int]:
    """The offset of each part, None for a missing one, and the bytes of all."""
    offsets: list[int | None] = []
    end = 0
    for part in packed:
        offsets.append(None if part is None else end)
        end += 0 if part is None else aligned(part.nbytes)
    return offsets, end
