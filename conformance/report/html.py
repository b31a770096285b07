"""Renders a report as one self-contained page, which reads without its script and fetches nothing.

All text goes through the template engine's escaping; the one script on the page is allowed by its hash alone, so that
nothing an implementation says can run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.report.comparison import Drawing, draw
from conformance.report.model import LEVELS, VERDICTS, Clause, Implementation, Report, Verdict, headline
from conformance.report.text import clip, printable_tree
from conformance.report.wording import MEANING, ORDER, Word, ran_on, word, word_for

TEMPLATES = Path(__file__).parent / "templates"


class Cell(NamedTuple):
    """One clause on one implementation; `verdict` is None where none was given."""

    anchor: str
    implementation: Implementation
    word: Word
    verdict: Verdict | None
    message: str
    drawing: Drawing | None


class Line(NamedTuple):
    """One clause with its cells; `words` and `search` are what the filters look at."""

    clause: Clause
    cells: list[Cell]
    looks: str
    search: str
    open: bool


class Section(NamedTuple):
    """The clauses of one section, in the registry's order."""

    name: str
    lines: list[Line]


class Tally(NamedTuple):
    """One bar of a card: `kept` of `counted` and the words after that, then its segments (word, count)."""

    level: str
    kind: str
    kept: int
    counted: int
    untestable: int
    parts: list[tuple[Word, int]]


class Card(NamedTuple):
    """What stands at the top about one implementation."""

    implementation: Implementation
    tallies: list[Tally]


def render(report: Report) -> str:
    """The page."""
    shown: Report = printable_tree(report)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (TEMPLATES / "script.js").read_text(encoding="utf-8")
    sections = [
        Section(name, [_line(clause, shown["implementations"]) for clause in clauses])
        for name, clauses in groupby(shown["clauses"], key=lambda clause: clause["section"])
    ]
    words = _words_used(sections)
    return environment.get_template("index.html.j2").render(
        report=shown,
        cards=[_card(implementation) for implementation in shown["implementations"]],
        sections=sections,
        levels=LEVELS,
        words=words,
        ran_on=ran_on,
        meaning=MEANING,
        style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),  # our own files, whole
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _words_used(sections: list[Section]) -> list[Word]:
    """The words that occur on this page, in a fixed order."""
    used = {cell.word for section in sections for line in section.lines for cell in line.cells}
    return [known for known in ORDER if known in used]


def _card(implementation: Implementation) -> Card:
    tallies = []
    for level in LEVELS:
        counts = implementation["summary"][level]
        parts = [(word(name, level, implementation["own"]), counts[name]) for name in VERDICTS if counts[name]]
        kind = headline(counts, level, implementation["own"]).split(" ", 3)[3]
        untestable = counts["total"] - counts["counted"]
        tallies.append(Tally(level, kind, counts["pass"], counts["counted"], untestable, parts))
    return Card(implementation, tallies)


def _line(clause: Clause, implementations: list[Implementation]) -> Line:
    cells = [_cell(clause, implementation, place) for place, implementation in enumerate(implementations)]
    search = " ".join([clause["id"], clause["section"], clause["title"], clause["text"], *clause["page"]]).lower()
    looks = "|".join(dict.fromkeys(cell.word.text for cell in cells))
    return Line(clause, cells, looks, search, open=False)


def _cell(clause: Clause, implementation: Implementation, place: int) -> Cell:
    verdict = next((verdict for verdict in implementation["verdicts"] if verdict["clause"] == clause["id"]), None)
    example = verdict["counterexample"] if verdict is not None else None
    anchor = f"{re.sub(r'[^A-Za-z0-9-]', '-', clause['id'])}-{place}"
    message = clip(example["message"], 4000) if example is not None else ""
    drawing = draw(example) if example is not None else None
    return Cell(anchor, implementation, word_for(clause, verdict, implementation), verdict, message, drawing)
