"""Compares two implementations on one stratum, as the task of one process."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from conformance.differential.strata import Stratum, law
from conformance.law import engine
from conformance.law.engine import LawResult, Settings
from conformance.subject.subjects import Subject
from conformance.subject.targets import Target
from dynamic_rnn_spec.case import Case, Outcome


@dataclass(frozen=True)
class Task:
    """A stratum on an implementation, against a second one; with 0 schedules the implementation chooses its own order.

    ``repeat``: it has no schedules to choose from, so each case is run that many times instead.
    """

    stratum: Stratum
    target: Target
    against: Target
    settings: Settings
    schedules: int = 0
    repeat: bool = False


class Repeated:
    """An implementation that takes a schedule's number and ignores it."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.name = subject.name

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        """The case once more."""
        del schedule  # it is given only to make this another run
        return self._subject.run(case)


def run(task: Task) -> LawResult:
    """The result of the task."""
    first, second = _open(task.target), _open(task.against)
    subject = Repeated(first) if task.repeat else first
    return engine.run_law(law(task.stratum, task.schedules), subject, task.settings, second.run)


@functools.cache
def _open(target: Target) -> Subject:
    return target.open()  # held as long as the process
