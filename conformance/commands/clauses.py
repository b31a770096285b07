"""`clauses`: lists the clauses, or shows some of them in full with their tests and mutants."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from conformance import mutants
from conformance.commands import screen
from conformance.commands.options import positional
from conformance.law import registry
from dynamic_rnn_spec.page import clauses


@dataclass(frozen=True)
class Clauses:
    """The options of `clauses`."""

    id: tuple[str, ...] = positional("a clause (SEQ-5) or section (SEQ)", nargs="*")

    def perform(self) -> int:
        """Shows what was asked for: everything in a table, or each chosen clause whole."""
        console = screen.console()
        ids = registry.clause_ids(self.id)
        tests: dict[str, list[str]] = {}
        for law in registry.load():
            tests.setdefault(law.clause, []).append(law.name)
        if not self.id:
            console.print(_table(tests))
            return 0
        planted = _mutants()
        for id in ids:
            console.print(_whole(clauses.clause(id), tests.get(id, []), planted.get(id, [])), soft_wrap=True)
        return 0


def _table(tests: dict[str, list[str]]) -> Table:
    table = Table()
    for column in ("clause", "level", "promise", "tests"):
        table.add_column(column)
    for clause in clauses.load().values():
        count = str(len(tests.get(clause.id, []))) if clause.testable else "not observable"
        table.add_row(clause.id, clause.level, clause.title, count)
    return table


def _whole(clause: clauses.Clause, tests: list[str], planted: list[str]) -> Text:
    lines = [
        f"{clause.id}  {clause.title}",
        f"    {clause.text.strip()}",
        f"    level: {clause.level}",
        f"    on the page: {'; '.join(clause.locators()) or 'nothing'}",
    ]
    if clause.testable:
        lines.append(f"    observable in: {', '.join(clause.observable)}; {clause.floor} examples must reach it")
    else:
        lines.append(f"    not observable: {clause.reason} (reviewed {clause.reviewed})")
    lines += [f"    test: {name}" for name in tests] or ["    no test"]
    lines += [f"    mutant of {text}" for text in planted] or ["    no mutant"]
    return Text("\n".join(lines) + "\n")


def _mutants() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for package in mutants.packages():
        for mutant in mutants.load(mutants.folder_of(package)):
            found.setdefault(mutant.clause, []).append(f"{package}: {mutant.id}: {mutant.note}")
    return found
