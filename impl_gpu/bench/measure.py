"""Measures a point of the bench: checks its results, then takes medians in turn, within a budget of time.

Where time grows short there are fewer repeats; only when even FEWEST would be too many is a point dropped, and that
is said. A point whose results are wrong is refused: its error is written down, and no time.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import cupy
import numpy as np

from . import oracle
from .clock import clock_of
from .networks import Inputs, Network, results
from .points import MODES, Point, Shape, describe, flops, lengths_of, points

FEWEST = 3
ROUNDS_BEFORE = 3  # the second captures a graph, the third replays it
SEED = 20171025

Work = Callable[[], Any]


class Bench:
    """One run over all points of some shapes.

    Args:
        device: impl_gpu's current device.
        shapes: what to measure.
        seconds: the budget; the run ends soon after it.
        repeats: the most repeats of one point.
        parallel_iterations: the chunk of steps whose input products are done at once.
        rival: the module ``rival``, or why there is none.
    """

    def __init__(
        self,
        device: Any,
        shapes: tuple[Shape, ...],
        seconds: float,
        repeats: int,
        parallel_iterations: int,
        rival: Any,
    ) -> None:
        self._device = device
        self._points = list(points(shapes))
        self._deadline = time.monotonic() + seconds
        self._repeats = repeats
        self._parallel_iterations = parallel_iterations
        self._rival = rival
        self._clock = clock_of(device)
        self._xp: Any = cupy if device.kind == "cuda" else np
        self._kept: dict[str, tuple[Any, Any]] = {}

    def run(self) -> Iterator[dict[str, Any]]:
        """One entry for each point, as it is measured."""
        for number, point in enumerate(self._points):
            left = self._deadline - time.monotonic()
            entry = describe(point)
            if left <= 0:
                yield entry | {"dropped": "the time budget is spent"}
                continue
            try:
                yield entry | self._measure(point, left / (len(self._points) - number))
            except MemoryError as error:
                self._kept.clear()
                yield entry | {"dropped": f"out of memory: {error}"}

    def _measure(self, point: Point, share: float) -> dict[str, Any]:
        end = time.monotonic() + share
        inputs, network, lengths = self._inputs(point), self._network(point), lengths_of(point, SEED)
        expected = self._expected(point, network, inputs, lengths)
        tf32 = point.precision == "tf32"
        sides: dict[str, Work] = {}
        errors: dict[str, Any] = {}
        for mode in MODES:
            first = network.work(Inputs(inputs.sets[:1]), lengths, tf32, graph=mode == "graph")
            for _ in range(ROUNDS_BEFORE - 1):
                first()
            errors[mode], wrong = self._judge(point, results(first()), expected, lengths)
            if wrong is not None:
                return {"refused": f"{mode}: {wrong}", "errors": errors}
            sides[mode] = network.work(inputs, lengths, tf32, graph=mode == "graph")
        note = None
        if not isinstance(self._rival, str):
            sides["torch"], errors["torch"], note = self._against(point, network, inputs, lengths, expected)
        times = self._times(sides, end)
        medians = {name: float(np.median(found)) for name, found in times.items()}
        best = min(medians[mode] for mode in MODES)
        return {
            "errors": errors,
            "milliseconds": times,
            "medians": medians,
            "tflops": flops(point, lengths) / best / 1e9,
            **({"ratio": medians["torch"] / best} if "torch" in medians else {}),
            **({} if note is None else {"note": note}),
        }

    def _times(self, sides: dict[str, Work], end: float) -> dict[str, list[float]]:
        """The sides in turn, so that what the machine does meanwhile happens to all of them."""
        for work in sides.values():
            self._clock.milliseconds(work)
        times: dict[str, list[float]] = {name: [] for name in sides}
        for done in range(self._repeats):
            if done >= FEWEST and time.monotonic() >= end:
                break
            for name, work in sides.items():
                times[name].append(self._clock.milliseconds(work))
        return times

    def _against(
        self, point: Point, network: Network, inputs: Inputs, lengths: list[int] | None, expected: dict[str, Any]
    ) -> tuple[Work, dict[str, float] | None, str | None]:
        tf32 = point.precision == "tf32"
        other = self._rival.Rival(point, network.weights(), inputs)
        work: Work = other.work(lengths, tf32)
        if not self._rival.SAME_NETWORK[point.cell]:
            return work, None, "another network: cuDNN's GRU resets after the candidate's product"
        errors, wrong = self._judge(point, other.first(lengths, tf32), expected, lengths)
        return work, errors, None if wrong is None else f"not comparable, PyTorch's {wrong}"

    def _judge(
        self, point: Point, got: dict[str, Any], expected: dict[str, Any], lengths: list[int] | None
    ) -> tuple[dict[str, float], str | None]:
        """The error of each result, and what is wrong, if anything is."""
        if self._xp is np:
            got = {name: self._device.to_numpy(value) for name, value in got.items()}
        return oracle.judge(self._xp, got, expected, oracle.TOLERANCES[point.precision], "outputs", lengths)

    # What is shared by points that follow each other; one of each kind is kept.

    def _inputs(self, point: Point) -> Inputs:
        key = (point.shape, point.dtype)
        found: Inputs = self._keep("inputs", key, lambda: Inputs.drawn(point.shape, point.dtype, self._device, SEED))
        return found

    def _network(self, point: Point) -> Network:
        def make() -> Network:
            network = Network(point, self._parallel_iterations)
            network.build(self._inputs(point).sets[0])
            return network

        found: Network = self._keep("network", (point.shape, point.cell, point.dtype), make)
        return found

    def _expected(
        self, point: Point, network: Network, inputs: Inputs, lengths: list[int] | None
    ) -> dict[str, Any]:
        def make() -> dict[str, Any]:
            x = self._device.to_numpy(inputs.sets[0]) if self._xp is np else inputs.sets[0]
            weights = {name: self._xp.asarray(value) for name, value in network.weights().items()}
            return oracle.run(self._xp, point.cell, weights, x, lengths)

        key = (point.shape, point.cell, point.dtype, point.lengths)
        found: dict[str, Any] = self._keep("expected", key, make)
        return found

    def _keep(self, kind: str, key: Any, make: Callable[[], Any]) -> Any:
        if kind not in self._kept or self._kept[kind][0] != key:
            self._kept.pop(kind, None)
            self._kept[kind] = (key, make())
        return self._kept[kind][1]
