"""SEQ, what has no influence on a row: the content of the padding, and the other rows of the batch; every cell drawn
here treats each row by itself."""

from typing import Any

from hypothesis import strategies as st

from conformance.laws import Check, law
from conformance.properties import rows
from conformance.strategies import (
    DTYPES,
    FLOATS,
    NONE,
    PLAIN,
    RAGGED,
    SHORTENING,
    builtin_cases,
    choice,
    echo_cases,
    frame_sizes,
    last_input_cases,
    take_rows,
    tally_cases,
    with_padding,
)
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
NOT_FINITE = (float("nan"), float("inf"), float("-inf"))


def _same_with(check: Check, case: Case, other: Case) -> None:
    """The two cases give the same bits."""
    one, another = check.returned(case), check.returned(other, own=True)
    check.equal(another.outputs, one.outputs, where="outputs")
    check.equal(another.state, one.state, where="state")


@law("SEQ-12", cases=tally_cases(dtype=choice(FLOATS), **RAGGED_FRAME))
def test_nan_and_infinities_in_the_padding(check: Check, case: Case) -> None:
    """NaN, Inf or -Inf at every padded place of a Tally's inputs changes no bit of outputs and state."""
    for value in NOT_FINITE:
        _same_with(check, case, with_padding(case, value))
    check.reach("NaN and infinities")


@law("SEQ-12", cases=tally_cases(dtype=choice(DTYPES), input_dtypes=choice(FLOATS), **RAGGED_FRAME))
def test_nan_in_the_padding_of_other_dtypes(check: Check, case: Case) -> None:
    """NaN in float padding changes no bit of outputs and state of another dtype."""
    _same_with(check, case, with_padding(case, NOT_FINITE[0]))
    check.reach("state of any dtype")


@law("SEQ-12", cases=echo_cases(dtype=choice(DTYPES), **RAGGED_FRAME))
def test_any_content_of_the_padding_of_an_echo(check: Check, case: Case) -> None:
    """Other padding of any dtype, the extremes included, is not echoed."""
    _same_with(check, case, rows.with_other_padding(case))
    check.reach("extremes")


@law("SEQ-12", cases=last_input_cases(dtype=choice(DTYPES), **RAGGED_FRAME))
def test_any_content_of_the_padding_of_a_last_input(check: Check, case: Case) -> None:
    """Other padding of any dtype does not get into the state."""
    _same_with(check, case, rows.with_other_padding(case))
    check.reach("extremes")


@law("SEQ-12", cases=builtin_cases(kinds=choice(PLAIN), dtype=WIDE_FLOATS, **RAGGED_FRAME))
def test_nan_in_the_padding_of_built_in_cells(check: Check, case: Case) -> None:
    """NaN and Inf in the padding of a built-in cell reach neither outputs nor state."""
    clean = check.returned(case)
    for value in NOT_FINITE[:2]:
        padded = check.returned(with_padding(case, value), own=True)
        check.close(padded.outputs, clean.outputs, rows.allowed(case), where="outputs")
        check.close(padded.state, clean.state, rows.allowed(case), where="state")
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
    """A batch of one row gives what this row gives among others."""
    for row in range(frame_sizes(case)[0]):
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
