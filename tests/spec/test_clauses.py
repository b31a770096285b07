"""Tests the clause registry: what it holds, and what its loader refuses."""

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dynamic_rnn_spec.page import clauses, ledger, table
from dynamic_rnn_spec.page.clauses import Clause, ClauseError

DOCUMENT = Path(__file__).parents[2] / "docs" / "clauses.md"

REAL_PAGE = os.environ.get("TANCARFLOW_PAGE", "")

ENTRIES: Mapping[str, ledger.Entry] = {
    "args.tea.1": ledger.Entry("args.tea.1", "Args > tea, sentence 1", "0" * 64, "normative", ""),
    "args.tea.2": ledger.Entry("args.tea.2", "Args > tea, sentence 2", "1" * 64, "informative", "it only greets"),
}

GOOD: Mapping[str, object] = {
    "level": "documented",
    "title": "tea is hot",
    "text": "Tea is hot.",
    "page": ["args.tea.1"],
    "observable": ["value"],
}

UNTESTABLE: Mapping[str, object] = {
    "testable": False,
    "observable": [],
    "reason": "no tongue",
    "reviewed": "2026-11-22",
}


def toml(values: Mapping[str, object]) -> str:
    """One [[clause]] table; Python's and TOML's spellings of these strings, numbers and lists are the same."""
    written = {key: str(value).lower() if isinstance(value, bool) else repr(value) for key, value in values.items()}
    return "[[clause]]\n" + "".join(f"{key} = {value}\n" for key, value in written.items())


def registry(**values: object) -> str:
    """A registry of one clause a section, the first with these values in place of good ones; None leaves a key out."""
    written: list[str] = []
    for section, prefix in clauses.SECTIONS.items():
        fields = {"id": f"{prefix}-1", "section": section, **GOOD, **(values if not written else {})}
        written.append(toml({key: value for key, value in fields.items() if value is not None}))
    return "\n".join(written)


def test_a_good_registry_is_read_with_its_defaults() -> None:
    read = clauses.parse(registry(), ENTRIES)
    assert list(read) == [f"{prefix}-1" for prefix in clauses.SECTIONS.values()]
    assert read["SIG-1"] == Clause(
        id="SIG-1",
        section="signature",
        level="documented",
        title="tea is hot",
        text="Tea is hot.",
        page=("args.tea.1",),
        observed=(),
        observable=("value",),
        testable=True,
        reason="",
        reviewed="",
        floor=5,
    )


def test_an_untestable_clause_is_read_with_its_reason() -> None:
    clause = clauses.parse(registry(**UNTESTABLE), ENTRIES)["SIG-1"]
    assert (clause.testable, clause.reason, clause.reviewed) == (False, "no tongue", "2026-11-22")


