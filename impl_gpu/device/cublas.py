"""Hands matrix products to cuBLAS: whole tuples to cublasGemmEx, by a handle of this package's own.

CuPy's handle can't be used while a graph is captured (its binding refuses), and its workspace is cuBLAS's own, which
would be allocated inside the capture. So the handle here is another one of the same library: for each product the
stream is set first, then a workspace of that stream, because setting the stream takes the workspace away. Two streams
never share a workspace: what runs on them at the same time would write into it. (The default streams of all threads
have one pointer, and are as many streams as threads.)

Products are strict: the math mode is the default one, float32 is rounded to TF32 only where the compute type of a
tuple says so, and sums of float16 and bfloat16 stay in float32 to the end, never in the narrower type.
"""

import contextlib
import ctypes
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .seam import Gemm

WORKSPACE_BYTES = 32 * 2**20  # what cuBLAS advises for Hopper; more than it asks for elsewhere

# Of cublas_api.h and library_types.h, CUDA 12 and 13. tests/impl_gpu/test_cublas.py holds them to the headers' values.
SUCCESS = 0
OPERATIONS = {False: 0, True: 1}  # CUBLAS_OP_N, CUBLAS_OP_T
TYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}  # CUDA_R_32F, 64F, 16F, 16BF
COMPUTES = {"32F": 68, "64F": 70, "32F_FAST_TF32": 77}  # CUBLAS_COMPUTE_*
GEMM_DEFAULT = -1
PER_THREAD = 2  # cudaStreamPerThread
DISALLOW_REDUCED_PRECISION_REDUCTION = 16  # with CUBLAS_DEFAULT_MATH, which is 0

SCALARS = {"32F": ctypes.c_float, "32F_FAST_TF32": ctypes.c_float, "64F": ctypes.c_double}
"""The types of alpha and beta."""

_INT, _POINTER = ctypes.c_int, ctypes.c_void_p
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "cublasCreate_v2": (ctypes.POINTER(_POINTER),),
    "cublasGetVersion_v2": (_POINTER, ctypes.POINTER(_INT)),
    "cublasSetMathMode": (_POINTER, _INT),
    "cublasSetStream_v2": (_POINTER, _POINTER),
    "cublasSetWorkspace_v2": (_POINTER, _POINTER, ctypes.c_size_t),
    "cublasGemmEx": (
        *(_POINTER, _INT, _INT, _INT, _INT, _INT),  # handle, op A, op B, m, n, k
        *(_POINTER, _POINTER, _INT, _INT),  # alpha, A, its type, lda
        *(_POINTER, _INT, _INT),  # B, its type, ldb
        *(_POINTER, _POINTER, _INT, _INT),  # beta, C, its type, ldc
        *(_INT, _INT),  # compute type, algorithm
    ),
}
"""The C functions that are called, by the types of their parameters; each returns a cublasStatus_t."""


class CublasError(RuntimeError):
    """cuBLAS answered with another status than success."""


