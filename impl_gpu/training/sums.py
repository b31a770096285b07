"""Keeps the sums of the variables' gradients during a pull, and makes arrays of them at its end.

A sum belongs to the weight of a cell, whole and in TensorFlow's layout; cells that share the weight share the sum.
Sums are of the accumulator, over all chunks, and are rounded once, at the end.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import kernels
from ..device.seam import Device
from ..fused.layout import Layout
from ..fused.plan import Plan
from ..fused.precision import Precision
from .layers import BACK

Key = tuple[int, ...]


def sums_layout(plan: Plan, precision: Precision) -> Layout:
    """A region "sum i" for weight number i."""
    sizes = [(f"sum {number}", _elements(weight)) for number, weight in enumerate(_weights(plan).values())]
    return Layout(tuple((name, count * precision.accumulated) for name, count in sizes))


class Sums:
    """The sums of one pull, in the regions of ``sums_layout``, which follow each other."""

    def __init__(
        self, device: Device, stream: Any, plan: Plan, precision: Precision, addresses: dict[str, int]
    ) -> None:
        self._device = device
        self._stream = stream
        self._precision = precision
        self._plan = plan
        self._weights = _weights(plan)
        self._ptrs = {key: addresses[f"sum {number}"] for number, key in enumerate(self._weights)}
        # GRAD-19: what an earlier pull has summed up is gone.
        device.zero(addresses["sum 0"], sums_layout(plan, precision).nbytes, stream, "gradients of variables")

    def of(self, layer: int) -> dict[str, int]:
        """The addresses of the sums of a layer, by the names of its weights."""
        cell, back = self._plan.layers[layer].cell, BACK[self._plan.layers[layer].kind]
        return {name: self._ptrs[_key(weight)] for name, weight in back.trained(cell).items()}

    def store(self) -> dict[str, Any]:
        """The gradients as new arrays, by the names of the variables."""
        arrays = {}
        for key, weight in self._weights.items():
            start = self._ptrs[key]
            for variable in weight.parts:
                arrays[variable.name] = self._narrowed(start, variable.shape, variable.dtype)
                start += int(np.prod(variable.shape)) * self._precision.accumulated
        return arrays

    def _narrowed(self, source: int, shape: tuple[int, ...], dtype: Any) -> Any:
        count = int(np.prod(shape))
        nbytes = max(1, count * self._precision.stored)
        buffer = self._device.allocate(nbytes, self._stream, "gradients of variables")
        kernels.launch_narrow_values(
            self._device, self._stream, dtype=self._precision.name, dst=buffer.ptr, src=source, count=count
        )
        return self._device.array(buffer, shape, dtype)


def _weights(plan: Plan) -> dict[Key, Any]:
    """Every weight of every layer, once."""
    return {_key(weight): weight for weight in _all_weights(plan)}


def _all_weights(plan: Plan) -> Iterator[Any]:
    for layer in plan.layers:
        yield from BACK[layer.kind].trained(layer.cell).values()


def _key(weight: Any) -> Key:
    """The key of a weight: cells that share variables have a Weight each, over the same ones [GRAD-16]."""
    return tuple(id(part) for part in weight.parts)


def _elements(weight: Any) -> int:
    return sum(int(np.prod(part.shape)) for part in weight.parts)
