"""Tests the checks of what a cell returns: a pair, outputs as output_size says, a state like the one given."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple
from impl_ref.checks.arguments import Arguments
from impl_ref.checks.returned import check_new_state, check_output, check_returned

X = np.zeros((2, 3), np.float32)


def arguments(output_size: Any, output_dims: list[tuple[int, ...]], dtype: Any = np.float32) -> Arguments:
    return Arguments(
        inputs=[],
        batch_size=2,
        max_time=1,
        lengths=None,
        initial_state=None,
        dtype=None if dtype is None else np.dtype(dtype),
        output_dtype=None,
        time_major=False,
        parallel_iterations=32,
        swap_memory=False,
        scope="rnn",
        state_size=3,
        output_size=output_size,
        output_dims=output_dims,
    )


def test_a_right_result_comes_back() -> None:
    leaves, state = check_returned([X, X], X, arguments(3, [(3,)]), [])
    assert leaves[0] is X
    assert state is X


@pytest.mark.parametrize(
    ("result", "kind", "got"),
    [
        (X, TypeError, "an array of shape (2, 3)"),
        (None, TypeError, "None"),
        ({"output": X}, TypeError, "a dict"),
        ((X,), ValueError, "1 parts"),
        ((X, X, X), ValueError, "3 parts"),
    ],
)
def test_what_is_no_pair_is_refused(result: Any, kind: type[Exception], got: str, refused: Any) -> None:
    with refused(kind, "cell", "a pair (output, state) from each step", got, "CELL-12"):
        check_returned(result, X, arguments(3, [(3,)]), [])


def test_containers_of_the_output_may_differ_from_output_size() -> None:
    given = arguments([3, (3,)], [(3,), (3,)])
    assert len(check_output((X, [X]), given, [])) == 2


@pytest.mark.parametrize(
    ("output", "got"),
    [
        ((X,), "others at the top: tuple of 2 against tuple of 1"),
        ((X, X, X), "others at the top: tuple of 2 against tuple of 3"),
        (X, "others at the top: tuple of 2 against a single ndarray"),
        ((X, (X,)), "others at [1]: a single int against tuple of 1"),
    ],
)
def test_surplus_and_missing_outputs_are_refused(output: Any, got: str, refused: Any) -> None:
    with refused(ValueError, "cell", "outputs nested as in output_size", got, "CELL-12"):
        check_output(output, arguments((3, 3), [(3,), (3,)]), [])


def test_outputs_by_keys_that_can_t_be_sorted_are_refused(refused: Any) -> None:
    got = "a dict needs keys that can be sorted, got [1, 'a']"
    with refused(TypeError, "cell", "outputs nested as in output_size", got, "CELL-12"):
        check_output({1: X, "a": X}, arguments({1: 3, 2: 3}, [(3,), (3,)]), [])


def test_outputs_of_another_shape_or_dtype_are_refused(refused: Any) -> None:
    given = arguments((3, 3), [(3,), (3,)])
    with refused(TypeError, "cell", "an output that is an array at [1]", "0.0", "OUT-7"):
        check_output((X, 0.0), given, [])
    with refused(ValueError, "cell", "an output of shape (2, 3) at [1]", "(2, 1)", "OUT-7"):
        check_output((X, X[:, :1]), given, [])
    with refused(TypeError, "cell", "an output of dtype float32 at [1]", "float64", "DTYPE-10"):
        check_output((X, X.astype(float)), given, [])
    free = arguments(3, [(3,)], dtype=None)
    assert check_output(X.astype(float), free, [])[0].dtype == np.float64
    with refused(TypeError, "cell", "an output of dtype float64", "float32", "DTYPE-10"):
        check_output(X, free, [np.dtype(np.float64)])


def test_a_state_in_other_containers_is_refused(refused: Any) -> None:
    got = "others at the top: LSTMStateTuple against tuple"
    with refused(TypeError, "cell", "a new state in the containers of the old", got, "CELL-10"):
        check_new_state((X, X), LSTMStateTuple(X, X))
    got = "another at the top: tuple of 2 against tuple of 1"
    with refused(ValueError, "cell", "a new state nested like the old", got, "CELL-10"):
        check_new_state((X,), (X, X))


def test_a_state_of_another_shape_or_dtype_is_refused(refused: Any) -> None:
    old = LSTMStateTuple(X, X)
    with refused(TypeError, "cell", "a new state that is an array at .h", "1", "CELL-11"):
        check_new_state(LSTMStateTuple(X, 1), old)
    with refused(ValueError, "cell", "a new state of shape (2, 3) at .h", "(1, 3)", "CELL-11"):
        check_new_state(LSTMStateTuple(X, X[:1]), old)
    with refused(TypeError, "cell", "a new state of dtype float32 at .c", "float16", "CELL-11"):
        check_new_state(LSTMStateTuple(X.astype(np.float16), X), old)
