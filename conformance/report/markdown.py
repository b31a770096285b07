"""Renders a report as Markdown: a table by section for each implementation, then each broken promise with its replay.

Text from outside stands in code spans and fences longer than any run of backticks in it, so that it is shown and never
taken for markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from conformance.report.model import LEVELS, Clause, Implementation, Report, Verdict, headline
from conformance.report.text import clip, printable_tree
from conformance.report.wording import ORDER, Word, ran_on, word_for


def render(report: Report) -> str:
    """The Markdown text."""
    shown: Report = printable_tree(report)
    parts = ["# dynamic_rnn conformance", _headlines(shown), _run(shown)]
    for implementation in shown["implementations"]:
        parts.append(f"## {code(implementation['name'])}: {escape(ran_on(implementation))}")
        if implementation["note"]:
            parts.append(escape(implementation["note"]))
        parts.append(_table(shown, implementation))
        parts.extend(_findings(shown, implementation))
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """The text as a code span."""
    flat = " ".join(text.split()) or " "
    fence = "`" * (_longest_run(flat) + 1)
    return f"{fence} {flat} {fence}" if flat.startswith("`") or flat.endswith("`") else f"{fence}{flat}{fence}"


def fenced(text: str, language: str = "text") -> str:
    """The text as a code block."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def escape(text: str) -> str:
    """The text on one line with every sign that Markdown or HTML could read as markup escaped."""
    flat = re.sub(r"([\\`*_{}\[\]#+!|~-])", r"\\\1", " ".join(text.split()))
    for sign, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("@", "&#64;"),
        ("://", "&#58;//"),
        ("www.", "www&#46;"),
    ):
        flat = flat.replace(sign, entity)
    return flat


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _headlines(report: Report) -> str:
    lines = []
    for implementation in report["implementations"]:
        own, summary = implementation["own"], implementation["summary"]
        first, *others = [headline(summary[level], level, own) for level in LEVELS]
        name, where = code(implementation["name"]), escape(ran_on(implementation))
        lines.append(f"- {name} ({where}): **{first}**; {'; '.join(others)}")
    return "\n".join(lines)


def _run(report: Report) -> str:
    run = report["run"]
    versions = ", ".join(f"{escape(name)} {code(version)}" for name, version in run["versions"].items())
    facts = f"profile {code(run['profile'])}, seed {run['seed']}, jobs {run['jobs']}, {run['seconds']:.1f} s"
    return f"{fenced(run['command'], 'sh')}\n\n{facts}, started {code(run['started'])}; {versions}"


def _table(report: Report, implementation: Implementation) -> str:
    rows = [(clause, _word(clause, implementation)) for clause in report["clauses"]]
    words = [known for known in ORDER if known in {said for _, said in rows}]
    sections = dict.fromkeys(clause["section"] for clause in report["clauses"])
    lines = [_row(["section", *(word.text for word in words)]), _row(["---", *("---:" for _ in words)])]
    for section in sections:
        counts = [sum(clause["section"] == section and said == word for clause, said in rows) for word in words]
        lines.append(_row([escape(section), *(str(count) if count else "" for count in counts)]))
    lines.append(_row(["**all**", *(f"**{sum(said == word for _, said in rows)}**" for word in words)]))
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _word(clause: Clause, implementation: Implementation) -> Word:
    found = [verdict for verdict in implementation["verdicts"] if verdict["clause"] == clause["id"]]
    return word_for(clause, found[0] if found else None, implementation)


def _findings(report: Report, implementation: Implementation) -> list[str]:
    """Failures and differences first, then what was not tested, with reasons."""
    clauses = {clause["id"]: clause for clause in report["clauses"]}
    parts, untested = [], []
    for verdict in implementation["verdicts"]:
        clause = clauses[verdict["clause"]]
        said = word_for(clause, verdict, implementation).text
        if verdict["verdict"] in ("fail", "known failure"):
            parts += _finding(clause, verdict, said)
        elif verdict["verdict"] != "pass" and clause["testable"]:
            reason = f": {escape(clip(verdict['reason'], 400))}" if verdict["reason"] else ""
            reached = f"{verdict['reached']} reached of {verdict['floor']}"
            untested.append(f"- {code(clause['id'])} {said} ({reached}){reason}")
    left_out = [
        f"- {code(verdict['clause'])} {count} cases: {escape(clip(said, 400))}"
        for verdict in implementation["verdicts"]
        for said, count in verdict.get("left_out", {}).items()
    ]
    parts += ["### Not counted", "\n".join(untested)] if untested else []
    return [*parts, *(["### Left out as unsupported", "\n".join(left_out)] if left_out else [])]


def _finding(clause: Clause, verdict: Verdict, said: str) -> list[str]:
    parts = [f"### {code(clause['id'])} {said} ({clause['level']})", escape(clause["text"])]
    example = verdict["counterexample"]
    if verdict["reason"] and (example is None or verdict["reason"] != example["message"]):
        parts.append(escape(verdict["reason"]))
    if example is not None:
        parts += [fenced(clip(example["message"], 2000)), fenced(example["replay"], "sh")]
    return parts
