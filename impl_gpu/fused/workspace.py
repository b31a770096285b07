"""Device memory that calls take turns with, and the streams and events that keep the turns apart.

It refuses to know what the memory holds. A workspace has one owner at a time: a call takes it out of the pool, and
puts it back when all its work is enqueued. ``side`` is a stream of the workspace: it runs ahead of the caller's stream
within a call, and between calls it waits for the last one, so that the memory, which belongs to it, ends after that.
"""

from collections import OrderedDict
from typing import Any

from ..device.seam import Device
from .graphs import Graphs
from .layout import Layout

POOL_BYTES = 2**30
"""Workspaces that nobody uses are given back, the longest unused first, while they hold more than this together."""


class Workspace:
    """Memory laid out by a Layout. ``addresses`` says where each region begins."""

    def __init__(self, device: Device, layout: Layout) -> None:
        self._device = device
        self.layout = layout
        self.side = device.new_stream()
        self._buffer = device.allocate(max(1, layout.nbytes), self.side, "workspace")
        self.addresses = layout.addresses(self._buffer.ptr)
        self.graphs = Graphs(device)
        self.tables: bytes | None = None  # what region "tables" holds, or will when its copy has run
        self.started = device.new_event()
        self.filled = [device.new_event() for _ in range(2)]
        self.free = [device.new_event() for _ in range(2)]
        self._done = device.new_event()
        device.record_event(self._done, self.side)

    def begin(self, stream: Any) -> None:
        """Later work on ``stream`` has the memory for itself."""
        self._await_last_use(stream)

    def end(self, stream: Any) -> None:
        """What ``stream`` has been given so far was all that uses the memory in this call, but for ``side``."""
        self._device.record_event(self._done, self.side)
        self._device.wait_event(stream, self._done)
        self._device.record_event(self._done, stream)
        self._device.wait_event(self.side, self._done)

    def _await_last_use(self, stream: Any) -> None:
        """Even where the last call was on a stream that looks the same: each thread has a default stream of its own."""
        self._device.wait_event(stream, self._done)


class WorkspacePool:
    """The workspaces of one device that no call has taken out."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._idle: OrderedDict[int, Workspace] = OrderedDict()  # the longest unused first

    def take(self, layout: Layout) -> Workspace:
        """One of this layout: the one used last, or a new one."""
        for key in reversed(self._idle):
            if self._idle[key].layout == layout:
                return self._idle.pop(key)
        return Workspace(self._device, layout)

    def give_back(self, workspace: Workspace) -> None:
        """Keep it for the next call, and let go of the longest unused ones above the bound."""
        self._idle[id(workspace)] = workspace
        held = sum(kept.layout.nbytes for kept in self._idle.values())
        while held > POOL_BYTES and len(self._idle) > 1:
            _, oldest = self._idle.popitem(last=False)
            held -= oldest.layout.nbytes
