"""Tests that a report that contradicts itself is refused, with the place and both values in the message."""

from collections.abc import Callable
from typing import Any

import pytest

from conformance.report import Report, ReportError, check
from conformance.report.check import case_file
from conformance.report.model import Verdict


def verdict_of(report: Report, clause: str, implementation: int = 0) -> Verdict:
    return next(v for v in report["implementations"][implementation]["verdicts"] if v["clause"] == clause)


def put(clause: str, /, **changes: Any) -> Callable[[Report], None]:
    return lambda report: verdict_of(report, clause).update(changes)  # type: ignore[typeddict-item]


def put_example(**changes: Any) -> Callable[[Report], None]:
    def change(report: Report) -> None:
        example = verdict_of(report, "SEQ-5")["counterexample"]
        assert example is not None
        example.update(changes)  # type: ignore[typeddict-item]

    return change


def test_the_sample_is_sound(report: Report) -> None:
    assert check(report) is report


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("SEQ-4", reached=4), "impl_ref, SEQ-4: pass with 4 reached, below the floor of 5"),
        (put("SEQ-4", verdict="green"), "impl_ref, SEQ-4: verdict: expected one of"),
        (put("SEQ-4", clause="SEQ-99"), "impl_ref: verdict for a clause that is not listed: 'SEQ-99'"),
        (put("SEQ-4", clause="SEQ-5"), "impl_ref: verdict for clause: more than once: ['SEQ-5']"),
        (put("SEQ-4", clause="PAR-5"), "impl_ref, PAR-5: 'pass' for a clause that cannot be tested"),
        (put("SEQ-5", verdict="pass"), "impl_ref, SEQ-5: pass with a counterexample"),
        (put("SEQ-5", counterexample=None), "impl_ref, SEQ-5: 'fail' needs a reason or a counterexample"),
        (put("SEQ-5", counterexample="x"), "impl_ref, SEQ-5: counterexample: expected an object, got str"),
        (put("SWAP-2", reason=None), "impl_ref, SWAP-2: 'unsupported' needs a reason or a counterexample"),
        (put("SWAP-2", verdict="not run"), "impl_ref: summary: expected"),
        (put("SWAP-2", colour="red"), "impl_ref: verdicts[12]: missing [], unknown ['colour']"),
        (put_example(violation="sad"), "impl_ref, SEQ-5: violation: expected one of"),
        (lambda r: r["clauses"].pop(), "spec.clauses: expected 14, got 15"),
        (lambda r: r["spec"].update(ours=7), "spec.ours: expected 2, got 7"),
        (lambda r: r["clauses"][11].update(reason=None), "PAR-5: a clause that cannot be tested needs a reason"),
        (lambda r: r["clauses"][1].update(id="CELL-2"), "clauses: id: more than once: ['CELL-2']"),
        (lambda r: r["implementations"][1].update(name="impl_ref"), "implementations: name: more than once"),
        (lambda r: r["implementations"][0].update(verdicts=None), "impl_ref: verdicts: expected a list, got NoneType"),
    ],
)
def test_a_contradiction_is_named(report: Report, change: Callable[[Report], Any], message: str) -> None:
    change(report)
    with pytest.raises(ReportError) as error:
        check(report)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd",
        "cases/../../x.json",
        "cases/..json/x",
        "report.json",
        "cases\\x.json",
        "cases/a/b/c.json",
        "cases/",
        3,
    ],
)
def test_a_counterexample_never_leaves_its_folder(report: Report, file: Any) -> None:
    put_example(file=file)(report)
    with pytest.raises(ReportError, match="file: expected a plain path under cases/, got"):
        check(report)


def test_two_counterexamples_never_share_a_file(report: Report) -> None:
    put_example(file="cases/tf-1.4.1/IN-7.json")(report)
    with pytest.raises(ReportError, match=r"counterexample\.file: more than once"):
        check(report)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("impl_ref", "cases/impl_ref/SEQ-5.json"),
        ("my_package.adapter:MyRnn", "cases/my_package.adapter-MyRnn/SEQ-5.json"),
        ("python3.6 -m worker ../x", "cases/python3.6--m-worker-..-x/SEQ-5.json"),
        ("../..", "cases/implementation/SEQ-5.json"),
    ],
)
def test_a_place_for_every_name(report: Report, name: str, file: str) -> None:
    assert case_file(name, "SEQ-5") == file
    put_example(file=file)(report)
    check(report)


@pytest.mark.parametrize("value", [None, [], "report", 3])
def test_what_is_no_object_is_no_report(value: Any) -> None:
    with pytest.raises(ReportError, match="report: expected a JSON object"):
        check(value)
