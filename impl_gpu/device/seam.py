"""The one seam between impl_gpu and a device, cut at the C ABI: pointers, whole GEMM tuples, packed launch arguments.

``Device`` is what the rest of impl_gpu calls; it checks what is legal, writes the launch log and hands over to the
methods ``_do_*`` of a side: ``cuda.py`` is the thin one over CuPy, ``host.py`` executes the same kernel sources on the
processor. Nothing here knows a cell, a shape of the page or an equation.

All methods that take a stream only enqueue, and return before the work is done.
"""

import abc
import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .log import Entry, close_capture, open_capture, record

COMPUTE_TYPES: dict[str, tuple[tuple[str, str], ...]] = {
    "32F": (
        ("float32", "float32"),
        ("float16", "float16"),
        ("float16", "float32"),
        ("bfloat16", "bfloat16"),
        ("bfloat16", "float32"),
    ),
    "32F_FAST_TF32": (("float32", "float32"),),
    "64F": (("float64", "float64"),),
}
"""What a product may compute in, and for each the types of A (and B) and of C that cublasGemmEx takes with it."""
MAX_GRID = (2**31 - 1, 65535, 65535)
MAX_BLOCK = (1024, 1024, 64)
MAX_THREADS = 1024

C_TYPES: dict[str, type[Any]] = {
    "int": ctypes.c_int32,
    "long long": ctypes.c_int64,
    "float": ctypes.c_float,
    "double": ctypes.c_double,
}
"""The scalars that a kernel may take by value; every other parameter is a pointer, whose type ends in ``*``."""


class Parameter(NamedTuple):
    """One parameter of a kernel: its name and its C++ type as the source has it."""

    name: str
    type: str


class Kernel(NamedTuple):
    """A kernel to launch: an entry point of a source file, compiled for one dtype.

    ``module`` is the stem of ``kernels/<module>.cu``; ``dtype`` the variant it is compiled for (``kernels.VARIANTS``).
    """

    entry: str
    module: str
    dtype: str
    parameters: tuple[Parameter, ...]


class Gemm(NamedTuple):
    """C = alpha op(A) op(B) + beta C, every field as cublasGemmEx has it: matrices lie column after column.

    op(A) is [m, k], op(B) [k, n], C [m, n]; a, b, c are addresses; lda, ldb, ldc count elements from one column to
    the next. The types are NumPy's names of dtypes; ``compute`` is one of COMPUTE_TYPES.
    """

    transpose_a: bool
    transpose_b: bool
    m: int
    n: int
    k: int
    alpha: float
    a: int
    a_type: str
    lda: int
    b: int
    b_type: str
    ldb: int
    beta: float
    c: int
    c_type: str
    ldc: int
    compute: str


class Graph(NamedTuple):
    """A captured graph: what the side has for it, and the log entries of what it runs."""

    handle: Any
    entries: tuple[Entry, ...]


class SeamError(RuntimeError):
    """A device call that is wrong in itself: what CUDA would refuse, or what it would silently get wrong."""


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

    def allocate(self, nbytes: int, stream: Any, purpose: str) -> Buffer:
        """Uninitialised device memory for work on ``stream``; refused during capture."""
        self.purpose = purpose
        record(Entry("allocate", purpose, nbytes=nbytes))
        return self._do_allocate(nbytes, stream)

    def pinned(self, nbytes: int, purpose: str) -> Buffer:
        """Page-locked host memory; refused during capture."""
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


def pack(kernel: Kernel, values: Sequence[Any]) -> list[Any]:
    """The values as ctypes of exactly the widths that the kernel takes; a pointer is ``c_uint64``.

    Raises:
        SeamError: too few or too many values; an integer out of range; another kind of value.
    """
    if len(values) != len(kernel.parameters):
        raise SeamError(f"{kernel.entry}: expected {len(kernel.parameters)} arguments, got {len(values)}")
    return [packer(value) for packer, value in zip(_packers(kernel), values, strict=True)]


@functools.cache
def _packers(kernel: Kernel) -> tuple[Callable[[Any], Any], ...]:
    return tuple(_packer(f"{kernel.entry}: {parameter.name}", parameter.type) for parameter in kernel.parameters)


