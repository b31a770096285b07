"""Tests what CuPy would be asked for: a stand-in for its runtime writes down each call, by CuPy's own signatures."""

import ctypes
import gc
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cupy
import numpy as np
import pytest
from cupy.cuda import function, pinned_memory, runtime
from cupy_backends.cuda.api import runtime as real_runtime

import impl_gpu.device.cuda as cuda
from impl_gpu import kernels
from impl_gpu.device import cublas
from impl_gpu.device.cuda import CudaBuffer, CudaDevice, CudaGraph, numpy_scalar
from impl_gpu.device.seam import Kernel, OutOfDeviceMemory, Parameter, SeamError, pack, row_major

TAKES = re.compile(r"\((.*)\)")
OPTIONAL = "__pyx_optional_args"


def arity(name: str) -> tuple[int, bool]:
    """How many arguments CuPy's own function takes, by its C signature, and whether more are allowed."""
    found = TAKES.search(repr(real_runtime.__pyx_capi__[name]).split('"')[1])
    assert found is not None
    listed = [one.strip() for one in found[1].split(",")]
    return len([one for one in listed if "__pyx_" not in one]), OPTIONAL in found[1]


class Runtime:
    """Stands for cupy.cuda.runtime: calls are written down if CuPy's function takes as many arguments."""

    CUDARuntimeError = runtime.CUDARuntimeError

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.ends_with: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        real = getattr(real_runtime, name)
        if not callable(real):
            return real

        def called(*arguments: Any) -> Any:
            count, more = arity(name)
            assert len(arguments) == count or (more and len(arguments) > count), name
            self.calls.append((name, *arguments))
            if name == "streamEndCapture":
                if self.ends_with:
                    raise self.ends_with
                return 0x6
            return None

        return called


class Stream:
    """Behaves as CuPy's stream: a context, and equal by its pointer."""

    def __init__(self, ptr: int, log: list[Any]) -> None:
        self.ptr = ptr
        self.log = log

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and other.ptr == self.ptr

    def __hash__(self) -> int:
        return self.ptr

    def __enter__(self) -> None:
        self.log.append(("current", self.ptr))

    def __exit__(self, *error: object) -> None:
        self.log.append(("not current", self.ptr))

    def synchronize(self) -> None:
        self.log.append(("synchronize", self.ptr))

    def wait_event(self, event: Any) -> None:
        self.log.append(("wait", self.ptr, event.ptr))

    def begin_capture(self, mode: int) -> None:
        self.log.append(("begin", self.ptr, mode))

    def end_capture(self) -> "Graph":
        self.log.append(("end", self.ptr))
        return Graph(self.log)


class Graph:
    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def launch(self, stream: Stream) -> None:
        self.log.append(("launch", stream.ptr))


class Event:
    ptr = 0xE

    def __init__(self, log: list[Any]) -> None:
        self.log = log
        self.done = True

    def record(self, stream: Stream) -> None:
        self.log.append(("record", self.ptr, stream.ptr))

    def synchronize(self) -> None:
        self.log.append(("synchronize", self.ptr))


class Products:
    """Stands for a cuBLAS handle."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def workspace(self, stream: Stream) -> str:
        self.log.append(("workspace", stream.ptr))
        return f"workspace of {stream.ptr}"

    def gemm(self, call: Any, stream: Stream) -> None:
        self.log.append(("gemm", call, stream.ptr))


class Desk:
    """A CUDA device over stand-ins that write to one log."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runtime = Runtime()
        self.log: list[Any] = self.runtime.calls
        monkeypatch.setattr(cuda, "runtime", self.runtime)
        monkeypatch.setattr(cublas, "load", lambda: "a library")
        monkeypatch.setattr(cublas, "Cublas", lambda library, allocate: Products(self.log))
        self.device = CudaDevice()
        self.stream = Stream(0x51, self.log)
        self.other = Stream(0x52, self.log)
        self.event = Event(self.log)
        self.call = row_major(
            *(1, 2, 3, 4, 5, 6), dtype="float32", accumulator="float32", lda=6, ldb=5, ldc=5, accumulate=True
        )


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_memory_moves_by_address_on_the_stream(desk: Desk) -> None:
    device, stream = desk.device, desk.stream

    device.zero(100, 8, stream, "test")
    device.put(100, 200, 8, stream, "test")
    device.get(200, 100, 8, stream, "test")
    device.copy(300, 100, 8, stream, "test")

    assert desk.log == [
        ("memsetAsync", 100, 0, 8, 0x51),
        ("memcpyAsync", 100, 200, 8, 1, 0x51),  # cudaMemcpyHostToDevice
        ("memcpyAsync", 200, 100, 8, 2, 0x51),  # cudaMemcpyDeviceToHost
        ("memcpyAsync", 300, 100, 8, 3, 0x51),  # cudaMemcpyDeviceToDevice
    ]


