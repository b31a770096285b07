"""Tests what cuBLAS would be given, written down by a stand-in for the library: values, C types, and their order."""

import ctypes
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from impl_gpu.device import cublas
from impl_gpu.device.cublas import Cublas, CublasError, Library, gemm_arguments, loaded_libraries
from impl_gpu.device.seam import Gemm, row_major

# cublas_api.h (13.0) and library_types.h (13.0), copied by hand; a wheel of 420 MB is no part of a test.
HEADERS = {
    "CUBLAS_OP_N": 0,
    "CUBLAS_OP_T": 1,
    "CUDA_R_32F": 0,
    "CUDA_R_64F": 1,
    "CUDA_R_16F": 2,
    "CUDA_R_16BF": 14,
    "CUBLAS_COMPUTE_32F": 68,
    "CUBLAS_COMPUTE_64F": 70,
    "CUBLAS_COMPUTE_32F_FAST_TF32": 77,
    "CUBLAS_GEMM_DEFAULT": -1,
    "CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION": 16,
}
HANDLE = 0x1234


class Function:
    """A C function that converts what it gets as ctypes would, and writes it down."""

    def __init__(self, name: str, calls: list[Any], status: int) -> None:
        self.name = name
        self.calls = calls
        self.status = status
        self.argtypes: Any = None
        self.restype: Any = None

    def __call__(self, *arguments: Any) -> Any:
        if self.name == "cublasGetStatusString":
            return b"it went wrong"
        seen = []
        assert len(arguments) == len(self.argtypes)
        for kind, argument in zip(self.argtypes, arguments, strict=True):
            converted = kind.from_param(argument)
            if self.name == "cublasCreate_v2":
                argument._obj.value = HANDLE
            elif self.name == "cublasGetVersion_v2" and hasattr(argument, "_obj"):
                argument._obj.value = 130200
            seen.append(read(kind, argument, converted))
        self.calls.append((self.name, *seen))
        return self.status


def read(kind: Any, argument: Any, converted: Any) -> Any:
    """The value that C would see; a scalar that is passed by its address as (type, value)."""
    if hasattr(argument, "_obj"):
        return type(argument._obj).__name__, argument._obj.value
    value = argument.value if hasattr(argument, "value") else argument
    assert kind(value).value == (value or (None if kind is ctypes.c_void_p else 0)), (converted, "does not fit")
    return value


class FakeLibrary:
    """A libcublas whose functions write down their calls; ``statuses`` are those of functions that fail."""

    def __init__(self, **statuses: int) -> None:
        self.calls: list[Any] = []
        self.functions = {
            name: Function(name, self.calls, statuses.get(name, 0))
            for name in (*cublas.SIGNATURES, "cublasGetStatusString")
        }

    def __getattr__(self, name: str) -> Any:
        return self.functions[name]

    def of(self, name: str) -> list[Any]:
        return [call[1:] for call in self.calls if call[0] == name]


class Stream:
    """Behaves as a stream of CuPy's: equal by its pointer."""

    def __init__(self, ptr: int) -> None:
        self.ptr = ptr

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.ptr == other.ptr

    def __hash__(self) -> int:
        return self.ptr


class Workspace:
    def __init__(self, ptr: int) -> None:
        self.ptr = ptr


class Desk:
    """A handle on a fake library; workspaces lie at 0x10000, 0x20000, ..."""

    def __init__(self) -> None:
        self.library = FakeLibrary()
        self.allocated: list[tuple[int, Any]] = []
        self.cublas = Cublas(Library(self.library, "libfake.so"), self._allocate)

    def _allocate(self, nbytes: int, stream: Any) -> Workspace:
        self.allocated.append((nbytes, stream.ptr))
        return Workspace(0x10000 * len(self.allocated))


A, B, C = 0x7F0000001000, 0x7F0000002000, 0x7F0000003000


