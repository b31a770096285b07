"""Implements the CUDA side of the seam: each method is a call or two of CuPy or cuBLAS.

What it has to see to, because CUDA and CuPy would let it pass:

- CuPy's pools hand memory out by the stream that is *current*, so an allocation makes its own stream current; memory
  that is given back is then reused in the order of that stream.
- Capture is thread-local. In CuPy's default mode an allocation during capture succeeds without a word; here
  allocations, waits of the host and work on other streams are refused while this thread captures.
- A kernel is loaded when it is launched first, which is no work that can be captured: such a launch is refused, and
  whoever captures runs the same work once before.
- A graph holds addresses only, so its handle keeps the cuBLAS workspace that they point to.

None of this has run on a GPU yet: it is written against CuPy 14.2 and CUDA 12 and 13, as far as their sources go.
"""

import ctypes
import threading
from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import cupy
import numpy as np
from cupy.cuda import pinned_memory, runtime

from . import cublas
from .log import Entry, record
from .memory import Meter, OutOfDeviceMemory
from .seam import Buffer, Device, Gemm, Kernel, SeamError

# What a capture that went wrong answers when it is ended (driver_types.h): it is over, and there is no graph.
CAPTURE_IS_VOID = {
    901: "cudaErrorStreamCaptureInvalidated",
    904: "cudaErrorStreamCaptureUnjoined",
}

OUT_OF_MEMORY = 2  # cudaErrorMemoryAllocation

# DLPack's device types of memory that a CUDA device reads: kDLCUDA, kDLCUDAManaged.
DLPACK_CUDA = (2, 13)

# By the types of ``seam.pack``.
SCALARS: dict[Any, Any] = {
    ctypes.c_uint64: np.uint64,
    ctypes.c_int32: np.int32,
    ctypes.c_int64: np.int64,
    ctypes.c_float: np.float32,
    ctypes.c_double: np.float64,
}


class CudaBuffer(Buffer):
    """Memory of a pool of CuPy's, which takes it back when this object dies; ``meter`` counts it where there is one."""

    __slots__ = ("_meter", "memory", "nbytes", "ptr")

    def __init__(self, memory: Any, nbytes: int, meter: Meter | None = None) -> None:
        self.memory = memory
        self.ptr = memory.ptr
        self.nbytes = nbytes
        self._meter = meter
        if meter is not None:
            meter.take(nbytes)

    def __del__(self) -> None:
        if self._meter is not None:
            self._meter.give_back(self.nbytes)


class CudaGraph(NamedTuple):
    """A graph of CuPy's, and the cuBLAS workspace that its products write to."""

    graph: Any
    workspace: Any


