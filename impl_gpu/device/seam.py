"""Defines the one seam between impl_gpu and a device, cut at the C ABI: pointers, whole GEMM tuples, packed arguments.

``Device`` is what the rest of impl_gpu calls; it checks what is legal (``calls``), writes the launch log and hands over
to the methods ``_do_*`` of a side: ``cuda.py`` is the thin one over CuPy, ``host.py`` executes the same kernel sources
on the processor. It stays independent of cells and their equations.

All methods that take a stream only enqueue, and return before the work is done.
"""

import abc
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from .calls import (
    C_TYPES,
    COMPUTE_TYPES,
    Gemm,
    Kernel,
    Parameter,
    SeamError,
    check_gemm,
    check_geometry,
    pack,
    row_major,
)
from .log import Entry, close_capture, open_capture, record
from .memory import Meter, OutOfDeviceMemory, Peak

__all__ = [
    "COMPUTE_TYPES",
    "C_TYPES",
    "Buffer",
    "Device",
    "Gemm",
    "Graph",
    "Kernel",
    "OutOfDeviceMemory",
    "Parameter",
    "SeamError",
    "check_gemm",
    "check_geometry",
    "pack",
    "row_major",
]


class Graph(NamedTuple):
    """A captured graph: what the side has for it, and the log entries of what it runs."""

    handle: Any
    entries: tuple[Entry, ...]


class Buffer(abc.ABC):
    """Memory with an address; it is given back, in the order of its stream, when nothing refers to it any more."""

    ptr: int
    nbytes: int


