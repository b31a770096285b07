"""Tests products of the host side: the whole tuple of cublasGemmEx, against NumPy on matrices laid out by hand."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from impl_gpu.device.host_gemm import from_bfloat16, to_bfloat16, to_tf32
from impl_gpu.device.seam import Gemm, SeamError, row_major

TYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}


def laid_out(matrix: Any, leading: int, dtype: Any) -> Any:
    """Column after column, ``leading`` elements apart, NaN between."""
    memory = np.full((matrix.shape[1], leading), np.nan, dtype)
    memory[:, : matrix.shape[0]] = matrix.T
    return memory


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (1.0, 1.0), (0.5, -2.0)])
@pytest.mark.parametrize(
    ("kind", "c_kind", "compute"),
    [
        ("float16", "float32", "32F"),
        ("float16", "float16", "32F"),
        ("bfloat16", "float32", "32F"),
        ("bfloat16", "bfloat16", "32F"),
        ("float32", "float32", "32F"),
        ("float32", "float32", "32F_FAST_TF32"),
        ("float64", "float64", "64F"),
    ],
)
def test_the_whole_tuple(
    transpose_a: bool,
    transpose_b: bool,
    alpha: float,
    beta: float,
    kind: str,
    c_kind: str,
    compute: str,
    make_desk: Callable[..., Any],
) -> None:
    m, n, k = 3, 4, 5
    rng = np.random.default_rng(0)
    # Small multiples of 1/4: exact in every type, and in every order of summation.
    a, b, c = (rng.integers(-8, 9, size=shape) / 4 for shape in ((m, k), (k, n), (m, n)))
    desk = make_desk(0)
    stored = [
        desk.upload(laid_out(a.T if transpose_a else a, 7, TYPES[kind]), TYPES[kind]),
        desk.upload(laid_out(b.T if transpose_b else b, 6, TYPES[kind]), TYPES[kind]),
        desk.upload(laid_out(c if beta else np.full_like(c, np.nan), 8, TYPES[c_kind]), TYPES[c_kind]),
    ]
    pa, pb, pc = (buffer.ptr for buffer in stored)
    call = Gemm(
        transpose_a, transpose_b, m, n, k, alpha, pa, kind, 7, pb, kind, 6, beta, pc, c_kind, 8, compute
    )  # fmt: skip
    desk.device.gemm(call, desk.stream, "product")
    got = desk.download(stored[2], TYPES[c_kind]).reshape(n, 8)
    wanted = (alpha * (a @ b) + (beta * c if beta else 0)).astype(TYPES[c_kind])
    np.testing.assert_array_equal(got[:, :m].T, wanted)
    assert np.isnan(got[:, m:].astype(np.float64)).all()  # what lies between the columns stays


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_rows_after_rows(transpose_a: bool, transpose_b: bool, make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)
    a, b = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
    stored = [a.T if transpose_a else a, b.T if transpose_b else b, np.full((2, 4), 100)]
    pa, pb, pc = (desk.upload(matrix.copy()) for matrix in stored)
    call = row_major(
        *(pa.ptr, pb.ptr, pc.ptr, 2, 4, 3),
        dtype="float32",
        accumulator="float32",
        lda=2 if transpose_a else 3,
        ldb=3 if transpose_b else 4,
        ldc=4,
        accumulate=True,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
    )
    desk.device.gemm(call, desk.stream, "product")
    np.testing.assert_array_equal(desk.download(pc).reshape(2, 4), a @ b + 100)


def test_nan_and_infinity_pass_without_a_warning(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)
    a, b, c = desk.upload([np.inf, np.nan]), desk.upload([0.0, 1.0]), desk.upload([1.0])
    call = row_major(a.ptr, b.ptr, c.ptr, 1, 1, 1, dtype="float32", accumulator="float32", lda=1, ldb=1, ldc=1,
                     accumulate=False)  # fmt: skip
    desk.device.gemm(call, desk.stream, "product")
    assert np.isnan(desk.download(c)[0])


def test_what_a_product_refuses_when_it_runs(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)
    a, c = desk.upload(np.ones(16)), desk.upload(np.ones(16), purpose="gates")
    good = row_major(
        a.ptr, a.ptr, c.ptr, 4, 4, 4, dtype="float32", accumulator="float32", lda=4, ldb=4, ldc=4, accumulate=False
    )

    def run(**changes: Any) -> None:
        desk.device.gemm(Gemm(**{**good._asdict(), **changes}), desk.stream, "product")
        desk.device.synchronize(desk.stream, "end")

    run()
    with pytest.raises(SeamError, match=r"^product: C: 76 bytes from byte 0 on do not lie within 'gates' \(64 bytes"):
        run(ldc=5)
    with pytest.raises(SeamError, match=r"^product: A: 80 bytes from byte 0 on do not lie within 'data' \(64 bytes"):
        run(k=5, ldb=5)
    with pytest.raises(SeamError, match=r"^product: A: 0x\w+ is no address of a float32$"):
        run(a=a.ptr + 2, k=2)
    with pytest.raises(SeamError, match=r"^product: C lies over A$"):
        run(a=c.ptr)
    with pytest.raises(SeamError, match=r"^product: C lies over B$"):
        run(b=c.ptr)


def test_operands_between_the_columns_of_c_are_legal(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)
    both = desk.upload(np.arange(16))
    call = Gemm(False, False, 2, 2, 2, 1.0, both.ptr + 8, "float32", 4, both.ptr + 40, "float32", 2, 0.0, both.ptr,
                "float32", 4, "32F")  # fmt: skip

    def over_b() -> None:
        desk.device.gemm(call._replace(b=both.ptr + 16), desk.stream, "product")
        desk.device.synchronize(desk.stream, "end")

    with pytest.raises(SeamError, match="C lies over B"):
        over_b()
    desk.device.gemm(call, desk.stream, "product")
    a, b = np.array([[2, 6], [3, 7]]), np.array([[10, 12], [11, 13]])
    np.testing.assert_array_equal(desk.download(both).reshape(4, 4)[:2, :2].T, a @ b)


def test_bfloat16_as_ml_dtypes_has_it() -> None:
    bits = np.arange(2**16).astype(np.uint16)
    np.testing.assert_array_equal(from_bfloat16(bits), bits.view(ml_dtypes.bfloat16).astype(np.float32))
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2**32, 20000, dtype=np.uint32).view(np.float32)
    values = np.concatenate(
        [values[~np.isnan(values)], np.array([1.00390625, 1.01171875, np.inf, -0.0, 3.4e38], np.float32)]
    )
    np.testing.assert_array_equal(to_bfloat16(values), values.astype(ml_dtypes.bfloat16).view(np.uint16))
    assert np.isnan(from_bfloat16(to_bfloat16(np.array([np.nan], np.float32)))).all()


def test_tf32_keeps_ten_bits_of_the_fraction() -> None:
    step = 2.0**-10
    values = np.array([1, 1 + step, 1 + step / 2, 1 + step / 4, -1 - step / 2, np.inf, np.nan, 0], np.float32)
    wanted = np.array([1, 1 + step, 1 + step, 1, -1 - step, np.inf, np.nan, 0], np.float32)
    np.testing.assert_array_equal(to_tf32(values), wanted)
