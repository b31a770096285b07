"""Shows a run on a terminal: its progress while it runs, then a table by section and everything that broke."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Collection
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from conformance.law.engine import LawResult
from conformance.report import explain
from conformance.report.model import LEVELS, Clause, Implementation, Report, Verdict, headline, summarise
from conformance.report.text import clip, printable
from conformance.report.wording import is_failure, ran_on, word
from conformance.run.runner import Watcher

STYLES = {"pass": "green", "matches": "green", "fail": "bold red", "differs": "yellow", "known-failure": "yellow"}
PLAIN_WIDTH = 140
PLAIN_INTERVAL = 5.0
"""Seconds between two lines of progress where no terminal can redraw one."""


def console() -> Console:
    """Standard output: as wide as its terminal, or wide enough for a log."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def bar(console: Console) -> Progress:
    """A bar of progress, which only a terminal shows."""
    text = TextColumn("{task.description}")
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), text)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


class Screen(Watcher):
    """A watcher that shows a bar on a terminal, and a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bar = bar(console)
        self._task = self._bar.add_task("", total=None)
        self._running: list[str] = []
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._told = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, total: int) -> None:
        """See `runner.Watcher`."""
        self._total, self._counts = total, Counter()
        self._bar.reset(self._task, total=total)
        if not self.console.is_terminal:
            self.console.print(f"{total} laws to run")

    def took(self, target: str, law: str) -> None:
        """See `runner.Watcher`."""
        self._running.append(f"{target} {_short(law)}")
        self._redraw(0)

    def ended(self, target: str, result: LawResult) -> None:
        """See `runner.Watcher`."""
        self._running.remove(f"{target} {_short(result.test)}")
        self._counts[result.verdict] += 1
        if result.verdict not in ("pass", "unsupported"):
            reason = clip(_last_line(result.reason or ""), 160)
            self.console.print(Text(printable(f"{result.clause}: {result.verdict} on {target}: {reason}")))
        self._redraw(1)

    def _redraw(self, advance: int) -> None:
        if not self.console.is_terminal:
            if time.monotonic() - self._told > PLAIN_INTERVAL:
                self._told = time.monotonic()
                self.console.print(f"{sum(self._counts.values())} of {self._total} laws: {self._summary()}")
            return
        running = Text(printable(", ".join(self._running))).plain
        self._bar.update(self._task, advance=advance, description=f"{self._summary()}  {running}".replace("[", r"\["))

    def _summary(self) -> str:
        return ", ".join(f"{count} {verdict}" for verdict, count in self._counts.items()) or "starting"


def summary_table(report: Report, asked: Collection[str]) -> Table:
    """One row a section, one column an implementation: how many clauses asked for pass, and what the others are."""
    table = Table(title=None, show_footer=False)
    table.add_column("section")
    for implementation in report["implementations"]:
        table.add_column(Text(printable(f"{implementation['name']}\n{ran_on(implementation)}")), justify="left")
    shown = [clause for clause in report["clauses"] if clause["testable"] and clause["id"] in asked]
    for section in dict.fromkeys(clause["section"] for clause in shown):
        clauses = [clause for clause in shown if clause["section"] == section]
        table.add_row(section, *(_cell(clauses, implementation) for implementation in report["implementations"]))
    return table


def headlines(report: Report, asked: Collection[str]) -> list[Text]:
    """One line for each implementation: k of the n clauses asked for, by level."""
    clauses = [clause for clause in report["clauses"] if clause["id"] in asked]
    only = "" if len(clauses) == len(report["clauses"]) else f", the {len(clauses)} asked for only"
    lines = []
    for implementation in report["implementations"]:
        verdicts = [verdict for verdict in implementation["verdicts"] if verdict["clause"] in asked]
        counts = summarise(verdicts, clauses)
        said = "; ".join(
            headline(counts[level], level, implementation["own"]) for level in LEVELS if counts[level]["total"]
        )
        note = f"  ({implementation['note']})" if implementation["note"] else ""
        lines.append(Text(printable(f"{implementation['name']} ({ran_on(implementation)}): {said}{only}{note}")))
        lines += _left_out(implementation, asked)
    return lines


def _left_out(implementation: Implementation, asked: Collection[str]) -> list[Text]:
    """What an implementation declared unsupported, once for each reason, with the clauses that are about it."""
    clauses: dict[str, dict[str, int]] = {}
    for verdict in implementation["verdicts"]:
        if verdict["clause"] in asked:
            for said, count in verdict.get("left_out", {}).items():
                clauses.setdefault(said, {})[verdict["clause"]] = count
    return [
        Text(printable(f"    left out: {sum(counts.values())} cases of {', '.join(counts)}: {clip(said, 200)}"))
        for said, counts in clauses.items()
    ]


def findings(report: Report, shown: int = 8) -> list[Text]:
    """Every broken promise with its case and replay line, the first few whole; then what could not be judged."""
    clauses = {clause["id"]: clause for clause in report["clauses"]}
    broken = [
        (implementation, verdict)
        for implementation in report["implementations"]
        for verdict in implementation["verdicts"]
        if is_failure(clauses[verdict["clause"]], verdict, implementation)
    ]
    lines = [_whole(implementation, verdict) for implementation, verdict in broken[:shown]]
    lines += [_brief(implementation, verdict) for implementation, verdict in broken[shown:]]
    for implementation in report["implementations"]:
        for verdict in implementation["verdicts"]:
            if verdict["verdict"] in ("could not run", "vacuous"):
                lines.append(_brief(implementation, verdict))
    return lines


def _cell(clauses: list[Clause], implementation: Implementation) -> Text:
    said = {verdict["clause"]: verdict["verdict"] for verdict in implementation["verdicts"]}
    words = [word(said.get(clause["id"], "not run"), clause["level"], implementation["own"]) for clause in clauses]
    good = sum(one.look in ("pass", "matches") for one in words)
    text = Text(f"{good}/{len(clauses)}", style="green" if good == len(clauses) else "")
    for one, count in Counter(one for one in words if one.look not in ("pass", "matches")).items():
        text.append(f"  {count} {one.text}", style=STYLES.get(one.look, "yellow"))
    return text


def _whole(implementation: Implementation, verdict: Verdict) -> Text:
    example = verdict["counterexample"]
    if example is None:
        return _brief(implementation, verdict)
    text = explain.failure_text(
        f"{verdict['clause']} fails on {implementation['name']}",
        verdict["tests"][0],
        example["violation"],
        example["message"],
        example["case"],
        example["expected"],
        example["got"],
        example["replay"],
    )
    return Text(text + "\n")


def _brief(implementation: Implementation, verdict: Verdict) -> Text:
    example = verdict["counterexample"]
    reason = example["message"] if example is not None else verdict["reason"] or ""
    again = f"\n    again: {example['replay']}" if example is not None else ""
    told = reason if verdict["verdict"] == "could not run" else clip(_last_line(reason), 200)
    return Text(printable(f"{verdict['clause']} on {implementation['name']}: {verdict['verdict']}: {told}{again}"))


def _short(law: str) -> str:
    return law.rpartition("::")[2]


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
