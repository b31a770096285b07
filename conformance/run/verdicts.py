"""Makes one verdict for a clause from the results of its laws, and an exit status from verdicts.

A clause passes only if every one of its laws passes: one law cannot make up for another that tested nothing. There are
two exceptions, each where another law of the clause passes, and the verdict mentions them: what a third party declares
unsupported (a kernel without probe cells is still held to the clause on its own cell), and a law about text on our own
implementations.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from conformance.law.engine import LawResult
from conformance.machine.exit_status import BROKEN, FAILED, HOLDS
from conformance.report.check import case_file
from conformance.report.model import Counterexample, Implementation, Verdict
from conformance.subject.targets import Target
from dynamic_rnn_spec.page.clauses import Clause

WORST_FIRST = ("fail", "could not run", "not run", "vacuous", "unsupported", "known failure", "pass")
"""Of several laws the first of these is the clause's verdict."""

MAY_LACK = ("gradients",)
"""Sections that somebody else's implementation may leave out, but only as a whole: the page promises of back
propagation that swap_memory is transparent to it, and not that there is any."""


def verdict_of(clause: Clause, results: Sequence[LawResult], target: Target, out: Path) -> Verdict:
    """The verdict of a clause on an implementation; "not run" where no law says anything about it."""
    ordered = sorted((_held(result, target) for result in results), key=_rank)
    worst = ordered[0] if ordered else None
    reason = worst.reason if worst is not None else not_run_reason(clause, target)
    silent = [result for result in ordered if result.verdict == "unsupported"]
    excused = not target.own or all(result.excusable for result in silent)
    if worst is not None and worst.verdict == "unsupported" and ordered[-1].verdict == "pass" and excused:
        reason = f"{len(silent)} of {len(ordered)} tests left out as unsupported: {worst.reason}"
        worst = ordered[-1]
    coverage: dict[str, int] = {}
    for result in sorted(results, key=lambda result: result.test):
        for label, count in result.coverage.items():
            coverage[label] = coverage.get(label, 0) + count
    example = None
    if worst is not None and worst.counterexample is not None:
        file = case_file(target.name, clause.id)
        found = worst.counterexample
        example = Counterexample(
            file=file,
            replay=replay_line(out / file, target),
            message=found.message,
            violation=found.violation,
            where=found.where,
            case=found.case,
            expected=found.expected,
            got=found.got,
        )
    verdict = Verdict(
        clause=clause.id,
        verdict=worst.verdict if worst is not None else "not run",  # type: ignore[typeddict-item]  # one of WORST_FIRST
        reason=reason,
        examples=sum(result.examples for result in results),
        reached=sum(result.reached for result in results),
        floor=min(clause.floor, sum(result.floor for result in results)) if results else clause.floor,
        coverage=coverage,
        seconds=round(sum(result.seconds for result in results), 3),
        tests=[result.test for result in ordered],
        counterexample=example,
    )
    if left_out := _left_out(results):
        verdict["left_out"] = left_out
    return verdict


def _held(result: LawResult, target: Target) -> LawResult:
    """The result as it counts: our own implementations must leave out nothing that they promise."""
    if not target.own or result.verdict != "pass" or result.excusable:
        return result
    said = "; ".join(f"{count} cases: {what}" for what, count in result.left_out.items())
    return replace(result, verdict="unsupported", reason=said)


def _left_out(results: Sequence[LawResult]) -> dict[str, int]:
    """How many cases of all laws together were declared unsupported, by what was said."""
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(result.left_out)
    return dict(sorted(counts.items()))


def not_run_reason(clause: Clause, target: Target) -> str | None:
    """Why nothing was tried."""
    if target.note is not None:
        return target.note
    return clause.reason if not clause.testable else f"no test asks {target.name} about it"


def replay_line(file: Path, target: Target) -> str:
    """What to type to see a counterexample again."""
    return f"python -m conformance replay {shlex.quote(file.as_posix())} {target.replay_arguments()}"


def exit_status(implementations: Sequence[Implementation], clauses: Sequence[Clause], troubles: Sequence[str]) -> int:
    """0: every clause asked for passes, at the levels that bind an implementation; 1: not so; 2: the run itself failed.

    Only "pass" counts: what is unsupported, vacuous, not run or a known failure does not hold. The one exception: a
    third party that declares every clause of a section in MAY_LACK unsupported is not held to that section.
    """
    found = [
        (implementation, {verdict["clause"]: verdict["verdict"] for verdict in implementation["verdicts"]})
        for implementation in implementations
    ]
    if troubles or any("could not run" in verdicts.values() for _, verdicts in found):
        return FAILED
    for implementation, verdicts in found:
        asked = [clause for clause in clauses if clause.testable]
        lacked = set() if implementation["own"] else _lacked(asked, verdicts)
        for clause in asked:
            binding = clause.level == "documented" or implementation["own"]
            if binding and clause.section not in lacked and verdicts.get(clause.id) != "pass":
                return BROKEN
    return HOLDS


def _lacked(clauses: Sequence[Clause], verdicts: Mapping[str, str]) -> set[str]:
    """The sections that an implementation may lack and lacks: all that was asked of them is unsupported."""
    had = {clause.section for clause in clauses if verdicts.get(clause.id) != "unsupported"}
    return set(MAY_LACK) - had


def worst(results: Sequence[LawResult]) -> str:
    """The verdict of a clause whose laws gave these results; there is at least one."""
    return min(results, key=_rank).verdict


def _rank(result: LawResult) -> tuple[int, bool, str]:
    """The worst first; among failing laws the one whose own assertion broke says the most."""
    own = result.counterexample is not None and result.counterexample.violation == "assertion"
    return WORST_FIRST.index(result.verdict), not own, result.test
