"""The weights of a layer in device memory as its products read them; it refuses to know a cell's equations.

They stay at one address as long as their variables live, so that graphs over them stay right, and are written anew
when a variable has another version. ``_home`` is a stream of their own, on which they are written: it waits for every
call that has read them, so a write, and the end of the memory, come after all of these, whatever stream they ran on.
"""

import weakref
from typing import Any

import numpy as np

from ..device.seam import Device
from .layers import KINDS
from .layout import aligned
from .plan import Layer
from .precision import Numbers
from .staging import Staging


class PackedWeights:
    """The weights of one layer. ``addresses`` has the form of its kind's ``Weights``."""

    def __init__(self, device: Device, staging: Staging, layer: Layer, depth: int) -> None:
        packed = KINDS[layer.kind].weights(layer.cell, depth)
        self._device = device
        self._home = device.new_stream()
        self._written, self._read = device.new_event(), device.new_event()
        self._staging = staging
        nbytes = sum(aligned(part.nbytes) for part in _present(packed))
        self._buffer = device.allocate(nbytes, self._home, "weights")
        self.addresses = _placed(packed, self._buffer.ptr)
        self._versions: tuple[int, ...] | None = None
        self._variables = [weakref.ref(variable) for variable in layer.cell.variables]

    def alive(self) -> bool:
        """Whether all of its variables are."""
        return all(variable() is not None for variable in self._variables)

    def is_of(self, layer: Layer) -> bool:
        mine = [variable() for variable in self._variables]
        return len(mine) == len(layer.cell.variables) and all(
            one is other for one, other in zip(mine, layer.cell.variables, strict=True)
        )

    def begin(self, layer: Layer, depth: int, stream: Any) -> None:
        """Later work on ``stream`` finds the values that the variables have now."""
        versions = tuple(variable.version for variable in layer.cell.variables)
        if not self._holds(versions):
            self._write(KINDS[layer.kind].weights(layer.cell, depth))
            self._versions = versions
        self._await_write(stream)

    def end(self, stream: Any) -> None:
        """What ``stream`` has been given so far was all that reads the weights; later writes come after it."""
        self._device.record_event(self._read, stream)
        self._device.wait_event(self._home, self._read)

    def _holds(self, versions: tuple[int, ...]) -> bool:
        """Whether these are the versions of the variables that the last write was of."""
        return self._versions == versions

    def _await_write(self, stream: Any) -> None:
        self._device.wait_event(stream, self._written)

    def _write(self, packed: Any) -> None:
        data = b"".join(_padded(part) for part in _present(packed))
        self._staging.put(self._buffer.ptr, data, self._home, "weights")
        self._device.record_event(self._written, self._home)


class WeightsCache:
    """The packed weights of one device, by what they were packed from."""

    def __init__(self, device: Device, staging: Staging) -> None:
        self._device = device
        self._staging = staging
        self._kept: dict[tuple[Any, ...], PackedWeights] = {}

    def of(self, layer: Layer, depth: int) -> PackedWeights:
        """Those of this layer; cells that share their variables share them."""
        self._forget_dead()
        key = (layer.kind, KINDS[layer.kind].options(layer.cell), depth, *map(id, layer.cell.variables))
        found = self._kept.get(key)
        if found is None or not found.is_of(layer):
            found = self._kept[key] = PackedWeights(self._device, self._staging, layer, depth)
        return found

    def _forget_dead(self) -> None:
        for key in [key for key, weights in self._kept.items() if not weights.alive()]:
            del self._kept[key]


def _present(packed: Any) -> list[Numbers]:
    return [part for part in packed if part is not None]


def _padded(part: Numbers) -> bytes:
    return np.ascontiguousarray(part).tobytes().ljust(aligned(part.nbytes), b"\0")


def _placed(packed: Any, base: int) -> Any:
    """The address of each part, None for a missing one, in the form of ``packed``."""
    addresses: list[int | None] = []
    for part in packed:
        addresses.append(None if part is None else base)
        base += 0 if part is None else aligned(part.nbytes)
    return type(packed)(*addresses)