def product(dtype: str, accumulator: str, tf32: bool = False, accumulate: bool = True) -> Gemm:
    """C [5, 7] += A [5, 3] B [3, 7] in rows, within wider rows of 4, 8 and 9."""
    return row_major(
        *(A, B, C, 5, 7, 3),
        dtype=dtype,
        accumulator=accumulator,
        lda=4,
        ldb=8,
        ldc=9,
        accumulate=accumulate,
        tf32=tf32,
    )


def test_the_values_of_the_headers() -> None:
    assert {False: HEADERS["CUBLAS_OP_N"], True: HEADERS["CUBLAS_OP_T"]} == cublas.OPERATIONS
    assert {
        "float32": HEADERS["CUDA_R_32F"],
        "float64": HEADERS["CUDA_R_64F"],
        "float16": HEADERS["CUDA_R_16F"],
        "bfloat16": HEADERS["CUDA_R_16BF"],
    } == cublas.TYPES
    assert {
        "32F": HEADERS["CUBLAS_COMPUTE_32F"],
        "64F": HEADERS["CUBLAS_COMPUTE_64F"],
        "32F_FAST_TF32": HEADERS["CUBLAS_COMPUTE_32F_FAST_TF32"],
    } == cublas.COMPUTES
    assert HEADERS["CUBLAS_GEMM_DEFAULT"] == cublas.GEMM_DEFAULT
    assert HEADERS["CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION"] == cublas.DISALLOW_REDUCED_PRECISION_REDUCTION


# By hand: rows are read as columns, so B comes first, with its 7 columns as m; each leading dimension is a row's.
@pytest.mark.parametrize(
    ("dtype", "accumulator", "tf32", "type_ab", "type_c", "compute", "scalar"),
    [
        ("float16", "float32", False, 2, 0, 68, "c_float"),
        ("bfloat16", "float32", False, 14, 0, 68, "c_float"),
        ("float32", "float32", False, 0, 0, 68, "c_float"),
        ("float32", "float32", True, 0, 0, 77, "c_float"),
        ("float64", "float64", False, 1, 1, 70, "c_double"),
        ("float16", "float32", True, 2, 0, 68, "c_float"),
        ("float64", "float64", True, 1, 1, 70, "c_double"),
    ],
)
@pytest.mark.parametrize("accumulate", [False, True])
def test_every_product_of_the_fused_path(
    dtype: str,
    accumulator: str,
    tf32: bool,
    type_ab: int,
    type_c: int,
    compute: int,
    scalar: str,
    accumulate: bool,
) -> None:
    desk = Desk()

    desk.cublas.gemm(product(dtype, accumulator, tf32, accumulate), Stream(0x77))

    assert desk.library.of("cublasGemmEx") == [
        (
            *(HANDLE, 0, 0, 7, 5, 3),
            *((scalar, 1.0), B, type_ab, 8),
            *(A, type_ab, 4),
            *((scalar, 1.0 if accumulate else 0.0), C, type_c, 9),
            *(compute, -1),
        )
    ]


def test_transpositions_go_where_they_belong() -> None:
    call = product("float32", "float32")._replace(transpose_a=True, transpose_b=False)

    assert gemm_arguments(call)[:2] == (1, 0)
    assert gemm_arguments(call._replace(transpose_a=False, transpose_b=True))[:2] == (0, 1)


def test_the_widths_of_the_c_functions() -> None:
    lengths = {name: [ctypes.sizeof(kind) for kind in kinds] for name, kinds in cublas.SIGNATURES.items()}

    assert lengths["cublasGemmEx"] == [8, 4, 4, 4, 4, 4, 8, 8, 4, 4, 8, 4, 4, 8, 8, 4, 4, 4, 4]
    assert lengths["cublasSetWorkspace_v2"] == [8, 8, 8]


def test_a_handle_sums_in_the_wider_type() -> None:
    desk = Desk()

    assert desk.library.calls == [("cublasCreate_v2", ("c_void_p", HANDLE)), ("cublasSetMathMode", HANDLE, 16)]


