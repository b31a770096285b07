"""`run`: runs the suite on each implementation, writes the report, summarises it and ends with where the report is."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from conformance import report
from conformance.commands import screen
from conformance.commands.options import clause, count, jobs, option, positional, profile, seed, worker
from conformance.law import registry
from conformance.law.engine import Settings
from conformance.run import known, runner
from conformance.subject import subjects, targets


@dataclass(frozen=True)
class Run:
    """The options of `run`."""

    implementation: tuple[str, ...] = positional("a name (impl_ref, tensorflow14) or module:attribute", nargs="*")
    worker: tuple[str, ...] = worker(many=True)
    profile: str = profile()
    examples: int | None = option("examples a law, in place of the profile's number", None, type=count, metavar="N")
    clause: tuple[str, ...] = clause()
    seed: int = seed()
    jobs: int = jobs()
    out: str = option("where the report goes (report)", "report", metavar="FOLDER")
    known: str | None = option("failures that are announced, with their counterexamples", None, metavar="TOML")

    def perform(self) -> int:
        """Runs the suite, writes the report and shows it; returns the exit status."""
        console = screen.console()
        if not self.implementation and not self.worker:
            known_names = ", ".join(subjects.names())
            raise subjects.UnknownSubjectError(f"name an implementation: {known_names}, or module:attribute")
        if Path(self.out).exists() and not Path(self.out).is_dir():
            raise report.ReportError(f"{self.out}: the report needs a folder, and this is a file")
        ids = registry.clause_ids(self.clause)
        announced = known.read(Path(self.known)) if self.known else []
        plan = runner.Plan(
            targets=targets.inspect(self.implementation, self.worker),
            settings=Settings(self.profile, self.seed, count=self.examples),
            chosen=ids,
            jobs=self.jobs,
            out=Path(self.out),
            command=self.command_line(),
            known=announced,
        )
        with screen.Screen(console) as watcher:
            finished = runner.run(plan, watcher)
        try:
            written = report.write(finished.report, plan.out)
        except OSError as error:
            raise report.ReportError(f"{plan.out}: the report cannot be written: {error.strerror or error}") from error
        for line in screen.findings(finished.report):
            console.print(line, soft_wrap=True)
        console.print(screen.summary_table(finished.report, ids))
        for line in screen.headlines(finished.report, ids):
            console.print(line, soft_wrap=True)
        for trouble in finished.troubles:
            console.print(Text(f"error: {trouble}", style="bold red"))
        console.print(Text(f"report: {written.parent / 'index.html'}"), soft_wrap=True)
        return finished.status

    def command_line(self) -> str:
        """The command as one would type it again, without defaults and the number of processes."""
        words = ["python", "-m", "conformance", "run", *self.implementation]
        for name in ("worker", "clause"):
            for value in getattr(self, name):
                words += [f"--{name}", value]
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name not in ("implementation", "worker", "clause", "jobs") and value != field.default:
                words += [f"--{field.name}", str(value)]
        return shlex.join(words)
