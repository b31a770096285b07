"""`replay`: runs one stored counterexample through its law again, on any implementation."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from conformance.commands import screen
from conformance.commands.errors import handed_over
from conformance.commands.options import positional, worker
from conformance.differential import strata
from conformance.law import engine, registry
from conformance.law.engine import LawResult
from conformance.law.laws import Subject
from conformance.machine.exit_status import BROKEN, FAILED, HOLDS
from conformance.report import explain
from conformance.run import known, runner
from conformance.subject import subjects, targets
from dynamic_rnn_spec.case import Case, Outcome

LIMIT = 600.0
"""Seconds for one case."""


@dataclass(frozen=True)
class Replay:
    """The options of `replay`."""

    file: str = positional("a counterexample, such as report/cases/impl_ref/SEQ-5.json")
    implementation: str | None = positional("a name or module:attribute", nargs="?", default=None)
    worker: str | None = worker()

    def perform(self) -> int:
        """Shows what becomes of the case: 0 if the clause holds on it, 1 if it is broken, 2 if it can't be judged."""
        console = screen.console()
        stored = known.read_counterexample(Path(self.file))
        target = targets.one(self.implementation, self.worker, "replay")
        result: LawResult = targets.alone(f"{__name__}:again", (target, stored), target, LIMIT)
        console.print(Text(f"{stored.clause} ({result.test}) on {target.name}: {_said(result)}"), soft_wrap=True)
        if result.counterexample is None:
            console.print(Text(explain.case_text(stored.case)), soft_wrap=True)
            console.print(Text(f"it was stored because on {stored.implementation}: {stored.message}"), soft_wrap=True)
            if result.verdict not in ("pass", "vacuous"):
                console.print(Text(result.reason or ""), soft_wrap=True)
            return HOLDS if result.verdict in ("pass", "vacuous") else FAILED
        found = result.counterexample
        text = explain.failure_text(
            stored.clause, result.test, found.violation, found.message, found.case, found.expected, found.got, None
        )
        console.print(Text(text), soft_wrap=True)
        return BROKEN


@handed_over
def again(task: tuple[targets.Target, known.Stored]) -> LawResult:
    """The result of the counterexample's law on the target."""
    target, stored = task
    subject = target.open()
    try:
        return replay_on(subject, stored)
    finally:
        subject.close()


def replay_on(subject: Subject, stored: known.Stored, properties: str = registry.PROPERTIES) -> LawResult:
    """The result of the law that the counterexample broke, on its case alone."""
    generated = strata.find(stored.test) if stored.test is not None else None
    law = generated or runner.law_for(stored.clause, stored.test, registry.load(properties))

    @functools.cache
    def oracle() -> subjects.Subject:
        return subjects.load("impl_ref")

    def ask(case: Case) -> Outcome:
        return oracle().run(case)

    return engine.replay(law, subject, stored.case_text, ask)


def _said(result: LawResult) -> str:
    words = {"pass": "holds", "vacuous": "holds", "fail": "broken"}
    return words.get(result.verdict, result.verdict)
