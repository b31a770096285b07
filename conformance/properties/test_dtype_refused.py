"""DTYPE, what is refused: a missing dtype where one is needed, what names none, and outputs of another; what a dtype
does is judged in the file beside this one."""

from hypothesis import strategies as st

from conformance.laws import Check, law
from conformance.strategies import (
    DTYPES,
    FLOATS,
    VALID,
    argument,
    builtin_cases,
    choice,
    echo_cases,
    nests,
    tally_cases,
    with_arguments,
    with_options,
    without,
    wrong_cases,
)
from dynamic_rnn_spec.case import Case

MIXED = choice((("float32", "int32"), ("int64", "bool", "float64"), ("complex64", "int8"), ("uint8", "float16")))


@law("DTYPE-3", cases=wrong_cases("DTYPE-3"))
def test_no_dtype_and_no_state(check: Check, case: Case) -> None:
    """Left out or None: ValueError."""
    check.raised(case, "ValueError")
    check.returned(with_arguments(case, dtype="float32"))
    check.reach("refused")


@law("DTYPE-3", cases=st.one_of(tally_cases(initial_state=False), builtin_cases(initial_state=False)))
def test_no_dtype_and_no_state_for_any_cell(check: Check, case: Case) -> None:
    """The same for any cell that makes its own state."""
    check.raised(without(case, "dtype"), "ValueError")
    check.raised(with_arguments(case, dtype=None), "ValueError")
    check.returned(case)
    check.reach(case.cells["cell"].kind)


@law("DTYPE-4", cases=tally_cases(state_size=nests(), state_dtypes=MIXED))
def test_no_dtype_and_a_mixed_state(check: Check, case: Case) -> None:
    """Leaves of two or three dtypes and no dtype: ValueError."""
    check.raised(without(case, "dtype"), "ValueError")
    check.returned(case)
    check.reach("refused")


@law("DTYPE-10", cases=tally_cases(dtype=choice(DTYPES), lengths=choice(VALID)))
def test_outputs_of_another_dtype_are_refused(check: Check, case: Case) -> None:
    """A Tally that emits another dtype than asked for: TypeError."""
    other = "float64" if argument(case, "dtype") != "float64" else "float32"
    check.raised(with_options(case, output_dtype=other), "TypeError")
    check.returned(case)
    check.reach("refused")


@law("DTYPE-10", cases=echo_cases(dtype=choice(FLOATS), initial_state=True))
def test_outputs_are_never_cast(check: Check, case: Case) -> None:
    """An Echo of wider or narrower floats than asked for, or of integers: TypeError."""
    for other in sorted({*FLOATS, "int32"} - {argument(case, "dtype")}):
        check.raised(with_arguments(case, dtype=other), "TypeError")
    check.returned(case)
    check.reach("refused")


@law("DTYPE-12", cases=wrong_cases("DTYPE-12"))
def test_what_names_no_dtype(check: Check, case: Case) -> None:
    """Python's types, words and objects that name none: TypeError."""
    check.raised(case, "TypeError")
    check.returned(with_arguments(case, dtype="float32"))
    check.reach("refused")