def test_the_stream_is_set_before_the_workspace_and_both_before_the_product() -> None:
    desk = Desk()

    desk.cublas.gemm(product("float32", "float32"), Stream(0x77))

    assert [call[0] for call in desk.library.calls[2:]] == [
        "cublasSetStream_v2",
        "cublasSetWorkspace_v2",
        "cublasGemmEx",
    ]
    assert desk.library.of("cublasSetStream_v2") == [(HANDLE, 0x77)]
    assert desk.library.of("cublasSetWorkspace_v2") == [(HANDLE, 0x10000, 32 * 2**20)]
    assert desk.allocated == [(32 * 2**20, 0x77)]


def test_each_stream_has_a_workspace_of_its_own_which_is_set_anew_when_the_stream_changes() -> None:
    desk, one, two = Desk(), Stream(0x77), Stream(0x88)

    for stream in (one, one, two, one):
        desk.cublas.gemm(product("float32", "float32"), stream)

    assert [pointer for _, pointer in desk.library.of("cublasSetStream_v2")] == [0x77, 0x88, 0x77]
    assert [pointer for _, pointer, _ in desk.library.of("cublasSetWorkspace_v2")] == [0x10000, 0x20000, 0x10000]
    assert len(desk.allocated) == 2


def test_equal_streams_share_a_workspace() -> None:
    desk, one, same = Desk(), Stream(0x77), Stream(0x77)

    assert desk.cublas.workspace(one) is desk.cublas.workspace(same)


def test_a_workspace_goes_with_its_stream() -> None:
    desk = Desk()
    stream = Stream(0x77)
    desk.cublas.gemm(product("float32", "float32"), stream)
    del stream
    gc.collect()

    desk.cublas.gemm(product("float32", "float32"), Stream(0x77))

    assert [pointer for _, pointer, _ in desk.library.of("cublasSetWorkspace_v2")] == [0x10000, 0x20000]


def test_a_workspace_is_not_used_after_it_has_gone_with_another_object_of_its_stream() -> None:
    """As of PyTorch's stream, for which CuPy makes a new object in every block."""
    desk, freed = Desk(), list[int]()
    allocate = desk.cublas._allocate

    def allocate_watched(nbytes: int, stream: Any) -> Workspace:
        workspace: Workspace = allocate(nbytes, stream)
        weakref.finalize(workspace, freed.append, workspace.ptr)
        return workspace

    desk.cublas._allocate = allocate_watched  # seen by what allocates from now on
    first, second = Stream(0x77), Stream(0x77)
    for stream in (first, second):
        desk.cublas.gemm(product("float32", "float32"), stream)
    del first, stream
    gc.collect()
    assert not freed

    desk.cublas.gemm(product("float32", "float32"), second)
    assert [pointer for _, pointer, _ in desk.library.of("cublasSetWorkspace_v2")] == [0x10000, 0x20000]
    assert freed == [0x10000]


def test_the_default_stream_of_each_thread_has_a_workspace_of_its_own() -> None:
    desk, shared = Desk(), Stream(cublas.PER_THREAD)
    mine = desk.cublas.workspace(shared)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(desk.cublas.gemm, product("float32", "float32"), shared).result()
    desk.cublas.gemm(product("float32", "float32"), shared)

    assert desk.cublas.workspace(shared) is mine
    assert [pointer for _, pointer, _ in desk.library.of("cublasSetWorkspace_v2")] == [0x20000, 0x10000]


def test_the_null_stream_is_a_null_pointer() -> None:
    desk = Desk()

    desk.cublas.gemm(product("float32", "float32"), Stream(0))

    assert desk.library.of("cublasSetStream_v2") == [(HANDLE, 0)]


def test_a_product_that_fails_names_the_function_the_reason_and_the_library() -> None:
    library = Library(FakeLibrary(cublasGemmEx=7), "libfake.so")

    with pytest.raises(CublasError) as raised:
        Cublas(library, lambda nbytes, stream: Workspace(0x10000)).gemm(product("float32", "float32"), Stream(1))

    assert str(raised.value) == "cublasGemmEx: it went wrong (status 7) in libfake.so"


