"""`mutants`: tries every planted defect, several at a time, and prints a table of what caught each.

Exit status: 0 only if every testable clause has a mutant that its own assertion catches, none escapes, and at least two
in three are defects of the code; 1 if not; 2 if the run itself failed, by a stale mutant or a law that fails without
any mutant.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance import mutants
from conformance.commands import screen
from conformance.commands.options import clause, jobs, option, profile, seed
from conformance.law import registry
from conformance.law.engine import Settings
from conformance.machine import pool
from conformance.machine.exit_status import BROKEN, FAILED, HOLDS
from conformance.mutants import Mutant, MutantError, trial
from conformance.mutants.trial import Finding, Trial
from conformance.report.text import clip, printable
from conformance.subject import targets
from dynamic_rnn_spec.page import clauses

LIMIT = 600.0
MARKS = {"caught": "✓", "elsewhere": "~ caught elsewhere", "escaped": "✗ escaped", "could not run": "! could not run"}


@dataclass
class Matrix:
    """Every mutant with its finding, and what else stands in the way of a proof."""

    findings: dict[Mutant, Finding] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The exit status."""
        if self.faults or any(finding.said == "could not run" for finding in self.findings.values()):
            return FAILED
        missed = self.gaps or any(finding.said != "caught" for finding in self.findings.values())
        return BROKEN if missed else HOLDS


@dataclass(frozen=True)
class Mutants:
    """The options of `mutants`."""

    of: str = option("where to plant them (impl_ref)", mutants.DEFAULT_PACKAGE, metavar="NAME")
    clause: tuple[str, ...] = clause()
    profile: str = profile()
    seed: int = seed()
    jobs: int = jobs()

    def perform(self) -> int:
        """Tries what was asked for, shows the matrix, gives the exit status."""
        console = screen.console()
        ids = registry.clause_ids(self.clause)
        if self.of != mutants.DEFAULT_PACKAGE:
            targets.one(self.of, None, "mutants --of")  # says what this machine lacks, where it lacks it
        every = mutants.load(mutants.folder_of(self.of))
        chosen = [mutant for mutant in every if mutant.clause in ids]
        settings = Settings(self.profile, self.seed, shrink=False)
        if self.of != mutants.DEFAULT_PACKAGE:
            ids = [id for id in ids if any(mutant.clause == id for mutant in chosen)]  # the others are proven elsewhere
        matrix = try_all(chosen, ids, settings, self.jobs, console)
        if not self.clause and (complaint := mutants.too_many_spoilt(every)) is not None:
            matrix.gaps.append(complaint)
        console.print(table(matrix.findings))
        for text in [*matrix.gaps, *matrix.faults]:
            console.print(Text(printable(text), style="bold red"), soft_wrap=True)
        caught = sum(finding.said == "caught" for finding in matrix.findings.values())
        proven = {mutant.clause for mutant, finding in matrix.findings.items() if finding.said == "caught"}
        console.print(
            f"{caught} of {len(matrix.findings)} mutants caught by their own clause; "
            f"{len(proven)} of {len(_testable(ids))} clauses proven"
        )
        return matrix.status


def try_all(
    chosen: Sequence[Mutant],
    ids: Sequence[str],
    settings: Settings,
    jobs: int,
    console: Console,
    properties: str = registry.PROPERTIES,
) -> Matrix:
    """Tries each mutant, and the laws of each mutant's clause on the code as it is."""
    matrix = Matrix()
    fresh: list[Mutant] = []
    for mutant in chosen:
        try:
            if mutant.file:
                mutant.mutated()
            fresh.append(mutant)
        except MutantError as error:
            matrix.faults.append(str(error))
    planted = [
        Trial(mutant.clause, mutant, settings, properties, mutant.package, mutant.stratum) for mutant in fresh
    ]
    clean = list(dict.fromkeys(replace(one, mutant=None) for one in planted))
    found: dict[Mutant, Finding] = {}
    told = time.monotonic()
    with screen.bar(console) as bar:
        progress = bar.add_task("mutants", total=len(clean) + len(planted))
        for done in pool.run(f"{trial.__name__}:run", clean + planted, jobs, LIMIT):
            finding = done.value or Finding("could not run", None, done.trouble or "")
            if done.task.mutant is not None:
                found[done.task.mutant] = finding
            elif finding.said != "holds":
                matrix.faults.append(f"{done.task.clause}: {finding.test}: {finding.message}")
            bar.update(progress, advance=1, description=str(done.task.clause))
            if done.task.mutant is not None and finding.said != "caught":
                console.print(Text(f"{done.task.mutant.id}: {finding.said}"))
            if not console.is_terminal and time.monotonic() - told > screen.PLAIN_INTERVAL:
                told = time.monotonic()
                console.print(f"{len(found)} of {len(planted)} mutants tried")
    matrix.findings = {mutant: found[mutant] for mutant in fresh}
    caught = {mutant.clause for mutant, finding in found.items() if finding.said == "caught"}
    matrix.gaps += [f"{id}: no mutant is caught by its own assertion" for id in _testable(ids) if id not in caught]
    return matrix


def table(findings: Mapping[Mutant, Finding]) -> Table:
    """One row a mutant: its clause, what is wrong with it, what caught it."""
    shown = Table()
    for column in ("clause", "mutant", "defect of", "caught by"):
        shown.add_column(column, overflow="fold")
    for mutant, finding in findings.items():
        test = (finding.test or "").rpartition("::")[2]
        said = f"{MARKS[finding.said]} {test}".strip()
        if finding.said != "caught":
            said += f"\n{clip(finding.message, 300)}\n({mutant.note})"
        style = "" if finding.said == "caught" else "bold red"
        place = mutant.file or "answers"
        shown.add_row(mutant.clause, mutant.id, place, Text(printable(said), style=style))
    return shown


def _testable(ids: Sequence[str]) -> list[str]:
    return [id for id in ids if clauses.clause(id).testable]
