"""Tests the checks of ``initial_state``: containers, numbers of parts, shapes; any dtype is taken."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple, TensorShape
from impl_ref.checks.state import check_initial_state

C, H = np.zeros((2, 3), np.float32), np.ones((2, 4), np.int8)


@pytest.mark.parametrize(
    ("state", "size"),
    [
        ((C, H), LSTMStateTuple(3, 4)),
        (LSTMStateTuple(C, H), (3, 4)),
        (([C], (H,)), ([3], (TensorShape([4]),))),
        ({"b": H, "a": C}, {"a": 3, "b": 4}),
    ],
)
def test_a_fitting_state_gives_its_leaves(state: Any, size: Any) -> None:
    leaves = check_initial_state(state, size, 2)
    assert leaves is not None
    assert leaves[0] is C
    assert leaves[1] is H


def test_no_state_and_an_empty_state() -> None:
    assert check_initial_state(None, (3, 4), 2) is None
    assert check_initial_state((), (), 2) == []
    assert check_initial_state([], [], 2) == []


@pytest.mark.parametrize(
    ("state", "size", "wanted", "got"),
    [
        ([C, H], (3, 4), "a tuple", "a list"),
        ((C, H), [3, 4], "a list", "a tuple"),
        ((C, [H]), (3, (4,)), "a tuple at [1]", "a list"),
        ({"a": C}, [3], "a list", "a dict"),
        ((C,), 3, "an array of shape (2, 3)", "a tuple"),
        ((C, 1.0), (3, 4), "an array of shape (2, 4) at [1]", "1.0"),
        ((C, None), LSTMStateTuple(3, 4), "an array of shape (2, 4) at .h", "None"),
    ],
)
def test_another_container_or_no_array_is_refused(state: Any, size: Any, wanted: str, got: str, refused: Any) -> None:
    with refused(TypeError, "initial_state", wanted, got, "INIT-9"):
        check_initial_state(state, size, 2)


@pytest.mark.parametrize(
    ("state", "size", "wanted", "got"),
    [
        (C, (3, 4), "2 parts in a tuple", "an array of shape (2, 3)"),
        ((C, H), (3, LSTMStateTuple(4, 4)), "2 parts at [1] in a LSTMStateTuple", "an array of shape (2, 4)"),
        ((C,), (3, 4), "2 parts: [0], [1]", "1: [0]"),
        ((C, H, C), LSTMStateTuple(3, 4), "2 parts: .c, .h", "3: [0], [1], [2]"),
        ((C, ()), (3, (4,)), "1 parts at [1]: [0]", "none"),
        ({"a": C, "c": H}, {"a": 3, "b": 4}, "2 parts: ['a'], ['b']", "2: ['a'], ['c']"),
    ],
)
def test_another_number_of_parts_is_refused(state: Any, size: Any, wanted: str, got: str, refused: Any) -> None:
    with refused(ValueError, "initial_state", wanted, got, "INIT-9"):
        check_initial_state(state, size, 2)


def test_keys_that_can_t_be_sorted_are_refused(refused: Any) -> None:
    got = "a dict needs keys that can be sorted, got [1, 'a']"
    with refused(TypeError, "initial_state", "the keys of state_size", got, "INIT-9"):
        check_initial_state({1: np.zeros((2, 3)), "a": np.zeros((2, 3))}, {1: 3, 2: 3}, 2)


@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (3,), (2, 3, 1), ()])
def test_another_shape_is_refused(shape: tuple[int, ...], refused: Any) -> None:
    with refused(ValueError, "initial_state", "shape (2, 3) at [0]", str(shape), "INIT-8"):
        check_initial_state((np.zeros(shape),), (3,), 2)


def test_a_state_size_that_is_none_is_refused_whether_or_not_a_state_is_given(refused: Any) -> None:
    with refused(TypeError, "cell", "state_size of integers and TensorShapes at [0]", "'3'", "STATE-3"):
        check_initial_state(None, ("3",), 2)
