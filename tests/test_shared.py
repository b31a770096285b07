"""docs/shared.md tells all that impl_ref and impl_gpu share: every module, and every clause that one of them keeps.

The clauses come from the defects that are planted in dynamic_rnn_spec and from the ids that its files cite beside the
lines that keep them.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from conformance import mutants
from conformance.vectors import stored

from .citations import of_package, promises, that_count

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "spec" / "dynamic_rnn_spec"
PAGE = "docs/shared.md"
ROOMS = ("vocabulary", "wire")
ROW = re.compile(r"^\| `([\w/]+\.py)` \| ([A-Z]+-\d+) \| (.*?) \| (\d+) \| (\d+) \|$", re.MULTILINE)
MODULE = re.compile(r"^\| `([\w/]+\.py)` \| ([^|]*?) \|$", re.MULTILINE)
Kept = Mapping[tuple[str, str], tuple[int, int]]
"""By file and clause: how many defects are planted there, how many vectors witness the clause."""


def kept_by_shared_code() -> Kept:
    """What the source says."""
    folders = [mutants.folder_of(package) for package in mutants.packages()]
    planted = Counter(
        (one.file.partition("/")[2], one.clause)
        for folder in folders
        for one in mutants.load(folder)
        if one.file.startswith(f"{mutants.SPEC_PACKAGE}/")
    )
    cited = {
        (one.file.partition("/")[2], one.clause)
        for one in that_count(of_package(SPEC), promises())
        if one.file.split("/")[1] in ROOMS
    }
    witnessed = Counter(clause for vector in stored.load() for clause in vector.clauses)
    return {key: (planted[key], witnessed[key[1]]) for key in {*planted, *cited}}


def wrong_rows(page: str, kept: Kept) -> list[str]:
    """Where the page's table differs from that, and what to do about it."""
    rows = {
        (file, clause): (text, (int(defects), int(seen))) for file, clause, text, defects, seen in ROW.findall(page)
    }
    wrong = [
        f"{PAGE}: {file} keeps {clause}, for a defect planted there breaks it or the file cites it: add the row "
        f"{_row(file, clause, 'WHAT KEEPS IT THERE', kept[file, clause])}"
        for file, clause in sorted(set(kept) - set(rows))
    ]
    for (file, clause), (text, numbers) in rows.items():
        if (file, clause) not in kept:
            wrong.append(
                f"{PAGE}: no defect planted in {file} breaks {clause} and the file cites it nowhere: take its row out"
            )
        elif numbers != kept[file, clause]:
            wrong.append(f"{PAGE}: expected the row {_row(file, clause, text, kept[file, clause])}")
        if not text.strip():
            wrong.append(f"{PAGE}: {file}, {clause}: say what keeps it there")
    return wrong


def wrong_modules(page: str, files: set[str]) -> list[str]:
    """Modules that the page does not tell of, and those that it tells of and that are gone."""
    told = dict(MODULE.findall(page))
    return [
        *(f"{PAGE}: add the row | `{file}` | WHAT BOTH HAVE FROM IT |" for file in sorted(files - set(told))),
        *(f"{PAGE}: there is no {file}: take its row out" for file in sorted(set(told) - files)),
        *(f"{PAGE}: {file}: say what both have from it" for file, text in told.items() if not text.strip()),
    ]


def _row(file: str, clause: str, text: str, numbers: tuple[int, int]) -> str:
    return f"| `{file}` | {clause} | {text} | {numbers[0]} | {numbers[1]} |"


def test_the_page_has_each_clause_that_shared_code_keeps() -> None:
    kept = kept_by_shared_code()

    assert kept
    assert wrong_rows((ROOT / PAGE).read_text(encoding="utf-8"), kept) == []


def test_the_page_names_the_clauses_without_a_defect() -> None:
    kept = kept_by_shared_code()
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    (said,) = re.findall(r"^\*\*Without a defect\*\* are (.*?) alone\.", page, re.MULTILINE)

    assert set(said.split(" and ")) == {clause for (_, clause), (defects, _) in kept.items() if defects == 0}


def test_the_page_has_each_module() -> None:
    files = {f"{room}/{path.name}" for room in ROOMS for path in (SPEC / room).glob("*.py")}
    files -= {f"{room}/__init__.py" for room in ROOMS}

    assert wrong_modules((ROOT / PAGE).read_text(encoding="utf-8"), files) == []


TOY = "| `vocabulary/errors.py` | its errors |\n| `vocabulary/errors.py` | ERR-1 | the message | 2 | 0 |\n"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            "",
            (
                "docs/shared.md: vocabulary/errors.py keeps ERR-1, for a defect planted there breaks it or the file "
                "cites it: add the row | `vocabulary/errors.py` | ERR-1 | WHAT KEEPS IT THERE | 2 | 0 |"
            ),
        ),
        (
            TOY.replace("| 2 | 0", "| 1 | 0"),
            "docs/shared.md: expected the row | `vocabulary/errors.py` | ERR-1 | the message | 2 | 0 |",
        ),
        (
            TOY + "| `vocabulary/errors.py` | ERR-2 | the time | 1 | 0 |\n",
            (
                "docs/shared.md: no defect planted in vocabulary/errors.py breaks ERR-2 and the file cites it nowhere: "
                "take its row out"
            ),
        ),
        (TOY.replace("the message", ""), "docs/shared.md: vocabulary/errors.py, ERR-1: say what keeps it there"),
    ],
    ids=["missing", "numbers", "spare", "nothing said"],
)
def test_a_row_that_is_wrong_is_told_with_the_right_one(page: str, said: str) -> None:
    kept = {("vocabulary/errors.py", "ERR-1"): (2, 0)}

    assert wrong_rows(TOY, kept) == []
    assert wrong_rows(page, kept) == [said]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("", "docs/shared.md: add the row | `vocabulary/errors.py` | WHAT BOTH HAVE FROM IT |"),
        (TOY + "| `wire/gone.py` | nothing |\n", "docs/shared.md: there is no wire/gone.py: take its row out"),
        (TOY.replace("its errors", ""), "docs/shared.md: vocabulary/errors.py: say what both have from it"),
    ],
    ids=["missing", "gone", "nothing said"],
)
def test_a_module_that_the_page_leaves_out_is_told(page: str, said: str) -> None:
    assert wrong_modules(TOY, {"vocabulary/errors.py"}) == []
    assert wrong_modules(page, {"vocabulary/errors.py"}) == [said]
