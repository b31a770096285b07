"""Defines the types of a report's JSON data, and counts its verdicts.

A report is plain JSON data, so these are typed dictionaries, not classes: what is read from disk is what is rendered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NotRequired, TypedDict

FORMAT: Final = "dynamic_rnn.report"
COUNTEREXAMPLE_FORMAT: Final = "dynamic_rnn.counterexample"
VERSION: Final = 1

VERDICTS: Final = ("pass", "fail", "unsupported", "vacuous", "not run", "could not run", "known failure")
LEVELS: Final = ("documented", "observed", "ours")
VIOLATIONS: Final = ("assertion", "raised", "crashed", "timed out", "unsupported")

VerdictName = Literal["pass", "fail", "unsupported", "vacuous", "not run", "could not run", "known failure"]
LevelName = Literal["documented", "observed", "ours"]
Counts = dict[str, int]
"""`total` (clauses of a level), `counted` (those that can be tested: the n of "k of n"), then one count per verdict."""


class ReportError(ValueError):
    """A report that cannot be trusted or written: cut off, of another format or version, or contradicting itself."""


class Spec(TypedDict):
    """What was promised: the page, how many clauses, and the hash of the registry they came from."""

    page: str
    clauses: int
    documented: int
    observed: int
    ours: int
    registry_sha256: str


class Run(TypedDict):
    """What was run: when, for how long, by which command and with which versions."""

    started: str
    seconds: float
    command: str
    profile: str
    seed: int
    jobs: int
    versions: dict[str, str]


class Clause(TypedDict):
    """One clause as the registry has it; `page` holds locators, `reason` why it cannot be tested (else null)."""

    id: str
    section: str
    level: LevelName
    title: str
    text: str
    page: list[str]
    observable: list[str]
    testable: bool
    reason: str | None
    floor: int


class Counterexample(TypedDict):
    """The smallest case found that breaks a clause; `case`, `expected`, `got` are as the spec's codec writes them."""

    file: str
    replay: str
    message: str
    violation: str
    where: str | None
    case: dict[str, Any]
    expected: Any
    got: Any


class LeftOut(TypedDict, total=False):
    """What a verdict has only where some case was declared unsupported: how many, by what was said."""

    left_out: dict[str, int]


class Verdict(LeftOut):
    """What was found about one clause on one implementation."""

    clause: str
    verdict: VerdictName
    reason: str | None
    examples: int
    reached: int
    floor: int
    coverage: dict[str, int]
    seconds: float
    tests: list[str]
    counterexample: Counterexample | None


class Implementation(TypedDict):
    """One implementation with all its verdicts; `own` ones are held to every level, others to the documented one."""

    name: str
    title: str
    own: bool
    versions: dict[str, str]
    device: str
    note: str | None
    summary: dict[str, Counts]
    verdicts: list[Verdict]


class Report(TypedDict):
    """The whole truth of one run; `complete` is the last thing written."""

    format: str
    version: int
    spec: Spec
    run: Run
    clauses: list[Clause]
    implementations: list[Implementation]
    complete: NotRequired[bool]


def summarise(verdicts: Iterable[Verdict], clauses: Sequence[Clause]) -> dict[str, Counts]:
    """Counts per level: of the clauses that can be tested, how many got each verdict.

    One without a verdict is "not run". A clause that cannot be tested is part of `total` only: it is neither a promise
    kept nor one missed.
    """
    found: Mapping[str, str] = {verdict["clause"]: verdict["verdict"] for verdict in verdicts}
    summary: dict[str, Counts] = {}
    for level in LEVELS:
        of_level = [clause for clause in clauses if clause["level"] == level]
        counted = [clause for clause in of_level if clause["testable"]]
        counts: Counts = {"total": len(of_level), "counted": len(counted), **dict.fromkeys(VERDICTS, 0)}
        for clause in counted:
            counts[found.get(clause["id"], "not run")] += 1
        summary[level] = counts
    return summary


def headline(counts: Counts, level: str = "documented", own: bool = True) -> str:
    """The one line people quote, such as `62 of 62 documented clauses`; a third party *matches* the other levels."""
    matched = "" if own or level == "documented" else " matched"
    name = "own" if level == "ours" else level
    return f"{counts['pass']} of {counts['counted']} {name} clauses{matched}"