def test_an_allocation_is_made_while_its_stream_is_current(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = memory_at(0x1000, 64)

    def alloc(nbytes: int) -> Any:
        desk.log.append(("alloc", nbytes))
        return memory

    monkeypatch.setattr(cupy.cuda, "alloc", alloc)

    buffer = desk.device.allocate(64, desk.stream, "test")

    assert desk.log == [("current", 0x51), ("alloc", 64), ("not current", 0x51)]
    assert (buffer.ptr, buffer.nbytes) == (0x1000, 64)
    assert isinstance(buffer, CudaBuffer)
    assert buffer.memory is memory


def test_pinned_memory_comes_from_the_pool_of_cupy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinned_memory, "alloc_pinned_memory", lambda nbytes: memory_at(0x2000, nbytes))

    buffer = desk.device.pinned(32, "test")

    assert (buffer.ptr, buffer.nbytes) == (0x2000, 32)


def test_pinned_memory_that_is_not_there_is_not_called_device_memory(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alloc(nbytes: int) -> Any:
        raise cuda_error(status)

    monkeypatch.setattr(pinned_memory, "alloc_pinned_memory", alloc)
    status = 2
    with pytest.raises(MemoryError, match=r"^swap: 64 bytes of page-locked host memory are not to be had$"):
        desk.device.pinned(64, "swap")
    status = 700
    with pytest.raises(runtime.CUDARuntimeError, match="cudaErrorIllegalAddress"):
        desk.device.pinned(64, "swap")


class Pool:
    """Stands for CuPy's default pool; ``limit`` as it answers, 0 for none."""

    def __init__(self, limit: int, used: int, free: int) -> None:
        self.get_limit, self.used_bytes, self.free_bytes = lambda: limit, lambda: used, lambda: free


@pytest.mark.parametrize(("limit", "wanted"), [(0, 5000 + 300), (1000, 1000 - 600), (500, 0), (10**6, 5300)])
def test_what_is_free_is_the_drivers_and_the_pools_within_its_limit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, limit: int, wanted: int
) -> None:
    monkeypatch.setattr(cupy, "get_default_memory_pool", lambda: Pool(limit, used=600, free=300))
    monkeypatch.setattr(desk.runtime, "memGetInfo", lambda: (5000, 9000), raising=False)

    assert desk.device.free_bytes() == wanted


def test_cupys_error_of_no_memory_is_that_of_the_seam(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def alloc(nbytes: int) -> Any:
        raise cupy.cuda.memory.OutOfMemoryError(nbytes, 600, 1000)

    monkeypatch.setattr(cupy.cuda, "alloc", alloc)
    monkeypatch.setattr(cupy, "get_default_memory_pool", lambda: Pool(1000, used=600, free=300))
    monkeypatch.setattr(desk.runtime, "memGetInfo", lambda: (5000, 9000), raising=False)

    with pytest.raises(OutOfDeviceMemory, match=r"^tape: wanted 512 bytes of device memory, 400 are left$") as raised:
        desk.device.allocate(512, desk.stream, "tape")
    assert (raised.value.wanted, raised.value.had, raised.value.purpose) == (512, 400, "tape")
    assert isinstance(raised.value.__cause__, cupy.cuda.memory.OutOfMemoryError)
    assert desk.device.live_bytes() == 0


def test_memory_counts_as_long_as_a_buffer_or_an_array_over_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cupy.cuda, "alloc", lambda nbytes: memory_at(0x1000, nbytes))
    monkeypatch.setattr(pinned_memory, "alloc_pinned_memory", lambda nbytes: memory_at(0x2000, nbytes))
    device = desk.device

    buffer, host = device.allocate(64, desk.stream, "test"), device.pinned(4096, "test")
    array = device.array(buffer, (4,), np.float32, 16)
    del buffer
    gc.collect()
    counted = device.live_bytes()
    del array
    gc.collect()

    assert (counted, device.live_bytes()) == (512, 0)
    assert host.nbytes == 4096