def test_after_a_stream_that_could_not_be_set_it_is_set_again() -> None:
    library = FakeLibrary(cublasSetWorkspace_v2=7)
    handle = Cublas(Library(library, "libfake.so"), lambda nbytes, stream: Workspace(0x10000))
    stream = Stream(1)
    for _ in range(2):
        with pytest.raises(CublasError, match="cublasSetWorkspace_v2"):
            handle.gemm(product("float32", "float32"), stream)

    assert len(library.of("cublasSetStream_v2")) == 2


def test_the_version() -> None:
    assert Desk().cublas.version() == 130200


def test_the_libraries_in_a_process(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(
        "7f00-7f01 r-xp 00000000 08:01 1   /usr/lib/python3/site-packages/nvidia/cu13/lib/libcublas.so.13\n"
        "7f01-7f02 r--p 00000000 08:01 1   /usr/lib/python3/site-packages/nvidia/cu13/lib/libcublas.so.13\n"
        "7f02-7f03 r-xp 00000000 08:01 2   /usr/lib/python3/site-packages/nvidia/cu13/lib/libcublasLt.so.13\n"
        "7f03-7f04 r-xp 00000000 08:01 3   /opt/torch/libcublas.so.12\n"
        "7f04-7f05 rw-p 00000000 00:00 0 \n",
        encoding="utf-8",
    )

    assert loaded_libraries(maps) == ["/opt/torch/libcublas.so.12", "nvidia/cu13/lib/libcublas.so.13"]
    assert loaded_libraries(tmp_path / "none") == []


class CupyBinding:
    """Stands for cupy_backends.cuda.libs.cublas, whose gemmEx takes 19 arguments, scalars by address."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def gemmEx(self, *arguments: Any) -> None:  # noqa: N802  (CuPy's name)
        alpha, beta = (ctypes.c_float.from_address(arguments[index]).value for index in (6, 13))
        self.calls.append((*arguments[:6], alpha, *arguments[7:13], beta, *arguments[14:]))


def test_the_same_product_by_the_handle_of_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    import cupy.cuda.device
    import cupy_backends.cuda.libs

    binding = CupyBinding()
    entered: list[str] = []

    class Current(Stream):
        def __enter__(self) -> None:
            entered.append("enter")

        def __exit__(self, *error: object) -> None:
            entered.append("exit")

    monkeypatch.setitem(sys.modules, "cupy_backends.cuda.libs.cublas", binding)
    monkeypatch.setitem(cupy_backends.cuda.libs.__dict__, "cublas", binding)
    monkeypatch.setattr(cupy.cuda.device, "get_cublas_handle", lambda: HANDLE)

    cublas.CupyCublas().gemm(product("bfloat16", "float32"), Current(0x77))

    assert binding.calls == [(HANDLE, 0, 0, 7, 5, 3, 1.0, B, 14, 8, A, 14, 4, 1.0, C, 0, 9, 68, -1)]
    assert entered == ["enter", "exit"]


def test_a_machine_without_cublas_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from cuda import pathfinder

    def missing(name: str) -> Any:
        raise pathfinder.DynamicLibNotFoundError(f"no {name} here")

    monkeypatch.setattr(pathfinder, "load_nvidia_dynamic_lib", missing)
    with pytest.raises(RuntimeError, match="impl_gpu: no cuBLAS: no cublas here"):
        cublas.load()


def test_the_library_that_cupy_finds_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from cuda import pathfinder

    opened: list[str] = []

    def open_library(path: str) -> FakeLibrary:
        opened.append(path)
        return FakeLibrary()

    monkeypatch.setattr(pathfinder, "load_nvidia_dynamic_lib", lambda name: SimpleNamespace(abs_path=f"/lib/{name}.so"))
    monkeypatch.setattr(ctypes, "CDLL", open_library)

    assert cublas.load().path == "/lib/cublas.so"
    assert opened == ["/lib/cublas.so"]
