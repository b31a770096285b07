"""Tests the seam itself: what it refuses before any side is asked, and how it packs."""

import ctypes
from typing import Any

import pytest

from impl_gpu.device.seam import (
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

KERNEL = Kernel(
    "step",
    "lstm",
    "float32",
    (
        Parameter("h", "float*"),
        Parameter("n", "int"),
        Parameter("count", "long long"),
        Parameter("bias", "float"),
        Parameter("clip", "double"),
    ),
)
GEMM = Gemm(False, False, 2, 3, 4, 1.0, 512, "float32", 2, 1024, "float32", 4, 0.0, 1536, "float32", 2, "32F")


def test_values_are_packed_by_the_widths_of_the_kernel() -> None:
    packed = pack(KERNEL, [2**63 + 1, -(2**31), 2**62, 1, 0.1])
    assert [type(value) for value in packed] == [
        ctypes.c_uint64,
        ctypes.c_int32,
        ctypes.c_int64,
        ctypes.c_float,
        ctypes.c_double,
    ]
    assert [value.value for value in packed] == [2**63 + 1, -(2**31), 2**62, 1.0, 0.1]
    assert pack(KERNEL, [None, 0, 0, 0, 0])[0].value == 0


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, -1, "step: h: expected an address or None, got -1"),
        (0, 1.0, "step: h: expected an address or None, got 1.0"),
        (0, True, "step: h: expected an address or None, got True"),
        (1, 2**31, "step: n: expected an integer of 32 bits, got 2147483648"),
        (1, 1.0, "step: n: expected an integer of 32 bits, got 1.0"),
        (1, False, "step: n: expected an integer of 32 bits, got False"),
        (2, 2**63, "step: count: expected an integer of 64 bits, got 9223372036854775808"),
        (3, None, "step: bias: expected a number, got None"),
        (4, True, "step: clip: expected a number, got True"),
    ],
)
def test_a_value_that_does_not_fit(place: int, value: Any, message: str) -> None:
    values: list[Any] = [0, 0, 0, 0.0, 0.0]
    values[place] = value
    with pytest.raises(SeamError) as caught:
        pack(KERNEL, values)
    assert str(caught.value) == message


def test_a_wrong_number_of_values_or_an_unknown_type() -> None:
    with pytest.raises(SeamError, match=r"^step: expected 5 arguments, got 4$"):
        pack(KERNEL, [0, 0, 0, 0.0])
    with pytest.raises(SeamError, match=r"^step: n: no parameter type 'bool'$"):
        pack(KERNEL._replace(parameters=(Parameter("n", "bool"),)), [1])


@pytest.mark.parametrize(
    ("grid", "block", "message"),
    [
        ((0, 1, 1), (1, 1, 1), r"step: a grid of 1 to (2147483647, 65535, 65535) blocks, got (0, 1, 1)"),
        ((1, 65536, 1), (1, 1, 1), r"step: a grid of 1 to (2147483647, 65535, 65535) blocks, got (1, 65536, 1)"),
        ((1, 1, 1), (32, 0, 1), r"step: a block of 1 to 1024 threads, got (32, 0, 1)"),
        ((1, 1, 1), (32, 33, 1), r"step: a block of 1 to 1024 threads, got (32, 33, 1)"),
        ((1, 1, 1), (1, 1, 65), r"step: a block of 1 to (1024, 1024, 64) threads, got (1, 1, 65)"),
    ],
)
def test_a_geometry_that_cuda_refuses(grid: tuple[int, int, int], block: tuple[int, int, int], message: str) -> None:
    with pytest.raises(SeamError) as caught:
        check_geometry(KERNEL, grid, block)
    assert str(caught.value) == message


def test_the_largest_geometry_is_legal() -> None:
    check_geometry(KERNEL, (2**31 - 1, 65535, 65535), (1024, 1, 1))
    check_geometry(KERNEL, (1, 1, 1), (4, 4, 64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 0}, "gemm: m, n and k of at least 1, got (2, 3, 0)"),
        ({"lda": 1}, "gemm: lda of at least 2, got 1"),
        ({"transpose_a": True}, "gemm: lda of at least 4, got 2"),
        ({"ldb": 3}, "gemm: ldb of at least 4, got 3"),
        ({"transpose_b": True, "ldb": 2}, "gemm: ldb of at least 3, got 2"),
        ({"ldc": 1}, "gemm: ldc of at least 2, got 1"),
        ({"compute": "16F"}, "gemm: a compute type among ('32F', '32F_FAST_TF32', '64F'), got '16F'"),
        (
            {"a_type": "float16"},
            "gemm: types of A, B and C that 32F takes, got ('float16', 'float32', 'float32')",
        ),
        ({"compute": "64F"}, "gemm: types of A, B and C that 64F takes, got ('float32', 'float32', 'float32')"),
        ({"c": 0}, "gemm: addresses of A, B and C, got (512, 1024, 0)"),
        ({"m": 2**31}, "gemm: sizes and leading dimensions of 32 bits, got 2147483648"),
    ],
)
def test_a_product_that_cublas_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SeamError) as caught:
        check_gemm(GEMM._replace(**changes))
    assert str(caught.value) == message


def test_a_legal_product() -> None:
    check_gemm(GEMM)


@pytest.mark.parametrize(
    ("dtype", "accumulator", "tf32", "compute"),
    [
        ("float32", "float32", False, "32F"),
        ("float32", "float32", True, "32F_FAST_TF32"),
        ("float64", "float64", True, "64F"),
        ("float16", "float32", True, "32F"),
        ("bfloat16", "float32", False, "32F"),
    ],
)
def test_rows_after_rows_read_column_after_column(dtype: str, accumulator: str, tf32: bool, compute: str) -> None:
    call = row_major(
        512, 1024, 1536, 5, 6, 7, dtype=dtype, accumulator=accumulator, lda=8, ldb=9, ldc=10, accumulate=True, tf32=tf32
    )
    # C^T = B^T A^T: the second matrix comes first.
    assert call == Gemm(
        False, False, 6, 5, 7, 1.0, 1024, dtype, 9, 512, dtype, 8, 1.0, 1536, accumulator, 10, compute
    )  # fmt: skip
    check_gemm(call)
    assert (dtype, accumulator) in COMPUTE_TYPES[compute]
