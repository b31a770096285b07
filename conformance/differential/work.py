"""What a process of the two commands does: one stratum on two implementations; it sees no other process."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from conformance import engine
from conformance.differential.strata import Stratum, law
from conformance.engine import LawResult, Settings
from conformance.subjects import Subject
from conformance.targets import Target


@dataclass(frozen=True)
class Task:
    """A stratum on an implementation, against a second one; 0 schedules: as the implementation likes."""

    stratum: Stratum
    target: Target
    against: Target
    settings: Settings
    schedules: int = 0


def run(task: Task) -> LawResult:
    """The result of the task."""
    second = _open(task.against)
    return engine.run_law(law(task.stratum, task.schedules), _open(task.target), task.settings, second.run)


@functools.cache
def _open(target: Target) -> Subject:
    return target.open()  # held as long as the process
