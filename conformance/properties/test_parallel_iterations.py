"""Holds implementations to PAR-1 to 4 (parallel_iterations is a positive integer and never changes a value) by the same
call with other numbers; time and memory, which it may change, are not measured."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import expected
from conformance.properties import rows
from conformance.strategies.builtin import PLAIN, builtin_cases
from conformance.strategies.derive import argument, with_arguments, without
from conformance.strategies.frame import Frame, choice
from conformance.strategies.lengths import VALID
from conformance.strategies.probes import tally_case, tally_cases
from conformance.strategies.structures import structures
from conformance.strategies.wrong import wrong_arguments
from dynamic_rnn_spec.case import Case

LAYOUTS = st.booleans()
NUMBERS = (1, 2, 31, 33, 1000)
INTEGER_TYPES = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)
STRUCTURES = structures(most=3)


def _with_number(case: Case, number: int) -> Case:
    return with_arguments(case, parallel_iterations=number)


WITH_NUMBER = st.builds(
    _with_number,
    tally_cases(
        state_size=structures(most=3), output_size=structures(most=3), lengths=choice(VALID), time_major=LAYOUTS
    ),
    choice(NUMBERS),
)


def _same(check: Check, case: Case, other: Case) -> None:
    """Both work and give the same bits."""
    one, another = check.returned(case, own=True), check.returned(other, own=True)
    check.equal(another.outputs, one.outputs, where="outputs")
    check.equal(another.state, one.state, where="state")


@law("PAR-1", cases=tally_cases(lengths=choice(VALID), time_major=LAYOUTS))
def test_left_out_none_and_32_are_the_same(check: Check, case: Case) -> None:
    """Leaving parallel_iterations out, None and 32 give the same bits."""
    for value in (None, 32):
        _same(check, case, with_arguments(case, parallel_iterations=value))
    check.reach("None and 32")


@law("PAR-2", cases=WITH_NUMBER)
def test_the_number_never_changes_a_value(check: Check, case: Case) -> None:
    """Any positive integer gives what leaving it out gives, bit for bit, and what the cell's definition says."""
    _same(check, without(case, "parallel_iterations"), case)
    answer = check.returned(case)
    outputs, state = expected(case)
    check.equal(answer.outputs, outputs, where="outputs")
    check.equal(answer.state, state, where="state")
    check.reach("one at a time" if argument(case, "parallel_iterations") == 1 else "several")


@law("PAR-2", cases=builtin_cases(kinds=choice(PLAIN), lengths=choice(VALID), max_time=choice((5, 3, 8))))
def test_the_number_never_changes_a_value_of_built_in_cells(check: Check, case: Case) -> None:
    """The same on the built-in cells, within tolerance: a library's products may sum in another order."""
    one = check.returned(case)
    for number in (1, 3):
        another = check.returned(with_arguments(case, parallel_iterations=number), own=True)
        check.close(another.outputs, one.outputs, rows.allowed(case), where="outputs")
        check.close(another.state, one.state, rows.allowed(case), where="state")
    check.reach("built-in cell")


def _refused(kind: str) -> list[Case]:
    return [wrong.case() for wrong in wrong_arguments("PAR-3") if wrong.kind == kind]


@law("PAR-3", cases=_refused("ValueError"))
def test_not_a_positive_integer(check: Check, case: Case) -> None:
    """0 and negative integers: ValueError."""
    check.raised(case, "ValueError")
    check.returned(without(case, "parallel_iterations"))
    check.reach("not positive")


@law("PAR-3", cases=_refused("TypeError"))
def test_not_an_integer(check: Check, case: Case) -> None:
    """A bool, a float, a string, a list, an object: TypeError."""
    check.raised(case, "TypeError")
    check.returned(without(case, "parallel_iterations"))
    check.reach("no integer")


@law(
    "PAR-3",
    cases=st.builds(lambda case, n: with_arguments(case, parallel_iterations=n), tally_cases(), st.integers(-40, 0)),
)
def test_no_number_below_1(check: Check, case: Case) -> None:
    """The same with any call and any integer below 1."""
    check.raised(case, "ValueError")
    check.returned(without(case, "parallel_iterations"))
    check.reach("not positive")


def _with_scalar(kind: Any, value: int) -> Case:
    case = tally_case(Frame(batch=2, steps=4, pattern="ragged", raw=9), state_size=(2, 1), output_size=(1, 2))
    return with_arguments(case, parallel_iterations=kind(value))


@law("PAR-4", cases=[_with_scalar(kind, value) for kind in INTEGER_TYPES for value in (1, 7)])
def test_numpy_integers_are_integers(check: Check, case: Case) -> None:
    """A NumPy integer of any width, signed or not, gives what the Python int gives."""
    number = argument(case, "parallel_iterations")
    _same(check, with_arguments(case, parallel_iterations=int(number)), case)
    check.reach(type(number).__name__)
