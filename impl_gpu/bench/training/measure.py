"""Times training: checks the gradients, then takes every way to keep what is saved, in turn.

Moving bytes to the host and back changes none of them: a way that moved everything and gives other bits is refused, as
one is whose gradients differ from float64.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import cupy
import numpy as np

from ...device.memory import Peak
from .. import oracle as forward_oracle
from ..clock import clock_of
from ..measure import FEWEST
from ..networks import Inputs
from ..points import Point, Shape, describe, flops, lengths_of
from . import oracle
from .network import Cotangents, TrainedNetwork, named
from .points import KEPT, WAYS, points

ROUNDS_BEFORE = 2
SEED = 20171026
PRODUCTS = 3  # of the size of the forward pass's: its own, and two backward

Work = Callable[[], Any]


class TrainingBench:
    """One run over all points of some shapes; the arguments are those of ``Bench``."""

    def __init__(
        self, device: Any, shapes: tuple[Shape, ...], seconds: float, repeats: int, parallel_iterations: int, rival: Any
    ) -> None:
        self._device = device
        self._points = list(points(shapes))
        self._deadline = time.monotonic() + seconds
        self._repeats = repeats
        self._parallel_iterations = parallel_iterations
        self._rival = rival
        self._clock = clock_of(device)
        self._xp: Any = cupy if device.kind == "cuda" else np

    def run(self) -> Iterator[dict[str, Any]]:
        """One entry for each point, as it is measured."""
        for number, point in enumerate(self._points):
            left = self._deadline - time.monotonic()
            if left <= 0:
                yield describe(point) | {"dropped": "the time budget is spent"}
                continue
            try:
                yield describe(point) | self._measure(point, left / (len(self._points) - number))
            except MemoryError as error:
                yield describe(point) | {"dropped": f"out of memory: {error}"}

    def _measure(self, point: Point, share: float) -> dict[str, Any]:
        end = time.monotonic() + share
        tf32, lengths = point.precision == "tf32", lengths_of(point, SEED)
        inputs = Inputs.drawn(point.shape, point.dtype, self._device, SEED)
        cotangents = Cotangents(point.shape, point.cell, point.dtype, self._device, SEED + 1)
        network = TrainedNetwork(point, self._parallel_iterations)
        network.build(inputs.sets[0])
        expected = self._expected(point, network, inputs, cotangents, lengths)
        sides: dict[str, Work] = {}
        entry: dict[str, Any] = {"errors": {}, "memory": {}, "peak_bytes": {}}
        kept: dict[str, Any] = {}
        for way in WAYS:
            first = network.training(Inputs(inputs.sets[:1]), cotangents, lengths, way, tf32)
            for _ in range(ROUNDS_BEFORE - 1):
                first()
            (gradients, report), entry["peak_bytes"][way.name] = self._peak(first)
            entry["memory"][way.name] = report._asdict()
            got = named(gradients)
            del gradients
            entry["errors"][way.name], wrong = self._judge(point, got, expected, lengths)
            if way == KEPT:
                kept |= got
            elif wrong is None and report.recomputed_bytes == 0:
                wrong = self._other_bits(got, kept)
            if wrong is not None:
                return {"refused": f"{way.name}: {wrong}", "errors": entry["errors"]}
            sides[way.name] = network.training(inputs, cotangents, lengths, way, tf32)
            del got
        kept.clear()
        if not isinstance(self._rival, str):
            entry |= self._against(point, network, inputs, cotangents, lengths, expected, sides, entry)
        times = self._times(sides, end)
        medians = {name: float(np.median(found)) for name, found in times.items()}
        return entry | {
            "milliseconds": times,
            "medians": medians,
            "penalty": {way.name: medians[way.name] / medians[KEPT.name] - 1 for way in WAYS if way != KEPT},
            "tflops": PRODUCTS * flops(point, lengths) / medians[KEPT.name] / 1e9,
            **({"ratio": medians["torch"] / medians[KEPT.name]} if "torch" in medians else {}),
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

    def _peak(self, work: Work) -> tuple[Any, int]:
        """What ``work`` gives, and the most device memory that it had besides what was in use before."""
        before = self._device.live_bytes()
        with self._device.watched(peak := Peak()):
            result = work()
            self._device.synchronize(self._device.current_stream(), "bench")
        return result, peak.nbytes - before

    def _against(
        self,
        point: Point,
        network: TrainedNetwork,
        inputs: Inputs,
        cotangents: Cotangents,
        lengths: list[int] | None,
        expected: dict[str, Any],
        sides: dict[str, Work],
        entry: dict[str, Any],
    ) -> dict[str, Any]:
        """Adds PyTorch to ``sides`` and ``entry``; the notes that go with it."""
        tf32 = point.precision == "tf32"
        other = self._rival.TrainedRival(point, network.weights(), inputs, cotangents)
        sides["torch"] = other.work(lengths, tf32)
        found, entry["peak_bytes"]["torch"] = other.first_gradients(lengths, tf32)
        if not self._rival.SAME_NETWORK[point.cell]:
            return {"note": "another network: cuDNN's GRU resets after the candidate's product"}
        entry["errors"]["torch"], wrong = self._judge(point, found, expected, lengths)
        return {} if wrong is None else {"note": f"not comparable, PyTorch's {wrong}"}

    def _judge(
        self, point: Point, got: dict[str, Any], expected: dict[str, Any], lengths: list[int] | None
    ) -> tuple[dict[str, float], str | None]:
        """The relative error of each gradient, and what is wrong if one is too large or past the end not zero."""
        if self._xp is np:
            got = {name: self._device.to_numpy(value) for name, value in got.items()}
        errors, wrong = forward_oracle.judge(
            self._xp, got, expected, oracle.TOLERANCES[point.precision], "inputs", lengths
        )
        return errors, None if wrong is None else f"gradients of {wrong}"

    def _other_bits(self, got: dict[str, Any], kept: dict[str, Any]) -> str | None:
        """What differs from the gradients of the call that moved nothing."""
        for name in kept:
            one, other = self._device.to_numpy(got[name]), self._device.to_numpy(kept[name])
            if one.tobytes() != other.tobytes():
                return f"gradients of {name} are not bit for bit those without swapping"
        return None

    def _expected(
        self, point: Point, network: TrainedNetwork, inputs: Inputs, cotangents: Cotangents, lengths: list[int] | None
    ) -> dict[str, Any]:
        enter = self._device.to_numpy if self._xp is np else self._xp.asarray
        weights = {name: self._xp.asarray(value) for name, value in network.weights().items()}
        d_state = {name: enter(value) for name, value in cotangents.state.items()}
        x, d_outputs = enter(inputs.sets[0]), enter(cotangents.outputs)
        return oracle.run(self._xp, point.cell, weights, x, lengths, d_outputs, d_state)
