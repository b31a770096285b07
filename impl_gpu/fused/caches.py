"""Keeps what outlives a call, for each device: packed weights, idle workspaces and graphs."""

import threading
import weakref

from ..device.seam import Device
from .staging import Staging
from .streams import Streams
from .weights import WeightsCache
from .workspace import WorkspacePool


class Caches:
    """The caches of one device. A call holds ``lock`` while it enqueues: two threads that interleaved their work on the
    same weights could each see half of a new version."""

    def __init__(self, device: Device) -> None:
        self.lock = threading.RLock()
        self.streams = Streams(device)
        self.staging = Staging(device)
        self.weights = WeightsCache(device, self.streams, self.staging)
        self.workspaces = WorkspacePool(device, self.streams)

    def make_room(self) -> None:
        """Give back what is idle, even in the middle of a call; the weights that it uses stay in the cache."""
        with self.lock:
            self.workspaces.clear()
            self.staging.give_back(0)

    def clear(self) -> None:
        """Give back what no call is using. Pinned memory stays where a copy out of it has not run yet."""
        with self.lock:
            self.weights.clear()
            self.workspaces.clear()
            self.staging.give_back(0)


_ALL: weakref.WeakSet[Caches] = weakref.WeakSet()


def caches_of(device: Device) -> Caches:
    """The caches of this device, made when first asked for; the device keeps them, and they end with it."""
    found: Caches | None = device.kept.get("fused")
    if found is None:
        found = device.kept.setdefault("fused", Caches(device))
        device.when_full(found.make_room)
        _ALL.add(found)
    return found


def clear_caches() -> None:
    """Give back the device memory that calls have left for later ones: workspaces, packed weights, graphs.

    It comes back in the order of the streams, so also while work is under way. The next call makes it anew.
    """
    for caches in list(_ALL):
        caches.clear()
