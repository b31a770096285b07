"""Tests on made-up pages that the ledger's checker notices what it must."""

import os
from pathlib import Path

import pytest

from dynamic_rnn_spec.page import ledger

PAGE = """\
Made-up page

```
brew(
    leaves,
    minutes=None,
    sweet=False
)
```

Makes **tea**.  It is hot.

Example:

Args:

- leaves: What to brew. Green or black
 tea, for brew(x.y) takes both.

The water (hot) comes later.
- minutes: (optional) How long. (Default: 3). Never forever!

Returns:

A cup where:

- cup: It is full.
 - If sweet == True, there is sugar
 - Note, no milk.

Raises:

- TypeError: If leaves are stones.

Stay Connected
News
"""

REAL_PAGE = os.environ.get("TANCARFLOW_PAGE", "")


def recorded(page: str = PAGE) -> dict[str, ledger.Entry]:
    """A ledger of the page in which everything is normative."""
    return {s.id: ledger.Entry(s.id, s.locator, s.sha256, "normative", "") for s in ledger.sentences(page)}


def problems(tmp_path: Path, page: str) -> list[str]:
    """What the checker says about a page in place of the recorded one."""
    file = tmp_path / "page.txt"
    file.write_text(page, encoding="utf-8")
    return ledger.check(file, recorded())


def changed(old: str, new: str) -> str:
    """The page with one passage replaced; the passage must be there once."""
    assert PAGE.count(old) == 1
    return PAGE.replace(old, new)


def test_every_sentence_is_located_in_the_page_s_order() -> None:
    assert [(s.id, s.locator) for s in ledger.sentences(PAGE)] == [
        ("title.1", "Title, line 1"),
        ("signature.call", "Signature, the whole call"),
        ("signature.leaves", "Signature > leaves"),
        ("signature.minutes", "Signature > minutes"),
        ("signature.sweet", "Signature > sweet"),
        ("intro.1", "Introduction, sentence 1"),
        ("intro.2", "Introduction, sentence 2"),
        ("example.heading", "Example, heading"),
        ("args.heading", "Args, heading"),
        ("args.leaves.1", "Args > leaves, sentence 1"),
        ("args.leaves.2", "Args > leaves, sentence 2"),
        ("args.leaves.3", "Args > leaves, sentence 3"),
        ("args.minutes.1", "Args > minutes, sentence 1"),
        ("args.minutes.2", "Args > minutes, sentence 2"),
        ("args.minutes.3", "Args > minutes, sentence 3"),
        ("returns.heading", "Returns, heading"),
        ("returns.1", "Returns, sentence 1"),
        ("returns.cup.1", "Returns > cup, sentence 1"),
        ("returns.cup.2", "Returns > cup, sentence 2"),
        ("returns.cup.3", "Returns > cup, sentence 3"),
        ("raises.heading", "Raises, heading"),
        ("raises.TypeError.1", "Raises > TypeError, sentence 1"),
        ("footer.1", "Footer, line 1"),
        ("footer.2", "Footer, line 2"),
    ]


@pytest.mark.parametrize(
    ("id", "text"),
    [
        ("signature.call", "brew( leaves, minutes=None, sweet=False )"),
        ("signature.minutes", "minutes=None"),
        ("intro.1", "Makes tea."),
        ("args.leaves.2", "Green or black tea, for brew(x.y) takes both."),
        ("args.minutes.1", "(optional) How long."),
        ("args.minutes.2", "(Default: 3)."),
        ("returns.cup.2", "If sweet == True, there is sugar"),
    ],
)
def test_a_sentence_is_hashed_as_its_normalised_text(id: str, text: str) -> None:
    assert recorded()[id].sha256 == ledger.sha256_of(text)


