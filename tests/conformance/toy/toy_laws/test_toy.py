"""Has one law for each way in which a law can end; the clauses that they name only lend their ids."""

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from dynamic_rnn_spec.case import Call, Case


def case_of_length(length: int) -> Case:
    """A case whose inputs are 0, 1, ..., length - 1."""
    return Case({}, [Call({"cell": None, "inputs": np.arange(float(length))})])


LENGTHS = st.integers(0, 40).map(case_of_length)


def length_of(case: Case) -> int:
    """How many inputs a case has."""
    return int(np.size(case.calls[0].arguments["inputs"]))


@law("SEQ-5", cases=LENGTHS)
def test_outputs_are_zero(check: Check, case: Case) -> None:
    outputs = check.returned(case).outputs
    check.reach("long" if length_of(case) > 20 else "short")
    check.equal(outputs, np.zeros(length_of(case)), "outputs")


@law("SEQ-5", cases=LENGTHS)
def test_outputs_have_the_shape_of_the_inputs(check: Check, case: Case) -> None:
    check.reach("any")
    shape = np.shape(check.returned(case).outputs)
    check.that(shape == (length_of(case),), "outputs of another shape", where="outputs")


@law("SEQ-13", cases=lambda: [case_of_length(n) for n in (1, 3, 5)])
def test_state_is_the_inputs(check: Check, case: Case) -> None:
    check.reach("listed")
    check.equal(check.returned(case, own=True).state, case.calls[0].arguments["inputs"], "state")


@law("SEQ-17", cases=LENGTHS)
def test_never_reaches_its_clause(check: Check, case: Case) -> None:
    check.returned(case)


@law("SEQ-18", cases=LENGTHS)
def test_has_an_error_of_its_own(check: Check, case: Case) -> None:
    check.returned(case)
    raise KeyError("a slip in the law")


@law("SEQ-4", cases=LENGTHS, oracle=True)
def test_agrees_with_the_second_implementation(check: Check, case: Case) -> None:
    check.reach("compared")
    check.equal(check.returned(case).outputs, check.oracle(case).answers[0].outputs, "outputs")