def memory_at(address: int, nbytes: int) -> Any:
    """A pointer of CuPy's to memory that is never read."""
    return cupy.cuda.MemoryPointer(cupy.cuda.UnownedMemory(address, nbytes, None, 0), 0)


def test_an_array_lies_over_its_buffer(desk: Desk) -> None:
    buffer = CudaBuffer(memory_at(0x1000, 64), 64)

    array = desk.device.array(buffer, (2, 3), np.float32, 16)

    assert array.data.ptr == 0x1010
    assert array.shape == (2, 3)
    assert array.flags.c_contiguous
    with pytest.raises(SeamError, match="24 bytes from byte 48 on of a buffer of 64"):
        desk.device.array(buffer, (2, 3), np.float32, 48)
    with pytest.raises(SeamError, match="expected a buffer of this side"):
        desk.device.array(object(), (1,), np.float32)  # type: ignore[arg-type]


def test_events_and_waits(desk: Desk) -> None:
    desk.device.record_event(desk.event, desk.stream)
    desk.device.wait_event(desk.other, desk.event)
    desk.device.synchronize_event(desk.event, "test")
    desk.device.synchronize(desk.stream, "test")

    assert desk.log == [("record", 0xE, 0x51), ("wait", 0x52, 0xE), ("synchronize", 0xE), ("synchronize", 0x51)]
    assert desk.device.has_passed(desk.event) is True


def test_products_go_to_the_handle(desk: Desk) -> None:
    desk.device.gemm(desk.call, desk.stream, "test")

    assert desk.log == [("gemm", desk.call, 0x51)]


def test_a_capture_is_thread_local_and_its_graph_keeps_the_workspace(desk: Desk) -> None:
    desk.device.begin_capture(desk.stream)
    desk.device.gemm(desk.call, desk.stream, "test")
    graph = desk.device.end_capture(desk.stream)
    desk.device.replay(graph, desk.other, "test")

    thread_local = real_runtime.streamCaptureModeThreadLocal
    assert thread_local == 1
    assert desk.log == [
        ("workspace", 0x51),
        ("begin", 0x51, thread_local),
        ("gemm", desk.call, 0x51),
        ("workspace", 0x51),
        ("end", 0x51),
        ("launch", 0x52),
    ]
    assert isinstance(graph.handle, CudaGraph)
    assert graph.handle.workspace == "workspace of 81"


