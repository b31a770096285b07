"""Tests that conformance.properties.rows puts what is wanted in the places asked for, and what was given in all
others."""

from typing import Any

import numpy as np
import pytest

from conformance.properties import rows
from conformance.strategies.builtin import builtin_case
from conformance.strategies.derive import argument, steps_of_rows, with_lengths
from conformance.strategies.frame import Frame
from conformance.strategies.lengths import RAGGED
from conformance.strategies.probes import echo_case, last_input_case
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import flatten
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

GOT, WANTED = np.ones((2, 3, 1)), np.zeros((2, 3, 1))


def ragged(time_major: bool = False) -> Case:
    return with_lengths(echo_case(Frame(batch=2, steps=3, time_major=time_major), TensorShape([1])), [1, 3])


def test_past_and_within_the_lengths_in_both_layouts() -> None:
    past = rows.past_lengths(ragged(), GOT, WANTED)[..., 0]
    np.testing.assert_array_equal(past, [[1, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(rows.within_lengths(ragged(), GOT, WANTED)[..., 0], 1 - past)
    swapped = rows.past_lengths(ragged(time_major=True), GOT.swapaxes(0, 1), WANTED.swapaxes(0, 1))[..., 0]
    np.testing.assert_array_equal(swapped, past.T)


def test_steps_and_rows() -> None:
    case = ragged()
    np.testing.assert_array_equal(rows.from_step(case, GOT, WANTED, 1)[..., 0], [[1, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(rows.at_step(case, GOT, WANTED, 0)[..., 0], [[0, 1, 1], [0, 1, 1]])
    np.testing.assert_array_equal(rows.outputs_in_rows(case, GOT, WANTED, [1])[..., 0], [[1, 1, 1], [0, 0, 0]])
    state = rows.in_rows((np.ones((3, 1)), np.array(4.0)), (np.zeros((3, 1)), np.array(5.0)), [0, 2])
    np.testing.assert_array_equal(state[0][:, 0], [0, 1, 0])
    assert state[1] == 5.0


@pytest.mark.parametrize(
    "got", [None, 3.0, np.ones((2, 3)), np.ones((2, 3, 1), "float32"), (GOT,), np.ones((3, 2, 1)), "outputs"]
)
def test_what_has_another_form_is_left_out(got: Any) -> None:
    assert rows.past_lengths(ragged(), got, WANTED) is WANTED


def test_containers_of_another_type_are_another_form() -> None:
    wanted = (WANTED, {"a": WANTED})
    assert rows.past_lengths(ragged(), [GOT, {"a": GOT}], wanted) is wanted
    assert rows.past_lengths(ragged(), (GOT, {"b": GOT}), wanted) is wanted
    mixed = rows.past_lengths(ragged(), (GOT, {"a": GOT}), wanted)
    assert [leaf[0, 1, 0] for leaf in flatten(mixed)] == [0, 0]


def test_only_the_padding_changes() -> None:
    case = last_input_case(Frame(batch=3, steps=4, pattern=RAGGED, raw=77, seed=2), TensorShape([2]), "int16")
    inputs, counts = argument(case, "inputs"), steps_of_rows(case)
    assert min(counts) < 4
    for changed, same in ((rows.with_other_padding(case), False), (rows.with_zero_padding(case), True)):
        other = argument(changed, "inputs")
        assert other.dtype == inputs.dtype
        for row, count in enumerate(counts):
            np.testing.assert_array_equal(other[row, :count], inputs[row, :count])
            assert not same or not other[row, count:].any()
    assert not np.array_equal(argument(rows.with_other_padding(case), "inputs"), inputs)


def test_rows_are_picked_where_there_are_any() -> None:
    array = np.arange(6).reshape(3, 2)
    np.testing.assert_array_equal(rows.picked(array, [2, 0]), [[4, 5], [0, 1]])
    np.testing.assert_array_equal(rows.picked(array, [1, 1], axis=1), [[1, 1], [3, 3], [5, 5]])
    scalar = np.array(7)
    first, second = rows.picked((scalar, array[:1]), [2])
    assert first == 7
    np.testing.assert_array_equal(second, array[:1])


def test_the_form_and_the_tolerance_of_built_in_cells() -> None:
    case = builtin_case(Frame(batch=2, steps=3, time_major=True), "MultiRNNCell of LSTM", units=2, depth=3)
    zeros = rows.builtin_outputs(case)
    assert (zeros.shape, zeros.dtype) == ((3, 2, 3), np.float32)
    one = builtin_case(Frame(batch=2, steps=3), "LSTMCell", units=2, depth=3)
    assert 0 < rows.allowed(one)(np.dtype("float32")) < rows.allowed(case)(np.dtype("float32")) < 1e-4
