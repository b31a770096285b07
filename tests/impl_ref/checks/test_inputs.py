"""Tests the checks of ``inputs``: which structures hold arrays, and whether these agree on batch and time."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from impl_ref.checks.inputs import check_inputs, check_layout

LAYOUT = "[batch, max_time, ...]"


def test_leaves_come_with_their_paths_and_unchanged() -> None:
    a, b = np.zeros((2, 3), "S4"), np.zeros((2, 3, 1), bool)
    leaves = check_inputs({"b": (b, []), "a": [a]}, time_major=False)
    assert [path for path, _ in leaves] == ["['a'][0]", "['b'][0]"]
    (_, first), (_, second) = leaves
    assert first is a
    assert second is b


@pytest.mark.parametrize(
    ("time_major", "layout", "clause"),
    [
        (False, LAYOUT, "IN-5"),
        ("no", LAYOUT, "IN-5"),
        (True, "[max_time, batch, ...]", "IN-6"),
        (np.bool_(True), "[max_time, batch, ...]", "IN-6"),
    ],
)
def test_none_is_refused(time_major: Any, layout: str, clause: str, refused: Any) -> None:
    with refused(ValueError, "inputs", f"an array {layout}", "None", clause):
        check_inputs(None, time_major)


@pytest.mark.parametrize(
    ("inputs", "got", "clause"),
    [
        ([], "an empty list", "IN-7"),
        ((), "(), which holds none", "IN-9"),
        ({}, "{}, which holds none", "IN-9"),
        ([[], ()], "[[], ()], which holds none", "IN-9"),
    ],
)
def test_a_structure_without_arrays_is_refused(inputs: Any, got: str, clause: str, refused: Any) -> None:
    with refused(ValueError, "inputs", "at least one array", got, clause):
        check_inputs(inputs, time_major=False)


def test_members_that_are_no_arrays_are_refused(refused: Any) -> None:
    x = np.zeros((2, 3, 1))
    with refused(ValueError, "inputs", f"an array {LAYOUT} at [1][0]", "None", "IN-12"):
        check_inputs((x, [None]), time_major=False)
    hint = "a list is a structure and never an array: use np.array(...)"
    with refused(ValueError, "inputs", f"an array {LAYOUT} at [0][0][0]", "1.5", "IN-15", hint):
        check_inputs([[[1.5, 2.5]]], time_major=False)
    with refused(ValueError, "inputs", f"an array {LAYOUT}", "3", "IN-11"):
        check_inputs(3, time_major=False)
    with refused(TypeError, "inputs", f"an array {LAYOUT} at [1]", "'text'", "IN-17"):
        check_inputs((x, "text"), time_major=False)
    with refused(TypeError, "inputs", f"an array {LAYOUT}", "an object of type set", "IN-17"):
        check_inputs({1}, time_major=False)


@pytest.mark.parametrize("leaf", [np.zeros(3), np.zeros(()), np.float32(1)])
def test_an_array_without_batch_and_time_is_refused(leaf: Any, refused: Any) -> None:
    wanted = f"rank 2 or more, an array {LAYOUT} at [0]"
    with refused(ValueError, "inputs", wanted, f"shape {leaf.shape}", "IN-11"):
        check_inputs((leaf,), time_major=False)


def test_keys_that_can_t_be_sorted_are_refused(refused: Any) -> None:
    with refused(TypeError, "inputs", "dicts with keys that can be sorted", "other keys", "IN-8"):
        check_inputs({1: np.zeros((2, 3)), "a": np.zeros((2, 3))}, time_major=False)


def test_a_container_that_a_step_can_t_have_is_refused(refused: Any) -> None:
    got = "a defaultdict can't be made from its members: first argument must be callable or None"
    with refused(TypeError, "inputs", "containers that a step can have too", got, "IN-8"):
        check_inputs(defaultdict(list, x=np.zeros((2, 3))), time_major=False)


def test_members_agree_on_their_first_two_dimensions(refused: Any) -> None:
    leaves = [("[0]", np.zeros((2, 3, 4))), ("[1]", np.zeros((2, 3)))]
    assert check_layout(leaves, time_major=False) == (2, 3)
    assert check_layout(leaves, time_major=True) == (3, 2)
    wanted = "the same first two dimensions (2, 3) at [2] as at [0]"
    with refused(ValueError, "inputs", wanted, "shape (2, 4, 1)", "IN-10"):
        check_layout([*leaves, ("[2]", np.zeros((2, 4, 1)))], time_major=False)