KEYS = "id, section, level, title, text, page, observed, observable, testable, reason, reviewed, floor"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"owner": "me"}, f"SIG-1: expected keys among {KEYS}, got owner"),
        ({"title": ""}, "SIG-1: expected a value for title, got none"),
        ({"text": None, "level": None}, "SIG-1: expected a value for level, text, got none"),
        ({"page": "args.tea.1"}, "SIG-1: expected a list of strings for page, got 'args.tea.1'"),
        ({"observable": [1]}, "SIG-1: expected a list of strings for observable, got [1]"),
        ({"floor": "5"}, "SIG-1: expected int for floor, got '5'"),
        ({"floor": True}, "SIG-1: expected int for floor, got True"),
        ({"floor": 0}, "SIG-1: expected a floor of at least 1, got 0"),
        ({"level": "sworn"}, "SIG-1: expected a level among documented, observed, ours, got 'sworn'"),
        (
            {"section": "kettle"},
            f"SIG-1: expected a section among {', '.join(clauses.SECTIONS)}, got 'kettle'",
        ),
        (
            {"observable": ["value", "smell"]},
            f"SIG-1: expected observables among {', '.join(clauses.OBSERVABLES)}, got smell",
        ),
        (
            {"title": "t" * 61},
            f"SIG-1: expected a title of at most 60 characters, got '{'t' * 61}'",
        ),
        (
            {"page": ["args.tea.1", "args.milk.1"]},
            "SIG-1: expected ids of the ledger for page, got args.milk.1",
        ),
        (
            {"page": None},
            "SIG-1: expected a documented clause to rest on a normative sentence, got none",
        ),
        (
            {"page": ["args.tea.2"]},
            "SIG-1: expected a documented clause to rest on a normative sentence, got args.tea.2",
        ),
        ({"observed": ["run 3"]}, "SIG-1: expected names of runs such as D10g for observed, got run 3"),
        (
            {"observable": []},
            "SIG-1: expected observables exactly where testable is true, got testable True with none",
        ),
        (
            {**UNTESTABLE, "observable": ["memory"]},
            "SIG-1: expected observables exactly where testable is true, got testable False with memory",
        ),
        ({**UNTESTABLE, "reason": None}, "SIG-1: expected a reason where testable is false, got none"),
        ({**UNTESTABLE, "reviewed": None}, "SIG-1: expected reviewed as YYYY-MM-DD, got ''"),
        ({**UNTESTABLE, "reviewed": "2026-13-01"}, "SIG-1: expected reviewed as YYYY-MM-DD, got '2026-13-01'"),
        ({**UNTESTABLE, "reviewed": "20261122"}, "SIG-1: expected reviewed as YYYY-MM-DD, got '20261122'"),
        (
            {"reason": "lazy"},
            "SIG-1: expected reason and reviewed only where testable is false, got them elsewhere",
        ),
        ({"id": "SIG-2"}, "SIG-2: expected SIG-1 in its place, for ids count up by section, got SIG-2"),
        ({"id": None}, "a clause without id: expected a value for id, got none"),
        ({"id": "CELL-1"}, "CELL-1: expected each id once, got it twice"),
    ],
)
def test_a_bad_clause_is_refused(values: Mapping[str, object], message: str) -> None:
    with pytest.raises(ClauseError) as caught:
        clauses.parse(registry(**values), ENTRIES)
    assert str(caught.value) == message


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(ClauseError) as caught:
        clauses.parse("[rule]\n", ENTRIES)
    assert str(caught.value) == "clauses: expected [[clause]] tables only, got rule"


def test_a_section_without_a_clause_is_refused() -> None:
    last = registry().rindex("[[clause]]")
    with pytest.raises(ClauseError) as caught:
        clauses.parse(registry()[:last], ENTRIES)
    assert str(caught.value) == "clauses: expected a clause in every section, got none in gradients"


def test_a_normative_sentence_behind_no_clause_is_refused() -> None:
    lost = ledger.Entry("args.tea.3", "Args > tea, sentence 3", "2" * 64, "normative", "")
    with pytest.raises(ClauseError) as caught:
        clauses.parse(registry(), {**ENTRIES, lost.id: lost})
    assert str(caught.value) == "clauses: expected every normative sentence behind a clause, got none for args.tea.3"


def test_the_shipped_registry_has_its_sections_in_the_page_s_order() -> None:
    assert list(clauses.sections()) == list(clauses.SECTIONS)
    assert [c for members in clauses.sections().values() for c in members] == list(clauses.load().values())


def test_ids_are_immutable_so_none_may_go_missing() -> None:
    counts = {clauses.SECTIONS[name]: len(members) for name, members in clauses.sections().items()}
    first_release = {
        "SIG": 6, "CELL": 13, "IN": 16, "SEQ": 23, "INIT": 11, "DTYPE": 12, "PAR": 5, "SWAP": 4, "TIME": 7,
        "SCOPE": 14, "OUT": 8, "STATE": 6, "EX": 2, "EQ": 22, "VAR": 16, "ERR": 4,
    }  # fmt: skip
    assert {name: count for name, count in first_release.items() if counts[name] < count} == {}


def test_the_untestable_clauses_are_the_reviewed_ones() -> None:
    assert [c.id for c in clauses.load().values() if not c.testable] == ["PAR-5", "SWAP-4", "TIME-7"]


def test_the_two_documented_errors_are_behind_their_clauses() -> None:
    documented = [c for c in clauses.load().values() if c.level == "documented"]
    assert [c.id for c in documented if "raises.TypeError.1" in c.page] == ["CELL-2", "CELL-3"]
    assert [c.id for c in documented if "raises.ValueError.1" in c.page] == ["IN-5", "IN-6", "IN-7"]


def test_a_clause_is_found_by_its_id_and_cannot_be_changed() -> None:
    found = clauses.clause("SEQ-5")
    assert (found.id, found.section, found.level) == ("SEQ-5", "sequence_length", "documented")
    assert found.locators() == ("Args > sequence_length, sentence 2",)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.level = "ours"  # type: ignore[misc]
    with pytest.raises(TypeError, match="does not support item assignment"):
        clauses.load()["SEQ-5"] = found  # type: ignore[index]