class Device(abc.ABC):
    """What impl_gpu asks of a device. Streams, events and graphs are opaque values of the side that made them."""

    kind: str  # "cuda" or "host"

    @property
    def kept(self) -> dict[str, Any]:
        """What callers keep by name for as long as the streams of this device live."""
        found: dict[str, Any] = self.__dict__.setdefault("_kept", {})
        return found

    purpose: str = ""  # of the call in progress, for what a side says of it

    # Memory.

    @property
    def meter(self) -> Meter:
        """What counts this device's buffers."""
        found: Meter = self.__dict__.setdefault("_meter", Meter())
        return found

    def live_bytes(self) -> int:
        """Device memory in use that was allocated here: arrays of a caller's own that came from elsewhere don't count.

        A buffer counts until the last reference to it goes, whatever the streams still do.
        """
        return self.meter.live

    def watched(self, peak: Peak) -> AbstractContextManager[None]:
        """Within the block ``peak`` is raised to the most that ``live_bytes`` is."""
        return self.meter.watched(peak)

    @abc.abstractmethod
    def free_bytes(self) -> int:
        """What can still be allocated, in all; one buffer of that size may be refused, since memory has gaps."""

    def allocate(self, nbytes: int, stream: Any, purpose: str) -> Buffer:
        """Uninitialised device memory for work on ``stream``; refused during capture.

        Raises:
            OutOfDeviceMemory: there is not that much left, even after every function given to ``when_full`` was called.
        """
        self.purpose = purpose
        record(Entry("allocate", purpose, nbytes=nbytes))
        try:
            return self._do_allocate(nbytes, stream)
        except OutOfDeviceMemory:
            if not self._room_makers:
                raise
        for make_room in list(self._room_makers):
            make_room()
        return self._do_allocate(nbytes, stream)

    def when_full(self, make_room: Callable[[], None]) -> None:
        """Call this, which is to give memory back, before an allocation is refused. The device keeps it."""
        self._room_makers.append(make_room)

    @property
    def _room_makers(self) -> list[Callable[[], None]]:
        found: list[Callable[[], None]] = self.kept.setdefault("room makers", [])
        return found

    def pinned(self, nbytes: int, purpose: str) -> Buffer:
        """Page-locked host memory; refused during capture.

        Raises:
            MemoryError: the host does not have that much left.
        """
        self.purpose = purpose
        record(Entry("pinned", purpose, nbytes=nbytes))
        return self._do_pinned(nbytes)

    def zero(self, ptr: int, nbytes: int, stream: Any, purpose: str) -> None:
        """Fill device memory with zero bytes."""
        if nbytes:
            self.purpose = purpose
            record(Entry("zero", purpose, nbytes=nbytes))
            self._do_zero(ptr, nbytes, stream)

    def put(self, ptr: int, source: int, nbytes: int, stream: Any, purpose: str) -> None:
        """Pinned host memory at ``source`` to device memory at ``ptr``; the source is read when the copy runs."""
        if nbytes:
            self.purpose = purpose
            record(Entry("put", purpose, nbytes=nbytes))
            self._do_put(ptr, source, nbytes, stream)

    def get(self, target: int, ptr: int, nbytes: int, stream: Any, purpose: str) -> None:
        """Device memory at ``ptr`` to pinned host memory at ``target``, which may be read after a synchronisation."""
        if nbytes:
            self.purpose = purpose
            record(Entry("get", purpose, nbytes=nbytes))
            self._do_get(target, ptr, nbytes, stream)

    def copy(self, ptr: int, source: int, nbytes: int, stream: Any, purpose: str) -> None:
        """Device memory to device memory; the two do not overlap."""
        if nbytes:
            self.purpose = purpose
            record(Entry("copy", purpose, nbytes=nbytes))
            self._do_copy(ptr, source, nbytes, stream)

    # Work.

    def gemm(self, call: Gemm, stream: Any, purpose: str) -> None:
        """One matrix product.

        Raises:
            SeamError: an empty product, a leading dimension below its column, an unknown type.
        """
        check_gemm(call)
        self.purpose = purpose
        record(Entry("gemm", purpose, detail=call))
        self._do_gemm(call, stream)

    def launch(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        values: Sequence[Any],
        stream: Any,
        purpose: str,
        nbytes: int,
        shared: int = 0,
    ) -> None:
        """One kernel. ``values`` are packed by the widths of ``kernel.parameters``; ``nbytes`` is what it moves.

        Raises:
            SeamError: an empty or too large grid or block; a wrong number of values, or one that does not fit.
        """
        check_geometry(kernel, grid, block)
        self.purpose = purpose
        record(Entry("kernel", purpose, nbytes=nbytes, detail=kernel.entry))
        self._do_launch(kernel, grid, block, pack(kernel, values), shared, stream)

    # Order.

    @abc.abstractmethod
    def current_stream(self) -> Any:
        """The caller's current stream."""

    def queue_of(self, stream: Any) -> Hashable:
        """Equal for streams whose work is one queue, seen from this thread."""
        found: Hashable = stream
        return found

    @abc.abstractmethod
    def new_stream(self) -> Any:
        """A stream that waits for no other one."""

    @abc.abstractmethod
    def new_event(self) -> Any:
        """An event without timing; waiting for one that was never recorded does nothing, as in CUDA."""

    @abc.abstractmethod
    def has_passed(self, event: Any) -> bool:
        """Whether all work that the event stands for has run; asks, and never waits."""

    def record_event(self, event: Any, stream: Any) -> None:
        """The event now stands for all work enqueued on ``stream`` so far."""
        record(Entry("record", "event"))
        self._do_record(event, stream)

    def wait_event(self, stream: Any, event: Any) -> None:
        """Later work on ``stream`` runs after what the event stands for at this moment."""
        record(Entry("wait", "event"))
        self._do_wait(stream, event)

    def synchronize(self, stream: Any, purpose: str) -> None:
        """The host waits for all work on ``stream``; refused during capture."""
        self.purpose = purpose
        record(Entry("synchronize", purpose))
        self._do_synchronize(stream)

    def synchronize_event(self, event: Any, purpose: str) -> None:
        """The host waits for what the event stands for; refused during capture."""
        self.purpose = purpose
        record(Entry("synchronize", purpose))
        self._do_synchronize_event(event)

    # Graphs.

    def begin_capture(self, stream: Any) -> None:
        """From now on work on ``stream`` (no other) goes into a graph instead of to the device; thread-local."""
        record(Entry("capture", "begin"))
        self._do_begin_capture(stream)
        open_capture()

    def end_capture(self, stream: Any) -> Graph:
        """The graph of what was enqueued since ``begin_capture``, ready to be replayed."""
        entries = close_capture()
        record(Entry("capture", "end"))
        return Graph(self._do_end_capture(stream), entries)

    def abandon_capture(self, stream: Any) -> None:
        """End a capture after an error and forget what it holds."""
        close_capture()
        record(Entry("capture", "abandon"))
        self._do_abandon_capture(stream)

    def replay(self, graph: Graph, stream: Any, purpose: str) -> None:
        """All work of the graph, with the addresses and values that it was captured with."""
        self.purpose = purpose
        record(Entry("replay", purpose, detail=graph))
        self._do_replay(graph.handle, stream)

    # Arrays.

    @abc.abstractmethod
    def array(self, buffer: Buffer, shape: tuple[int, ...], dtype: Any, offset: int = 0) -> Any:
        """A C-ordered cupy.ndarray over ``buffer`` from byte ``offset`` on, which keeps the buffer alive."""

    @abc.abstractmethod
    def enter(self, value: Any) -> Any:
        """Any array (CuPy, ``__cuda_array_interface__``, DLPack, NumPy) as a cupy.ndarray of this device.

        Device memory enters without a copy; NumPy and other host memory by one upload on the current stream.
        """

    @abc.abstractmethod
    def to_numpy(self, array: Any) -> Any:
        """A NumPy copy of an array of this device; the host waits for its current stream."""

    def made_current(self) -> AbstractContextManager[Any]:
        """Within it this is the device that the libraries of a side work on, whichever was before."""
        return nullcontext()

    def users_code(self) -> AbstractContextManager[None]:
        """Around a call of a user's cell: a side may say in its own words what the cell can't do there."""
        return nullcontext()

    @abc.abstractmethod
    def describe(self) -> dict[str, Any]:
        """Kind, name of the device, driver and versions: what evidence and reports say of it."""

    # What a side does.

    @abc.abstractmethod
    def _do_allocate(self, nbytes: int, stream: Any) -> Buffer: ...

    @abc.abstractmethod
    def _do_pinned(self, nbytes: int) -> Buffer: ...

    @abc.abstractmethod
    def _do_zero(self, ptr: int, nbytes: int, stream: Any) -> None: ...

    @abc.abstractmethod
    def _do_put(self, ptr: int, source: int, nbytes: int, stream: Any) -> None: ...

    @abc.abstractmethod
    def _do_get(self, target: int, ptr: int, nbytes: int, stream: Any) -> None: ...

    @abc.abstractmethod
    def _do_copy(self, ptr: int, source: int, nbytes: int, stream: Any) -> None: ...

    @abc.abstractmethod
    def _do_gemm(self, call: Gemm, stream: Any) -> None: ...

    @abc.abstractmethod
    def _do_launch(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: Sequence[Any],
        shared: int,
        stream: Any,
    ) -> None: ...

    @abc.abstractmethod
    def _do_record(self, event: Any, stream: Any) -> None: ...

    @abc.abstractmethod
    def _do_wait(self, stream: Any, event: Any) -> None: ...

    @abc.abstractmethod
    def _do_synchronize(self, stream: Any) -> None: ...

    @abc.abstractmethod
    def _do_synchronize_event(self, event: Any) -> None: ...

    @abc.abstractmethod
    def _do_begin_capture(self, stream: Any) -> None: ...

    @abc.abstractmethod
    def _do_end_capture(self, stream: Any) -> Any: ...

    @abc.abstractmethod
    def _do_abandon_capture(self, stream: Any) -> None: ...

    @abc.abstractmethod
    def _do_replay(self, handle: Any, stream: Any) -> None: ...
