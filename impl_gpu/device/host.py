"""Implements the host side of the seam: a model of a device that executes the same kernel sources on the processor.

It is no kinder than a device: streams run in random legal order, pinned memory is read when a copy runs,
memory given back is taken and poisoned in the order of its stream, and every address is looked up when it is used.
``host_arrays`` lays arrays over it.
"""

import contextlib
import ctypes
import gc
import platform
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import host_kernels
from .host_gemm import product
from .host_kernels import GEOMETRY, Entry
from .host_memory import Memory, Region
from .host_streams import HostEvent, HostGraph, HostStream, Model
from .memory import UNLIMITED, OutOfDeviceMemory, rounded
from .seam import Buffer, Device, Gemm, Kernel, SeamError

MAX_SHARED = 227 * 1024


class HostBuffer(Buffer):
    """A region that is reclaimed when this object dies, after the work that its stream has been given by then."""

    __slots__ = ("_device", "_region", "nbytes", "ptr")

    def __init__(self, device: "HostDevice", region: Region | None) -> None:
        self._device = device
        self._region = region
        self.ptr = 0 if region is None else region.start
        self.nbytes = 0 if region is None else region.end - region.start

    def __del__(self) -> None:
        if self._region is not None:
            if self._region.place == "device":
                self._device.meter.give_back(self.nbytes)
            self._device._give_back(self._region)


class Chosen(threading.local):
    """The current stream of this thread; None: the default one."""

    stream: HostStream | None = None


