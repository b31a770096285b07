"""Holds implementations to INIT-1 to 7, 10 and 11 (what initial_state may be, and what stands in for a missing one) by
what the first step sees and the definitions of the probe cells."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from conformance.law.laws import Check, Unsupported, law
from conformance.model.expected import expected
from conformance.properties import rows
from conformance.strategies.builtin import PLAIN, builtin_cases, state_sizes
from conformance.strategies.derive import argument, with_arguments, with_state
from conformance.strategies.frame import choice
from conformance.strategies.lengths import ALL_ZERO, EARLY, NONE, RAGGED, VALID, ZERO
from conformance.strategies.probes import last_input_cases, tally_cases
from conformance.strategies.structures import INPUT_SHAPES, INTEGER_SIZES, SHAPES, flat_tuples, nests, structures
from dynamic_rnn_spec.case import Answer, Case
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

LAYOUTS = st.booleans()
GIVEN: dict[str, Any] = {"initial_state": True, "lengths": NONE, "time_major": LAYOUTS}
"""A given state, and no lengths: every step is seen in the outputs."""
FLOAT_OR_INTEGER = choice(("float32", "int32", "float64"))
LSTM_KINDS = choice(
    ("LSTMCell", "MultiRNNCell of LSTM", "BasicLSTMCell", "LSTMCell projection", "MultiRNNCell", "MultiRNNCell of one")
)
LSTM_SIZES = choice(
    (
        LSTMStateTuple(2, 2),
        (LSTMStateTuple(2, 2), LSTMStateTuple(3, 1)),
        LSTMStateTuple(3, 1),
        (LSTMStateTuple(1, 1),),
        (1, (LSTMStateTuple(1, 2), 3)),
    )
)


def _plain(value: Any) -> Any:
    """The same with a plain tuple for every tuple."""
    return tuple(_plain(child) for child in value) if isinstance(value, tuple) else value


def _seen_first(check: Check, case: Case, label: str) -> None:
    """A LastInput's output at step 0 is the state that the first step was given."""
    outputs = check.returned(case, own=True).outputs
    check.equal(outputs, rows.at_step(case, outputs, expected(case)[0], 0), where="outputs")
    check.reach(label)


@law("INIT-1", cases=tally_cases(initial_state=False, time_major=LAYOUTS))
def test_initial_state_may_be_left_out_or_none(check: Check, case: Case) -> None:
    """With a dtype the call works without initial_state, and None is the same as leaving it out."""
    left_out = check.returned(case, own=True)
    given = check.returned(with_arguments(case, initial_state=None), own=True)
    check.equal(given.outputs, left_out.outputs, where="outputs")
    check.equal(given.state, left_out.state, where="state")
    check.reach("None")


@law("INIT-1", cases=builtin_cases(kinds=choice(PLAIN), initial_state=False))
def test_initial_state_of_built_in_cells_may_be_left_out(check: Check, case: Case) -> None:
    """Every built-in cell runs without a given state."""
    left_out = check.returned(case, own=True)
    given = check.returned(with_arguments(case, initial_state=None), own=True)
    check.close(given.outputs, left_out.outputs, rows.allowed(case), where="outputs")
    check.reach("built-in cell")


@law("INIT-2", cases=last_input_cases(size=choice(INTEGER_SIZES), content="wild", dtype=FLOAT_OR_INTEGER, **GIVEN))
def test_an_array_for_an_integer(check: Check, case: Case) -> None:
    """For a state_size of n, an array [B, n] is what the first step sees, bit for bit."""
    _seen_first(check, case, "integer")


@law("INIT-2", cases=tally_cases(state_size=choice(INTEGER_SIZES), initial_state=True, time_major=LAYOUTS))
def test_an_array_for_an_integer_counts(check: Check, case: Case) -> None:
    """A Tally goes on from the given array [B, n]: outputs and state depend on it."""
    answer = check.returned(case, own=True)
    outputs, state = expected(case)
    check.equal(answer.outputs, outputs, where="outputs")
    check.equal(answer.state, state, where="state")
    check.reach("integer")


@law("INIT-3", cases=last_input_cases(size=flat_tuples(INTEGER_SIZES), dtype=FLOAT_OR_INTEGER, **GIVEN))
def test_a_tuple_for_a_tuple(check: Check, case: Case) -> None:
    """For a tuple of integers, a tuple of arrays [B, s] in their order is what the first step sees."""
    _seen_first(check, case, "tuple")


def _with_plain_state(case: Case) -> Case:
    """The case with plain tuples in place of all named ones in its state."""
    return with_state(case, _plain(argument(case, "initial_state")))


@law(
    "INIT-4",
    cases=last_input_cases(size=LSTM_SIZES, initial_state=True, lengths=NONE, time_major=LAYOUTS).map(
        _with_plain_state
    ),
)
def test_a_plain_tuple_for_a_named_one(check: Check, case: Case) -> None:
    """Where a probe's state_size holds LSTMStateTuples, plain tuples in their place are what the first step sees."""
    answer = check.returned(case, own=True)
    outputs, state = expected(case)
    check.equal(answer.outputs, outputs, where="outputs")
    check.equal(answer.state, state, where="state")
    check.reach("probe")