class CudaDevice(Device):
    """The GPU of this number, which must be the current one of CuPy wherever this object is used.

    ``gemm`` is "own" for products by this package's cuBLAS handle, "cupy" for products by CuPy's.
    """

    kind = "cuda"

    def __init__(self, number: int = 0, gemm: str = "own") -> None:
        self.number = number
        self._gemm = gemm
        self._functions: dict[tuple[str, str, str], Any] = {}
        self._blas: Any = None
        self._lock = threading.RLock()
        self._captures = threading.local()

    # Memory.

    def free_bytes(self) -> int:
        """What the driver has left and CuPy's pool has idle, within the pool's limit (``MemoryPool.set_limit``)."""
        pool = cupy.get_default_memory_pool()
        free = int(runtime.memGetInfo()[0]) + int(pool.free_bytes())
        limit = int(pool.get_limit())
        return min(free, max(0, limit - int(pool.used_bytes()))) if limit else free

    def _do_allocate(self, nbytes: int, stream: Any) -> Buffer:
        self._refuse_capture("an allocation")
        try:
            with stream:
                memory = cupy.cuda.alloc(nbytes)
        except cupy.cuda.memory.OutOfMemoryError as error:
            raise OutOfDeviceMemory(nbytes, self.free_bytes(), self.purpose) from error
        return CudaBuffer(memory, nbytes, self.meter)

    def _do_pinned(self, nbytes: int) -> Buffer:
        self._refuse_capture("an allocation")
        try:
            return CudaBuffer(pinned_memory.alloc_pinned_memory(nbytes), nbytes)
        except runtime.CUDARuntimeError as error:
            if error.status != OUT_OF_MEMORY:
                raise
            # CUDA's words would be those for the device.
            raise MemoryError(f"{self.purpose}: {nbytes} bytes of page-locked host memory are not to be had") from error

    def _do_zero(self, ptr: int, nbytes: int, stream: Any) -> None:
        self._check(stream)
        runtime.memsetAsync(ptr, 0, nbytes, stream.ptr)

    def _do_put(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        self._check(stream)
        runtime.memcpyAsync(ptr, source, nbytes, runtime.memcpyHostToDevice, stream.ptr)

    def _do_get(self, target: int, ptr: int, nbytes: int, stream: Any) -> None:
        self._check(stream)
        runtime.memcpyAsync(target, ptr, nbytes, runtime.memcpyDeviceToHost, stream.ptr)

    def _do_copy(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        self._check(stream)
        runtime.memcpyAsync(ptr, source, nbytes, runtime.memcpyDeviceToDevice, stream.ptr)

    # Work.

    def _do_gemm(self, call: Gemm, stream: Any) -> None:
        self._check(stream)
        self._products().gemm(call, stream)

    def _do_launch(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: Sequence[Any],
        shared: int,
        stream: Any,
    ) -> None:
        self._check(stream)
        function = self._function(kernel)
        function(grid, block, [numpy_scalar(argument) for argument in arguments], shared, stream)

    def _function(self, kernel: Kernel) -> Any:
        place = (kernel.module, kernel.dtype, kernel.entry)
        function = self._functions.get(place)
        if function is None:
            if self._capturing() is not None:
                raise SeamError(f"{kernel.entry}: not loaded yet, so it can't be captured; launch it once before")
            with self._lock:
                function = self._functions[place] = self._load(kernel)
        return function

    def _load(self, kernel: Kernel) -> Any:
        """Compiled by NVRTC with no options but those that CuPy adds, as compile_gate.py has them."""
        from .. import kernels

        # CuPy compiles a source once, for each device, however many modules are made of it.
        module = cupy.RawModule(code=kernels.source(kernel.module, kernel.dtype))
        return module.get_function(kernel.entry).kernel

    def _products(self) -> Any:
        if self._blas is None:
            self._refuse_capture("the first matrix product")
            with self._lock:
                if self._blas is None:
                    self._blas = self._new_products()
        return self._blas

    def _new_products(self) -> Any:
        if self._gemm == "cupy":
            return cublas.CupyCublas()
        return cublas.Cublas(cublas.load(), self._do_allocate)

    # Order.

    def current_stream(self) -> Any:
        """CuPy's current stream."""
        return cupy.cuda.get_current_stream()

    def queue_of(self, stream: Any) -> Hashable:
        """The default streams of all threads have one pointer, and are as many queues as threads."""
        return (stream, threading.get_ident()) if stream.ptr == cublas.PER_THREAD else stream

    def new_stream(self) -> Any:
        """A stream that does not wait for the legacy default stream either."""
        return cupy.cuda.Stream(non_blocking=True)

    def new_event(self) -> Any:
        """An event without timing."""
        return cupy.cuda.Event(disable_timing=True)

    def has_passed(self, event: Any) -> bool:
        """Whether all that the event stands for has run; CUDA does not answer during capture."""
        self._refuse_capture("a look at an event")
        return bool(event.done)

    def _do_record(self, event: Any, stream: Any) -> None:
        self._check(stream)
        event.record(stream)

    def _do_wait(self, stream: Any, event: Any) -> None:
        self._check(stream)
        stream.wait_event(event)

    def _do_synchronize(self, stream: Any) -> None:
        self._refuse_capture("a synchronisation")
        stream.synchronize()

    def _do_synchronize_event(self, event: Any) -> None:
        self._refuse_capture("a synchronisation")
        event.synchronize()

    # Graphs.

    def _do_begin_capture(self, stream: Any) -> None:
        self._refuse_capture("another capture")
        if self._gemm == "own":
            self._products().workspace(stream)  # now, for it can't be allocated later
        stream.begin_capture(runtime.streamCaptureModeThreadLocal)
        self._captures.stream = stream

    def _do_end_capture(self, stream: Any) -> Any:
        self._captures.stream = None
        workspace = self._products().workspace(stream) if self._gemm == "own" else None
        return CudaGraph(stream.end_capture(), workspace)

    def _do_abandon_capture(self, stream: Any) -> None:
        self._captures.stream = None
        try:
            graph = runtime.streamEndCapture(stream.ptr)
        except runtime.CUDARuntimeError as error:
            if error.status not in CAPTURE_IS_VOID:
                raise
        else:
            runtime.graphDestroy(graph)

    def _do_replay(self, handle: Any, stream: Any) -> None:
        self._refuse_capture("a replay")
        handle.graph.launch(stream)

    def _capturing(self) -> Any:
        return getattr(self._captures, "stream", None)

    def _refuse_capture(self, what: str) -> None:
        if self._capturing() is not None:
            raise SeamError(f"{self.purpose}: {what} during capture")

    def _check(self, stream: Any) -> None:
        capturing = self._capturing()
        if capturing is not None and stream != capturing:
            raise SeamError(f"{self.purpose}: work on another stream during capture would run now, outside the graph")

    # Arrays.

    def array(self, buffer: Buffer, shape: tuple[int, ...], dtype: Any, offset: int = 0) -> Any:
        """A C-ordered array over ``buffer`` from byte ``offset`` on, which keeps the buffer alive."""
        if not isinstance(buffer, CudaBuffer):
            raise SeamError(f"array: expected a buffer of this side, got a {type(buffer).__name__}")
        memory = buffer.memory
        if buffer.ptr:
            # Not the pool's own object: the array keeps the buffer, and so what counts it.
            memory = cupy.cuda.MemoryPointer(
                cupy.cuda.UnownedMemory(buffer.ptr, buffer.nbytes, buffer, self.number), offset
            )
        array = cupy.ndarray(shape, dtype, memptr=memory)
        if offset + array.nbytes > buffer.nbytes:
            raise SeamError(f"array: {array.nbytes} bytes from byte {offset} on of a buffer of {buffer.nbytes}")
        return array

    def enter(self, value: Any) -> Any:
        """Arrays of the current GPU as they are, without a copy; host memory by one upload on the current stream.

        Raises:
            ValueError: the array lies on another GPU than the current one.
        """
        if isinstance(value, cupy.ndarray):
            return self._here(value)
        if hasattr(value, "__dlpack__"):
            # First of the two: it orders the streams of both sides on the device, where the array interface may have
            # the host wait.
            if value.__dlpack_device__()[0] in DLPACK_CUDA:
                return self._here(cupy.from_dlpack(value))
        elif hasattr(value, "__cuda_array_interface__"):
            return self._here(cupy.asarray(value))
        if hasattr(value, "__dlpack__") and not isinstance(value, (np.ndarray, np.generic)):
            value = np.from_dlpack(value)
        host = np.asarray(value, order="C")
        for kind in ("allocate", "pinned", "put"):  # what CuPy does, its pinned memory kept until the copy has run
            record(Entry(kind, "upload", nbytes=host.nbytes))
        return cupy.asarray(host)

    def _here(self, array: Any) -> Any:
        if array.size and array.device.id != self.number:
            raise ValueError(f"expected an array on the current GPU, {self.number}, got one on {array.device.id}")
        return array

    def made_current(self) -> AbstractContextManager[Any]:
        """CuPy's own: its allocations, streams and launches are of the GPU of this number."""
        device: AbstractContextManager[Any] = cupy.cuda.Device(self.number)
        return device

    def to_numpy(self, array: Any) -> Any:
        """A NumPy copy; the host waits for the current stream."""
        self.purpose = "read back"
        self._refuse_capture("a synchronisation")
        record(Entry("synchronize", "read back"))
        return cupy.asnumpy(array)

    def describe(self) -> dict[str, Any]:
        """The GPU, the versions of the driver and the libraries, and which libraries they are."""
        properties = runtime.getDeviceProperties(self.number)
        products = self._products()
        return {
            "kind": self.kind,
            "device": properties["name"].decode(),
            "compute_capability": f"{properties['major']}.{properties['minor']}",
            "multiprocessors": properties["multiProcessorCount"],
            "memory_bytes": properties["totalGlobalMem"],
            "driver_cuda": runtime.driverGetVersion(),
            "runtime_cuda": runtime.runtimeGetVersion(),
            "nvrtc": ".".join(map(str, cupy.cuda.nvrtc.getVersion())),
            "cublas": products.version() if self._gemm == "own" else None,
            "cublas_libraries": cublas.loaded_libraries(),
            "gemm": self._gemm,
            "cupy": cupy.__version__,
            "numpy": np.__version__,
        }


def numpy_scalar(argument: Any) -> Any:
    """An argument that the seam has packed, as a NumPy scalar of the same bytes: CuPy passes that by value."""
    return SCALARS[type(argument)](argument.value)
