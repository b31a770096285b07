"""Tests that our own implementations may leave out cases of text and nothing else, and that every case left out is
counted and named."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.law import registry
from conformance.law.engine import LawResult, Settings, is_of_text, run_law
from conformance.law.laws import Law, law
from conformance.run import verdicts
from conformance.strategies.derive import with_arguments
from conformance.strategies.frame import Frame
from conformance.strategies.probes import echo_case, tally_case
from conformance.subject import subjects
from conformance.subject.targets import Target
from dynamic_rnn_spec.case import Answer, Case, DType, Outcome
from dynamic_rnn_spec.page import clauses
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

SECTION = "conformance.properties.test_sequence_length_outputs"
OURS, THEIRS = Target("ours", name="ours", own=True), Target("theirs", name="theirs")


class Without:
    """impl_ref without the cases for which ``lacks`` gives a reason."""

    name = "without"

    def __init__(self, lacks: Any) -> None:
        self.lacks, self.reference = lacks, subjects.load("impl_ref")

    def run(self, case: Case) -> Outcome:
        if self.lacks(case):
            return Outcome.of(Answer.unsupported("text", "no such dtype"), case)
        return self.reference.run(case)


def is_float16(case: Case) -> bool:
    return any(getattr(leaf, "dtype", None) == np.float16 for leaf in case.calls[0].arguments.values())


def results(clause: str, lacks: Any) -> list[LawResult]:
    subject = Without(lacks)
    return [run_law(one, subject, Settings("smoke")) for one in registry.select([clause]) if not one.oracle]


def judged(found: list[LawResult], target: Target) -> Any:
    return verdicts.verdict_of(clauses.clause(found[0].clause), found, target, Path("report"))


def test_a_law_about_nothing_but_text_is_left_out_where_the_numbers_pass() -> None:
    found = results("SEQ-13", is_of_text)
    verdict = judged(found, OURS)
    assert verdict["verdict"] == "pass"
    assert verdict["reason"] == "1 of 3 tests left out as unsupported: text: no such dtype"
    assert list(verdict["left_out"]) == ["text: no such dtype"]
    assert verdict["left_out"]["text: no such dtype"] > 0


def test_a_clause_of_which_no_law_is_left_does_not_pass() -> None:
    found = [one for one in results("SEQ-13", is_of_text) if one.verdict == "unsupported"]
    assert len(found) == 1
    assert judged(found, OURS)["verdict"] == "unsupported"


def test_a_listed_case_of_text_is_counted_beside_those_that_pass() -> None:
    verdict = judged(results("IN-14", is_of_text), OURS)
    assert (verdict["verdict"], verdict["left_out"]) == ("pass", {"text: no such dtype": 2})


def test_our_own_may_not_leave_out_a_dtype_of_numbers_however_many_cases_remain() -> None:
    found = results("SEQ-13", is_float16)
    assert {one.verdict for one in found} == {"pass"}
    ours, theirs = judged(found, OURS), judged(found, THEIRS)
    assert (ours["verdict"], theirs["verdict"]) == ("unsupported", "pass")
    assert re.fullmatch(r"[1-9]\d* cases: text: no such dtype", ours["reason"])
    assert theirs["left_out"] == ours["left_out"]


@pytest.mark.parametrize(
    ("case", "wanted"),
    [
        (echo_case(Frame(), dtype="bytes"), True),
        (tally_case(Frame()), False),
        (with_arguments(tally_case(Frame()), initial_state=(np.array([b"a", b"b"]),)), True),
        (with_arguments(tally_case(Frame()), dtype=DType("bytes")), True),
        (with_arguments(tally_case(Frame()), inputs={"a": [np.array([["a"]])]}), True),
        (with_arguments(tally_case(Frame()), sequence_length=np.array([b"2", b"1"])), False),
        (with_arguments(tally_case(Frame(), TensorShape([2])), inputs=None), False),
    ],
)
def test_what_is_a_case_of_text(case: Case, wanted: bool) -> None:
    assert is_of_text(case) is wanted


def test_a_pass_with_nothing_left_out_says_nothing_of_it() -> None:
    @law("SEQ-13", cases=[tally_case(Frame())])
    def test_returns(check: Any, case: Case) -> None:
        check.returned(case)
        check.reach("any")

    made: Law = test_returns.law  # type: ignore[attr-defined]  # what the decorator leaves behind
    found = run_law(made, subjects.load("impl_ref"))
    assert (found.verdict, found.left_out, found.excusable) == ("pass", {}, True)
    assert "left_out" not in judged([found], OURS)
