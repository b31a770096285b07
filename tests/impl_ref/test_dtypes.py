"""Tests which values name a dtype."""

from typing import Any

import numpy as np
import pytest

from impl_ref.dtypes import as_dtype, describe_type, dtype_agrees

WANTED = "a NumPy dtype, a NumPy scalar type or the name of one"


@pytest.mark.parametrize("value", [np.dtype("f4"), np.float32, "float32", "f4"])
def test_the_ways_to_write_float32(value: Any) -> None:
    assert as_dtype(value) == np.dtype(np.float32)


@pytest.mark.parametrize("value", ["bool", "int8", "complex64", "S3", np.bytes_, np.bool_, np.float64, np.longdouble])
def test_dtypes_of_other_kinds(value: Any) -> None:
    assert as_dtype(value) == np.dtype(value)


@pytest.mark.parametrize(
    ("value", "got", "hint"),
    [
        (float, "the type float", "say np.float32 or np.float64"),
        (int, "the type int", None),
        (bool, "the type bool", None),
        (complex, "the type complex", None),
        (3, "3", None),
        (object(), "an object of type object", None),
        ("", "''", None),
        ("float33", "'float33'", None),
        ("float", "'float'", "say 'float64' if that is meant"),
        ("f4,i4", "'f4,i4'", "say 'void64' if that is meant"),
        (np.floating, "the abstract type floating", None),
    ],
)
def test_what_names_no_dtype_is_refused(value: Any, got: str, hint: str | None, refused: Any) -> None:
    clause = "DTYPE-13" if value is bool or value == "" else "DTYPE-12"
    with refused(TypeError, "dtype", WANTED, got, clause, hint):
        as_dtype(value)


def test_text_without_a_width_agrees_with_any() -> None:
    assert dtype_agrees(np.dtype("S"), np.dtype("S5"))
    assert not dtype_agrees(np.dtype("S"), np.dtype("U5"))
    assert not dtype_agrees(np.dtype("S3"), np.dtype("S5"))
    assert not dtype_agrees(np.dtype("f4"), np.dtype("f8"))


def test_a_long_value_is_cut_short() -> None:
    assert describe_type("x" * 100) == "'" + "x" * 56 + "..."
