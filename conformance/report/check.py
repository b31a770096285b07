"""Refuses a report that is cut off, malformed or inconsistent.

The JSON Schema describes the same form; this module checks it without a schema library, and checks as well what no
schema can: that the numbers add up, that every verdict has its clause, and that no `pass` stands where too little was
reached.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from conformance.report.model import (
    FORMAT,
    LEVELS,
    VERDICTS,
    VERSION,
    VIOLATIONS,
    Clause,
    Counterexample,
    Implementation,
    Report,
    ReportError,
    Run,
    Spec,
    Verdict,
    summarise,
)

_CASE_FILE = re.compile(r"cases(/[A-Za-z0-9_+=-][A-Za-z0-9_.+=-]*){1,2}\.json")


def check(value: Any) -> Report:
    """The same value, known to be a whole and consistent report.

    Raises:
        ReportError: naming the place, what was wanted and what stands there.
    """
    if not isinstance(value, dict):
        raise ReportError(f"report: expected a JSON object, got {type(value).__name__}")
    if value.get("format") != FORMAT:
        raise ReportError(f"format: expected {FORMAT!r}, got {value.get('format')!r}")
    if value.get("version") != VERSION:
        raise ReportError(f"version: this reader knows {VERSION}, got {value.get('version')!r}")
    if value.get("complete") is not True:
        raise ReportError("complete: missing; the report is truncated, its run did not end, nothing in it is a result")
    _keys(value, Report, "report", optional={"complete"})
    _keys(value["spec"], Spec, "spec")
    _keys(value["run"], Run, "run")
    clauses = _clauses(value["clauses"])
    _same(value["spec"]["clauses"], len(clauses), "spec.clauses")
    for level in LEVELS:
        _same(value["spec"][level], sum(clause["level"] == level for clause in clauses.values()), f"spec.{level}")
    implementations = _objects(value["implementations"], Implementation, "implementations")
    _distinct([implementation["name"] for implementation in implementations], "implementations: name")
    for implementation in implementations:
        _implementation(implementation, clauses)
    _distinct(case_files(cast("Report", value)), "counterexample.file")
    return cast("Report", value)


def case_files(report: Report) -> list[str]:
    """The counterexample files that a report speaks of, in order."""
    return [
        verdict["counterexample"]["file"]
        for implementation in report["implementations"]
        for verdict in implementation["verdicts"]
        if verdict["counterexample"] is not None
    ]


def case_file(implementation: str, clause: str) -> str:
    """Where a counterexample belongs, such as `cases/impl_ref/SEQ-5.json`, whatever signs the name is made of."""
    folder = re.sub(r"[^A-Za-z0-9_.+=-]+", "-", implementation).strip(".-")[:80] or "implementation"
    return f"cases/{folder}/{clause}.json"


def _clauses(value: Any) -> dict[str, Clause]:
    clauses = _objects(value, Clause, "clauses")
    _distinct([clause["id"] for clause in clauses], "clauses: id")
    for clause in clauses:
        _one_of(clause["level"], LEVELS, f"{clause['id']}: level")
        if clause["testable"] is False and not clause["reason"]:
            raise ReportError(f"{clause['id']}: a clause that cannot be tested needs a reason")
    return {clause["id"]: cast("Clause", clause) for clause in clauses}


def _implementation(implementation: Mapping[str, Any], clauses: Mapping[str, Clause]) -> None:
    name = implementation["name"]
    verdicts = _objects(implementation["verdicts"], Verdict, f"{name}: verdicts")
    _distinct([verdict["clause"] for verdict in verdicts], f"{name}: verdict for clause")
    for verdict in verdicts:
        if verdict["clause"] not in clauses:
            raise ReportError(f"{name}: verdict for a clause that is not listed: {verdict['clause']!r}")
        _verdict(verdict, clauses[verdict["clause"]], f"{name}, {verdict['clause']}")
    _same(
        implementation["summary"],
        summarise(cast("list[Verdict]", verdicts), list(clauses.values())),
        f"{name}: summary",
    )


def _verdict(verdict: Mapping[str, Any], clause: Clause, where: str) -> None:
    said, example = verdict["verdict"], verdict["counterexample"]
    _one_of(said, VERDICTS, f"{where}: verdict")
    if not clause["testable"] and said != "not run":
        raise ReportError(f"{where}: {said!r} for a clause that cannot be tested")
    if said == "pass" and verdict["reached"] < verdict["floor"]:
        raise ReportError(f"{where}: pass with {verdict['reached']} reached, below the floor of {verdict['floor']}")
    if said == "pass" and example is not None:
        raise ReportError(f"{where}: pass with a counterexample")
    if said not in ("pass", "not run") and example is None and not verdict["reason"]:
        raise ReportError(f"{where}: {said!r} needs a reason or a counterexample")
    if example is None:
        return
    _keys(example, Counterexample, f"{where}: counterexample")
    _one_of(example["violation"], VIOLATIONS, f"{where}: violation")
    if not isinstance(example["file"], str) or not _CASE_FILE.fullmatch(example["file"]):
        raise ReportError(f"{where}: file: expected a plain path under cases/, got {example['file']!r}")


def _objects(value: Any, form: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ReportError(f"{where}: expected a list, got {type(value).__name__}")
    for index, item in enumerate(value):
        _keys(item, form, f"{where}[{index}]", form.__optional_keys__)
    return value


def _keys(value: Any, form: Any, where: str, optional: frozenset[str] | set[str] = frozenset()) -> None:
    if not isinstance(value, dict):
        raise ReportError(f"{where}: expected an object, got {type(value).__name__}")
    wanted = set(form.__required_keys__)
    missing, unknown = wanted - set(value), set(value) - wanted - optional
    if missing or unknown:
        raise ReportError(f"{where}: missing {sorted(missing)}, unknown {sorted(unknown)}")


def _distinct(values: list[str], where: str) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ReportError(f"{where}: more than once: {twice}")


def _one_of(value: Any, allowed: tuple[str, ...], where: str) -> None:
    if value not in allowed:
        raise ReportError(f"{where}: expected one of {list(allowed)}, got {value!r}")


def _same(got: Any, wanted: Any, where: str) -> None:
    if got != wanted:
        raise ReportError(f"{where}: expected {wanted}, got {got}")
