"""Tests that a law reaches each of its verdicts and shrinks what it finds, and that a fault of the suite is never
blamed on the implementation."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from conformance.law import engine, registry
from conformance.law.engine import SMOKE_ITEMS, LawResult, Settings, run_law
from conformance.law.laws import Check, Law, Unsupported, Violation, law
from dynamic_rnn_spec.case import Answer, Case, Outcome, Raised
from dynamic_rnn_spec.page import clauses

Run = Callable[..., LawResult]


@pytest.fixture
def laws(toy: Path) -> dict[str, Law]:
    """The toy laws by the names of their tests."""
    return {one.name.rpartition("::")[2]: one for one in registry.load("toy_laws")}


@pytest.fixture
def subject(toy: Path) -> Callable[[str], Any]:
    """A toy subject by the name of its class."""
    import importlib

    module = importlib.import_module("toy_subjects")
    return lambda name: getattr(module, name)()


def test_a_kept_law_passes_and_counts_what_it_reached(laws: dict[str, Law], subject: Callable[[str], Any]) -> None:
    result = run_law(laws["test_outputs_are_zero"], subject("Right"))
    assert (result.verdict, result.reason, result.counterexample) == ("pass", None, None)
    assert result.clause == "SEQ-5"
    assert result.test == "toy_laws.test_toy::test_outputs_are_zero"
    assert 5 <= result.reached == result.examples <= 41
    assert set(result.coverage) == {"long", "short"}
    assert sum(result.coverage.values()) == result.reached


def test_a_broken_law_fails_with_the_smallest_case(laws: dict[str, Law], subject: Callable[[str], Any]) -> None:
    result = run_law(laws["test_outputs_are_zero"], subject("Wrong"))
    assert result.verdict == "fail"
    found = result.counterexample
    assert found is not None
    assert found.violation == "assertion"
    assert found.where == "outputs[6]"
    assert found.message == "at outputs[6]: expected 0.0, got -0.0; 1 of 7 elements differ"
    assert np.size(Case.from_json(found.case).calls[0].arguments["inputs"]) == 7


def test_an_enumerated_law_stops_at_the_first_broken_case(toy: Path, laws: dict[str, Law]) -> None:
    class Shifts:
        name = "shifts"

        def run(self, case: Case) -> Outcome:
            inputs = np.asarray(case.calls[0].arguments["inputs"])
            return Outcome([Answer.returned(inputs, inputs + (inputs.size >= 3))])

    result = run_law(laws["test_state_is_the_inputs"], Shifts())
    assert result.verdict == "fail"
    assert result.counterexample is not None
    assert np.size(Case.from_json(result.counterexample.case).calls[0].arguments["inputs"]) == 3
    assert (result.examples, result.floor) == (1, 3)


def test_the_smoke_profile_takes_some_of_a_long_list_evenly_spread() -> None:
    long = list(range(2 * SMOKE_ITEMS))

    assert Settings(profile="smoke").some(long) == long[::2]
    assert Settings(profile="smoke").some(long[:SMOKE_ITEMS]) == long[:SMOKE_ITEMS]
    assert Settings(profile="default").some(long) == long


def test_the_floor_of_a_list_is_no_higher_than_the_list(laws: dict[str, Law], subject: Callable[[str], Any]) -> None:
    result = run_law(laws["test_state_is_the_inputs"], subject("Right"))
    assert (result.verdict, result.reached, result.floor) == ("pass", 3, 3)


def test_an_empty_list_is_vacuous(subject: Callable[[str], Any]) -> None:
    @law("SEQ-5", cases=[])
    def test_nothing(check: Check, case: Case) -> None:
        raise AssertionError("never called")

    result = run_law(test_nothing.law, subject("Right"))  # type: ignore[attr-defined]
    assert (result.verdict, result.reason) == (
        "vacuous",
        "0 of 0 answered examples reached the clause, at least 1 must",
    )


def test_what_never_reaches_the_clause_is_vacuous(laws: dict[str, Law], subject: Callable[[str], Any]) -> None:
    result = run_law(laws["test_never_reaches_its_clause"], subject("Right"))
    assert result.verdict == "vacuous"
    assert result.reached == 0
    assert result.examples > 5


def test_the_same_case_twice_counts_once(subject: Callable[[str], Any], toy: Path) -> None:
    import importlib

    case = importlib.import_module("toy_laws.test_toy").case_of_length(2)

    @law("SEQ-5", cases=st.just(case))
    def test_one_case(check: Check, case: Case) -> None:
        check.returned(case)
        check.reach("again")

    result = run_law(test_one_case.law, subject("Right"))  # type: ignore[attr-defined]
    assert (result.verdict, result.examples, result.reached) == ("vacuous", 1, 1)


def test_an_implementation_that_declares_so_is_unsupported(
    laws: dict[str, Law], subject: Callable[[str], Any]
) -> None:
    for name in ("test_outputs_are_zero", "test_state_is_the_inputs"):
        result = run_law(laws[name], subject("Lacking"))
        assert (result.verdict, result.reason, result.examples) == ("unsupported", "rows: the toy has none", 0)


def test_what_raises_where_it_should_return_fails_without_the_clauses_own_assertion(
    laws: dict[str, Law], subject: Callable[[str], Any]
) -> None:
    result = run_law(laws["test_outputs_are_zero"], subject("Raises"))
    assert result.verdict == "fail"
    assert result.counterexample is not None
    assert result.counterexample.violation == "raised"
    assert result.reason == "expected a pair (outputs, state), it raised builtins.ValueError: too many"
    assert np.size(Case.from_json(result.counterexample.case).calls[0].arguments["inputs"]) == 11


def test_a_crash_fails_as_a_crash_even_where_working_is_the_promise(
    laws: dict[str, Law], subject: Callable[[str], Any]
) -> None:
    result = run_law(laws["test_state_is_the_inputs"], subject("Crashing"))
    assert result.verdict == "fail"
    assert result.counterexample is not None
    assert result.counterexample.violation == "crashed"


@pytest.mark.parametrize(
    ("name", "subject_name", "text"),
    [
        ("test_has_an_error_of_its_own", "Right", "KeyError: 'a slip in the law'"),
        ("test_outputs_are_zero", "Broken", "LookupError: the adapter stumbles"),
        ("test_state_is_the_inputs", "Broken", "LookupError: the adapter stumbles"),
        ("test_agrees_with_the_second_implementation", "Right", "none was given"),
    ],
)
def test_a_slip_of_the_suite_could_not_run(
    laws: dict[str, Law], subject: Callable[[str], Any], name: str, subject_name: str, text: str
) -> None:
    result = run_law(laws[name], subject(subject_name))
    assert result.verdict == "could not run"
    assert result.counterexample is None
    assert result.reason is not None
    assert text in result.reason
    assert "Traceback" in result.reason


def test_a_strategy_that_fails_could_not_run(subject: Callable[[str], Any]) -> None:
    def refuse(length: int) -> Case:
        raise RuntimeError("no such case")

    @law("SEQ-5", cases=st.integers().map(refuse))
    def test_anything(check: Check, case: Case) -> None:
        raise AssertionError("never called")

    result = run_law(test_anything.law, subject("Right"))  # type: ignore[attr-defined]
    assert result.verdict == "could not run"
    assert "no such case" in (result.reason or "")


def test_an_implementation_left_to_chance_fails_and_says_so(
    laws: dict[str, Law], subject: Callable[[str], Any]
) -> None:
    verdicts = [run_law(laws["test_outputs_are_zero"], subject("Fickle"), Settings(seed=seed)) for seed in range(4)]
    assert {result.verdict for result in verdicts} == {"fail"}
    assert any("answered the same case otherwise" in (result.reason or "") for result in verdicts)


def test_the_second_implementation_is_asked(laws: dict[str, Law], subject: Callable[[str], Any]) -> None:
    name = "test_agrees_with_the_second_implementation"
    assert run_law(laws[name], subject("Right"), oracle=subject("Right").run).verdict == "pass"
    found = run_law(laws[name], subject("Right"), oracle=subject("Wrong").run)
    assert found.verdict == "fail"


def test_outcomes_are_remembered_and_shrinking_has_a_budget(
    laws: dict[str, Law], subject: Callable[[str], Any]
) -> None:
    first, bounded = subject("Wrong"), subject("Wrong")
    run_law(laws["test_outputs_are_zero"], first, Settings(shrink=False))
    run_law(laws["test_outputs_are_zero"], bounded, Settings(shrink_budget=0))
    assert bounded.runs == first.runs + 1  # the last case once more, to see whether it fails again
    unbounded = subject("Wrong")
    found = run_law(laws["test_outputs_are_zero"], unbounded)
    assert found.counterexample is not None
    assert found.counterexample.where == "outputs[6]"
    assert first.runs + 1 < unbounded.runs <= 42  # 41 different cases


def test_without_shrinking_it_stops_at_the_clauses_own_assertion(
    laws: dict[str, Law], subject: Callable[[str], Any]
) -> None:
    wrong = subject("Wrong")
    result = run_law(laws["test_outputs_are_zero"], wrong, Settings(shrink=False))
    assert result.verdict == "fail"
    assert wrong.runs == result.examples + 1
    aside = run_law(laws["test_outputs_are_zero"], subject("Raises"), Settings(shrink=False))
    assert aside.verdict == "fail"
    assert aside.counterexample is not None
    assert aside.counterexample.violation == "raised"
    assert aside.examples > 5


def test_the_same_seed_gives_the_same_examples(laws: dict[str, Law], subject: Callable[[str], Any]) -> None:
    def seen(seed: int) -> list[str]:
        digests: list[str] = []

        class Watching:
            name = "watching"

            def run(self, case: Case) -> Outcome:
                digests.append(case.digest())
                return subject("Right").run(case)  # type: ignore[no-any-return]

        run_law(laws["test_outputs_are_zero"], Watching(), Settings(seed=seed))
        return digests

    assert seen(3) == seen(3)
    assert seen(3) != seen(4)


def test_a_test_function_passes_for_nobody_who_calls_it_without_the_plugin(
    toy: Path, subject: Callable[[str], Any]
) -> None:
    module = importlib.import_module("toy_laws.test_toy")
    with pytest.raises(TypeError, match="test_outputs_are_zero: pytest runs it by the plugin"):
        module.test_outputs_are_zero(subject("Right"))


def test_a_law_needs_a_clause_that_can_be_tested() -> None:
    with pytest.raises(clauses.ClauseError, match="SEQ-99"):
        law("SEQ-99", cases=[])
    with pytest.raises(clauses.ClauseError, match=r"TIME-7: a law needs a clause that can be tested"):
        law("TIME-7", cases=[])


def test_a_result_survives_its_json(laws: dict[str, Law], subject: Callable[[str], Any]) -> None:
    for name in ("Right", "Wrong"):
        result = run_law(laws["test_outputs_are_zero"], subject(name))
        assert LawResult.from_json(result.to_json()) == result


def test_a_stored_case_is_run_again_alone(laws: dict[str, Law], subject: Callable[[str], Any]) -> None:
    import json

    found = run_law(laws["test_outputs_are_zero"], subject("Wrong")).counterexample
    assert found is not None
    text = json.dumps(found.case)
    assert engine.replay(laws["test_outputs_are_zero"], subject("Wrong"), text).counterexample == found
    assert engine.replay(laws["test_outputs_are_zero"], subject("Right"), text).verdict == "pass"


# Check, on outcomes made by hand.


def checking(answer: Answer) -> Check:
    """A check on an implementation that gives this answer."""
    return Check(lambda case: Outcome([answer]), engine.no_oracle)


ONE_CALL = Case({}, [])


def test_raised_wants_the_kind() -> None:
    error = Raised("TypeError", "builtins.TypeError", "no", "before")
    assert checking(Answer("raised", error=error)).raised(ONE_CALL, "TypeError") == error
    assert checking(Answer("raised", error=error)).raised(ONE_CALL, ("ValueError", "TypeError")) == error
    with pytest.raises(Violation, match=r"expected ValueError, it raised builtins.TypeError: no") as caught:
        checking(Answer("raised", error=error)).raised(ONE_CALL, "ValueError")
    assert (caught.value.kind, caught.value.expected) == ("assertion", "ValueError")
    with pytest.raises(Violation, match="expected ValueError or TypeError, it returned") as caught:
        checking(Answer.returned(1, 2)).raised(ONE_CALL, ("ValueError", "TypeError"))
    assert caught.value.kind == "assertion"
    with pytest.raises(Violation) as caught:
        checking(Answer("timed out", what="20 s")).raised(ONE_CALL, "ValueError")
    assert caught.value.kind == "timed out"


def test_returned_wants_a_pair() -> None:
    assert checking(Answer.returned(1, 2)).returned(ONE_CALL).state == 2
    for result in (None, (1, 2, 3), "ab", {"outputs": 1, "state": 2}):
        with pytest.raises(Violation, match=r"expected a pair \(outputs, state\), got") as caught:
            checking(Answer("returned", result=result)).returned(ONE_CALL)
        assert caught.value.kind == "raised"
        with pytest.raises(Violation) as caught:
            checking(Answer("returned", result=result)).returned(ONE_CALL, own=True)
        assert caught.value.kind == "assertion"


def test_unsupported_is_no_violation() -> None:
    with pytest.raises(Unsupported, match="GRUCell: there is none"):
        checking(Answer.unsupported("GRUCell", "there is none")).run(ONE_CALL)


def test_that_and_close_carry_both_values() -> None:
    check = checking(Answer.returned(1, 2))
    check.that(True, "fine")
    with pytest.raises(Violation, match="not fine") as caught:
        check.that(False, "not fine", expected=1, got=object, where="state")
    assert (caught.value.expected, caught.value.where) == (1, "state")
    assert caught.value.got == repr(object)
    check.close(np.array([1, 2], np.float32), np.array([1, 2.0000002], np.float32), 1e-6)
    with pytest.raises(Violation) as caught:
        check.close(np.array([1, 3], np.float32), np.array([1, 2], np.float32), 1e-6, "outputs")
    assert caught.value.where == "outputs[1]"
