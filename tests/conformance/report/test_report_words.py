"""Tests counting and wording: only pass counts, and a third party never fails where the page is silent."""

import pytest

from conformance.report import Report
from conformance.report.model import LEVELS, VERDICTS, headline, summarise
from conformance.report.wording import MEANING, NOT_OBSERVABLE, ORDER, PLAIN, THIRD_PARTY, is_failure, word, word_for


def test_the_sum_of_a_level(report: Report) -> None:
    own, third = report["implementations"]
    none = dict.fromkeys(VERDICTS, 0)
    assert own["summary"]["documented"] == {
        **none, "total": 9, "counted": 8, "pass": 5, "fail": 1, "unsupported": 1, "vacuous": 1,
    }  # fmt: skip
    assert own["summary"]["observed"] == {**none, "total": 4, "counted": 4, "pass": 3, "could not run": 1}
    assert third["summary"]["ours"] == {**none, "total": 2, "counted": 2, "fail": 1, "unsupported": 1}


def test_the_verdicts_of_a_level_add_up_to_what_is_counted(report: Report) -> None:
    for implementation in report["implementations"]:
        for level in LEVELS:
            counts = implementation["summary"][level]
            assert sum(counts[verdict] for verdict in VERDICTS) == counts["counted"]


def test_without_verdicts_nothing_was_run(report: Report) -> None:
    counts = summarise([], report["clauses"])["documented"]
    assert (counts["not run"], counts["pass"], counts["counted"], counts["total"]) == (8, 0, 8, 9)


@pytest.mark.parametrize("verdict", [verdict for verdict in VERDICTS if verdict != "pass"])
def test_only_pass_counts(report: Report, verdict: str) -> None:
    verdicts = report["implementations"][0]["verdicts"]
    for one in verdicts:
        one["verdict"] = verdict  # type: ignore[typeddict-item]  # one of VERDICTS
    summary = summarise(verdicts, report["clauses"])
    assert headline(summary["documented"]) == "0 of 8 documented clauses"


def test_the_headline_of_each_level(report: Report) -> None:
    own, third = (implementation["summary"] for implementation in report["implementations"])
    assert headline(own["documented"]) == "5 of 8 documented clauses"
    assert headline(own["ours"], "ours") == "1 of 2 own clauses"
    assert headline(third["documented"], "documented", own=False) == "5 of 8 documented clauses"
    assert headline(third["observed"], "observed", own=False) == "2 of 4 observed clauses matched"


@pytest.mark.parametrize("level", ["observed", "ours"])
def test_a_third_party_matches_or_differs_where_the_page_is_silent(level: str) -> None:
    assert word("pass", level, own=False).text == "matches"
    assert word("fail", level, own=False).text == "differs"
    assert word("known failure", level, own=False).text == "known difference"
    assert word("unsupported", level, own=False).text == "unsupported"
    assert word("fail", level, own=True).text == "fail"


def test_a_third_party_fails_what_the_page_says() -> None:
    assert word("fail", "documented", own=False).text == "fail"
    assert word("pass", "documented", own=False).text == "pass"


def test_what_is_a_broken_promise(report: Report) -> None:
    clauses = {clause["id"]: clause for clause in report["clauses"]}
    broken = [
        (implementation["name"], verdict["clause"])
        for implementation in report["implementations"]
        for verdict in implementation["verdicts"]
        if is_failure(clauses[verdict["clause"]], verdict, implementation)
    ]
    assert broken == [("impl_ref", "SEQ-5"), ("tf-1.4.1", "IN-7")]


def test_what_cannot_be_tested_has_a_word_of_its_own(report: Report) -> None:
    clause = next(clause for clause in report["clauses"] if not clause["testable"])
    assert word_for(clause, None, report["implementations"][0]) == NOT_OBSERVABLE


def test_every_word_has_a_look_a_mark_and_a_meaning_of_its_own() -> None:
    assert set(PLAIN) == set(VERDICTS)
    assert len({shown.look for shown in PLAIN.values()}) == len(VERDICTS)
    assert len(ORDER) == len(set(ORDER))
    assert set(ORDER) == {*PLAIN.values(), *THIRD_PARTY.values(), NOT_OBSERVABLE}
    for shown in ORDER:
        assert shown.mark
        assert shown.text in MEANING