def test_an_id_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ClauseError) as caught:
        clauses.clause("SEQ-99")
    assert str(caught.value) == "clause: expected an id of the registry, got 'SEQ-99'"


def test_every_text_is_one_paragraph_of_plain_sentences() -> None:
    for clause in clauses.load().values():
        assert clause.text == " ".join(clause.text.split()), clause.id
        assert clause.text.endswith("."), clause.id
        assert "<" not in re.sub(r"`[^`]*`", "", clause.text), clause.id


def test_the_registry_s_hash_covers_clauses_and_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = clauses.registry_sha256()
    assert re.fullmatch(r"[0-9a-f]{64}", shipped)
    monkeypatch.setattr(ledger, "source", lambda: "another")
    assert clauses.registry_sha256() != shipped
    monkeypatch.undo()
    monkeypatch.setattr(clauses, "source", lambda: "another")
    assert clauses.registry_sha256() != shipped


def test_the_table_goes_both_ways() -> None:
    text = table.markdown(clauses.parse(registry(observed=["D10g"], level="observed"), ENTRIES), ENTRIES)
    assert "17 clauses: 16 documented, 1 observed, 0 ours." in text
    assert "| Args > tea, sentence 1 | normative | [SIG-1](#sig-1)\\*, [CELL-1](#cell-1), " in text
    assert "| Args > tea, sentence 2 | informative | it only greets |\n" in text
    assert (
        "\n### cell\n\n| Id | Level | Promise | On the page | Shows in |\n| --- | --- | --- | --- | --- |\n"
        '| <a id="cell-1"></a>CELL-1 | documented | **tea is hot.** Tea is hot. | Args > tea, sentence 1 | value |\n'
    ) in text


def test_the_table_says_why_a_clause_is_not_testable() -> None:
    text = table.markdown(clauses.parse(registry(**UNTESTABLE), ENTRIES), ENTRIES)
    assert "| Args > tea, sentence 1 | not testable (2026-11-22): no tongue |\n" in text


def test_the_table_keeps_its_columns_when_a_text_has_a_bar() -> None:
    text = table.markdown(clauses.parse(registry(text="a | b"), ENTRIES), ENTRIES)
    assert "**tea is hot.** a \\| b |" in text


def test_the_committed_table_is_the_registry_s() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == table.document(), (
        "docs/clauses.md has drifted: python -m dynamic_rnn_spec.clauses --markdown > docs/clauses.md"
    )


def test_no_side_of_the_committed_table_dangles() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    anchors = re.findall(r'<a id="([a-z]+-\d+)"></a>', text)
    assert [name.upper() for name in anchors] == list(clauses.load())
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(anchors)
    first, _, second = text.partition("## From the clauses to the page")
    for entry in ledger.load().values():
        row = next(line for line in first.splitlines() if line.startswith(f"| {entry.locator} |"))
        assert ("](#" in row) or entry.kind == "informative", entry.id
    for clause in clauses.load().values():
        row = next(line for line in second.splitlines() if f"</a>{clause.id} |" in line)
        assert all(ledger.load()[name].locator in row for name in clause.page), clause.id


def test_the_command_prints_the_table_or_the_counts() -> None:
    command = [sys.executable, "-m", "dynamic_rnn_spec.clauses"]
    printed = subprocess.run([*command, "--markdown"], capture_output=True, check=True, encoding="utf-8")
    assert printed.stdout == table.document()
    counted = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    assert re.fullmatch(r"\d+ clauses: \d+ documented, \d+ observed, \d+ ours; registry [0-9a-f]{64}\n", counted.stdout)


@pytest.mark.skipif(
    not REAL_PAGE, reason="the page is not part of this repository: TANCARFLOW_PAGE names no copy of it"
)
def test_no_clause_repeats_six_words_of_the_page() -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + 6]) for i in range(len(words) - 5)}

    page = runs(Path(REAL_PAGE).read_text(encoding="utf-8").partition("Returns:")[0].partition("Creates")[2])
    page |= runs(Path(REAL_PAGE).read_text(encoding="utf-8").partition("Returns:")[2])
    assert {c.id: runs(c.text) & page for c in clauses.load().values() if runs(c.text) & page} == {}
