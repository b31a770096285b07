"""Holds implementations to SEQ-5, 7, 10 and 13 (outputs past a row's length) by comparing every leaf there with zeros,
over all T steps."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import expected
from conformance.properties import rows
from conformance.strategies.arrays import COMPLEX, DTYPES, FLOATS, STRING
from conformance.strategies.builtin import PLAIN, builtin_cases
from conformance.strategies.derive import argument, batch_major, steps_of_rows
from conformance.strategies.frame import choice
from conformance.strategies.lengths import ALL_ZERO, EARLY, SHORTENING
from conformance.strategies.probes import echo_cases, tally_cases
from conformance.strategies.structures import CONTAINERS, INPUT_SHAPES, SIZES, nests, structures
from dynamic_rnn_spec.case import Case

RAGGED_FRAME: dict[str, Any] = {
    "batch": choice((2, 3, 4)),
    "max_time": choice((3, 2, 4, 5)),
    "lengths": choice(SHORTENING),
    "time_major": st.booleans(),
}
"""A batch in which, nearly always, rows are of different lengths and some row ends early after at least one step."""


def _zero_past(check: Check, case: Case) -> None:
    """Past each row's length the outputs are zero, be it +0 or -0."""
    outputs = check.returned(case).outputs
    zeros = rows.zeros_like(expected(case)[0])
    check.close(outputs, rows.past_lengths(case, outputs, zeros), 0.0, where="outputs")


@law("SEQ-5", cases=tally_cases(output_size=choice((1, 2, 3)), **RAGGED_FRAME))
def test_outputs_past_the_length_are_zero(check: Check, case: Case) -> None:
    """The output of a Tally, which is hardly ever zero by itself, is zero past the length."""
    _zero_past(check, case)
    check.reach("ragged" if len(set(steps_of_rows(case))) > 1 else "all alike")


@law("SEQ-5", cases=echo_cases(sizes=choice(INPUT_SHAPES), dtype=choice(FLOATS), content="wild", **RAGGED_FRAME))
def test_no_padding_shines_through(check: Check, case: Case) -> None:
    """An Echo's output is zero past the length, whatever its input is there, NaN and infinities included."""
    _zero_past(check, case)
    check.reach("wild padding")


@law("SEQ-5", cases=builtin_cases(kinds=choice(PLAIN), **RAGGED_FRAME))
def test_outputs_of_built_in_cells_past_the_length(check: Check, case: Case) -> None:
    """The same on the built-in cells: exactly zero."""
    outputs = check.returned(case).outputs
    check.close(outputs, rows.past_lengths(case, outputs, rows.builtin_outputs(case)), 0.0, where="outputs")
    check.reach("built-in cell")


@law(
    "SEQ-7",
    cases=tally_cases(output_size=nests(SIZES, CONTAINERS), dtype=choice(DTYPES), **RAGGED_FRAME),
)
def test_every_leaf_of_nested_outputs_is_zero(check: Check, case: Case) -> None:
    """Every leaf of nested outputs, of any dtype and rank, is zero past the length."""
    _zero_past(check, case)
    check.reach("nested")


@law(
    "SEQ-7",
    cases=tally_cases(output_size=structures(), dtype=choice(DTYPES), **RAGGED_FRAME),
)
def test_every_dtype_and_rank_of_output_is_zero(check: Check, case: Case) -> None:
    """A leaf of any dtype, with any further dimensions, is zero past the length."""
    _zero_past(check, case)
    check.reach(str(argument(case, "dtype")))


@law(
    "SEQ-10",
    cases=tally_cases(**{**RAGGED_FRAME, "lengths": choice((EARLY, EARLY, EARLY, ALL_ZERO))}),
)
def test_outputs_span_all_steps_though_all_rows_end(check: Check, case: Case) -> None:
    """The outputs have T steps, and those from the greatest length on are zero in all rows."""
    outputs = check.returned(case).outputs
    zeros, longest = rows.zeros_like(expected(case)[0]), max(steps_of_rows(case))
    check.close(outputs, rows.from_step(case, outputs, zeros, longest), 0.0, where="outputs")
    check.reach("no step counts" if longest == 0 else "all rows end early")


@law("SEQ-10", cases=builtin_cases(kinds=choice(PLAIN), **{**RAGGED_FRAME, "lengths": EARLY}))
def test_outputs_of_built_in_cells_span_all_steps(check: Check, case: Case) -> None:
    """The same on the built-in cells."""
    outputs, zeros = check.returned(case).outputs, rows.builtin_outputs(case)
    check.close(outputs, rows.from_step(case, outputs, zeros, max(steps_of_rows(case))), 0.0, where="outputs")
    check.reach("built-in cell")


@law("SEQ-13", cases=echo_cases(dtype=choice((*FLOATS, *COMPLEX)), content="wild", **RAGGED_FRAME))
def test_the_zero_is_positive(check: Check, case: Case) -> None:
    """Where an Echo's padding is -0.0, infinite or NaN, its output past the length is +0 in every bit."""
    outputs = check.returned(case).outputs
    zeros = rows.zeros_like(expected(case)[0])
    check.equal(outputs, rows.past_lengths(case, outputs, zeros), where="outputs")
    check.reach("wild padding")


@law("SEQ-13", cases=tally_cases(dtype=choice(DTYPES), **RAGGED_FRAME))
def test_the_zero_is_of_the_outputs_dtype(check: Check, case: Case) -> None:
    """0 of an integer, 0+0j, False: the zero has the dtype of the outputs, bit for bit."""
    outputs = check.returned(case).outputs
    zeros = rows.zeros_like(expected(case)[0])
    check.equal(outputs, rows.past_lengths(case, outputs, zeros), where="outputs")
    check.reach(str(argument(case, "dtype")))


@law("SEQ-13", cases=echo_cases(sizes=choice(INPUT_SHAPES), dtype=STRING, **RAGGED_FRAME))
def test_the_zero_of_strings_is_the_empty_string(check: Check, case: Case) -> None:
    """An Echo of byte strings gives empty ones past the length."""
    outputs = np.asarray(check.returned(case).outputs)
    wanted = np.asarray(expected(case)[0])
    check.that(outputs.shape == wanted.shape, f"expected the shape {wanted.shape}, got {outputs.shape}")
    past = [
        item
        for row, count in enumerate(steps_of_rows(case))
        for item in np.ravel(batch_major(case, outputs)[row, count:]).tolist()
    ]
    check.that(all(item == b"" for item in past), "a string past the length is not empty", wanted, outputs, "outputs")
    check.reach("strings")
