"""Plants one mutant, runs its clause's laws on it and decides whether they caught it.

A defect of the code is planted in a copy of the packages, which a worker of its own serves, so that nothing of it
leaks. Caught means that a law of the mutant's clause failed by its own assertion; an error or a crash does not count.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.differential import strata
from conformance.law import registry
from conformance.law.engine import LawResult, Settings, run_law
from conformance.law.laws import Law, Subject
from conformance.mutants import DEFAULT_PACKAGE, SPEC_PACKAGE, Mutant, MutantError, package_folder
from conformance.subject import subjects
from conformance.subject.worker_client import HarnessError, WorkerClient
from dynamic_rnn_spec.case import Case, Outcome

CASE_TIMEOUT = 10.0
SCHEDULES = 4
"""How many schedules a case is run under, for a mutant that only schedules can catch."""
PATIENCE = 2
"""Cases that may time out before a mutant is given up: each costs CASE_TIMEOUT seconds."""


@dataclass(frozen=True)
class Trial:
    """A mutant to try or, with none, the laws of a clause on the code as it is."""

    clause: str
    mutant: Mutant | None
    settings: Settings
    properties: str = registry.PROPERTIES
    package: str = DEFAULT_PACKAGE
    stratum: str = ""


@dataclass(frozen=True)
class Finding:
    """The result of a trial: ``said`` is "caught", "elsewhere" (something other than the clause's assertion failed),
    "escaped" or "could not run"; for the code as it is, "holds" or "could not run"."""

    said: str
    test: str | None = None
    message: str = ""


def run(trial: Trial) -> Finding:
    """The finding of a trial."""
    laws = laws_of(trial)
    if trial.mutant is None:
        return _as_it_is(laws, _pristine(trial.package), trial.settings)
    with planted(trial.mutant) as subject:
        return judge(laws, subject, trial.settings)


def laws_of(trial: Trial) -> list[Law]:
    """The laws of the clause that need no second implementation or, where a stratum is named, that one alone."""
    if not trial.stratum:
        return [law for law in _laws(trial.properties) if law.clause == trial.clause and not law.oracle]
    found = [one for one in strata.strata(trial.stratum.partition("::")[0]) if one.name.endswith(f".{trial.stratum}")]
    if not found:
        raise MutantError(f"expected the name of a stratum, got {trial.stratum!r}")
    return [strata.law(found[0], SCHEDULES if found[0].group == strata.SCHEDULES else 0)]


def judge(laws: list[Law], subject: Subject, settings: Settings) -> Finding:
    """Runs the laws until one catches the mutant by its own assertion."""
    elsewhere: Finding | None = None
    for law in laws:
        result = run_law(law, subject, settings, _second)
        example = result.counterexample
        if example is not None and example.violation == "assertion":
            return Finding("caught", law.name, example.message)
        if example is not None:
            elsewhere = elsewhere or Finding("elsewhere", law.name, f"{example.violation}: {example.message}")
        elif result.verdict == "could not run":
            elsewhere = elsewhere or Finding("could not run", law.name, result.reason or "")
    return elsewhere or Finding("escaped", None, f"{len(laws)} tests hold" if laws else "the clause has no test")


def _as_it_is(laws: list[Law], subject: Subject, settings: Settings) -> Finding:
    for law in laws:
        result: LawResult = run_law(law, subject, settings, _second)
        if result.verdict != "pass":
            return Finding("could not run", law.name, f"{result.verdict} without any mutant: {result.reason}")
    return Finding("holds")


@contextlib.contextmanager
def planted(mutant: Mutant) -> Iterator[Subject]:
    """The implementation with the defect.

    Raises:
        MutantError: the mutant is stale.
    """
    if mutant.spoil:
        yield Spoilt(_pristine(mutant.package), function(mutant.spoil))
        return
    text = mutant.mutated()
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        for package in (SPEC_PACKAGE, mutant.package):
            _link(package_folder(package), folder / package)
        spoilt = folder / mutant.file
        spoilt.unlink()
        spoilt.write_text(text, encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": name, "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", f"{SPEC_PACKAGE}.worker", mutant.package]
        worker = subjects.Worker(WorkerClient(command, CASE_TIMEOUT, environment=environment))
        try:
            yield Impatient(worker)
        finally:
            worker.close()


class Spoilt:
    """An implementation whose answers are changed on their way out."""

    def __init__(self, subject: Subject, spoil: Callable[[Case, Outcome], Outcome]) -> None:
        self._subject, self._spoil = subject, spoil

    @property
    def name(self) -> str:
        """That of the implementation."""
        return self._subject.name

    def run(self, case: Case) -> Outcome:
        """The spoilt outcome."""
        return self._spoil(case, self._subject.run(case))


class Impatient:
    """An implementation that is given up after a few cases that took too long."""

    def __init__(self, subject: subjects.Worker) -> None:
        self._subject, self._late = subject, 0

    @property
    def name(self) -> str:
        """That of the implementation."""
        return self._subject.name

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        """The outcome; HarnessError once too many cases timed out."""
        if self._late >= PATIENCE:
            raise HarnessError(f"given up after {PATIENCE} cases that timed out")
        outcome = self._subject.run(case, schedule)
        self._late += any(answer.kind == "timed out" for answer in outcome.answers)
        return outcome


def _link(source: Path, target: Path) -> None:
    """A copy of a package in links, so that it costs nothing; its recorded vectors and schemas are not needed."""
    shutil.copytree(source, target, copy_function=os.symlink, ignore=shutil.ignore_patterns("vectors", "schema"))


@functools.cache
def _laws(properties: str) -> list[Law]:
    return registry.load(properties)


@functools.cache
def _pristine(package: str) -> Subject:
    return subjects.load(f"{package}.adapter:implementation")


def _second(case: Case) -> Outcome:
    """What the implementation without a defect makes of a case; everything is compared with it."""
    return _pristine(DEFAULT_PACKAGE).run(case)


def function(place: str) -> Callable[[Case, Outcome], Outcome]:
    """What an entry's ``spoil`` names."""
    module, _, name = place.partition(":")
    found: Any = getattr(importlib.import_module(module), name)
    return found  # type: ignore[no-any-return]  # what an entry names is checked by running it
