"""Captures the steps of a chunk in graphs, which cost the host one call to run.

A graph freezes addresses and numbers. They are all in ``Steps``, by which graphs are found again, so no other work
can be replayed for the steps at hand; what changes under one address (weights, lengths, the clock) is read when the
graph runs. Steps are captured when they come the second time: the first time runs them one by one, which also has
every kernel and product loaded before a capture, where loading is not allowed.
"""

from collections import OrderedDict
from typing import Any

from ..device.seam import Device, Graph
from .layers import KINDS, Step, Steps
from .streams import Streams

GRAPHS_KEPT = 256
BY_THE_CLOCK = -1


class Graphs:
    """The graphs of one workspace."""

    def __init__(self, device: Device, streams: Streams) -> None:
        self._device = device
        self._streams = streams
        self._stream: Any = None
        self._found: OrderedDict[Steps, Graph | None] = OrderedDict()  # None: no graph yet; the longest unused first

    def of(self, steps: Steps, stream: Any) -> Graph | None:
        """The graph of these steps, to be replayed on ``stream``; None as long as they have not been run one by one."""
        if steps not in self._found:
            return None
        graph = self._found.pop(steps) or self._capture(steps, stream)
        self._keep(steps, graph)
        return graph

    def have_run(self, steps: Steps) -> None:
        """These steps have been run one by one, to the last of them."""
        self._keep(steps, None)

    def clear(self) -> None:
        """Forget all graphs."""
        self._found.clear()
        if self._stream is not None:
            self._streams.give_back_capturing(self._stream)
            self._stream = None

    def _keep(self, steps: Steps, graph: Graph | None) -> None:
        self._found[steps] = graph
        if len(self._found) > GRAPHS_KEPT:
            self._found.popitem(last=False)

    def _capture(self, steps: Steps, stream: Any) -> Graph:
        if self._stream is None:
            self._stream = self._streams.take_capturing(stream)
        self._device.begin_capture(self._stream)
        try:
            run_steps(self._device, self._stream, steps, BY_THE_CLOCK)
        except BaseException:
            self._device.abandon_capture(self._stream)
            raise
        return self._device.end_capture(self._stream)


def run_steps(device: Device, stream: Any, steps: Steps, chunk_first: int) -> None:
    """Run all of the steps, one after the other."""
    for index in range(steps.length):
        KINDS[steps.kind].run_step(device, stream, steps, Step(index, chunk_first))
