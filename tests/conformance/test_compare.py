"""Tests that two values compare bit for bit or within a tolerance, and that the first difference is named."""

from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

from conformance.law.compare import Difference, close_difference, exact_difference
from conformance.model import tolerance
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple

Pair = namedtuple("Pair", ["c", "h"])


def f8(*values: float) -> Any:
    """A float64 vector."""
    return np.array(values, np.float64)


EQUAL: list[tuple[Any, Any]] = [
    (f8(1, 2), f8(1, 2)),
    (f8(np.nan), f8(np.nan)),
    (np.float32(3), np.array(3, np.float32)),
    (np.zeros((0, 3)), np.zeros((0, 3))),
    ((f8(1), [f8(2), {"a": f8(3)}]), (f8(1), [f8(2), {"a": f8(3)}])),
    ({"a": f8(1), "b": f8(2)}, {"b": f8(2), "a": f8(1)}),
    ({"a": f8(1)}, OrderedDict(a=f8(1))),
    (np.array([1, 2], ">i4"), np.array([1, 2], "<i4")),
    (np.arange(6.0).reshape(2, 3).T, np.arange(6.0).reshape(2, 3).T.copy()),
    ((), ()),
    (None, None),
    (np.array(["ab"]), np.array(["ab"])),
]


@pytest.mark.parametrize(("got", "expected"), EQUAL, ids=range(len(EQUAL)))
def test_equal(got: Any, expected: Any) -> None:
    assert exact_difference(got, expected, "outputs") is None
    assert close_difference(got, expected, 0.0, "outputs") is None


PAYLOAD = np.array([0x7FF8000000000001], np.uint64).view(np.float64)

DIFFERENT: list[tuple[Any, Any, str, str]] = [
    (f8(1, 3), f8(1, 2), "x[1]", "expected 2.0, got 3.0; 1 of 2 elements differ"),
    (f8(-0.0), f8(0.0), "x[0]", "expected 0.0, got -0.0"),
    (np.array(1.5), np.array(1.0), "x", "expected 1.0, got 1.5"),
    (PAYLOAD, f8(np.nan), "x[0]", "expected nan (bits 0x7ff8000000000000), got nan (bits 0x7ff8000000000001)"),
    (np.array([0.1], np.float32), np.array([0.2], np.float32), "x[0]", "expected 0.2, got 0.1"),
    (f8(1), np.array([1], np.float32), "x", "expected dtype float32, got float64"),
    (f8(1), f8(1, 1), "x", "expected shape (2,), got (1,)"),
    (np.zeros((0, 2)), np.zeros((0, 3)), "x", "expected shape (0, 3), got (0, 2)"),
    ([f8(1)], (f8(1),), "x", "expected a tuple of 1, got a list of 1"),
    ((f8(1),), f8(1), "x", "expected an array of shape (1,), got a tuple of 1"),
    ((f8(1),), (f8(1), f8(1)), "x", "expected a tuple of 2, got a tuple of 1"),
    ((f8(1), f8(1)), Pair(f8(1), f8(1)), "x", "expected a Pair(c, h) of 2, got a tuple of 2"),
    (
        Pair(f8(1), f8(1)),
        LSTMStateTuple(f8(1), f8(1)),
        "x",
        "expected a LSTMStateTuple(c, h) of 2, got a Pair(c, h) of 2",
    ),
    ({"a": f8(1)}, {"b": f8(1)}, "x", "expected a dict with the keys ['b'], got a dict with the keys ['a']"),
    (1.0, np.array(1.0), "x", "expected an array of shape (), got 1.0 of type float"),
    (None, f8(1), "x", "expected an array of shape (1,), got None of type NoneType"),
    (2, 3, "x", "expected 3, got 2"),
    (True, 1, "x", "expected 1 of type int, got True of type bool"),
]


@pytest.mark.parametrize(("got", "expected", "where", "message"), DIFFERENT, ids=range(len(DIFFERENT)))
def test_different(got: Any, expected: Any, where: str, message: str) -> None:
    assert exact_difference(got, expected, "x") == Difference(where, message)


