"""Renders a report as JUnit XML: one suite for each implementation, one case for each clause.

What was not tested is `skipped`, a fault of the suite itself is an `error`, and a third party's difference where the
page is silent is a note, never a `failure`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from conformance.report.model import Clause, Implementation, Report, Verdict
from conformance.report.text import printable, printable_tree
from conformance.report.wording import is_failure, ran_on, word_for

_SKIPPED = ("unsupported", "vacuous", "not run", "known failure")


def render(report: Report) -> str:
    """The XML text."""
    shown: Report = printable_tree(report)
    suites = [_suite(implementation, shown) for implementation in shown["implementations"]]
    root = ET.Element("testsuites", name="dynamic_rnn conformance", time=f"{shown['run']['seconds']:.3f}")
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(implementation: Implementation, report: Report) -> ET.Element:
    suite = ET.Element("testsuite", name=implementation["name"], timestamp=report["run"]["started"])
    properties = ET.SubElement(suite, "properties")
    ET.SubElement(properties, "property", name="ran on", value=ran_on(implementation))
    verdicts = {verdict["clause"]: verdict for verdict in implementation["verdicts"]}
    for clause in report["clauses"]:
        suite.append(_case(clause, verdicts.get(clause["id"]), implementation))
    suite.set("tests", str(len(report["clauses"])))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", f"{sum(verdict['seconds'] for verdict in implementation['verdicts']):.3f}")
    return suite


def _case(clause: Clause, verdict: Verdict | None, implementation: Implementation) -> ET.Element:
    seconds = 0.0 if verdict is None else verdict["seconds"]
    classname = f"{implementation['name']}.{clause['section']}"
    case = ET.Element("testcase", classname=classname, name=f"{clause['id']} {clause['title']}", time=f"{seconds:.3f}")
    said = word_for(clause, verdict, implementation).text
    if not clause["testable"]:
        ET.SubElement(case, "skipped", message=f"{said}: {clause['reason']}")
    elif verdict is None:
        ET.SubElement(case, "skipped", message="not run")
    elif is_failure(clause, verdict, implementation):
        ET.SubElement(case, "failure", message=_first_line(said, verdict), type=said).text = _story(clause, verdict)
    elif verdict["verdict"] == "could not run":
        ET.SubElement(case, "error", message=_first_line(said, verdict), type=said).text = _story(clause, verdict)
    elif verdict["verdict"] in _SKIPPED:
        ET.SubElement(case, "skipped", message=_first_line(said, verdict))
    told = any(case.find(tag) is not None for tag in ("failure", "error"))
    if verdict is not None and verdict["verdict"] != "pass" and not told:
        ET.SubElement(case, "system-out").text = f"{said}\n{_story(clause, verdict)}"
    return case


def _first_line(said: str, verdict: Verdict) -> str:
    example = verdict["counterexample"]
    text = verdict["reason"] or (example["message"] if example is not None else "")
    return printable(f"{said}: {text.strip().splitlines()[0]}" if text.strip() else said)


def _story(clause: Clause, verdict: Verdict) -> str:
    lines = [f"{clause['id']} ({clause['level']}): {clause['text']}"]
    lines.append(f"examples {verdict['examples']}, reached {verdict['reached']}, floor {verdict['floor']}")
    example = verdict["counterexample"]
    if verdict["reason"] and (example is None or verdict["reason"] != example["message"]):
        lines.append(verdict["reason"])
    if example is not None:
        lines += [example["message"], f"replay: {example['replay']}"]
    return "\n".join(lines)
