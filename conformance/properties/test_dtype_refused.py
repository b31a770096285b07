"""Holds implementations to DTYPE-3, 4, 10, 12 and 13 by the errors for a dtype that is missing or names none, and for
outputs of a dtype other than the one asked for."""

from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.strategies.arrays import DTYPES, FLOATS
from conformance.strategies.builtin import builtin_cases
from conformance.strategies.derive import argument, with_arguments, with_options, without
from conformance.strategies.frame import choice
from conformance.strategies.lengths import VALID
from conformance.strategies.probes import echo_cases, tally_cases
from conformance.strategies.structures import nests
from conformance.strategies.wrong import wrong_cases
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import flatten

MIXED = choice((("float32", "int32"), ("int64", "bool", "float64"), ("complex64", "int8"), ("uint8", "float16")))


@law("DTYPE-3", cases=wrong_cases("DTYPE-3"))
def test_no_dtype_and_no_state(check: Check, case: Case) -> None:
    """Left out or None: ValueError."""
    check.raised(case, "ValueError")
    check.returned(with_arguments(case, dtype="float32"))
    check.reach("refused")


def _without_dtype(case: Case) -> Case:
    return without(case, "dtype")


@law(
    "DTYPE-3",
    cases=st.one_of(tally_cases(initial_state=False), builtin_cases(initial_state=False)).map(_without_dtype),
)
def test_no_dtype_and_no_state_for_any_cell(check: Check, case: Case) -> None:
    """The same for any cell that makes its own state."""
    check.raised(case, "ValueError")
    check.raised(with_arguments(case, dtype=None), "ValueError")
    check.returned(with_arguments(case, dtype=flatten(argument(case, "inputs"))[0].dtype.name))
    check.reach(case.cells["cell"].kind)


@law("DTYPE-4", cases=tally_cases(state_size=nests(), state_dtypes=MIXED).map(_without_dtype))
def test_no_dtype_and_a_mixed_state(check: Check, case: Case) -> None:
    """Leaves of two or three dtypes and no dtype: ValueError."""
    check.raised(case, "ValueError")
    check.returned(with_arguments(case, dtype=case.cells["cell"].options["output_dtype"]))
    check.reach("refused")


def _emitting_another(case: Case) -> Case:
    """The Tally with outputs of another dtype than asked for."""
    return with_options(case, output_dtype="float64" if argument(case, "dtype") != "float64" else "float32")


@law("DTYPE-10", cases=tally_cases(dtype=choice(DTYPES), lengths=choice(VALID)).map(_emitting_another))
def test_outputs_of_another_dtype_are_refused(check: Check, case: Case) -> None:
    """A Tally that emits another dtype than asked for: TypeError."""
    check.raised(case, "TypeError")
    check.returned(with_options(case, output_dtype=argument(case, "dtype")))
    check.reach("refused")


def _asking_for(case: Case, dtype: str) -> Case:
    """The Echo with another dtype asked for than its inputs have."""
    return with_arguments(case, dtype=dtype if dtype != argument(case, "dtype") else "int32")


@law(
    "DTYPE-10",
    cases=st.builds(
        _asking_for, echo_cases(dtype=choice(FLOATS), initial_state=True), choice((*FLOATS, "complex64", "int64"))
    ),
)
def test_outputs_are_never_cast(check: Check, case: Case) -> None:
    """An Echo of wider or narrower floats than asked for, or of integers: TypeError."""
    check.raised(case, "TypeError")
    check.returned(with_arguments(case, dtype=flatten(argument(case, "inputs"))[0].dtype.name))
    check.reach("refused")


@law("DTYPE-12", cases=wrong_cases("DTYPE-12"))
def test_what_names_no_dtype(check: Check, case: Case) -> None:
    """Python's types, words and objects that name none: TypeError."""
    check.raised(case, "TypeError")
    check.returned(with_arguments(case, dtype="float32"))
    check.reach("refused")


@law("DTYPE-13", cases=wrong_cases("DTYPE-13"))
def test_bool_and_an_empty_string_name_no_dtype(check: Check, case: Case) -> None:
    """TypeError for both."""
    check.raised(case, "TypeError")
    check.returned(with_arguments(case, dtype="float32"))
    check.reach("refused")
