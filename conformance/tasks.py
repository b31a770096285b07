"""What a process of a run does: one law or one stored counterexample on one implementation; it sees neither the other
processes nor the report."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from conformance import engine, registry, subjects
from conformance.engine import LawResult, Settings
from conformance.laws import Law, Subject
from conformance.targets import Target
from dynamic_rnn_spec.case import Case, Outcome


@dataclass(frozen=True)
class LawTask:
    """A law, by name, on an implementation."""

    target: Target
    law: str
    settings: Settings
    properties: str = registry.PROPERTIES
    oracle: str = "impl_ref"


@dataclass(frozen=True)
class ReplayTask:
    """A counterexample of a known failure, as JSON text, on an implementation."""

    target: Target
    law: str
    case: str
    properties: str = registry.PROPERTIES
    oracle: str = "impl_ref"


def run(task: LawTask | ReplayTask) -> LawResult:
    """The result of the task."""
    law = _laws(task.properties)[task.law]
    subject = _subject(task.target)
    if isinstance(task, LawTask):
        return engine.run_law(law, subject, task.settings, functools.partial(_ask_oracle, task.oracle))
    return engine.replay(law, subject, task.case, functools.partial(_ask_oracle, task.oracle))


@functools.cache
def _laws(properties: str) -> dict[str, Law]:
    return {law.name: law for law in registry.load(properties)}


@functools.cache
def _subject(target: Target) -> Subject:
    return target.open()  # held as long as the process; a worker ends with the end of its input


@functools.cache
def _oracle(name: str) -> Subject:
    return subjects.load(name)


def _ask_oracle(name: str, case: Case) -> Outcome:
    return _oracle(name).run(case)
