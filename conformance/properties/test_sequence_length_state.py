"""Holds implementations to SEQ-4, 6, 9, 21 and 23 (the state stands still past a row's length, in every leaf and bit)
by calls that are cut off there, and by the definitions of the probe cells."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import expected, initial_state
from conformance.properties import rows
from conformance.strategies.arrays import COMPLEX, DTYPES, FLOATS
from conformance.strategies.builtin import PLAIN, builtin_cases
from conformance.strategies.derive import argument, frame_sizes, steps_of_rows, time_slice, without
from conformance.strategies.frame import choice
from conformance.strategies.lengths import ALL_ZERO, EARLY, RAGGED, SHORTENING, ZERO
from conformance.strategies.probes import last_input_cases, scalar_counter_cases, tally_cases
from conformance.strategies.structures import nests, structures
from dynamic_rnn_spec.case import Case

LAYOUTS = st.booleans()
RAGGED_FRAME: dict[str, Any] = {
    "batch": choice((2, 3, 4)),
    "max_time": choice((3, 2, 4, 5)),
    "lengths": choice((RAGGED, EARLY)),
    "time_major": st.booleans(),
}
"""A batch in which, nearly always, rows are of different lengths and some row ends early after at least one step."""
MIXED = choice((("float32", "int32"), ("int64", "bool", "float64"), ("complex64", "int8"), ("uint8", "float16")))


def _ends(case: Case) -> list[int]:
    """The lengths of the rows that end early after at least one step, each once."""
    _, steps = frame_sizes(case)
    return sorted({count for count in steps_of_rows(case) if 0 < count < steps})


def _rows_of(case: Case, count: int) -> list[int]:
    return [row for row, length in enumerate(steps_of_rows(case)) if length == count]


def _zero_rows(case: Case) -> list[int]:
    return _rows_of(case, 0)


def _shortened(case: Case, count: int) -> Case:
    """The case without lengths and with the first ``count`` steps only."""
    return time_slice(without(case, "sequence_length"), 0, count)


def _held(check: Check, case: Case) -> None:
    """Each row that ends early ends with the state of the call that has only the steps within its length."""
    state = check.returned(case).state
    for count in _ends(case)[:2]:
        shortened = check.returned(_shortened(case, count)).state
        check.equal(state, rows.in_rows(state, shortened, _rows_of(case, count)), where="state")
        check.reach("ended after a step")


@law("SEQ-4", cases=tally_cases(state_size=choice((1, 2, 3)), **RAGGED_FRAME))
def test_the_final_state_is_that_of_the_last_step_within(check: Check, case: Case) -> None:
    """A row's final state is that of the same call cut off at the row's length."""
    _held(check, case)


@law("SEQ-4", cases=last_input_cases(**RAGGED_FRAME))
def test_the_final_state_is_the_last_input_within(check: Check, case: Case) -> None:
    """A LastInput's final state is the row's input of the last step within its length."""
    state, wanted = check.returned(case).state, expected(case)[1]
    ended = [row for count in _ends(case) for row in _rows_of(case, count)]
    check.equal(state, rows.in_rows(state, wanted, ended), where="state")
    if ended:
        check.reach("ended after a step")


@law("SEQ-4", cases=builtin_cases(kinds=choice(PLAIN), dtype=choice(("float32", "float64")), **RAGGED_FRAME))
def test_the_final_state_of_built_in_cells(check: Check, case: Case) -> None:
    """The same on the built-in cells, within tolerance."""
    state = check.returned(case).state
    for count in _ends(case)[:1]:
        shortened = check.returned(_shortened(case, count)).state
        wanted = rows.in_rows(state, shortened, _rows_of(case, count))
        check.close(state, wanted, rows.allowed(case), where="state")
        check.reach("built-in cell")


@law("SEQ-6", cases=tally_cases(state_size=nests(most=3), **RAGGED_FRAME))
def test_every_leaf_of_a_nested_state_is_held(check: Check, case: Case) -> None:
    """Every leaf in nested tuples ends with what the call cut off at the row's length leaves there."""
    _held(check, case)


@law("SEQ-6", cases=tally_cases(state_size=nests(), state_dtypes=MIXED, **RAGGED_FRAME))
def test_leaves_of_several_dtypes_are_held(check: Check, case: Case) -> None:
    """Leaves of different dtypes and ranks end with what the cell's definition leaves in each row."""
    check.equal(check.returned(case).state, expected(case)[1], where="state")
    if _ends(case):
        check.reach("dtypes mixed")