def _packer(where: str, kind: str) -> Callable[[Any], Any]:
    """What makes a value of one parameter the ctypes value of its width."""
    if kind.endswith("*"):
        return _integer_packer(ctypes.c_uint64, 0, 2**64, f"{where}: expected an address or None")
    c_type = C_TYPES.get(kind)
    if c_type is None:
        raise SeamError(f"{where}: no parameter type {kind!r}")
    if c_type in (ctypes.c_float, ctypes.c_double):
        return _number_packer(c_type, where)
    bits = 8 * ctypes.sizeof(c_type)
    return _integer_packer(c_type, -(2 ** (bits - 1)), 2 ** (bits - 1), f"{where}: expected an integer of {bits} bits")


def _integer_packer(c_type: type[Any], low: int, high: int, wanted: str) -> Callable[[Any], Any]:
    none_is_null = c_type is ctypes.c_uint64

    def packed(value: Any) -> Any:
        if isinstance(value, int) and low <= value < high and not isinstance(value, bool):
            return c_type(value)
        if value is None and none_is_null:
            return c_type(0)
        raise SeamError(f"{wanted}, got {value!r}")

    return packed


def _number_packer(c_type: type[Any], where: str) -> Callable[[Any], Any]:
    def packed(value: Any) -> Any:
        if isinstance(value, (float, int)) and not isinstance(value, bool):
            return c_type(value)
        raise SeamError(f"{where}: expected a number, got {value!r}")

    return packed


def check_geometry(kernel: Kernel, grid: tuple[int, int, int], block: tuple[int, int, int]) -> None:
    """Refuse what CUDA refuses: an empty or too large grid or block."""
    if any(not 1 <= size <= most for size, most in zip(grid, MAX_GRID, strict=True)):
        raise SeamError(f"{kernel.entry}: a grid of 1 to {MAX_GRID} blocks, got {grid}")
    if min(block) < 1 or block[0] * block[1] * block[2] > MAX_THREADS:
        raise SeamError(f"{kernel.entry}: a block of 1 to {MAX_THREADS} threads, got {block}")
    if block[2] > MAX_BLOCK[2]:
        raise SeamError(f"{kernel.entry}: a block of 1 to {MAX_BLOCK} threads, got {block}")


def check_gemm(call: Gemm) -> None:
    """Refuse what cuBLAS refuses, and products of nothing, whose result would be left as it was."""
    if min(call.m, call.n, call.k) < 1:
        raise SeamError(f"gemm: m, n and k of at least 1, got {(call.m, call.n, call.k)}")
    if (largest := max(call.m, call.n, call.k, call.lda, call.ldb, call.ldc)) >= 2**31:
        raise SeamError(f"gemm: sizes and leading dimensions of 32 bits, got {largest}")
    needed = {
        "lda": (call.lda, call.k if call.transpose_a else call.m),
        "ldb": (call.ldb, call.n if call.transpose_b else call.k),
        "ldc": (call.ldc, call.m),
    }
    for name, (given, least) in needed.items():
        if given < least:
            raise SeamError(f"gemm: {name} of at least {least}, got {given}")
    legal = COMPUTE_TYPES.get(call.compute)
    if legal is None:
        raise SeamError(f"gemm: a compute type among {tuple(COMPUTE_TYPES)}, got {call.compute!r}")
    if call.a_type != call.b_type or (call.a_type, call.c_type) not in legal:
        types = (call.a_type, call.b_type, call.c_type)
        raise SeamError(f"gemm: types of A, B and C that {call.compute} takes, got {types}")
    if min(call.a, call.b, call.c) <= 0:
        raise SeamError(f"gemm: addresses of A, B and C, got {(call.a, call.b, call.c)}")


def row_major(
    a: int,
    b: int,
    c: int,
    rows: int,
    columns: int,
    inner: int,
    *,
    dtype: str,
    accumulator: str,
    lda: int,
    ldb: int,
    ldc: int,
    accumulate: bool,
    tf32: bool = False,
) -> Gemm:
    """The tuple of C [rows, columns] (+)= A [rows, inner] B [inner, columns], all three lying row after row.

    ``lda``, ``ldb`` and ``ldc`` count elements from one row to the next. Read column after column the matrices are
    their transposes, so it is C^T = B^T A^T that is asked for.
    """
    compute = "64F" if dtype == "float64" else "32F_FAST_TF32" if tf32 and dtype == "float32" else "32F"
    beta = 1.0 if accumulate else 0.0
    return Gemm(
        False, False, columns, rows, inner, 1.0, b, dtype, ldb, a, dtype, lda, beta, c, accumulator, ldc, compute
    )
