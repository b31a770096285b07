"""Finds the longest sequence that trains within a limit of device memory, with and without swapping.

It searches from the ceiling downwards by halving; each try is a forward and a backward pass. The caller's arrays are
there all the while: inputs, outputs, and the gradients of both.
"""

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import cupy
import numpy as np

import impl_gpu

from ..points import Point, Shape
from .network import Cotangents, TrainedNetwork, named
from .points import KEPT, MOVED, Limit, Way, caller_bytes, ceiling

AUTO = Way("swapped", True)
PRECISION = "fp32"
PARTS = 64
"""The search ends at this part of the ceiling, or at one step."""
NAMES_SWAPPING = "swap_memory=True"


class Found:
    """What a search has found: the most steps that trained, and why more did not."""

    def __init__(self) -> None:
        self.steps = 0
        self.report: Any = None
        self.why_not: str | None = None


class Longest:
    """The search for one shape, whose T is not used; an LSTM in strict float32, dense."""

    def __init__(self, device: Any, shape: Shape, limit: Limit) -> None:
        self._device = device
        self._shape = shape
        self._limit = limit
        self._point = Point(shape, "LSTM", PRECISION, "dense")
        self._itemsize = np.dtype(self._point.dtype).itemsize

    def run(self) -> dict[str, Any]:
        """Both searches as JSON: steps, their ceilings, and the memory reports of the longest calls."""
        entry: dict[str, Any] = {
            "shape": self._shape._asdict(),
            "limit_bytes": self._limit.nbytes,
            "caller_bytes_of_a_step": caller_bytes(self._shape, self._itemsize),
        }
        with self._limited():
            network = self._network()
            weights = sum(value.nbytes for value in network.weights().values())
            entry["weights_bytes"] = weights
            for way in (KEPT, AUTO):
                highest = self._ceiling(network, weights, way)
                found = self._search(network, way, highest)
                entry[way.name] = {
                    "steps": found.steps,
                    "ceiling": highest,
                    "part_of_ceiling": found.steps / highest,
                    "memory": None if found.report is None else found.report._asdict(),
                    "why_not_more": found.why_not,
                }
            wrong = self._wrong(network, entry)
        kept, swapped = (entry[way.name]["steps"] for way in (KEPT, AUTO))
        return entry | ({"refused": wrong} if wrong else {"times_longer": swapped / kept})

    def _wrong(self, network: TrainedNetwork, entry: dict[str, Any]) -> str | None:
        """What is wrong with what was found, if anything."""
        kept = entry[KEPT.name]
        if not (kept["steps"] and entry[AUTO.name]["steps"]):
            return f"nothing trains: {kept['why_not_more'] or entry[AUTO.name]['why_not_more']}"
        if kept["why_not_more"] is not None and NAMES_SWAPPING not in kept["why_not_more"]:
            return f"the error does not name swap_memory: {kept['why_not_more']}"
        one, other = (self._gradients(network, kept["steps"], way) for way in (KEPT, MOVED))
        differ = [name for name in one if one[name].tobytes() != other[name].tobytes()]
        return f"gradients of {', '.join(differ)} are not bit for bit those without swapping" if differ else None

    def _search(self, network: TrainedNetwork, way: Way, highest: int) -> Found:
        found = Found()
        low, high = 0, highest + 1  # ``low`` trains, ``high`` does not
        attempt = highest
        while high - low > max(1, highest // PARTS):
            try:
                report = self._train(network, attempt, way)
            except MemoryError as error:
                # CuPy's own, for an array of the caller's, says nothing of swapping and need not.
                high, found.why_not = attempt, str(error)
            else:
                low, found.steps, found.report = attempt, attempt, report
            self._clear()
            attempt = (low + high) // 2
        return found

    def _train(self, network: TrainedNetwork, steps: int, way: Way) -> Any:
        """The MemoryReport of one call and its pull."""
        return self._trained(network, steps, way)[1]

    def _gradients(self, network: TrainedNetwork, steps: int, way: Way) -> dict[str, Any]:
        """The gradients of the weights, on the host."""
        gradients, _ = self._trained(network, steps, way)
        found = {name: self._device.to_numpy(value) for name, value in named(gradients).items() if name != "inputs"}
        del gradients
        self._clear()
        return found

    def _trained(self, network: TrainedNetwork, steps: int, way: Way) -> Any:
        shape = self._shape._replace(T=steps)
        x = self._device.enter(_values(shape, self._point.dtype, 1))
        cotangents = Cotangents(shape._replace(T=1), "LSTM", self._point.dtype, self._device, 2)
        d_outputs = self._device.enter(_values(shape, self._point.dtype, 3))
        outputs, vjp = network.forward(x, None, way, None, tf32=False)
        gradients = vjp(d_outputs, cotangents.packed())
        self._device.synchronize(self._device.current_stream(), "bench")
        del outputs  # until here: they are the caller's
        return gradients, vjp.memory

    def _ceiling(self, network: TrainedNetwork, weights: int, way: Way) -> int:
        """See ``points.ceiling``; what is saved of a step, and the slots, are those of a call of many chunks."""
        steps = 64 * self._limit.parallel_iterations
        report = network.forecast(self._shape._replace(T=steps), None, swap_memory=False)
        block = report.unswapped_bytes // report.chunks
        saved, slots = (0, 2 * block) if way.swap_memory else (report.unswapped_bytes // steps, 0)
        return ceiling(self._limit.nbytes, self._shape, self._itemsize, weights, saved, slots)

    def _network(self) -> TrainedNetwork:
        network = TrainedNetwork(self._point, self._limit.parallel_iterations)
        network.build(self._device.enter(_values(self._shape._replace(T=1), self._point.dtype, 0)))
        self._clear()
        return network

    @contextlib.contextmanager
    def _limited(self) -> Iterator[None]:
        """Within the block the device has no more memory than the limit; idle memory is given back first."""
        self._clear()
        before = self._set_limit(self._limit.nbytes)
        try:
            yield
        finally:
            self._set_limit(before)
            self._clear()

    def _set_limit(self, nbytes: int | None) -> int | None:
        """Set the limit, and return the one before."""
        before: int | None
        if self._device.kind == "cuda":
            pool = cupy.get_default_memory_pool()
            before = pool.get_limit()  # 0: none
            pool.set_limit(size=nbytes)
        else:
            before, self._device.memory_limit = self._device.memory_limit, nbytes
        return before

    def _clear(self) -> None:
        impl_gpu.clear_caches()
        gc.collect()  # an error's traceback holds the arrays of its call
        if self._device.kind == "cuda":
            self._device.synchronize(self._device.current_stream(), "bench")
            cupy.get_default_memory_pool().free_all_blocks()


def _values(shape: Shape, dtype: str, seed: int) -> Any:
    """Random numbers [T, B, H], the same ones every few steps: drawing all would take longer than training."""
    drawn = np.random.default_rng(seed).standard_normal((min(shape.T, 16), shape.B, shape.H), dtype=np.float32)
    return np.resize(drawn.astype(dtype), (shape.T, shape.B, shape.H))