class HostDevice(Device):
    """The device model; ``seed`` fixes the order in which its streams run.

    ``source(module, dtype)`` gives the text of a kernel module; None: that of ``impl_gpu.kernels``.
    ``memory_limit`` is how many bytes of device memory there are, and may be set at any time; None: no limit.
    """

    kind = "host"

    def __init__(
        self,
        seed: int = 0,
        source: Callable[[str, str], str] | None = None,
        memory_limit: int | None = None,
    ) -> None:
        self.memory_limit = memory_limit
        self._source = source
        self._memory = Memory()
        self._entries: dict[Kernel, Entry] = {}
        self._used: set[Any] = set()
        self._staging: list[tuple[HostEvent, Buffer]] = []
        self._late: SeamError | None = None
        self._model = Model(seed, self._memory.lock)
        self._chosen = Chosen()

    # The model as a whole.

    def restart(self, seed: int) -> None:
        """Finish, and begin anew: other dice, no streams, events and graphs; live buffers stay what they are.

        Raises:
            SeamError: as ``finish`` does; not after an error that an operation has raised already.
        """
        try:
            if self._model.failed:
                self._late = None
            else:
                self.finish()
        finally:
            self._staging.clear()
            self._used.clear()
            before = self._model
            self._model = Model(seed, self._memory.lock)
            self.kept.clear()
            for function, arguments in before.abandoned():
                if function == self._memory.reclaim:
                    function(*arguments)
            self._memory.forget_reclaimed()

    def finish(self) -> None:
        """Let everything run, then look around every live buffer.

        Raises:
            SeamError: an operation failed, or something was written beside a buffer.
        """
        self._model.drain()
        self._staging.clear()
        self._model.drain()
        self._raise_late()
        self._memory.check_guards()

    def live(self) -> list[tuple[str, int]]:
        """Purpose and bytes of each buffer whose memory has not been reclaimed yet."""
        return [(region.purpose, region.end - region.start) for region in self._memory.live()]

    def describe(self) -> dict[str, Any]:
        """Kind, the sentence that reports say of it, compiler and processor."""
        return {
            "kind": self.kind,
            "device": "host-executed kernels, no GPU",
            "compiler": host_kernels.compiler_version(),
            "processor": platform.machine(),
        }

    # Streams of the caller.

    def current_stream(self) -> HostStream:
        """The stream of the innermost ``with device.stream(...)``, or the default one."""
        chosen = self._chosen.stream
        return chosen if chosen is not None and chosen.model is self._model else self._model.default

    @contextlib.contextmanager
    def stream(self, stream: HostStream) -> Iterator[HostStream]:
        """Make a stream the current one, as ``with stream:`` does in CuPy."""
        before, self._chosen.stream = self._chosen.stream, stream
        try:
            yield stream
        finally:
            self._chosen.stream = before

    def new_stream(self) -> HostStream:
        """A stream that waits for no other one."""
        return self._model.new_stream()

    def new_event(self) -> HostEvent:
        """An event that stands for nothing yet."""
        return HostEvent(self._model)

    def has_passed(self, event: HostEvent) -> bool:
        """Whether all work that the event stands for has run."""
        return event.passed()

    # Arrays.

    def array(self, buffer: Buffer, shape: tuple[int, ...], dtype: Any, offset: int = 0) -> Any:
        """A C-ordered array over ``buffer`` from byte ``offset`` on, which keeps the buffer alive."""
        from . import host_arrays

        return host_arrays.make(buffer, shape, dtype, offset)

    def enter(self, value: Any) -> Any:
        """Arrays in this side's memory as they are, host memory (NumPy, DLPack) by one upload on the current stream.

        Raises:
            TypeError: the array lies in the memory of a GPU.
        """
        from . import host_arrays, host_lent

        if isinstance(value, host_arrays.HostArray):
            return value
        if not isinstance(value, (np.ndarray, np.generic)):
            found = host_lent.lent(self, value)
            if found is not None:
                return found
            if hasattr(value, "__dlpack__"):
                value = np.from_dlpack(value)
        host = np.asarray(value, order="C")
        buffer = self.allocate(host.nbytes, self.current_stream(), "upload")
        if host.nbytes:
            staging = self.pinned(host.nbytes, "upload")
            ctypes.memmove(staging.ptr, host.ctypes.data, host.nbytes)
            self.put(buffer.ptr, staging.ptr, host.nbytes, self.current_stream(), "upload")
            self._keep_until_run(staging, self.current_stream())
        return self.array(buffer, host.shape, host.dtype)

    def to_numpy(self, array: Any) -> Any:
        """A NumPy copy; the host waits for the current stream."""
        from . import host_arrays

        self.synchronize(self.current_stream(), "read back")
        return host_arrays.view(array).copy()

    def users_code(self) -> contextlib.AbstractContextManager[None]:
        """CuPy's complaints of a missing GPU say what to do."""
        from . import host_module

        return host_module.cell_errors()

    def enqueue(self, stream: HostStream, purpose: str, function: Callable[..., object], *arguments: Any) -> None:
        """Work of another kind, such as an array's arithmetic; the arguments hold raw addresses, no buffers."""
        self.purpose = purpose
        self._model.enqueue(stream, function, *arguments)

    def check(self, address: int, nbytes: int, purpose: str) -> None:
        """Refuse device memory that is not live, for work that runs now.

        Raises:
            SeamError: the bytes do not lie within one live buffer of the device.
        """
        self._memory.check(address, nbytes, "device", purpose)

    def _keep_until_run(self, buffer: Buffer, stream: HostStream) -> None:
        event = self.new_event()
        with self._memory.lock:
            self._model.record(event, stream)
            self._staging = [(mark, kept) for mark, kept in self._staging if not mark.passed()]
            self._staging.append((event, buffer))

    # What the seam asks of a side: memory.

    def free_bytes(self) -> int:
        """What the limit leaves."""
        return UNLIMITED if self.memory_limit is None else max(0, self.memory_limit - self.live_bytes())

    def _do_allocate(self, nbytes: int, stream: HostStream) -> Buffer:
        self._model.refuse_capture(f"{self.purpose}: an allocation")
        self._model.own(stream)
        if not nbytes:
            return HostBuffer(self, None)
        if rounded(nbytes) > self.free_bytes():
            gc.collect()  # as CuPy does before it gives up
        if rounded(nbytes) > self.free_bytes():
            raise OutOfDeviceMemory(nbytes, self.free_bytes(), self.purpose)
        buffer = HostBuffer(self, self._memory.allocate(nbytes, "device", self.purpose, stream))
        self.meter.take(nbytes)
        return buffer

    def _do_pinned(self, nbytes: int) -> Buffer:
        self._model.refuse_capture(f"{self.purpose}: an allocation")
        return HostBuffer(self, self._memory.allocate(nbytes, "pinned", self.purpose) if nbytes else None)

    def _give_back(self, region: Region) -> None:
        stream = region.stream
        if stream is not None and stream.model is self._model:
            self._model.enqueue_reclaim(stream, self._memory.reclaim, region)
            return
        # Pinned memory is the host's and free for the host's next use at once; a stream of a former model is done.
        try:
            self._memory.reclaim(region)
        except SeamError as error:
            self._late = error  # nothing can be raised here: an object is dying

    def _raise_late(self) -> None:
        if self._late is not None:
            error, self._late = self._late, None
            raise error

    def _do_zero(self, ptr: int, nbytes: int, stream: HostStream) -> None:
        self._model.enqueue(stream, self._zero, ptr, nbytes, self.purpose)

    def _zero(self, ptr: int, nbytes: int, purpose: str) -> None:
        self._memory.check(ptr, nbytes, "device", purpose)
        ctypes.memset(ptr, 0, nbytes)

    def _do_put(self, ptr: int, source: int, nbytes: int, stream: HostStream) -> None:
        self._model.enqueue(stream, self._move, ptr, "device", source, "pinned", nbytes, self.purpose)

    def _do_get(self, target: int, ptr: int, nbytes: int, stream: HostStream) -> None:
        self._model.enqueue(stream, self._move, target, "pinned", ptr, "device", nbytes, self.purpose)

    def _do_copy(self, ptr: int, source: int, nbytes: int, stream: HostStream) -> None:
        if abs(ptr - source) < nbytes:
            raise SeamError(f"{self.purpose}: a copy of {nbytes} bytes over itself")
        self._model.enqueue(stream, self._move, ptr, "device", source, "device", nbytes, self.purpose)

    def _move(self, ptr: int, place: str, source: int, source_place: str, nbytes: int, purpose: str) -> None:
        self._memory.check(ptr, nbytes, place, purpose)
        self._memory.check(source, nbytes, source_place, purpose)
        ctypes.memmove(ptr, source, nbytes)

    # Work.

    def _do_gemm(self, call: Gemm, stream: HostStream) -> None:
        self._use((*call[:5], call.a_type, call.c_type, call.compute), "of this shape of a product")
        self._model.enqueue(stream, product, call, self._memory, self.purpose)

    def _use(self, what: Any, words: str) -> None:
        # CUDA loads code when it is used first, and can't do so during a capture.
        if what not in self._used:
            self._model.refuse_capture(f"{self.purpose}: the first use {words}")
            self._used.add(what)

    def _do_launch(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: Sequence[Any],
        shared: int,
        stream: HostStream,
    ) -> None:
        if not 0 <= shared <= MAX_SHARED:
            raise SeamError(f"{kernel.entry}: shared memory of 0 to {MAX_SHARED} bytes, got {shared}")
        entry = self._entries.get(kernel) or self._load(kernel)
        self._use(entry, f"of {kernel.entry}")
        values = [argument.value for argument in arguments]
        self._model.enqueue(stream, self._run, entry, values, grid, block, shared, self.purpose)

    def _load(self, kernel: Kernel) -> Entry:
        source = self._source
        if source is None:
            from .. import kernels

            source = kernels.source
        library = host_kernels.load(kernel.module, kernel.dtype, source(kernel.module, kernel.dtype))
        entry = self._entries[kernel] = Entry(library, kernel)
        return entry

    def _run(
        self,
        entry: Entry,
        values: list[Any],
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        shared: int,
        purpose: str,
    ) -> None:
        for index, alignment in entry.pointers:
            address = values[index]
            if address and (address % alignment or not self._memory.holds(address, alignment, "device")):
                what = f"{purpose}: {entry.name}: {entry.names[index]}"
                self._memory.check(address, alignment, "device", what)
                raise SeamError(f"{what}: {address:#x} is not aligned to {alignment} bytes")
        geometry = GEOMETRY.pack(*grid, *block, shared, self._model.seed(), entry.flush, 0)
        entry.run(entry.slots.pack(*values), geometry, purpose)

    # Order and graphs.

    def _do_record(self, event: HostEvent, stream: HostStream) -> None:
        self._model.record(event, stream)

    def _do_wait(self, stream: HostStream, event: HostEvent) -> None:
        self._model.wait(stream, event)

    def _do_synchronize(self, stream: HostStream) -> None:
        self._model.synchronize(stream)
        self._raise_late()

    def _do_synchronize_event(self, event: HostEvent) -> None:
        self._model.synchronize_event(event)
        self._raise_late()

    def _do_begin_capture(self, stream: HostStream) -> None:
        self._model.begin_capture(stream)

    def _do_end_capture(self, stream: HostStream) -> HostGraph:
        return self._model.end_capture(stream)

    def _do_abandon_capture(self, stream: HostStream) -> None:
        self._model.abandon_capture(stream)

    def _do_replay(self, handle: HostGraph, stream: HostStream) -> None:
        self._model.replay(handle, stream)
