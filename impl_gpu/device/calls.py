"""Defines what crosses the seam as plain values, kernels and matrix products, and checks what is legal of them."""

import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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


class SeamError(RuntimeError):
    """A device call that is wrong in itself: what CUDA would refuse, or what it would silently get wrong."""


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
    transpose_a: bool = False,
    transpose_b: bool = False,
) -> Gemm:
    """The tuple of C [rows, columns] (+)= A [rows, inner] B [inner, columns], all three lying row after row.

    With ``transpose_a`` it is the transpose of A that lies there, [inner, rows]; with ``transpose_b`` that of B,
    [columns, inner]. ``lda``, ``ldb`` and ``ldc`` count elements from one row to the next of what lies there. Read
    column after column the matrices are their transposes, so it is C^T = B^T A^T that is asked for.
    """
    compute = "64F" if dtype == "float64" else "32F_FAST_TF32" if tf32 and dtype == "float32" else "32F"
    return Gemm(
        transpose_a=transpose_b,
        transpose_b=transpose_a,
        m=columns,
        n=rows,
        k=inner,
        alpha=1.0,
        a=b,
        a_type=dtype,
        lda=ldb,
        b=a,
        b_type=dtype,
        ldb=lda,
        beta=1.0 if accumulate else 0.0,
        c=c,
        c_type=accumulator,
        ldc=ldc,
        compute=compute,
    )