def test_the_same_page_agrees(tmp_path: Path) -> None:
    assert problems(tmp_path, PAGE) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Makes **tea**.  It is hot.", "Makes tea.\nIt   is **hot**."),
        ("black\n tea, for", "black tea,\n\nfor"),
        ("Example:\n\nArgs:", "Example:\n\n\n\nArgs:  "),
    ],
)
def test_white_space_and_bold_are_no_difference(tmp_path: Path, old: str, new: str) -> None:
    assert problems(tmp_path, changed(old, new)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "Green or black",
            "Green or Black",
            ["drifted: Args > leaves, sentence 2 (args.leaves.2) reads otherwise than recorded"],
        ),
        (
            "minutes=None",
            "minutes=3",
            [
                "drifted: Signature, the whole call (signature.call) reads otherwise than recorded",
                "drifted: Signature > minutes (signature.minutes) reads otherwise than recorded",
            ],
        ),
        (
            " It is hot.",
            "",
            ["missing: Introduction, sentence 2 (intro.2) is recorded and not on the page"],
        ),
        (
            "- leaves: What to brew. ",
            "- leaves: ",
            ["missing: Args > leaves, sentence 1 (args.leaves.1) is recorded and not on the page"],
        ),
        (
            "Never forever!",
            "Never forever! Stir it.",
            ["added: Args > minutes, sentence 4 (args.minutes.4) is on the page and not recorded"],
        ),
        (
            "What to brew. ",
            "What to brew. Be quick. ",
            ["added: Args > leaves, sentence 2 (args.leaves.2) is on the page and not recorded"],
        ),
        (
            "- minutes: (optional)",
            "- hours: (optional)",
            [
                *(
                    f"missing: Args > minutes, sentence {n} (args.minutes.{n}) is recorded and not on the page"
                    for n in (1, 2, 3)
                ),
                *(
                    f"added: Args > hours, sentence {n} (args.hours.{n}) is on the page and not recorded"
                    for n in (1, 2, 3)
                ),
            ],
        ),
        (
            "Raises:\n",
            "",
            [
                "missing: Raises, heading (raises.heading) is recorded and not on the page",
                "missing: Raises > TypeError, sentence 1 (raises.TypeError.1) is recorded and not on the page",
                "added: Returns > TypeError, sentence 1 (returns.TypeError.1) is on the page and not recorded",
            ],
        ),
        (
            "Example:\n",
            "Example:\n\n```\nbrew(green)\n```\n",
            ["added: Example, code (example.code) is on the page and not recorded"],
        ),
        ("News", "Views", ["drifted: Footer, line 2 (footer.2) reads otherwise than recorded"]),
    ],
)
def test_a_difference_is_named_with_its_place(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    assert problems(tmp_path, changed(old, new)) == expected


def test_an_empty_page_misses_everything(tmp_path: Path) -> None:
    found = problems(tmp_path, "")
    assert len(found) == len(recorded())
    assert {problem.partition(":")[0] for problem in found} == {"missing"}


def test_an_entry_with_a_wrong_locator_is_misplaced(tmp_path: Path) -> None:
    entries = recorded()
    old = entries["intro.2"]
    entries["intro.2"] = ledger.Entry(old.id, "Introduction, sentence 9", old.sha256, old.kind, old.reason)
    file = tmp_path / "page.txt"
    file.write_text(PAGE, encoding="utf-8")
    assert ledger.check(file, entries) == [
        "misplaced: intro.2 at Introduction, sentence 9, found intro.2 at Introduction, sentence 2"
    ]


def test_a_page_with_an_open_fence_is_refused() -> None:
    with pytest.raises(ledger.LedgerError) as caught:
        ledger.sentences("```\nbrew(\n")
    assert str(caught.value) == "page: expected every code fence to be closed, got one that is open at the end"


def entry(**values: str) -> str:
    """A ledger of one entry, with these values in place of good ones."""
    fields = {"id": "a.1", "locator": "A, sentence 1", "sha256": "0" * 64, "kind": "normative", **values}
    return "[[sentence]]\n" + "".join(f'{key} = "{value}"\n' for key, value in fields.items())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (entry() + entry(), "a.1: expected each id once, got it twice"),
        (entry(text="words"), "a.1: expected keys among id, kind, locator, reason, sha256, got text"),
        (entry(kind="undecided"), "a.1: expected kind normative or informative, got 'undecided'"),
        (entry(sha256="12"), "a.1: expected sha256 as 64 hexadecimal digits, got '12'"),
        (entry(locator=""), "a.1: expected a value for locator, got none"),
        (
            entry(kind="informative"),
            "a.1: expected a reason for an informative sentence and only there, got ''",
        ),
        (
            entry(reason="because"),
            "a.1: expected a reason for an informative sentence and only there, got 'because'",
        ),
        ("[[sentence]]\nid = 3\n", "3: expected strings, got another type for id"),
        ("title = 1\n", "ledger: expected [[sentence]] tables only, got title"),
    ],
)
def test_a_bad_ledger_is_refused(text: str, message: str) -> None:
    with pytest.raises(ledger.LedgerError) as caught:
        ledger.parse(text)
    assert str(caught.value) == message


def test_a_skeleton_is_refused_until_its_kinds_are_decided() -> None:
    skeleton = ledger.skeleton(PAGE)
    with pytest.raises(ledger.LedgerError) as caught:
        ledger.parse(skeleton)
    assert str(caught.value) == "title.1: expected kind normative or informative, got 'undecided'"
    assert ledger.parse(skeleton.replace("undecided", "normative")) == recorded()


def test_the_command_prints_the_differences_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.txt"
    file.write_text(PAGE, encoding="utf-8")
    assert ledger.main([str(file)]) == 1
    assert "missing: Args > sequence_length, sentence 2 (args.sequence_length.2) is recorded" in capsys.readouterr().out


def test_the_command_records_a_skeleton(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.txt"
    file.write_text(PAGE, encoding="utf-8")
    assert ledger.main([str(file), "--record"]) == 0
    assert capsys.readouterr().out == ledger.skeleton(PAGE)


def test_the_command_refuses_what_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        ledger.main([str(tmp_path)])
    assert caught.value.code == 2
    assert f"page: expected a file, got {tmp_path}" in capsys.readouterr().err


def test_the_shipped_ledger_is_numbered_without_gaps() -> None:
    counts: dict[str, int] = {}
    for sentence in ledger.load().values():
        if sentence.place != sentence.id:
            counts[sentence.place] = counts.get(sentence.place, 0) + 1
            assert sentence.id == f"{sentence.place}.{counts[sentence.place]}"


def test_the_shipped_ledger_keeps_no_text_of_the_page() -> None:
    kept = {key for line in ledger.source().splitlines() if " = " in line for key in [line.partition(" = ")[0]]}
    assert kept == {"id", "locator", "sha256", "kind", "reason"}


@pytest.mark.skipif(
    not REAL_PAGE, reason="the page is not part of this repository: TANCARFLOW_PAGE names no copy of it"
)
def test_the_real_page_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    assert ledger.main([REAL_PAGE]) == 0
    assert capsys.readouterr().out == f"{len(ledger.load())} sentences agree\n"