def test_the_place_is_the_path_then_the_index() -> None:
    right = (LSTMStateTuple(np.zeros((3, 2)), np.zeros((3, 2))), {"k": np.zeros(2)})
    wrong = (LSTMStateTuple(np.zeros((3, 2)), np.eye(3, 2)[::-1]), {"k": np.ones(2)})
    difference = exact_difference(wrong, right, "state")
    assert difference is not None
    assert difference.where == "state[0].h[1, 1]"
    assert str(difference) == "at state[0].h[1, 1]: expected 0.0, got 1.0; 2 of 6 elements differ"
    difference = exact_difference((right[0], wrong[1]), right, "state")
    assert difference is not None
    assert difference.where == "state[1]['k'][0]"
    assert str(exact_difference(np.array(1), np.array(2))) == "expected 2, got 1"


@pytest.mark.parametrize(
    ("got", "expected", "near"),
    [
        (1.0009, 1.0, True),
        (1.0011, 1.0, False),
        (1000.9, 1000.0, True),
        (1001.1, 1000.0, False),
        (0.0009, 0.0, True),
        (0.0011, 0.0, False),
        (-0.0, 0.0, True),
        (np.nan, np.nan, True),
        (np.nan, 1.0, False),
        (1.0, np.nan, False),
        (np.inf, np.inf, True),
        (-np.inf, np.inf, False),
        (np.inf, 1e300, False),
        (1e300, np.inf, False),
    ],
)
def test_close_is_relative_above_one_and_absolute_below(got: float, expected: float, near: bool) -> None:
    assert (close_difference(f8(got), f8(expected), 1e-3) is None) == near


def test_close_still_wants_types_shapes_and_whole_numbers_exactly() -> None:
    assert close_difference(np.array([2]), np.array([1]), 10.0, "x") == Difference("x[0]", "expected 1, got 2")
    assert close_difference(np.array([True]), np.array([False]), 10.0) is not None
    assert close_difference(np.array([1], np.float32), f8(1), 10.0) is not None
    assert close_difference([f8(1)], (f8(1),), 10.0) is not None
    assert close_difference(np.array([1 + 1j], np.complex64), np.array([1 + 2j], np.complex64), 0.1) is not None
    assert close_difference(np.array([1 + 1j], np.complex64), np.array([1 + 1.01j], np.complex64), 0.1) is None


def test_close_takes_a_tolerance_for_each_dtype() -> None:
    wanted = (np.array([1], np.float32), f8(1))
    given = (np.array([1.001], np.float32), f8(1.001))
    difference = close_difference(given, wanted, lambda dtype: 0.01 if dtype == np.float32 else 1e-9, "state")
    assert difference is not None
    assert difference.where == "state[1][0]"
    assert "allowed is 1e-09 times max(1, |expected|)" in difference.message


@pytest.mark.parametrize(("dtype", "cap"), [("float16", 4e-3), ("float32", 1e-6), ("float64", 1e-13)])
def test_vectors_are_held_to_what_was_promised(dtype: str, cap: float) -> None:
    assert tolerance.for_vector(dtype, steps=1000, terms=1000, layers=9) == cap
    assert 0 < tolerance.for_vector(dtype, steps=1, terms=1) <= cap


def test_a_tolerance_grows_with_steps_terms_and_layers() -> None:
    one = tolerance.for_cell(np.float32, steps=1, terms=8)
    assert one == (16 + tolerance.ROUNDINGS) * 2.0**-24
    assert tolerance.for_cell(np.float32, steps=3, terms=8) == 3 * one
    assert tolerance.for_cell(np.float32, steps=1, terms=8, layers=2) == 2 * one
    assert tolerance.for_cell(np.float32, steps=1, terms=9) > one
    assert tolerance.for_cell(np.float64, steps=1, terms=8) == one * 2.0**-29
