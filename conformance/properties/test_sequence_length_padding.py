"""Holds implementations to SEQ-12 and 22 (neither the padding nor the other rows influence a row) by the same call with
other padding or other rows; every cell drawn here treats each row by itself."""

from typing import Any

from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.properties import rows
from conformance.strategies.arrays import DTYPES, FLOATS
from conformance.strategies.builtin import PLAIN, builtin_cases
from conformance.strategies.derive import frame_sizes, take_rows, with_padding
from conformance.strategies.frame import choice
from conformance.strategies.lengths import NONE, RAGGED, SHORTENING
from conformance.strategies.probes import echo_cases, last_input_cases, tally_cases
from dynamic_rnn_spec.case import Case

RAGGED_FRAME: dict[str, Any] = {
    "batch": choice((2, 3, 4)),
    "max_time": choice((3, 2, 4, 5)),
    "lengths": choice(SHORTENING),
    "time_major": st.booleans(),
}
"""A batch in which, nearly always, rows are of different lengths and some row ends early after at least one step."""
SEVERAL = st.integers(2, 4)
WIDE_FLOATS = choice(("float32", "float64"))
NOT_A_NUMBER = float("nan")


def _as_with_zeros(check: Check, case: Case) -> None:
    """The case gives the bits of the same call with zeros in the padding."""
    answer, clean = check.returned(case, own=True), check.returned(rows.with_zero_padding(case))
    check.equal(answer.outputs, clean.outputs, where="outputs")
    check.equal(answer.state, clean.state, where="state")


def _with_nan(case: Case) -> Case:
    return with_padding(case, NOT_A_NUMBER)


@law("SEQ-12", cases=tally_cases(dtype=choice(FLOATS), **RAGGED_FRAME).map(_with_nan))
def test_nan_in_the_padding(check: Check, case: Case) -> None:
    """NaN at every padded place of a Tally's inputs changes no bit of outputs and state."""
    _as_with_zeros(check, case)
    check.reach("NaN")


@law(
    "SEQ-12",
    cases=tally_cases(dtype=choice(DTYPES), input_dtypes=choice(FLOATS), **RAGGED_FRAME).map(rows.with_other_padding),
)
def test_infinities_in_the_padding(check: Check, case: Case) -> None:
    """Infinities, NaN and -0.0 in turn change no bit of outputs and state, of whatever dtype these are."""
    _as_with_zeros(check, case)
    check.reach("infinities")


@law("SEQ-12", cases=echo_cases(dtype=choice(DTYPES), **RAGGED_FRAME).map(rows.with_other_padding))
def test_any_content_of_the_padding_of_an_echo(check: Check, case: Case) -> None:
    """Padding of any dtype, the extremes included, is not echoed."""
    _as_with_zeros(check, case)
    check.reach("extremes")


@law("SEQ-12", cases=last_input_cases(dtype=choice(DTYPES), **RAGGED_FRAME).map(rows.with_other_padding))
def test_any_content_of_the_padding_of_a_last_input(check: Check, case: Case) -> None:
    """Padding of any dtype does not get into the state."""
    _as_with_zeros(check, case)
    check.reach("extremes")


@law(
    "SEQ-12",
    cases=st.builds(
        with_padding,
        builtin_cases(kinds=choice(PLAIN), dtype=WIDE_FLOATS, **RAGGED_FRAME),
        choice((NOT_A_NUMBER, float("inf"))),
    ),
)
def test_nan_in_the_padding_of_built_in_cells(check: Check, case: Case) -> None:
    """NaN or Inf in the padding of a built-in cell reaches neither outputs nor state."""
    answer, clean = check.returned(case, own=True), check.returned(rows.with_zero_padding(case))
    check.close(answer.outputs, clean.outputs, rows.allowed(case), where="outputs")
    check.close(answer.state, clean.state, rows.allowed(case), where="state")
    check.reach("built-in cell")


def _rows_agree(check: Check, case: Case, chosen: list[int], exact: bool = True) -> None:
    """The batch of the chosen rows, in their order, gives what these rows give in the whole batch."""
    whole, part = check.returned(case), check.returned(take_rows(case, chosen))
    outputs = rows.picked_outputs(case, whole.outputs, chosen)
    state = rows.picked(whole.state, chosen)
    if exact:
        check.equal(part.outputs, outputs, where="outputs")
        check.equal(part.state, state, where="state")
    else:
        check.close(part.outputs, outputs, rows.allowed(case), where="outputs")
        check.close(part.state, state, rows.allowed(case), where="state")


@law("SEQ-22", cases=tally_cases(**RAGGED_FRAME))
def test_a_row_alone_is_the_row_in_its_batch(check: Check, case: Case) -> None:
    """A batch of the first row, and one of the last, give what these rows give among others."""
    for row in (0, frame_sizes(case)[0] - 1):
        _rows_agree(check, case, [row])
    check.reach("one row")


@law("SEQ-22", cases=tally_cases(**RAGGED_FRAME))
def test_permuted_rows_give_permuted_results(check: Check, case: Case) -> None:
    """The rows the other way round give the results the other way round."""
    batch, _ = frame_sizes(case)
    _rows_agree(check, case, list(reversed(range(batch))))
    check.reach("reversed")


@law("SEQ-22", cases=last_input_cases(**RAGGED_FRAME))
def test_a_row_in_another_batch(check: Check, case: Case) -> None:
    """Rows repeated and others left out: each gives what it gave."""
    batch, _ = frame_sizes(case)
    _rows_agree(check, case, [batch - 1, 0, batch - 1, batch // 2])
    check.reach("another batch")


@law(
    "SEQ-22", cases=builtin_cases(kinds=choice(PLAIN), dtype=WIDE_FLOATS, batch=SEVERAL, lengths=choice((RAGGED, NONE)))
)
def test_rows_of_built_in_cells(check: Check, case: Case) -> None:
    """The same for a row alone and for reversed rows of the built-in cells, within tolerance."""
    batch, _ = frame_sizes(case)
    _rows_agree(check, case, [batch - 1], exact=False)
    _rows_agree(check, case, list(reversed(range(batch))), exact=False)
    check.reach("built-in cell")