@law("SEQ-6", cases=tally_cases(state_size=structures(), dtype=choice(DTYPES), initial_state=True, **RAGGED_FRAME))
def test_leaves_of_every_dtype_and_rank_are_held(check: Check, case: Case) -> None:
    """A leaf of any dtype, with any further dimensions, is held."""
    check.equal(check.returned(case).state, expected(case)[1], where="state")
    if _ends(case):
        check.reach(str(argument(case, "dtype")))


@law("SEQ-9", cases=tally_cases(**{**RAGGED_FRAME, "lengths": choice((ZERO, ZERO, ALL_ZERO))}))
def test_a_row_of_length_0_keeps_its_initial_state(check: Check, case: Case) -> None:
    """The final state of a row of length 0 is the given state, or the zero state, in every leaf."""
    state = check.returned(case).state
    check.equal(state, rows.in_rows(state, initial_state(case), _zero_rows(case)), where="state")
    check.reach("beside other rows" if any(steps_of_rows(case)) else "every row")


@law("SEQ-9", cases=tally_cases(**{**RAGGED_FRAME, "lengths": choice((ZERO, ZERO, ALL_ZERO))}))
def test_a_row_of_length_0_has_zero_outputs(check: Check, case: Case) -> None:
    """The outputs of a row of length 0 are zero at every step."""
    outputs = check.returned(case).outputs
    zeros = rows.zeros_like(expected(case)[0])
    check.close(outputs, rows.outputs_in_rows(case, outputs, zeros, _zero_rows(case)), 0.0, where="outputs")
    check.reach("beside other rows" if any(steps_of_rows(case)) else "every row")


@law("SEQ-9", cases=builtin_cases(kinds=choice(PLAIN), lengths=ZERO, initial_state=True))
def test_a_row_of_length_0_on_built_in_cells(check: Check, case: Case) -> None:
    """The same on the built-in cells, bit for bit: nothing is computed there."""
    answer, zero_rows = check.returned(case), _zero_rows(case)
    given = argument(case, "initial_state")
    check.equal(answer.state, rows.in_rows(answer.state, given, zero_rows), where="state")
    wanted = rows.outputs_in_rows(case, answer.outputs, rows.builtin_outputs(case), zero_rows)
    check.close(answer.outputs, wanted, 0.0, where="outputs")
    check.reach("built-in cell")


@law("SEQ-21", cases=scalar_counter_cases(lengths=choice(SHORTENING), time_major=LAYOUTS))
def test_a_rank_0_leaf_counts_all_steps(check: Check, case: Case) -> None:
    """Where rows end early, the counter of rank 0 still reaches T, and the counter in each row stops at its length."""
    state = check.returned(case).state
    _, steps = frame_sizes(case)
    dtype = argument(case, "dtype")
    counts = np.array(steps_of_rows(case)).astype(dtype)[:, None]
    check.equal(state, (np.array(steps).astype(dtype), counts), where="state")
    check.reach("ends early")


@law(
    "SEQ-23",
    cases=last_input_cases(content="wild", dtype=choice((*FLOATS, *COMPLEX)), initial_state=True, **RAGGED_FRAME),
)
def test_held_states_keep_their_bits(check: Check, case: Case) -> None:
    """-0.0, infinities and NaN with sign and payload stay what they are, whether given or taken at the last step."""
    state = check.returned(case).state
    _, steps = frame_sizes(case)
    held = [row for row, count in enumerate(steps_of_rows(case)) if count < steps]
    check.equal(state, rows.in_rows(state, expected(case)[1], held), where="state")
    check.reach("taken at the last step" if _ends(case) else "given")


@law(
    "SEQ-23",
    cases=last_input_cases(
        content="wild", dtype=choice((*FLOATS, *COMPLEX)), initial_state=True, lengths=ALL_ZERO, time_major=LAYOUTS
    ),
)
def test_given_states_keep_their_bits(check: Check, case: Case) -> None:
    """A given state that no step changes comes back with every bit."""
    check.equal(check.returned(case).state, argument(case, "initial_state"), where="state")
    check.reach("given")