def kernel() -> Kernel:
    return kernels.kernel("clock", "set_clock", "any")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (lambda desk: desk.device.allocate(8, desk.stream, "it"), "it: an allocation during capture"),
        (lambda desk: desk.device.pinned(8, "it"), "it: an allocation during capture"),
        (lambda desk: desk.device.synchronize(desk.stream, "it"), "it: a synchronisation during capture"),
        (lambda desk: desk.device.synchronize_event(desk.event, "it"), "it: a synchronisation during capture"),
        (lambda desk: desk.device.has_passed(desk.event), ": a look at an event during capture"),
        (lambda desk: desk.device.begin_capture(desk.other), ": another capture during capture"),
        (lambda desk: desk.device.to_numpy(None), "read back: a synchronisation during capture"),
        (lambda desk: desk.device.zero(1, 8, desk.other, "it"), "it: work on another stream during capture"),
        (lambda desk: desk.device.put(1, 2, 8, desk.other, "it"), "it: work on another stream during capture"),
        (lambda desk: desk.device.get(1, 2, 8, desk.other, "it"), "it: work on another stream during capture"),
        (lambda desk: desk.device.copy(1, 2, 8, desk.other, "it"), "it: work on another stream during capture"),
        (lambda desk: desk.device.gemm(desk.call, desk.other, "it"), "it: work on another stream during capture"),
        (lambda desk: desk.device.record_event(desk.event, desk.other), ": work on another stream during capture"),
        (lambda desk: desk.device.wait_event(desk.other, desk.event), ": work on another stream during capture"),
        (
            lambda desk: desk.device.launch(
                kernel(), (1, 1, 1), (1, 1, 1), (1, 0, None, 0, 0), desk.stream, "it", nbytes=0
            ),
            "set_clock: not loaded yet, so it can't be captured; launch it once before",
        ),
    ],
)
def test_what_is_refused_during_capture(desk: Desk, what: Any, message: str) -> None:
    desk.device.begin_capture(desk.stream)
    before = list(desk.log)

    with pytest.raises(SeamError) as raised:
        what(desk)

    assert message in str(raised.value)
    assert desk.log == before


def test_a_replay_is_refused_during_capture(desk: Desk) -> None:
    desk.device.begin_capture(desk.stream)
    graph = desk.device.end_capture(desk.stream)
    desk.device.begin_capture(desk.stream)

    with pytest.raises(SeamError, match="it: a replay during capture"):
        desk.device.replay(graph, desk.stream, "it")