@law("INIT-4", cases=builtin_cases(kinds=LSTM_KINDS, initial_state=True).map(_with_plain_state))
def test_a_plain_tuple_for_an_lstm(check: Check, case: Case) -> None:
    """For an LSTM cell, and for a stack of them, plain tuples (c, h) give what LSTMStateTuples give."""
    plain = check.returned(case, own=True)
    (spec,) = case.cells.values()
    state = pack_sequence_as(state_sizes(spec), flatten(argument(case, "initial_state")))
    named = check.returned(with_state(case, state))
    check.close(plain.outputs, named.outputs, rows.allowed(case), where="outputs")
    check.close(plain.state, named.state, rows.allowed(case), where="state")
    check.reach("stack" if len(spec.children) > 1 else "one cell")


@law("INIT-5", cases=last_input_cases(size=nests(INTEGER_SIZES, most=3), dtype=FLOAT_OR_INTEGER, **GIVEN))
def test_nested_tuples_for_nested_tuples(check: Check, case: Case) -> None:
    """For tuples inside tuples, arrays nested in the same way are what the first step sees."""
    _seen_first(check, case, "nested")


@law("INIT-6", cases=last_input_cases(size=choice(INPUT_SHAPES), content="wild", dtype=FLOAT_OR_INTEGER, **GIVEN))
def test_an_array_for_a_tensor_shape(check: Check, case: Case) -> None:
    """For a TensorShape, an array of B followed by that shape is what the first step sees, bit for bit."""
    _seen_first(check, case, "alone")


@law("INIT-6", cases=tally_cases(state_size=nests((*SHAPES, 2), most=3), initial_state=True, time_major=LAYOUTS))
def test_an_array_for_a_tensor_shape_in_a_tuple(check: Check, case: Case) -> None:
    """A TensorShape of any rank, 0 included, as a member of a tuple: a Tally goes on from the given arrays."""
    answer = check.returned(case, own=True)
    outputs, state = expected(case)
    check.equal(answer.outputs, outputs, where="outputs")
    check.equal(answer.state, state, where="state")
    check.reach("in a tuple")


@law(
    "INIT-7",
    cases=last_input_cases(
        size=structures((*INTEGER_SIZES, *INPUT_SHAPES), most=3),
        initial_state=False,
        lengths=NONE,
        dtype=FLOAT_OR_INTEGER,
        time_major=LAYOUTS,
    ),
)
def test_a_missing_state_is_zero(check: Check, case: Case) -> None:
    """Where the state is missing, the first step sees zeros of shape B and the size in every leaf."""
    _seen_first(check, case, "zeros")


@law("INIT-7", cases=tally_cases(initial_state=False, lengths=ALL_ZERO))
def test_a_missing_state_of_any_leaf_is_zero(check: Check, case: Case) -> None:
    """Where no step counts, the final state is the one that was made: zeros in every leaf, of rank 0 too."""
    check.equal(check.returned(case).state, expected(case)[1], where="state")
    check.reach("no step counts")


def _aliased(answer: Answer) -> Sequence[str]:
    if answer.aliased is None:
        raise Unsupported("shared memory", "the implementation does not tell what its result shares memory with")
    return answer.aliased


NOT_CHANGED = {"initial_state": True, "lengths": ALL_ZERO, "time_major": LAYOUTS}
"""A given state that no step changes."""


@law("INIT-10", cases=tally_cases(state_size=structures(), **NOT_CHANGED))
def test_the_final_state_is_never_the_given_one(check: Check, case: Case) -> None:
    """Where every row is of length 0, the final state equals the given one and is other memory."""
    answer = check.returned(case)
    check.equal(answer.state, expected(case)[1], where="state")
    check.that("initial_state" not in _aliased(answer), "the final state shares memory with initial_state")
    check.reach("no step counts")


@law("INIT-10", cases=tally_cases(state_size=structures(), initial_state=True, lengths=NONE, max_time=0))
def test_the_final_state_is_never_the_given_one_without_steps(check: Check, case: Case) -> None:
    """The same where there are no steps."""
    answer = check.returned(case)
    check.equal(answer.state, expected(case)[1], where="state")
    check.that("initial_state" not in _aliased(answer), "the final state shares memory with initial_state")
    check.reach("T is 0")


@law("INIT-10", cases=last_input_cases(initial_state=True, lengths=choice((RAGGED, EARLY, ZERO)), time_major=LAYOUTS))
def test_no_part_of_the_final_state_is_of_the_given_one(check: Check, case: Case) -> None:
    """The same where some rows are held and others are not."""
    check.that(
        "initial_state" not in _aliased(check.returned(case)), "the final state shares memory with initial_state"
    )
    check.reach("ragged")


@law("INIT-11", cases=tally_cases(state_size=choice(((), [])), lengths=choice(VALID), time_major=LAYOUTS))
def test_the_empty_state_works(check: Check, case: Case) -> None:
    """A Tally without a state runs, given a dtype and perhaps the empty state, and ends with the same container."""
    answer = check.returned(case, own=True)
    check.equal(answer.state, case.cells["cell"].options["state_size"], where="state")
    check.equal(answer.outputs, expected(case)[0], where="outputs")
    check.reach("given" if argument(case, "initial_state") is not None else "missing")