class Library:
    """libcublas, opened; ``path`` says which one, for there can be two in a process."""

    def __init__(self, library: Any, path: str) -> None:
        self.path = path
        self._functions: dict[str, Any] = {}
        for name, parameters in SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes = parameters
            function.restype = _INT
            self._functions[name] = function
        self._status_string = library.cublasGetStatusString
        self._status_string.argtypes = (_INT,)
        self._status_string.restype = ctypes.c_char_p

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function of SIGNATURES.

        Raises:
            CublasError: its status is not success.
        """
        status = self._functions[name](*arguments)
        if status != SUCCESS:
            raise CublasError(f"{name}: {self._status_string(status).decode()} (status {status}) in {self.path}")


def load() -> Library:
    """The libcublas that CuPy uses, found as CuPy finds it.

    Raises:
        RuntimeError: there is none.
    """
    from cuda import pathfinder

    try:
        found = pathfinder.load_nvidia_dynamic_lib("cublas")
    except pathfinder.DynamicLibNotFoundError as error:
        raise RuntimeError(f"impl_gpu: no cuBLAS: {error}") from error
    if found.abs_path is None:
        raise RuntimeError("impl_gpu: no cuBLAS: the loaded library has no path")
    return Library(ctypes.CDLL(found.abs_path), found.abs_path)


def loaded_libraries(maps: Path = Path("/proc/self/maps")) -> list[str]:
    """The paths of every libcublas in this process, under site-packages; PyTorch may have brought another one."""
    if not maps.exists():
        return []
    paths = {line.split(maxsplit=5)[5] for line in maps.read_text(encoding="utf-8").splitlines() if "/" in line}
    found = sorted(path for path in paths if Path(path).name.startswith("libcublas."))
    return [path.rpartition("site-packages/")[2] for path in found]


class Cublas:
    """A handle on one device. ``allocate(nbytes, stream)`` gives a workspace: an object with ``ptr``, kept alive here.

    Threads may share it: what is set for a product and the product itself are one turn of a lock.
    """

    def __init__(self, library: Library, allocate: Callable[[int, Any], Any]) -> None:
        self._library = library
        self._allocate = allocate
        self._lock = threading.RLock()
        self._handle = _POINTER()
        # By streams, which are equal when their pointers are. A workspace goes with the last of its streams, back to
        # the pool in the order of that stream; a graph keeps its own (CudaDevice).
        self._workspaces: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self._of_thread = threading.local()
        self._set: tuple[int, Any] | None = None  # the stream's pointer, and the workspace, which is alive while set
        library.call("cublasCreate_v2", ctypes.byref(self._handle))
        library.call("cublasSetMathMode", self._handle, DISALLOW_REDUCED_PRECISION_REDUCTION)

    def version(self) -> int:
        """The version as cuBLAS counts it: 130200 is 13.2."""
        number = _INT()
        self._library.call("cublasGetVersion_v2", self._handle, ctypes.byref(number))
        return number.value

    def workspace(self, stream: Any) -> Any:
        """The workspace of a stream, allocated when it is asked for first; never during capture."""
        with self._lock:
            if stream.ptr == PER_THREAD:
                if not hasattr(self._of_thread, "workspace"):
                    self._of_thread.workspace = self._allocate(WORKSPACE_BYTES, stream)
                return self._of_thread.workspace
            found = self._workspaces.get(stream)
            if found is None:
                found = self._workspaces[stream] = self._allocate(WORKSPACE_BYTES, stream)
            return found

    def gemm(self, call: Gemm, stream: Any) -> None:
        """Enqueue one product.

        Raises:
            CublasError: cuBLAS refuses it.
        """
        arguments = gemm_arguments(call)
        with self._lock:
            workspace = self.workspace(stream)
            if self._set is None or self._set[0] != stream.ptr or self._set[1] is not workspace:
                self._set = None
                self._library.call("cublasSetStream_v2", self._handle, stream.ptr)
                self._library.call("cublasSetWorkspace_v2", self._handle, workspace.ptr, WORKSPACE_BYTES)
                self._set = stream.ptr, workspace
            self._library.call("cublasGemmEx", self._handle, *arguments)


def gemm_arguments(call: Gemm) -> tuple[Any, ...]:
    """What cublasGemmEx gets after the handle; the seam has seen to it that all numbers fit."""
    scalar = SCALARS[call.compute]
    return (
        *(OPERATIONS[call.transpose_a], OPERATIONS[call.transpose_b], call.m, call.n, call.k),
        *(ctypes.byref(scalar(call.alpha)), call.a, TYPES[call.a_type], call.lda),
        *(call.b, TYPES[call.b_type], call.ldb),
        *(ctypes.byref(scalar(call.beta)), call.c, TYPES[call.c_type], call.ldc),
        *(COMPUTES[call.compute], GEMM_DEFAULT),
    )


class CupyCublas:
    """The same products by CuPy's handle, to tell which one is at fault; eager only, for CuPy refuses captures."""

    @contextlib.contextmanager
    def _handle(self, stream: Any) -> Iterator[int]:
        from cupy.cuda import device

        with stream:  # its binding takes the stream that is current
            yield device.get_cublas_handle()

    def gemm(self, call: Gemm, stream: Any) -> None:
        """Enqueue one product."""
        from cupy_backends.cuda.libs import cublas

        arguments = gemm_arguments(call)
        scalars = [SCALARS[call.compute](value) for value in (call.alpha, call.beta)]
        alpha, beta = map(ctypes.addressof, scalars)
        with self._handle(stream) as handle:
            cublas.gemmEx(handle, *arguments[:5], alpha, *arguments[6:12], beta, *arguments[13:])
