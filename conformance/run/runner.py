"""Runs laws on implementations in several processes, replays stored counterexamples first, and gathers a report."""

from __future__ import annotations

import functools
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from conformance.law import engine, registry
from conformance.law.engine import LawResult, Settings
from conformance.law.laws import Law, Subject
from conformance.machine import pool
from conformance.report.model import Report
from conformance.run import assemble, verdicts
from conformance.run.known import Known
from conformance.subject import subjects
from conformance.subject.targets import Target
from dynamic_rnn_spec.case import Case, Outcome
from dynamic_rnn_spec.page import clauses

LIMITS = {"smoke": 300.0, "default": 600.0, "thorough": 3600.0}
"""Seconds for one law in one process, by profile: only what hangs comes near it."""


@dataclass(frozen=True)
class Plan:
    """What a run is to do; the targets are opened and named already."""

    targets: Sequence[Target]
    settings: Settings = field(default_factory=Settings)
    chosen: Sequence[str] = ()
    jobs: int = 1
    out: Path = Path("report")
    command: str = "python -m conformance run"
    known: Sequence[Known] = ()
    properties: str = registry.PROPERTIES
    oracle: str = "impl_ref"


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


Task = TypeVar("Task", LawTask, ReplayTask)


@dataclass
class Finished:
    """What a run gave: the report, its exit status, and what went wrong in the run itself."""

    report: Report
    status: int
    troubles: list[str] = field(default_factory=list)


class Watcher:
    """Is told how far a run is; one that shows it overrides these."""

    def begin(self, total: int) -> None:
        """``total`` laws will be run."""

    def took(self, target: str, law: str) -> None:
        """A process took up a law."""

    def ended(self, target: str, result: LawResult) -> None:
        """A law ended."""


def run(plan: Plan, watcher: Watcher) -> Finished:
    """Runs the plan.

    Raises:
        clauses.ClauseError: a clause was chosen that does not exist.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    ids = registry.clause_ids(plan.chosen)
    laws = registry.select(ids, registry.load(plan.properties))
    results: dict[str, list[LawResult]] = {target.name: [] for target in plan.targets}
    troubles: list[str] = []
    announced = dict(_announced(plan, ids, laws))
    settled: set[tuple[str, str]] = set()
    for task, result in _run(plan, list(announced), watcher):
        known = announced[task]
        if result.verdict == "fail":
            settled.add((task.target.name, known.clause))
            result.verdict, result.reason = "known failure", known.reason
            results[task.target.name].append(result)
        elif result.verdict == "could not run":
            results[task.target.name].append(result)
        else:
            troubles.append(_stale(task.target, known, result))
    for law_task, result in _run(plan, _tasks(plan, laws, settled), watcher):
        results[law_task.target.name].append(result)
    report = assemble.report(
        targets=plan.targets,
        results=results,
        out=plan.out,
        started=started,
        seconds=time.perf_counter() - clock,
        command=plan.command,
        profile=plan.settings.profile,
        seed=plan.settings.seed,
        jobs=plan.jobs,
    )
    chosen = [clauses.clause(id) for id in ids]
    return Finished(report, verdicts.exit_status(report["implementations"], chosen, troubles), troubles)


def _tasks(plan: Plan, laws: Sequence[Law], settled: Collection[tuple[str, str]]) -> list[LawTask]:
    return [
        LawTask(target, law.name, plan.settings, plan.properties, plan.oracle)
        for target in plan.targets
        if target.note is None
        for law in laws
        if not (law.oracle and target.name == plan.oracle) and (target.name, law.clause) not in settled
    ]


def _announced(plan: Plan, ids: Sequence[str], laws: Sequence[Law]) -> Iterator[tuple[ReplayTask, Known]]:
    """A replay for each known failure that is about a target and a clause of this run."""
    for known in plan.known:
        for target in plan.targets:
            concerned = known.implementation in (None, target.name) and known.clause in ids
            if concerned and target.note is None:
                law = law_for(known.example.clause, known.example.test, laws)
                yield ReplayTask(target, law.name, known.example.case_text, plan.properties, plan.oracle), known


def law_for(clause: str, test: str | None, laws: Sequence[Law]) -> Law:
    """The law that a counterexample broke: the test that it names, else the clause's first.

    Raises:
        clauses.ClauseError: the clause has no test.
    """
    of_clause = [law for law in laws if law.clause == clause]
    named = [law for law in of_clause if law.name == test]
    if not of_clause:
        raise clauses.ClauseError(f"{clause}: expected a test of this clause to replay the case with, got none")
    return (named or of_clause)[0]


def _run(plan: Plan, work: Sequence[Task], watcher: Watcher) -> Iterator[tuple[Task, LawResult]]:
    """Each task with its result as it ends; a process that died or hung is "could not run"."""
    if work:
        watcher.begin(len(work))
    laws = {law.name: law for law in registry.load(plan.properties)}

    def took(task: Task) -> None:
        watcher.took(task.target.name, task.law)

    for done in pool.run(f"{__name__}:work", work, plan.jobs, LIMITS[plan.settings.profile], took):
        law = laws[done.task.law]
        trouble = f"{done.trouble}; behind --worker each case has a time limit, and a crash is told apart"
        result = done.value or LawResult(law.name, law.clause, "could not run", trouble, floor=1)
        watcher.ended(done.task.target.name, result)
        yield done.task, result


def _stale(target: Target, known: Known, result: LawResult) -> str:
    held = "passes now" if result.verdict in ("pass", "vacuous") else f"is now {result.verdict}"
    return f"known failure {known.clause} of {target.name} {held}: take it out of the list of known failures"


# What a process of a run does.


def work(task: LawTask | ReplayTask) -> LawResult:
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
