"""Tests what continuous integration forgives in a run: third parties' announced failures and nothing more."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "announced.py"
CLAUSES = [
    {"id": "SEQ-5", "level": "documented", "testable": True},
    {"id": "IN-12", "level": "observed", "testable": True},
    {"id": "PAR-5", "level": "documented", "testable": False},
]


@pytest.fixture(scope="module")
def announced() -> ModuleType:
    spec = importlib.util.spec_from_file_location("announced", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(verdict: str, clause: str = "SEQ-5", own: bool = False, note: str | None = None) -> dict[str, Any]:
    """A report of one implementation and one verdict, with what is looked at."""
    verdicts = [{"clause": clause, "verdict": verdict}]
    return {"clauses": CLAUSES, "implementations": [{"name": "some", "own": own, "note": note, "verdicts": verdicts}]}


@pytest.mark.parametrize("verdict", ["fail", "could not run", "vacuous", "not run"])
def test_a_documented_clause_of_a_third_party_must_be_announced(announced: ModuleType, verdict: str) -> None:
    assert announced.unannounced(report(verdict)) == [f"some: SEQ-5 {verdict}"]


@pytest.mark.parametrize("verdict", ["pass", "known failure", "unsupported"])
def test_what_a_third_party_announces_is_forgiven(announced: ModuleType, verdict: str) -> None:
    assert announced.unannounced(report(verdict)) == []


def test_a_third_party_may_differ_where_the_page_is_silent(announced: ModuleType) -> None:
    assert announced.unannounced(report("fail", clause="IN-12")) == []


@pytest.mark.parametrize("verdict", ["fail", "could not run", "vacuous", "not run", "unsupported", "known failure"])
@pytest.mark.parametrize("clause", ["SEQ-5", "IN-12"])
def test_nothing_but_a_pass_is_enough_for_our_own(announced: ModuleType, clause: str, verdict: str) -> None:
    assert announced.unannounced(report(verdict, clause, own=True)) == [f"some: {clause} {verdict}"]


def test_a_third_party_that_this_machine_lacks_is_not_judged(announced: ModuleType) -> None:
    assert announced.unannounced(report("not run", note="not run on this machine: no Python 3.6")) == []


def test_a_clause_that_cannot_be_tested_is_nobodys_fault(announced: ModuleType) -> None:
    assert announced.unannounced(report("not run", clause="PAR-5", own=True)) == []
