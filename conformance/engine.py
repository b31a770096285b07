"""Runs one law on one implementation and says what came of it; it knows no clause by name, no process and no report."""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis.errors import Unsatisfiable, UnsatisfiedAssumption

from conformance import examples
from conformance.laws import Law, Subject, Violation, case_of
from conformance.results import Counterexample, LawResult, counterexample
from conformance.session import REDRAWS, SHRINK_BUDGET, Session, Settings, no_oracle
from conformance.worker_client import HarnessError
from dynamic_rnn_spec import clauses
from dynamic_rnn_spec.case import Case, Outcome

__all__ = [
    "SHRINK_BUDGET",
    "Counterexample",
    "LawResult",
    "Settings",
    "assert_holds",
    "no_oracle",
    "replay",
    "run_law",
    "stored_item",
]


def run_law(
    law: Law, subject: Subject, settings: Settings | None = None, oracle: Callable[[Case], Outcome] = no_oracle
) -> LawResult:
    """Tries a law on an implementation; never raises for what the implementation or the law's body does."""
    started = time.perf_counter()
    session = Session(law, subject, settings or Settings(), oracle)
    floor = clauses.clause(law.clause).floor
    try:
        items = law.items()
        if items is None:
            _generated(session)
        else:
            items = session.settings.some(items)
            floor = min(floor, len({case_of(item).digest() for item in items}))
            _enumerated(session, items)
        if session.violation is not None and session.settings.shrink and not _fails_again(session):
            session.violation.message += "; asked again, the implementation answered the same case otherwise"
    except Exception:  # noqa: BLE001  # whatever goes wrong in the harness is a verdict of its own, with its traceback
        session.fault = session.fault or traceback.format_exc()
    result = _result(session, max(floor, 1))
    result.seconds = time.perf_counter() - started
    return result


def _fails_again(session: Session) -> bool:
    """Whether the smallest case breaks the law when nothing is remembered: not so where answers are left to chance."""
    again = Session(session.law, session.subject, session.settings, session.oracle)
    _enumerated(again, [stored_item(session.law, case)] if (case := session.broken) is not None else [])
    return again.violation is not None


def replay(
    law: Law, subject: Subject, case: str, oracle: Callable[[Case], Outcome] = no_oracle
) -> LawResult:
    """Runs the law's body on one stored case, JSON text, and on nothing else.

    The verdict is "pass" where the law holds on it, "vacuous" where the case is not what the clause is about.
    """
    started = time.perf_counter()
    session = Session(law, subject, Settings(), oracle)
    try:
        _enumerated(session, [stored_item(law, Case.from_json(json.loads(case)))])
    except Exception:  # noqa: BLE001  # as in run_law
        session.fault = session.fault or traceback.format_exc()
    result = _result(session, 1)
    result.seconds = time.perf_counter() - started
    return result


def stored_item(law: Law, case: Case) -> Any:
    """What the law's body takes for a stored case: the case or, in a law over vectors, the vector that has it."""
    items = law.items() or []
    found = [item for item in items if case_of(item) == case]
    if not found and any(not isinstance(item, Case) for item in items):
        raise HarnessError(f"{law.name} goes through recorded vectors, and none of them has this case")
    return found[0] if found else case


def assert_holds(law: Law, subject: Subject, settings: Settings | None = None) -> None:
    """Raises unless the law passes on the implementation: what a law's test does where no plugin is at work."""
    result = run_law(law, subject, settings)
    if result.verdict != "pass":
        raise AssertionError(f"{result.clause}: {result.verdict}: {result.reason}")


def _generated(session: Session) -> None:
    settings = session.settings
    session.redraws = REDRAWS * settings.examples
    try:
        examples.drive(
            session.example,
            session.law.cases,
            examples=settings.examples,
            seed=settings.seed,
            name=session.law.name,
            shrink=settings.shrink,
        )
    except Violation as smallest:
        if smallest is not session.violation:
            raise HarnessError("the example that Hypothesis ended with is not the one that failed last") from smallest
    except Unsatisfiable:
        pass  # no example at all was answered: the counts say so
    except Exception:
        if session.fault is not None or (session.violation is not None and not settings.shrink):
            return  # stopped on purpose; Hypothesis calls that flaky
        raise


def _enumerated(session: Session, items: list[Any]) -> None:
    for item in items:
        try:
            session.example(item)
        except UnsatisfiedAssumption:
            continue
        except Violation:
            return


def _result(session: Session, floor: int) -> LawResult:
    reached = sum(1 for labels in session.answered.values() if labels)
    coverage: dict[str, int] = {}
    for labels in session.answered.values():
        for label in labels:
            coverage[label] = coverage.get(label, 0) + 1
    result = LawResult(session.law.name, session.law.clause, "pass", None, len(session.answered), reached, floor)
    result.coverage = dict(sorted(coverage.items()))
    result.left_out = dict(sorted(Counter(session.unsupported.values()).items()))
    result.excusable = session.excusable
    if session.fault is not None:
        result.verdict, result.reason = "could not run", session.fault
    elif session.violation is not None and session.broken is not None:
        result.verdict, result.reason = "fail", session.violation.message
        result.counterexample = counterexample(session.violation, session.broken)
    elif session.aside is not None:
        result.verdict, result.reason = "fail", session.aside[0].message
        result.counterexample = counterexample(*session.aside)
    elif reached < floor and session.unsupported:
        result.verdict = "unsupported"
        result.reason = next(iter(sorted(session.unsupported.values())))
    elif reached < floor:
        result.verdict = "vacuous"
        answered = len(session.answered)
        result.reason = f"{reached} of {answered} answered examples reached the clause, at least {floor} must"
    return result
