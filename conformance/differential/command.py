"""`differential`, `gradients` and `schedules`: runs the strata side by side, counts by kind of cell and dtype, writes
JSON and counterexamples; it compares nothing itself.

Exit status: 0 if everything agrees; 1 if something does not, or is declared unsupported; 2 if the run itself failed,
something was left untried, or an implementation is not on this machine.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from conformance import assemble, pool, screen, subjects, targets
from conformance.differential import strata, work
from conformance.differential.found import Found, agrees, summary, table, write_counterexamples
from conformance.differential.strata import Stratum
from conformance.engine import LawResult, Settings
from conformance.report.text import clip, printable
from conformance.targets import Target

LIMIT = 900.0
FORMAT = "dynamic_rnn.differential"
WIDE_ENOUGH = 1000
"""From so many cases on, each of COVERED must have occurred."""
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


def perform(options: argparse.Namespace) -> int:
    """Runs what the command line asks for; returns the exit status."""
    console = screen.console()
    group = str(options.command)
    target, against = targets.inspect([options.implementation, options.against])
    for one in (target, against):
        if one.note is not None:
            raise subjects.NotAvailable(f"{one.name}: {one.note}")
    if options.repeat is False and group == strata.SCHEDULES and not getattr(target.open(), "schedules", False):
        raise subjects.NotAvailable(f"{target.name} has no schedules to choose from")
    shares = strata.shares(group, options.cases)
    chosen = {one: count for one, count in shares.items() if options.kind in one.kind}
    if group == strata.DIFFERENTIAL and options.kind in strata.REFUSED:
        chosen[Stratum(group, strata.REFUSED, "")] = 0
    if not chosen:
        raise subjects.UnknownSubjectError(f"--kind: expected a part of a kind's name, got {options.kind!r}")
    started, clock = datetime.now(UTC), time.perf_counter()
    found = run(chosen, target, against, options, console)
    if options.kind == "" and options.cases >= WIDE_ENOUGH and group == strata.DIFFERENTIAL:
        found.troubles += [f"no case of this sort: {sort}" for sort in COVERED if sort not in found.coverage]
    out = Path(options.out)
    files = write_counterexamples(found, target.name, out.with_suffix(""))
    document = {
        "format": FORMAT,
        "version": 1,
        "command": group,
        "implementation": {"name": target.name, **target.description},
        "against": {"name": against.name, **against.description},
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 1),
        "seed": options.seed,
        "schedules": options.schedules,
        "repeated": options.repeat,
        "versions": assemble.versions(),
        **summary(found, files),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="ascii")
    show(found, files, target, console)
    console.print(Text(f"result: {out}"), soft_wrap=True)
    return found.status


def run(
    chosen: Mapping[Stratum, int], target: Target, against: Target, options: argparse.Namespace, console: Console
) -> Found:
    """Tries every stratum with its share of cases, until the minutes are over where they are limited."""
    found = Found()
    tasks = [
        work.Task(one, target, against, Settings(seed=options.seed, count=count), options.schedules, options.repeat)
        for one, count in chosen.items()
    ]
    end = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    told = time.monotonic()
    for done in pool.run(f"{work.__name__}:run", tasks, options.jobs, LIMIT):
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
