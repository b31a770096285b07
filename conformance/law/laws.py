"""Provides what a property is written with: `law` ties a test to its clause, `Check` asks the implementation and makes
the clause's assertions, and `Violation` reports a broken promise.

    @law("SEQ-5", cases=ragged_cases())
    def test_outputs_past_the_end_are_zero(check: Check, case: Case) -> None:
        outputs = check.returned(case).outputs
        check.reach("ragged")
        check.equal(outputs[..., 2:, :], zeros, where="outputs")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from conformance.law import compare
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Answer, Case, FormatError, Outcome, Raised, encode
from dynamic_rnn_spec.page import clauses

NOT_GIVEN = object()
"""Stands for an expected or got value that a violation does not have."""


class Subject(Protocol):
    """An implementation under test: a name, and an outcome for each case."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def run(self, case: Case) -> Outcome:
        """What the implementation makes of the case; an exception from here is a fault of the harness."""


class Violation(AssertionError):  # noqa: N818  # the word that reports use
    """A promise that an outcome breaks.

    ``kind`` is "assertion" (the clause's own), or "raised", "crashed" or "timed out" where the implementation gave
    nothing that the clause could judge. ``expected`` and ``got`` are in the codec of `dynamic_rnn_spec.case`, None
    where absent.
    """

    def __init__(
        self, kind: str, message: str, where: str | None = None, expected: Any = NOT_GIVEN, got: Any = NOT_GIVEN
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.where = where
        self.expected = None if expected is NOT_GIVEN else encoded(expected)
        self.got = None if got is NOT_GIVEN else encoded(got)


class Unsupported(Exception):  # noqa: N818  # no error: the implementation says what it does not have
    """The implementation declares that it does not do what the case asks."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what, self.why = what, why


class Check:
    """What the body of a law sees: the implementation's outcomes, and the clause's assertions about them.

    ``run_case`` and ``ask_oracle`` come from the engine, which remembers outcomes and counts executions.
    """

    def __init__(self, run_case: Callable[..., Outcome], ask_oracle: Callable[[Case], Outcome]) -> None:
        self._run_case, self._ask_oracle = run_case, ask_oracle
        self.reached: dict[str, int] = {}

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        """The outcome of the case, asked once for each case and schedule; only some implementations have schedules.

        Raises:
            Unsupported: the implementation declares so for any of the calls, or gives no gradients where some were
                asked for.
        """
        return _supported(case, self._run_case(case) if schedule is None else self._run_case(case, schedule))

    def oracle(self, case: Case) -> Outcome:
        """What the second implementation makes of the case; for laws declared with ``oracle=True``."""
        return _supported(case, self._ask_oracle(case))

    def returned(self, case: Case, index: int = 0, own: bool = False) -> Answer:
        """The answer of one call, which must be a pair; ``own`` if the clause promises that the call works."""
        answer = self.run(case).answers[index]
        _expect_pair(answer, f"call {index}: " if len(case.calls) > 1 else "", own)
        return answer

    def gradients(self, case: Case, index: int = 0, own: bool = False) -> Gradients:
        """The gradients that one call gave for its cotangents; the call must return a pair as well."""
        answer = self.returned(case, index, own)
        assert answer.gradients is not None, "a call that asks for gradients and has none is unsupported"
        return answer.gradients

    def raised(self, case: Case, kinds: str | Sequence[str], index: int = 0) -> Raised:
        """The error of one call; its kind ("TypeError", "ValueError", "other") is one of ``kinds``: own assertion."""
        wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        answer = self.run(case).answers[index]
        if answer.error is not None and answer.error.kind in wanted:
            return answer.error
        kind = answer.kind if answer.kind in ("crashed", "timed out") else "assertion"
        call = f"call {index}: " if len(case.calls) > 1 else ""
        expected = " or ".join(wanted)
        raise Violation(kind, f"{call}expected {expected}, {_told(answer)}", None, expected, answer)

    def reach(self, label: str) -> None:
        """This example is about what the clause says, in the way that ``label`` names; counted once an example."""
        self.reached[label] = 1

    def equal(self, got: Any, expected: Any, where: str = "") -> None:
        """The same containers, shapes, dtypes and bits: own assertion."""
        if (difference := compare.exact_difference(got, expected, where)) is not None:
            raise Violation("assertion", str(difference), difference.where or None, expected, got)

    def close(
        self, got: Any, expected: Any, tolerance: compare.Tolerance, where: str = "", whole: bool = False
    ) -> None:
        """The same containers, shapes, dtypes, and numbers within tolerance times max(1, |expected|), or with
        ``whole`` times the array's largest: own assertion."""
        if (difference := compare.close_difference(got, expected, tolerance, where, whole)) is not None:
            raise Violation("assertion", str(difference), difference.where or None, expected, got)

    def that(
        self,
        condition: bool,
        message: str,
        expected: Any = NOT_GIVEN,
        got: Any = NOT_GIVEN,
        where: str | None = None,
    ) -> None:
        """The condition holds: own assertion."""
        if not condition:
            raise Violation("assertion", message, where, expected, got)


Body = Callable[[Check, Any], None]


@dataclass(frozen=True)
class Law:
    """One test of one clause: ``cases`` is a strategy of Case, a list of Case or Vector, or a function for one."""

    clause: str
    name: str
    body: Body
    cases: Any
    oracle: bool
    text: str

    def items(self) -> list[Any] | None:
        """The cases of an enumerated law, or None where a strategy makes them."""
        cases = self.cases() if callable(self.cases) else self.cases
        return list(cases) if isinstance(cases, (list, tuple)) else None


def law(clause: str, cases: Any, oracle: bool = False) -> Callable[[Body], Callable[[Any], None]]:
    """Makes a pytest test of a body: the test takes the fixture ``subject`` and runs the body on every case.

    Args:
        clause: the id of the clause; it must be in the registry and testable.
        cases: a Hypothesis strategy of Case, a list of Case or Vector, or a function that gives such a list.
        oracle: the body asks `Check.oracle`, so it says nothing about the oracle itself and is left out there.

    Raises:
        clauses.ClauseError: no such clause, or one that can't be tested.
    """
    if not clauses.clause(clause).testable:
        raise clauses.ClauseError(f"{clause}: a law needs a clause that can be tested, got one that cannot")

    def make(body: Body) -> Callable[[Any], None]:
        def test(subject: Subject) -> None:
            raise TypeError(f"{made.name}: pytest runs it by the plugin conformance.plugin, which is not loaded")

        name = f"{body.__module__}::{body.__name__}"
        made = Law(clause, name, body, cases, oracle, (body.__doc__ or "").strip())
        for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
            setattr(test, attribute, getattr(body, attribute))
        test.law = made  # type: ignore[attr-defined]  # how the engine and the pytest plugin know a law
        test.place_as = body  # type: ignore[attr-defined]  # pytest shows the place of the body, not of this line
        return test

    return make


def case_of(item: Any) -> Case:
    """The case of an item of a law: itself, or that of a recorded vector."""
    found = item if isinstance(item, Case) else getattr(item, "case", None)
    if not isinstance(found, Case):
        raise TypeError(f"a law's cases are Case or have one, got {type(item).__name__}")
    return found


def encoded(value: Any) -> Any:
    """A value in the codec, or its repr where the codec has no form for it."""
    try:
        return encode(value)
    except FormatError:
        return repr(value)


def _supported(case: Case, outcome: Outcome) -> Outcome:
    for answer in outcome.answers:
        if answer.kind == "unsupported":
            raise Unsupported(answer.what or "something", answer.why or "no reason given")
    if any(call.cotangents is not None for call in case.calls):
        for call, answer in zip(case.calls, outcome.answers, strict=True):
            if call.cotangents is not None and answer.kind == "returned" and answer.gradients is None:
                raise Unsupported("gradients", "the answer has none")  # from an adapter that ignores cotangents
    return outcome


def _expect_pair(answer: Answer, call: str, own: bool) -> None:
    kind = answer.kind if answer.kind in ("crashed", "timed out") else "assertion" if own else "raised"
    if answer.kind != "returned":
        raise Violation(kind, f"{call}expected a pair (outputs, state), {_told(answer)}", None, NOT_GIVEN, answer)
    if not isinstance(answer.result, (tuple, list)) or len(answer.result) != 2:
        got = f"{answer.result!r:.200}"
        raise Violation(kind, f"{call}expected a pair (outputs, state), got {got}", None, NOT_GIVEN, answer)


def _told(answer: Answer) -> str:
    if answer.error is not None:
        return f"it raised {answer.error.native}: {answer.error.message}"
    if answer.kind == "returned":
        return "it returned"
    return f"it {answer.kind}: {answer.what or ''} {answer.why or ''}".strip()
