"""Lends device memory to calls in turn, with the events that keep the turns apart.

A workspace has one owner at a time: a call takes it out of the pool, and puts it back when all its work is enqueued.
The next owner's work waits for the event behind that, on the device.
"""

from collections import OrderedDict
from typing import Any

from ..device.seam import Device
from .graphs import Graphs
from .layout import SLOTS, Layout
from .streams import Streams

POOL_BYTES = 2**30
POOL_SIZE = 8
"""Workspaces that nobody uses are given back, the longest unused first, while they are more than POOL_SIZE, or hold
more than POOL_BYTES together."""


class Workspace:
    """Memory laid out by a Layout. ``addresses`` says where each region begins."""

    def __init__(self, device: Device, streams: Streams, layout: Layout) -> None:
        self._device = device
        self._streams = streams
        self.layout = layout
        self._buffer = device.allocate(layout.nbytes, streams.home, "workspace")
        self.addresses = layout.addresses(self._buffer.ptr)
        self.graphs = Graphs(device, streams)
        self.tables: bytes | None = None  # what region "tables" holds, or will when its copy has run
        self.started = device.new_event()
        self.filled = [device.new_event() for _ in range(SLOTS)]
        self.free = [device.new_event() for _ in range(SLOTS)]
        self._done = device.new_event()
        device.record_event(self._done, streams.home)

    def begin(self, stream: Any) -> None:
        """Later work on ``stream`` has the memory for itself."""
        self._await_last_use(stream)

    def end(self, stream: Any) -> None:
        """What ``stream`` has been given so far was all that uses the memory in this call, weights included."""
        self._device.record_event(self._done, stream)
        self._device.wait_event(self._streams.home, self._done)

    def _await_last_use(self, stream: Any) -> None:
        """Wait for the last call, even on a stream that looks the same: each thread has a default stream of its own."""
        self._device.wait_event(stream, self._done)


class WorkspacePool:
    """The workspaces of one device. One that a call took out and never gave back, because the call was broken off, is
    never used again nor given back to the device: there is no telling when the work on it ends."""

    def __init__(self, device: Device, streams: Streams) -> None:
        self._device = device
        self._streams = streams
        self._idle: OrderedDict[int, Workspace] = OrderedDict()  # the longest unused first
        self._taken: dict[int, Workspace] = {}

    def take(self, layout: Layout) -> Workspace:
        """A workspace of this layout: the one used last, or a new one."""
        for key in reversed(self._idle):
            if self._idle[key].layout == layout:
                workspace = self._idle.pop(key)
                break
        else:
            workspace = Workspace(self._device, self._streams, layout)
        self._taken[id(workspace)] = workspace
        return workspace

    def give_back(self, workspace: Workspace) -> None:
        """Keep it for the next call, and let go of the longest unused ones above the bounds."""
        self._idle[id(workspace)] = self._taken.pop(id(workspace))
        while len(self._idle) > 1 and (len(self._idle) > POOL_SIZE or self.idle_bytes() > POOL_BYTES):
            _, oldest = self._idle.popitem(last=False)
            oldest.graphs.clear()

    def clear(self) -> None:
        """Let go of all of them."""
        for workspace in self._idle.values():
            workspace.graphs.clear()
        self._idle.clear()

    def idle_bytes(self) -> int:
        """The bytes that no call uses, and that ``clear`` would give back."""
        return sum(workspace.layout.nbytes for workspace in self._idle.values())
