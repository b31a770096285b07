"""Holds implementations to SEQ-1 to 3, 8, 11, 14, 15, 19 and 20 (which lengths are accepted, and how many steps they
let count) by the definitions of the probe cells, and by the same call with other lengths."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import expected
from conformance.properties import rows
from conformance.strategies.builtin import PLAIN, builtin_cases
from conformance.strategies.derive import argument, steps_of_rows, with_arguments, with_lengths, without
from conformance.strategies.frame import choice
from conformance.strategies.lengths import ALL_ZERO, FULL, LONG, NEGATIVE, NONE, RAGGED, SHORTENING
from conformance.strategies.probes import echo_cases, last_input_cases, tally_cases
from dynamic_rnn_spec.case import Case

LAYOUTS = st.booleans()
WIDE_FLOATS = choice(("float32", "float64"))
RAGGED_FRAME: dict[str, Any] = {
    "batch": choice((2, 3, 4)),
    "max_time": choice((3, 2, 4, 5)),
    "lengths": choice(SHORTENING),
    "time_major": st.booleans(),
}
"""A batch in which, nearly always, rows are of different lengths and some row ends early after at least one step."""
HUGE = (2**31, 2**32 + 1, 2**32, 2**31 + 3, 2**33 + 2, 2**63 - 1)
"""Lengths that 32 bits would turn into negative ones, 1, 0, small ones and -1."""


@law("SEQ-1", cases=echo_cases(lengths=NONE, time_major=LAYOUTS))
def test_without_lengths_no_output_is_zeroed(check: Check, case: Case) -> None:
    """An Echo gives all of its inputs back, and its count of steps reaches T in every row."""
    answer = check.returned(case, own=True)
    outputs, state = expected(case)
    check.equal(answer.outputs, outputs, where="outputs")
    check.equal(answer.state, state, where="state")
    check.reach("no lengths")


@law("SEQ-1", cases=last_input_cases(lengths=NONE, time_major=LAYOUTS))
def test_without_lengths_no_state_is_held(check: Check, case: Case) -> None:
    """A LastInput ends with the inputs of step T - 1 in every row."""
    check.equal(check.returned(case, own=True).state, expected(case)[1], where="state")
    check.reach("no lengths")


@law("SEQ-1", cases=tally_cases(lengths=NONE))
def test_none_is_no_lengths(check: Check, case: Case) -> None:
    """None gives what leaving the argument out gives."""
    left_out = check.returned(case, own=True)
    given = check.returned(with_arguments(case, sequence_length=None), own=True)
    check.equal(given.outputs, left_out.outputs, where="outputs")
    check.equal(given.state, left_out.state, where="state")
    check.reach("None")


@law("SEQ-2", cases=echo_cases(**RAGGED_FRAME))
def test_int32_lengths_count_steps(check: Check, case: Case) -> None:
    """Row b of an Echo counts as many steps as entry b says."""
    check.equal(check.returned(case, own=True).state, expected(case)[1], where="state")
    check.reach("ragged" if len(set(steps_of_rows(case))) > 1 else "all alike")


@law("SEQ-3", cases=echo_cases(length_form="int64", **RAGGED_FRAME))
def test_int64_lengths_count_steps(check: Check, case: Case) -> None:
    """The same with int64."""
    check.equal(check.returned(case, own=True).state, expected(case)[1], where="state")
    check.reach("ragged" if len(set(steps_of_rows(case))) > 1 else "all alike")


@law("SEQ-3", cases=tally_cases(lengths=choice((*SHORTENING, NEGATIVE, LONG)), length_form="int64", time_major=LAYOUTS))
def test_int64_lengths_give_what_int32_gives(check: Check, case: Case) -> None:
    """The same numbers in the two dtypes give the same bits."""
    wide = check.returned(case, own=True)
    narrow = check.returned(with_lengths(case, argument(case, "sequence_length")), own=True)
    check.equal(wide.outputs, narrow.outputs, where="outputs")
    check.equal(wide.state, narrow.state, where="state")
    check.reach("ragged" if len(set(steps_of_rows(case))) > 1 else "all alike")


@law("SEQ-8", cases=tally_cases(**RAGGED_FRAME))
def test_steps_within_the_length_are_those_without_lengths(check: Check, case: Case) -> None:
    """Within each length the outputs of a Tally, and so the state that it carries, are those without lengths."""
    ragged, whole = check.returned(case), check.returned(without(case, "sequence_length"))
    check.equal(ragged.outputs, rows.within_lengths(case, ragged.outputs, whole.outputs), where="outputs")
    if max(steps_of_rows(case)) > 0:
        check.reach("ragged")


@law("SEQ-8", cases=tally_cases(**RAGGED_FRAME))
def test_steps_within_the_length_are_the_cells(check: Check, case: Case) -> None:
    """Within each length the outputs of a Tally are what its definition says."""
    outputs = check.returned(case).outputs
    check.equal(outputs, rows.within_lengths(case, outputs, expected(case)[0]), where="outputs")
    if max(steps_of_rows(case)) > 0:
        check.reach("ragged")


@law("SEQ-8", cases=builtin_cases(kinds=choice(PLAIN), dtype=WIDE_FLOATS, **RAGGED_FRAME))
def test_steps_within_the_length_on_built_in_cells(check: Check, case: Case) -> None:
    """The same on the built-in cells, within tolerance."""
    ragged, whole = check.returned(case), check.returned(without(case, "sequence_length"))
    wanted = rows.within_lengths(case, ragged.outputs, whole.outputs)
    check.close(ragged.outputs, wanted, rows.allowed(case), where="outputs")
    if max(steps_of_rows(case)) > 0:
        check.reach("built-in cell")


def _huge(case: Case, lengths: Sequence[int], every: bool) -> Case:
    """The case with the lengths of some or all rows replaced by enormous ones."""
    counts = steps_of_rows(case)
    chosen = [lengths[row % len(lengths)] if every or row % 2 == 0 else count for row, count in enumerate(counts)]
    return with_lengths(case, chosen, "int64")


@law(
    "SEQ-11",
    cases=st.builds(
        _huge,
        tally_cases(lengths=RAGGED, max_time=st.integers(2, 5), time_major=LAYOUTS),
        st.lists(choice(HUGE), min_size=1, max_size=3),
        st.booleans(),
    ),
)
def test_enormous_int64_lengths_cut_nothing_off(check: Check, case: Case) -> None:
    """Rows with a length of 2^31 or more have all T steps, the others their own number."""
    answer = check.returned(case, own=True)
    outputs, state = expected(case)
    check.equal(answer.outputs, outputs, where="outputs")
    check.equal(answer.state, state, where="state")
    given = argument(case, "sequence_length")
    check.reach("beside short rows" if int(min(given)) < 2**31 else "in every row")


def _as_counted(check: Check, case: Case) -> None:
    """The lengths as given have the effect of the numbers of steps that they stand for."""
    given = check.returned(case, own=True)
    counted = check.returned(with_lengths(case, steps_of_rows(case)))
    check.equal(given.outputs, counted.outputs, where="outputs")
    check.equal(given.state, counted.state, where="state")
    outputs, state = expected(case)
    check.equal(given.outputs, outputs, where="outputs")
    check.equal(given.state, state, where="state")


@law("SEQ-14", cases=tally_cases(lengths=NEGATIVE, length_form=choice(("int32", "int64")), time_major=LAYOUTS))
def test_negative_lengths_count_as_0(check: Check, case: Case) -> None:
    """A row of negative length has zero outputs and its initial state."""
    _as_counted(check, case)
    check.reach("negative")


@law("SEQ-15", cases=tally_cases(lengths=LONG, length_form=choice(("int32", "int64")), time_major=LAYOUTS))
def test_lengths_beyond_t_count_as_t(check: Check, case: Case) -> None:
    """A row of a length greater than T has T steps."""
    _as_counted(check, case)
    check.reach("beyond T")


@law(
    "SEQ-19",
    cases=tally_cases(
        lengths=choice((*SHORTENING, FULL, ALL_ZERO)), length_form=choice(("list", "tuple")), time_major=LAYOUTS
    ),
)
def test_a_list_or_tuple_of_ints_is_a_vector(check: Check, case: Case) -> None:
    """Python ints in a list or a tuple have the effect of the int32 vector of these numbers."""
    listed = check.returned(case, own=True)
    vector = check.returned(with_lengths(case, argument(case, "sequence_length")))
    check.equal(listed.outputs, vector.outputs, where="outputs")
    check.equal(listed.state, vector.state, where="state")
    check.reach(type(argument(case, "sequence_length")).__name__)


@law("SEQ-20", cases=tally_cases(lengths=FULL, length_form=choice(("int32", "int64")), time_major=LAYOUTS))
def test_lengths_all_t_are_no_lengths(check: Check, case: Case) -> None:
    """Lengths that are all T change no bit of outputs and state."""
    full, whole = check.returned(case), check.returned(without(case, "sequence_length"))
    check.equal(full.outputs, whole.outputs, where="outputs")
    check.equal(full.state, whole.state, where="state")
    check.reach("all T")


@law("SEQ-20", cases=builtin_cases(kinds=choice(PLAIN), lengths=FULL, time_major=LAYOUTS))
def test_lengths_all_t_on_built_in_cells(check: Check, case: Case) -> None:
    """The same on the built-in cells, bit for bit as well: the same products are made of the same shapes."""
    full, whole = check.returned(case), check.returned(without(case, "sequence_length"))
    check.equal(full.outputs, whole.outputs, where="outputs")
    check.equal(full.state, whole.state, where="state")
    check.reach("all T")
