"""Tests which values name a dtype, bfloat16 among them."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from impl_gpu.dtypes import BFLOAT16, as_dtype, describe_value, is_floating, mantissa_bits, native, on_device

NAMES: list[Any] = [
    "float32", "f4", np.float32, np.dtype("float32"), "bool", "b1", "i1", "uint64", "complex64", np.complex128,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_numbers_and_bools(name: Any) -> None:
    assert as_dtype(name) == np.dtype(name)


@pytest.mark.parametrize("name", ["bfloat16", ml_dtypes.bfloat16, np.dtype(ml_dtypes.bfloat16)])
def test_bfloat16_by_name_type_and_object(name: Any) -> None:
    assert as_dtype(name) == BFLOAT16
    assert is_floating(as_dtype(name))
    assert mantissa_bits(as_dtype(name)) == 7


def test_dtypes_come_in_the_byte_order_of_the_machine() -> None:
    assert as_dtype(np.dtype(">f4")).isnative
    assert native(np.dtype(">i8")) == np.int64


WORDS = "a dtype of numbers or bools, as an object, a NumPy scalar type or a name"


@pytest.mark.parametrize(
    ("value", "got", "clause", "hint"),
    [
        (float, "the type float", "DTYPE-12", "say np.float32 or np.float64"),
        (bool, "the type bool", "DTYPE-13", None),
        ("", "''", "DTYPE-13", None),
        ("int", "'int'", "DTYPE-12", "say 'int64' if that is meant"),
        ("floaty", "'floaty'", "DTYPE-12", None),
        (np.floating, "the type floating", "DTYPE-12", None),
        (np.bytes_, "the type bytes_", "DTYPE-12", "CuPy has no text"),
        (np.dtype("U3"), "<U3", "DTYPE-12", "CuPy has no text"),
        (np.dtype("longdouble"), str(np.dtype("longdouble")), "DTYPE-12", None),
        (np.dtype([("a", "f4")]), "[('a', '<f4')]", "DTYPE-12", None),
        (np.object_, "the type object_", "DTYPE-12", None),
        (4, "4", "DTYPE-12", None),
    ],
)
def test_everything_else_is_refused(value: Any, got: str, clause: str, hint: Any, refused: Any) -> None:
    with refused(TypeError, "dtype", WORDS, got, clause, hint):
        as_dtype(value)


def test_which_dtypes_cells_with_weights_compute_in() -> None:
    floating = [name for name in ("float16", "float64", "int32", "bool", "complex64") if is_floating(np.dtype(name))]
    assert floating == ["float16", "float64"]
    assert [mantissa_bits(np.dtype(name)) for name in ("float16", "float32", "float64")] == [10, 23, 52]


def test_dtypes_of_other_kinds_are_on_no_device() -> None:
    others = (ml_dtypes.float8_e4m3fn, "V2", "M8[s]", "m8[s]", "O", "longdouble", "clongdouble")
    assert not any(on_device(np.dtype(other)) for other in others)


def test_values_in_the_words_of_an_error() -> None:
    assert describe_value("a" * 90) == "'" + "a" * 56 + "..."
    assert describe_value([1]) == "an object of type list"
    assert describe_value(None) == "None"
