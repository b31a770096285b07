"""Holds the size of files to what CONTRIBUTING.md says, and the top of conformance/ to its doors."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("conformance", "spec", "impl_ref", "tests/conformance", "tests/spec", "tests/impl_ref")
MOST_LINES = 400
MOST_DOORS = 6
"""Python files at the top of conformance/; everything else stands in a room."""
LONGER: dict[str, str] = {}
"""Files that may be longer, each with the reason; three at most."""


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_too_long(folder: str) -> None:
    found = {path.relative_to(ROOT).as_posix(): lines_of(path) for path in (ROOT / folder).rglob("*.py")}

    assert found
    assert {name: lines for name, lines in found.items() if lines > MOST_LINES and name not in LONGER} == {}


def test_the_list_of_longer_files_is_short_true_and_has_reasons() -> None:
    assert len(LONGER) <= 3
    assert all(reason.strip() for reason in LONGER.values())
    assert [name for name in LONGER if lines_of(ROOT / name) <= MOST_LINES] == []


def test_the_top_of_the_suite_has_few_files() -> None:
    found = sorted(path.name for path in (ROOT / "conformance").glob("*.py"))

    assert len(found) <= MOST_DOORS, found
