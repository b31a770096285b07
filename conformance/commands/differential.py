"""`differential`, `gradients` and `schedules`: compare two implementations stratum by stratum, count cases by kind of
cell and dtype, and write the counts as JSON beside the counterexamples.

Exit status: 0 if everything agrees; 1 if something does not, or is declared unsupported; 2 if the run itself failed,
something was left untried, or an implementation is not on this machine.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console
from rich.text import Text

from conformance.commands import screen
from conformance.commands.options import count, jobs, option, positional, seed
from conformance.differential import strata
from conformance.differential.found import Found, agrees, summary, table, write_counterexamples
from conformance.differential.strata import Stratum
from conformance.law import engine
from conformance.law.engine import LawResult, Settings
from conformance.machine import pool
from conformance.machine.interpreters import NotAvailable
from conformance.report.text import clip, printable
from conformance.run import assemble
from conformance.subject import subjects, targets
from conformance.subject.subjects import Subject
from conformance.subject.targets import Target
from dynamic_rnn_spec.case import Case, Outcome

LIMIT = 900.0
FORMAT = "dynamic_rnn.differential"
WIDE_ENOUGH = 1000
"""With this many cases or more, each sort in COVERED must have occurred."""
COVERED = (
    "no rows",
    "no steps",
    "time-major",
    "state given",
    "several chunks",
    "no lengths",
    "rows of all lengths",
    "all rows alike, below max_time",
    "a row of length 0",
    "one long row",
    "all rows end early",
    "more than 16 rows",
    "raised",
)


def _cases(number: int) -> Any:
    return option(f"how many, about ({number})", number, type=count, metavar="N")


def _schedules(number: int) -> Any:
    return option(f"for each case ({number})", number, type=int, metavar="N")


def _out(name: str) -> Any:
    return option("where the result goes", f"report/{name}.json", metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The options that the three commands share."""

    group: ClassVar[str]

    implementation: str = positional("a name or module:attribute")
    against: str = positional("the second implementation (impl_ref)", nargs="?", default="impl_ref")
    kind: str = option("only kinds of cells with this in their name", "", metavar="TEXT")
    seed: int = seed("cases")
    jobs: int = jobs()
    minutes: float | None = option("stop then; what was not tried is an error", None, type=float, metavar="M")
    cases: int
    schedules: int
    out: str
    repeat: bool = False

    def perform(self) -> int:
        """Runs what the command line asks for; returns the exit status."""
        console = screen.console()
        target, against = targets.inspect([self.implementation, self.against])
        for one in (target, against):
            if one.note is not None:
                raise NotAvailable(f"{one.name}: {one.note}")
        if not self.repeat and self.group == strata.SCHEDULES and not target.schedules:
            raise NotAvailable(f"{target.name} has no schedules to choose from")
        shares = strata.shares(self.group, self.cases)
        chosen = {one: count for one, count in shares.items() if self.kind in one.kind}
        if self.group == strata.DIFFERENTIAL and self.kind in strata.REFUSED:
            chosen[Stratum(self.group, strata.REFUSED, "")] = 0
        if not chosen:
            raise subjects.UnknownSubjectError(f"--kind: expected a part of a kind's name, got {self.kind!r}")
        started, clock = datetime.now(UTC), time.perf_counter()
        found = run(chosen, target, against, self, console)
        if self.kind == "" and self.cases >= WIDE_ENOUGH and self.group == strata.DIFFERENTIAL:
            found.troubles += [f"no case of this sort: {sort}" for sort in COVERED if sort not in found.coverage]
        out = Path(self.out)
        files = write_counterexamples(found, target.name, out.with_suffix(""))
        document = {
            "format": FORMAT,
            "version": 1,
            "command": self.group,
            "implementation": {"name": target.name, **target.description},
            "against": {"name": against.name, **against.description},
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - clock, 1),
            "seed": self.seed,
            "schedules": self.schedules,
            "repeated": self.repeat,
            "versions": assemble.versions(),
            **summary(found, files),
        }
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="ascii")
        show(found, files, target, console)
        console.print(Text(f"result: {out}"), soft_wrap=True)
        return found.status


@dataclass(frozen=True, kw_only=True)
class Differential(Compared):
    """The options of `differential`."""

    group = strata.DIFFERENTIAL
    cases: int = _cases(3000)
    schedules: int = _schedules(0)
    out: str = _out(group)


@dataclass(frozen=True, kw_only=True)
class Gradients(Compared):
    """The options of `gradients`."""

    group = strata.GRADIENTS
    cases: int = _cases(2000)
    schedules: int = _schedules(0)
    out: str = _out(group)


@dataclass(frozen=True, kw_only=True)
class Schedules(Compared):
    """The options of `schedules`."""

    group = strata.SCHEDULES
    cases: int = _cases(200)
    schedules: int = _schedules(20)
    out: str = _out(group)
    repeat: bool = option("repeat each case that many times instead, for an implementation without schedules", False)


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


def run(
    chosen: Mapping[Stratum, int], target: Target, against: Target, options: Compared, console: Console
) -> Found:
    """Tries every stratum with its share of cases, until the minutes are over where they are limited."""
    found = Found()
    tasks = [
        Task(one, target, against, Settings(seed=options.seed, count=count), options.schedules, options.repeat)
        for one, count in chosen.items()
    ]
    end = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    told = time.monotonic()
    for done in pool.run(f"{__name__}:compare", tasks, options.jobs, LIMIT):
        stratum = done.task.stratum
        result = done.value or LawResult(stratum.name, "", "could not run", done.trouble, floor=1)
        found.results[stratum] = result
        if not agrees(result):
            said = (result.reason or "left out as unsupported").strip().splitlines()[-1]
            console.print(Text(printable(f"{stratum.kind} {stratum.dtype}: {result.verdict}: {clip(said, 300)}")))
        if time.monotonic() - told > screen.PLAIN_INTERVAL:
            told = time.monotonic()
            console.print(f"{len(found.results)} of {len(tasks)} strata")
        if time.monotonic() > end:
            break
    untried = [one for one in chosen if one not in found.results]
    if untried:
        found.troubles.append(f"time is over: {len(untried)} of {len(chosen)} strata were not tried")
    return found


def show(found: Found, files: Mapping[Stratum, Path], target: Target, console: Console) -> None:
    """The counts by kind and dtype, and how to see each failure again."""
    console.print(table(list(found.results.items())))
    for stratum, path in files.items():
        again = f"python -m conformance replay {path} {target.replay_arguments()}"
        console.print(Text(f"{stratum.kind} {stratum.dtype}: again: {again}"), soft_wrap=True)
    for trouble in found.troubles:
        console.print(Text(f"error: {trouble}", style="bold red"))
    count = sum(result.examples for result in found.results.values())
    where = target.description.get("device", "unknown")
    wrong = sum(not agrees(result) for result in found.results.values())
    said = "all agree" if not wrong else f"{wrong} of {len(found.results)} strata do not agree"
    console.print(Text(f"{target.name} ({where}): {count} cases of {len(found.results)} strata; {said}"))


# What a process does.


class Repeated:
    """An implementation that takes a schedule's number and ignores it."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.name = subject.name

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        """The case once more."""
        del schedule  # it is given only to make this another run
        return self._subject.run(case)


def compare(task: Task) -> LawResult:
    """The result of a task, in a process of its own."""
    first, second = _open(task.target), _open(task.against)
    subject = Repeated(first) if task.repeat else first
    return engine.run_law(strata.law(task.stratum, task.schedules), subject, task.settings, second.run)


@functools.cache
def _open(target: Target) -> Subject:
    return target.open()  # held as long as the process