def test_another_thread_is_not_held_up_by_a_capture(desk: Desk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    desk.device.begin_capture(desk.stream)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(desk.device.synchronize, desk.other, "test").result()

    assert desk.log[-1] == ("synchronize", 0x52)


def test_an_abandoned_capture_is_ended_and_its_graph_destroyed(desk: Desk) -> None:
    desk.device.begin_capture(desk.stream)
    desk.device.abandon_capture(desk.stream)

    assert desk.log[-2:] == [("streamEndCapture", 0x51), ("graphDestroy", 0x6)]
    desk.device.synchronize(desk.stream, "after it")


@pytest.mark.parametrize("status", cuda.CAPTURE_IS_VOID)
def test_an_abandoned_capture_that_cuda_has_given_up_has_no_graph(desk: Desk, status: int) -> None:
    desk.runtime.ends_with = cuda_error(status)
    desk.device.begin_capture(desk.stream)

    desk.device.abandon_capture(desk.stream)

    assert desk.log[-1] == ("streamEndCapture", 0x51)


def test_another_error_at_the_end_of_a_capture_is_told(desk: Desk) -> None:
    desk.runtime.ends_with = cuda_error(700)
    desk.device.begin_capture(desk.stream)

    with pytest.raises(runtime.CUDARuntimeError, match="cudaErrorIllegalAddress"):
        desk.device.abandon_capture(desk.stream)


def cuda_error(status: int) -> Exception:
    return runtime.CUDARuntimeError(status)  # type: ignore[no-any-return]


def test_the_names_of_what_ends_a_capture() -> None:
    for status, name in cuda.CAPTURE_IS_VOID.items():
        assert name in str(cuda_error(status))


# Arguments: from the seam's ctypes through CuPy's own packing, as far as a machine with no driver goes.


EVERY_KIND = Kernel(
    "f",
    "m",
    "any",
    (
        Parameter("pointer", "float*"),
        Parameter("null", "int*"),
        Parameter("i", "int"),
        Parameter("l", "long long"),
        Parameter("f", "float"),
        Parameter("d", "double"),
    ),
)


def test_arguments_keep_their_bytes() -> None:
    values = (2**63 + 5, None, -7, -(2**40), 0.1, 0.1)

    packed = pack(EVERY_KIND, values)
    scalars = [numpy_scalar(argument) for argument in packed]

    assert [scalar.tobytes() for scalar in scalars] == [bytes(argument) for argument in packed]
    assert [scalar.nbytes for scalar in scalars] == [8, 8, 4, 8, 4, 8]


def test_cupy_packs_these_arguments_up_to_the_driver() -> None:
    scalars = [numpy_scalar(argument) for argument in pack(EVERY_KIND, (1, None, 2, 3, 4.0, 5.0))]
    launched: Any = function.Function.__new__(function.Function)

    with pytest.raises(runtime.CUDARuntimeError):  # no driver: everything before it went well
        launched((1, 1, 1), (128, 1, 1), scalars, 0, Stream(0, []))
    with pytest.raises(TypeError, match="Unsupported type"):
        launched((1, 1, 1), (128, 1, 1), ["no scalar"], 0, Stream(0, []))


def test_a_kernel_is_compiled_once_and_launched_with_its_geometry(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Module:
        def __init__(self, code: str) -> None:
            made.append(code)

        def get_function(self, name: str) -> Any:
            made.append(name)
            return self

        @property
        def kernel(self) -> Any:
            return lambda *arguments: desk.log.append(("launched", *arguments))

    monkeypatch.setattr(cupy, "RawModule", Module)

    for t in (3, 4):
        values = (0x1000, t, 0x2000, 5, 6)
        desk.device.launch(kernel(), (1, 2, 3), (4, 5, 6), values, desk.stream, "test", nbytes=0, shared=16)

    assert made == [kernels.source("clock", "any"), "set_clock"]
    assert desk.log == [("launched", (1, 2, 3), (4, 5, 6), [0x1000, t, 0x2000, 5, 6], 16, desk.stream) for t in (3, 4)]


def test_kernels_and_products_that_have_run_can_be_captured(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Module:
        kernel = staticmethod(lambda *arguments: None)

        def __init__(self, code: str) -> None:
            self.code = code

        def get_function(self, name: str) -> Any:
            return self

    monkeypatch.setattr(cupy, "RawModule", Module)

    def work() -> None:
        desk.device.launch(kernel(), (1, 1, 1), (1, 1, 1), (1, 0, None, 0, 0), desk.stream, "test", nbytes=0)
        desk.device.gemm(desk.call, desk.stream, "test")

    work()
    desk.device.begin_capture(desk.stream)
    work()
    desk.device.end_capture(desk.stream)

    assert desk.log[-1] == ("end", 0x51)


def test_the_real_module_class_takes_what_it_is_given() -> None:
    module = cupy.RawModule(code=kernels.source("clock", "any"))

    assert module.code == kernels.source("clock", "any")
    assert module.options == ()
    assert module.backend == "nvrtc"


# Canaries: the names of CuPy that are called and are no methods of a stand-in here.


def test_cupy_has_what_is_called() -> None:
    assert arity("memcpyAsync") == (5, False)
    assert arity("memsetAsync") == (4, False)
    assert arity("streamEndCapture") == (1, False)
    assert arity("graphDestroy") == (1, False)
    assert arity("streamBeginCapture") == (1, True)
    assert (runtime.memcpyHostToDevice, runtime.memcpyDeviceToHost, runtime.memcpyDeviceToDevice) == (1, 2, 3)
    stream, event = cupy.cuda.Stream, cupy.cuda.Event
    assert "mode" in stream.begin_capture.__code__.co_varnames
    assert {"non_blocking"} <= set(stream.__init__.__code__.co_varnames)
    assert {"disable_timing"} <= set(event.__init__.__code__.co_varnames)
    assert callable(stream.end_capture)
    assert callable(stream.wait_event)
    assert callable(stream.__eq__)
    assert isinstance(event.done, property)
    assert callable(cupy.cuda.Graph.launch)
    assert callable(cupy.cuda.get_current_stream)
    assert isinstance(cupy.RawKernel.kernel.__get__, object)
    assert "kernel" in dir(cupy.RawKernel)
    assert cupy.cuda.nvrtc.getVersion()[0] >= 12


def test_streams_of_one_pointer_are_one_queue_but_for_the_default_ones_of_threads(desk: Desk) -> None:
    queue_of = desk.device.queue_of
    shared = Stream(runtime.streamPerThread, desk.log)
    with ThreadPoolExecutor(1) as thread:
        elsewhere = [thread.submit(queue_of, stream).result() for stream in (desk.stream, shared)]

    assert runtime.streamPerThread == cublas.PER_THREAD
    assert queue_of(desk.stream) == queue_of(Stream(desk.stream.ptr, desk.log)) == elsewhere[0]
    assert queue_of(shared) == queue_of(shared) != elsewhere[1]
    assert queue_of(desk.stream) != queue_of(desk.other)


def test_current_arrays_enter_as_they_are(desk: Desk) -> None:
    array = desk.device.array(CudaBuffer(memory_at(0x1000, 64), 64), (4,), np.float32)

    assert desk.device.enter(array) is array


def test_arrays_of_another_gpu_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    device = CudaDevice(1)
    array = cupy.ndarray((4,), np.float32, memptr=memory_at(0x1000, 64))

    with pytest.raises(ValueError, match="expected an array on the current GPU, 1, got one on 0"):
        device.enter(array)


def test_a_device_is_made_current_by_cupy() -> None:
    made: Any = CudaDevice(3).made_current()
    assert isinstance(made, cupy.cuda.Device)
    assert made.id == 3


def test_numpy_arrays_are_uploaded_in_c_order(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from impl_gpu.device.log import launch_log

    given: list[Any] = []

    def asarray(host: Any) -> str:
        given.append(host)
        return "uploaded"

    monkeypatch.setattr(cupy, "asarray", asarray)

    with launch_log() as log:
        assert desk.device.enter(np.ones((3, 2), np.float32).T) == "uploaded"

    assert given[0].flags.c_contiguous
    assert [(entry.kind, entry.purpose, entry.nbytes) for entry in log.entries] == [
        ("allocate", "upload", 24),
        ("pinned", "upload", 24),
        ("put", "upload", 24),
    ]


class Lends:
    """An array of another library in a GPU's memory, with or without the array interface."""

    def __init__(self, device_type: int) -> None:
        self.device_type = device_type

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device_type, 0

    def __dlpack__(self, **more: Any) -> Any:
        raise AssertionError("CuPy's own function is replaced here")

    @property
    def __cuda_array_interface__(self) -> Any:
        raise TypeError("as PyTorch says of bfloat16")


@pytest.mark.parametrize("device_type", [2, 13])
def test_device_memory_enters_by_dlpack_first(desk: Desk, monkeypatch: pytest.MonkeyPatch, device_type: int) -> None:
    array = cupy.ndarray((4,), np.float32, memptr=memory_at(0x1000, 64))
    monkeypatch.setattr(cupy, "from_dlpack", lambda value: array)

    assert desk.device.enter(Lends(device_type)) is array


def test_device_memory_without_dlpack_enters_by_the_array_interface(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interface:
        __cuda_array_interface__ = {"shape": (4,)}  # noqa: RUF012  (the protocol's)

    array = cupy.ndarray((4,), np.float32, memptr=memory_at(0x1000, 64))
    monkeypatch.setattr(cupy, "asarray", lambda value: array)

    assert desk.device.enter(Interface()) is array


def test_the_description(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    properties = {"name": b"a GPU", "major": 9, "minor": 0, "multiProcessorCount": 132, "totalGlobalMem": 1 << 37}
    answers = {"getDeviceProperties": lambda number: properties}
    for name in ("driverGetVersion", "runtimeGetVersion"):
        answers[name] = lambda *none: 13000  # type: ignore[assignment]
    for name, answer in answers.items():
        monkeypatch.setattr(desk.runtime, name, answer, raising=False)
    monkeypatch.setattr(Products, "version", lambda self: 130200, raising=False)

    described = desk.device.describe()

    assert described["kind"] == "cuda"
    assert described["device"] == "a GPU"
    assert described["compute_capability"] == "9.0"
    assert described["cublas"] == 130200
    assert described["gemm"] == "own"


def test_c_types_have_the_widths_of_cuda() -> None:
    assert {ctypes.sizeof(kind): np.dtype(scalar).itemsize for kind, scalar in cuda.SCALARS.items()} == {4: 4, 8: 8}
