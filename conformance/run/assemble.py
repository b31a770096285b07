"""Puts verdicts together into a report."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from conformance.law.engine import LawResult
from conformance.report import model
from conformance.report.model import summarise
from conformance.run.verdicts import verdict_of
from conformance.subject.targets import DISTRIBUTION, Target
from dynamic_rnn_spec.page import clauses

PAGE = "tf.nn.dynamic_rnn, TensorFlow r1.4"
TOOLS = (DISTRIBUTION, "numpy", "hypothesis", "pytest")


def report(
    *,
    targets: Sequence[Target],
    results: Mapping[str, Sequence[LawResult]],
    out: Path,
    started: datetime,
    seconds: float,
    command: str,
    profile: str,
    seed: int,
    jobs: int,
) -> model.Report:
    """The report of a run: ``results`` are those of each target's laws, by the target's name."""
    described = [clause_data(clause) for clause in clauses.load().values()]
    return model.Report(
        format=model.FORMAT,
        version=model.VERSION,
        spec=spec(),
        run=model.Run(
            started=started.astimezone(UTC).isoformat(timespec="seconds"),
            seconds=round(seconds, 3),
            command=command,
            profile=profile,
            seed=seed,
            jobs=jobs,
            versions=versions(),
        ),
        clauses=described,
        implementations=[implementation(target, results.get(target.name, ()), out, described) for target in targets],
    )


def implementation(
    target: Target, results: Sequence[LawResult], out: Path, described: Sequence[model.Clause]
) -> model.Implementation:
    """One column of the report."""
    by_clause: dict[str, list[LawResult]] = {}
    for result in results:
        by_clause.setdefault(result.clause, []).append(result)
    verdicts = [verdict_of(clause, by_clause.get(id, []), target, out) for id, clause in clauses.load().items()]
    told = target.description
    return model.Implementation(
        name=target.name,
        title=str(told.get("title", target.name)),
        own=target.own,
        versions={str(name): str(version) for name, version in sorted(told.get("versions", {}).items())},
        device=str(told.get("device", "unknown")),
        note=target.note,
        summary=summarise(verdicts, described),
        verdicts=verdicts,
    )


def spec() -> model.Spec:
    """What was promised."""
    levels = [clause.level for clause in clauses.load().values()]
    return model.Spec(
        page=PAGE,
        clauses=len(levels),
        documented=levels.count("documented"),
        observed=levels.count("observed"),
        ours=levels.count("ours"),
        registry_sha256=clauses.registry_sha256(),
    )


def clause_data(clause: clauses.Clause) -> model.Clause:
    """A clause as the report has it."""
    return model.Clause(
        id=clause.id,
        section=clause.section,
        level=clause.level,  # type: ignore[typeddict-item]  # the registry checked it
        title=clause.title,
        text=clause.text.strip(),
        page=list(clause.locators()),
        observable=list(clause.observable),
        testable=clause.testable,
        reason=clause.reason or None,
        floor=clause.floor,
    )


def versions() -> dict[str, str]:
    """Python and the tools that made the run, with their versions."""
    found = {"python": platform.python_version()}
    for name in TOOLS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed as a distribution"
    return found
