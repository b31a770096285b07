"""Runs one law on one implementation and returns the result as plain data that can pass between processes."""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import hypothesis
import numpy as np
from hypothesis.errors import Unsatisfiable, UnsatisfiedAssumption

from conformance.law import examples
from conformance.law.laws import Check, Law, Subject, Unsupported, Violation, case_of
from conformance.subject.worker_client import HarnessError
from dynamic_rnn_spec.case import Case, DType, Outcome
from dynamic_rnn_spec.page import clauses
from dynamic_rnn_spec.vocabulary.structure import is_sequence

SHRINK_BUDGET = 150
REDRAWS = 4
"""How many times the profile's examples may be drawn in place of unsupported ones, so that a law ends in good time."""

SMOKE_ITEMS = 30
"""How many of a long list of cases, such as the recorded vectors, a law goes through with the smoke profile."""


@dataclass(frozen=True)
class Settings:
    """How thoroughly a law is tried; ``shrink`` off stops where an example first breaks the clause's own assertion.

    ``count``: so many examples for each law, whatever the profile.
    """

    profile: str = "default"
    seed: int = 0
    shrink: bool = True
    shrink_budget: int = SHRINK_BUDGET
    count: int | None = None

    @property
    def examples(self) -> int:
        """Examples for each law that a strategy feeds."""
        return examples.PROFILES[self.profile] if self.count is None else self.count

    def some(self, items: list[Any]) -> list[Any]:
        """The items of an enumerated law; with the smoke profile at most SMOKE_ITEMS of them, evenly spread."""
        if self.profile != "smoke" or len(items) <= SMOKE_ITEMS:
            return items
        return [items[place * len(items) // SMOKE_ITEMS] for place in range(SMOKE_ITEMS)]


@dataclass(frozen=True)
class Counterexample:
    """The smallest case found that breaks a law; ``case``, ``expected`` and ``got`` are JSON data."""

    violation: str
    message: str
    where: str | None
    case: Any
    expected: Any
    got: Any


@dataclass
class LawResult:
    """The result of one law: plain data, so that it passes between processes as it is.

    ``examples`` counts different cases that were answered, ``reached`` those among them that were about the clause,
    ``left_out`` those that were declared unsupported, by the reason given; ``excusable`` says whether our own
    implementations may leave out all of these (see `is_of_text`).
    """

    test: str
    clause: str
    verdict: str
    reason: str | None = None
    examples: int = 0
    reached: int = 0
    floor: int = 0
    coverage: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    excusable: bool = True
    seconds: float = 0.0
    counterexample: Counterexample | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LawResult:
        """Back from JSON data."""
        example = data["counterexample"]
        return cls(**{**data, "counterexample": None if example is None else Counterexample(**example)})


def counterexample(violation: Violation, case: Case) -> Counterexample:
    """A violation with its case, as data."""
    return Counterexample(
        violation.kind, violation.message, violation.where, case.to_json(), violation.expected, violation.got
    )


def no_oracle(case: Case) -> Outcome:
    """Stands where no second implementation was given."""
    raise HarnessError("the law asks a second implementation and none was given")


class Session:
    """One law on one implementation: outcomes by case, counts, and the first thing that stopped it."""

    def __init__(self, law: Law, subject: Subject, settings: Settings, oracle: Callable[[Case], Outcome]) -> None:
        self.law, self.subject, self.settings, self.oracle = law, subject, settings, oracle
        self.outcomes: dict[tuple[str, int | None], Outcome] = {}
        self.oracle_outcomes: dict[str, Outcome] = {}
        self.answered: dict[str, frozenset[str]] = {}
        self.unsupported: dict[str, str] = {}
        self.excusable = True
        self.violation: Violation | None = None
        self.broken: Case | None = None
        self.aside: tuple[Violation, Case] | None = None
        self.fault: str | None = None
        self.executions_left = settings.shrink_budget
        self.redraws = 0

    def run_case(self, case: Case, schedule: int | None = None) -> Outcome:
        """The implementation's outcome; after a violation no more than the shrink budget of unknown cases is run."""
        digest = (case.digest(), schedule)
        if digest not in self.outcomes:
            if self.violation is not None:
                if self.executions_left <= 0:
                    hypothesis.reject()
                self.executions_left -= 1
            run: Any = self.subject.run  # only some implementations have schedules
            self.outcomes[digest] = run(case) if schedule is None else run(case, schedule=schedule)
        return self.outcomes[digest]

    def ask_oracle(self, case: Case) -> Outcome:
        """The second implementation's outcome."""
        digest = case.digest()
        if digest not in self.oracle_outcomes:
            self.oracle_outcomes[digest] = self.oracle(case)
        return self.oracle_outcomes[digest]

    def example(self, item: Any) -> None:
        """One example: counts it, or keeps what it broke and raises that."""
        if self.fault is not None or (self.violation is not None and not self.settings.shrink):
            hypothesis.reject()
        check = Check(self.run_case, self.ask_oracle)
        case = case_of(item)
        try:
            self.law.body(check, item)
        except Unsupported as declared:
            self.unsupported[case.digest()] = str(declared)
            self.excusable = self.excusable and is_of_text(case)
            if len(self.unsupported) <= self.redraws:
                hypothesis.reject()  # and draw another: it may be one that the implementation can answer
        except UnsatisfiedAssumption:
            raise
        except Violation as violation:
            self._broken(violation, case)
        except Exception:
            self.fault = traceback.format_exc()
            raise
        else:
            if self.violation is None:
                self.answered[case.digest()] = frozenset(check.reached)

    def _broken(self, violation: Violation, case: Case) -> None:
        if not self.settings.shrink and violation.kind != "assertion":
            self.aside = self.aside or (violation, case)
            return
        if self.violation is not None and violation.kind != self.violation.kind:
            hypothesis.reject()  # shrinking stays with the kind of violation that it began with
        self.violation, self.broken = violation, case
        raise violation


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
        pass  # no example at all was answered, and the counts show it
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


# What our own implementations may leave out. Any implementation may declare a case unsupported, and the report counts
# and names such cases. For a third party the other cases decide. Our own promise every dtype of numbers, so a declared
# gap counts against them, with one exception: cases that hand byte strings to the cell, which arrays on a device cannot
# hold. A law about nothing but text is then left out, provided that another law of its clause passes.

HELD = ("inputs", "initial_state", "dtype")
"""The arguments whose values the cell would have to hold; lengths of text are an error, and stay one."""


def is_of_text(case: Case) -> bool:
    """Whether some call of the case hands byte strings to its cell."""
    return any(_text(call.arguments.get(name)) for call in case.calls for name in HELD)


def _text(value: Any) -> bool:
    if isinstance(value, DType):
        return np.dtype(value.name).kind in "SU"
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "SU"
    if isinstance(value, Mapping):
        return any(map(_text, value.values()))
    return is_sequence(value) and any(map(_text, value))
