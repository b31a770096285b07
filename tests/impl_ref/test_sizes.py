"""Tests what sizes stand for, and what is no size."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import TensorShape
from impl_ref.sizes import row_dims


def test_integers_and_shapes_in_any_nesting() -> None:
    assert row_dims("state_size", 5) == [(5,)]
    assert row_dims("output_size", (2, [np.int64(1), TensorShape([2, 3])], TensorShape([]))) == [(2,), (1,), (2, 3), ()]
    assert row_dims("output_size", ()) == []


@pytest.mark.parametrize(
    ("sizes", "kind", "wanted", "got"),
    [
        (2.0, TypeError, "output_size of integers and TensorShapes", "2.0"),
        ((1, True), TypeError, "output_size of integers and TensorShapes at [1]", "True"),
        ([-1], ValueError, "output_size of integers and TensorShapes at [0] of at least 0", "-1"),
    ],
)
def test_other_sizes_are_refused(sizes: Any, kind: type[Exception], wanted: str, got: str, refused: Any) -> None:
    with refused(kind, "cell", wanted, got, "OUT-4"):
        row_dims("output_size", sizes)


@pytest.mark.parametrize(
    ("sizes", "got"),
    [
        ({1: 2, "a": 2}, "a dict needs keys that can be sorted, got [1, 'a']"),
        (range(2), "a range can't be made from its members: 'list' object cannot be interpreted as an integer"),
    ],
)
def test_containers_that_arrays_can_t_have_are_refused(sizes: Any, got: str, refused: Any) -> None:
    with refused(TypeError, "cell", "state_size in containers that arrays can have too", got, "STATE-3"):
        row_dims("state_size", sizes)
