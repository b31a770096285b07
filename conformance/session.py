"""One law on one implementation while it is being tried: outcomes by case, counts, the first thing that stopped it; it
neither makes examples nor decides the verdict."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis.errors import UnsatisfiedAssumption

from conformance import examples, left_out
from conformance.laws import Check, Law, Subject, Unsupported, Violation, case_of
from conformance.worker_client import HarnessError
from dynamic_rnn_spec.case import Case, Outcome

SHRINK_BUDGET = 150
REDRAWS = 4
"""How many times the profile's examples may be drawn in place of unsupported ones, so that a law ends in good time."""

SMOKE_ITEMS = 30
"""How many of a long list of cases, as those of recorded vectors are, a law goes through with the smoke profile."""


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
            self.excusable = self.excusable and left_out.is_of_text(case)
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
