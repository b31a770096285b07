"""What outlives a call, for each device: packed weights, idle workspaces and graphs; it refuses to fill it."""

import threading
import weakref

from ..device.seam import Device
from .staging import Staging
from .weights import WeightsCache
from .workspace import WorkspacePool


class Caches:
    """Of one device. A call holds ``lock`` while it enqueues: two threads that interleaved their work on the same
    weights could each see half of a new version."""

    def __init__(self, device: Device) -> None:
        self.lock = threading.RLock()
        self._device = device
        self.staging = Staging(device)
        self.clear()

    def clear(self) -> None:
        """Begin anew. Pinned memory that a copy may still read stays until a later call finds that it has run."""
        with self.lock:
            self.weights = WeightsCache(self._device, self.staging)
            self.workspaces = WorkspacePool(self._device)
            self.staging.give_back(0)


_ALL: weakref.WeakSet[Caches] = weakref.WeakSet()


def caches_of(device: Device) -> Caches:
    """Those of this device, made when first asked for; they are kept in the device, and end with it."""
    found: Caches | None = device.__dict__.get("fused_caches")
    if found is None:
        found = device.__dict__.setdefault("fused_caches", Caches(device))
        _ALL.add(found)
    return found


def clear_caches() -> None:
    """Give back the device memory that calls have left for later ones: workspaces, packed weights, graphs.

    It comes back in the order of the streams, so also while work is under way. The next call makes it anew.
    """
    for caches in list(_ALL):
        caches.clear()
