"""Tests the checks of cotangents: None, containers, parts, dtypes and shapes [GRAD-21]."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple
from impl_ref.checks.cotangents import check_cotangents, has_gradient

C, H, COUNT = np.ones((2, 3)), np.ones((2, 4), np.float32), np.ones(2, np.int32)
STATE: Any = (LSTMStateTuple(C, H), {"count": COUNT})


@pytest.mark.parametrize(
    ("dtype", "has"),
    [("float16", True), ("float32", True), ("complex64", True), ("int32", False), ("bool", False), ("S3", False)],
)
def test_which_dtypes_have_gradients(dtype: str, has: bool) -> None:
    assert has_gradient(np.zeros(2, dtype)) is has


@pytest.mark.parametrize(
    "d",
    [None, (None, None), (LSTMStateTuple(None, None), {"count": None}), ((None, None), None)],
    ids=["whole", "members", "leaves", "a plain tuple"],
)
def test_none_is_zeros_at_any_depth(d: Any) -> None:
    first, second, third = check_cotangents("d_state", d, STATE)
    np.testing.assert_array_equal(first, np.zeros_like(C), strict=True)
    np.testing.assert_array_equal(second, np.zeros_like(H), strict=True)
    assert third is None


def test_arrays_are_taken_as_they_are() -> None:
    leaves = check_cotangents("d_state", (LSTMStateTuple(-C, H), {"count": None}), STATE)
    assert leaves[1] is H
    np.testing.assert_array_equal(leaves[0], -C)


@pytest.mark.parametrize(
    ("d", "kind", "wanted", "got"),
    [
        ([None, None], TypeError, "a tuple", "an object of type list"),
        (H, TypeError, "a tuple", "an object of type ndarray"),
        (((None,), None), ValueError, "2 parts at [0]: .c, .h", "1: [0]"),
        ((), ValueError, "2 parts: [0], [1]", "none"),
        ((None, {"other": None}), ValueError, "1 parts at [1]: ['count']", "1: ['other']"),
        ((None, {"a": None, 1: None}), TypeError, "the keys of what was returned at [1]", None),
        (((C, [H]), None), TypeError, "an array of shape (2, 4) at [0].h, or None", "an object of type list"),
        (((1.0, None), None), TypeError, "an array of shape (2, 3) at [0].c, or None", "1.0"),
        (((C, C), None), TypeError, "dtype float32 at [0].h", "float64"),
        (((C[:1], H), None), ValueError, "shape (2, 3) at [0].c", "(1, 3)"),
        ((None, {"count": COUNT}), TypeError, "None at [1]['count'], since an array of int32 has no gradient", None),
    ],
)
def test_other_forms_are_refused(d: Any, kind: type[Exception], wanted: str, got: str | None, refused: Any) -> None:
    told = {
        "the keys of what was returned at [1]": "a dict needs keys that can be sorted, got ['a', 1]",
        "None at [1]['count'], since an array of int32 has no gradient": "an object of type ndarray",
    }
    with refused(kind, "d_state", wanted, got or told[wanted], "GRAD-21"):
        check_cotangents("d_state", d, STATE)
