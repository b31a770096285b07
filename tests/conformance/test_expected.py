"""Tests the suite's expectation of probe cells against numbers worked out by hand from the definitions of the
probes."""

import numpy as np
import pytest

from conformance.model.expected import expected, initial_state
from conformance.strategies.builtin import builtin_case
from conformance.strategies.derive import other_layout, with_arguments, with_lengths, with_options, without
from conformance.strategies.frame import Frame
from conformance.strategies.probes import affine_case, echo_case
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape


def _tally(lengths: list[int] | None) -> Case:
    """Two rows of two steps; one input, one state and one output of size 1."""
    x = np.array([[[1], [2]], [[3], [90]]], "int32")
    call = Call({"cell": CellRef("cell"), "inputs": x, "dtype": "int32"})
    return with_lengths(Case({"cell": CellSpec("probe:Tally", {"state_size": 1, "output_size": 1})}, [call]), lengths)


def test_a_tally_by_hand() -> None:
    # Row 0: 1 + 0 + 1 = 2, output 3; then 2 + 3 * 2 + 1 = 9, output 10.
    # Row 1: 3 + 0 + 1 = 4, output 5; then 90 + 3 * 4 + 1 = 103, modulo 97 is 6, output 7.
    outputs, state = expected(_tally(None))
    assert outputs.tolist() == [[[3], [10]], [[5], [7]]]
    assert state.tolist() == [[9], [6]]
    assert (outputs.dtype, state.dtype) == (np.dtype("int32"), np.dtype("int32"))


def test_past_the_end_nothing_goes_on() -> None:
    outputs, state = expected(_tally([1, 0]))
    assert outputs.tolist() == [[[3], [0]], [[0], [0]]]
    assert state.tolist() == [[2], [0]]


def test_lengths_below_zero_and_beyond_the_end() -> None:
    outputs, state = expected(_tally([-2, 7]))
    assert outputs.tolist() == [[[0], [0]], [[5], [7]]]
    assert state.tolist() == [[0], [6]]


def test_several_leaves_are_weighed_by_their_places() -> None:
    # One row, one step: 1 * (1 + 2) + 2 * 5 + 1 = 14. The second state leaf starts at 14 + 11, its elements 7 apart.
    x = (np.array([[[1, 2]]], "float32"), np.array([[[5]]], "float32"))
    spec = CellSpec("probe:Tally", {"state_size": (1, TensorShape([2])), "output_size": [1, 2]})
    case = Case({"cell": spec}, [Call({"cell": CellRef("cell"), "inputs": x, "dtype": "float32"})])
    outputs, state = expected(case)
    assert [leaf.tolist() for leaf in outputs] == [[[[15.0]]], [[[20.0, 27.0]]]]
    assert [leaf.tolist() for leaf in state] == [[[14.0]], [[25.0, 32.0]]]
    assert (type(outputs), type(state)) == (list, tuple)


def test_a_zero_state_of_its_own_is_where_a_tally_starts() -> None:
    case = with_options(_tally([1, 0]), zero_state=np.array([4], "int32"))
    assert initial_state(case).tolist() == [[4], [4]]
    assert expected(case)[1].tolist() == [[1 + 12 + 1], [4]]


def test_time_major_exchanges_the_axes_of_the_outputs_only() -> None:
    case = _tally([2, 1])
    outputs, state = expected(case)
    turned, same = expected(other_layout(case))
    assert turned.tolist() == outputs.swapaxes(0, 1).tolist()
    assert same.tolist() == state.tolist()


def test_an_echo_counts_its_steps() -> None:
    case = with_arguments(without(echo_case(Frame(2, 3)), "initial_state"), sequence_length=np.array([3, 1], "int32"))
    outputs, state = expected(case)
    assert state.tolist() == [[3.0], [1.0]]
    assert outputs[1, 1:].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert outputs[0].tobytes() == case.calls[0].arguments["inputs"][0].tobytes()


def test_an_affine_by_hand() -> None:
    case = affine_case(Frame(1, 1, seed=3), depth=1, units=1)
    kernel, bias = (float(case.weights["rnn/affine/" + name].item()) for name in ("kernel", "bias"))
    x = float(case.calls[0].arguments["inputs"].item())
    assert expected(case)[1].tolist() == [[(x * kernel + bias) % 97]]


def test_a_built_in_cell_is_none_of_its_business() -> None:
    with pytest.raises(ValueError, match=r"^no expectation for BasicRNNCell$"):
        expected(builtin_case(Frame()))
