"""Walks CONTRIBUTING.md in a copy of the tree, as it stands there: a clause, and an implementation in another process.

Each file that the page shows is written where the page says, and each command that it prints is typed into a shell. The
copy stands on PYTHONPATH, as an editable install would put it; nothing else is set.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from dynamic_rnn_spec.page import clauses, ledger

from .citations import promises
from .test_citations import PACKAGES, wrong_citations

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FOLDERS = ("conformance", "docs", "impl_gpu", "impl_ref", "spec", "tancarflow_evidence", "tests")
LEFT_BEHIND = ("__pycache__", ".pytest_cache", ".hypothesis")

CLAUSES = "spec/dynamic_rnn_spec/page/clauses.toml"
LAWS = "conformance/properties/test_sequence_length_state.py"
MUTANTS = "conformance/mutants/sequence_length.toml"
CITATIONS = "tests/citations.toml"

SHOWN = re.compile(r"`([\w./]+)`, (?:after (\w+-\d+)|at the end):\n\n```\w+\n(.*?)```", re.DOTALL)
"""A file, and what goes into it after the clause that is named or at its end."""


class Addition(NamedTuple):
    file: str
    after: str
    text: str


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## )", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


CLAUSE, WORKER = section("A clause, its law and its mutant"), section("An implementation in another process")
SHOWN_IN_CLAUSE = {addition.file: addition for addition in (Addition(*found) for found in SHOWN.findall(CLAUSE))}


def commands(text: str) -> list[str]:
    """The lines of its blocks that have no language, without the remark behind each."""
    blocks = re.findall(r"\n\n```\n(.*?)```", text, re.DOTALL)
    return [line.partition("    #")[0].strip() for block in blocks for line in block.splitlines()]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, tree)
    return tree


def add(copy: Path, *files: str) -> None:
    """Writes what the page shows for these files."""
    for file in files:
        _, after, text = SHOWN_IN_CLAUSE[file]
        path = copy / file
        there = path.read_text(encoding="utf-8") if path.exists() else ""
        gap = "\n\n" if path.suffix == ".py" else "\n" if there else ""
        end = there.index("\n\n", there.index(f'id = "{after}"')) + 1 if after else len(there)
        path.write_text(there[:end] + gap + text + there[end:], encoding="utf-8")


def typed(command: str, copy: Path, folder: Path | None = None) -> tuple[int, str]:
    """The exit status of a command in a shell with the environment activated, and what it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "PYTHONPATH": os.pathsep.join([str(copy / "spec"), str(copy)])}
    ended = subprocess.run(
        ["sh", "-c", command],
        cwd=folder or copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return ended.returncode, ended.stdout


def changed(copy: Path) -> set[str]:
    """The files of the copy that are new or differ; reports and caches are what a run leaves behind."""
    found = set()
    for path in copy.rglob("*"):
        name = path.relative_to(copy)
        left_behind = name.parts[0] == "report" or set(name.parts) & set(LEFT_BEHIND)
        if path.is_file() and not left_behind:
            original = ROOT / name
            if not original.is_file() or original.read_bytes() != path.read_bytes():
                found.add(name.as_posix())
    return found


EXPECTED: Mapping[str, str] = {
    "conformance clauses SEQ-24": "mutant of impl_ref: SEQ-24-last-steps",
    "conformance run impl_ref --clause SEQ-24": "impl_ref (cpu): 1 of 1 own clauses, the 1 asked for only",
    "conformance mutants --clause SEQ-24": "1 of 1 mutants caught by their own clause; 1 of 1 clauses proven",
    "pytest --pyargs conformance --impl impl_ref -k SEQ-24 -x": "1 of 1 clauses that were run pass",
    "python -m dynamic_rnn_spec.clauses --markdown > docs/clauses.md": "",
}
"""What each command of the first walk prints among other things."""


def test_a_clause_its_law_and_its_mutant_are_three_files(copy: Path) -> None:
    assert list(SHOWN_IN_CLAUSE) == [CLAUSES, LAWS, MUTANTS, CITATIONS]
    add(copy, CLAUSES, LAWS, MUTANTS)
    assert commands(CLAUSE) == list(EXPECTED)

    for command in commands(CLAUSE)[:-1]:
        status, printed = typed(command, copy)
        assert status == 0, printed
        assert EXPECTED[command] in printed
    assert changed(copy) == {CLAUSES, LAWS, MUTANTS}

    assert typed(commands(CLAUSE)[-1], copy) == (0, "")
    assert changed(copy) == {CLAUSES, LAWS, MUTANTS, "docs/clauses.md"}
    assert "**steps past every length may be cut off.**" in (copy / "docs" / "clauses.md").read_text(encoding="utf-8")


def test_without_the_note_beside_them_the_clause_is_cited_nowhere(copy: Path) -> None:
    add(copy, CLAUSES, LAWS, MUTANTS)
    registry = promises(clauses.parse((copy / CLAUSES).read_text(encoding="utf-8"), ledger.load()))

    said = wrong_citations(copy, (copy / CITATIONS).read_text(encoding="utf-8"), registry)
    assert said == [
        f"SEQ-24: cite it beside the line that keeps it in {package}, or list it in {CITATIONS} with the reason why no "
        f"single line does"
        for package in PACKAGES
    ]
    add(copy, CITATIONS)
    assert wrong_citations(copy, (copy / CITATIONS).read_text(encoding="utf-8"), registry) == []
    assert changed(copy) == {CLAUSES, LAWS, MUTANTS, CITATIONS}


def test_without_its_law_a_clause_is_not_run_and_its_mutant_escapes(copy: Path) -> None:
    add(copy, CLAUSES, MUTANTS)

    status, printed = typed("conformance run impl_ref --clause SEQ-24", copy)
    assert (status, "1 not run" in printed) == (1, True), printed
    status, printed = typed("conformance mutants --clause SEQ-24", copy)
    assert (status, "SEQ-24-last-steps: escaped" in printed) == (1, True), printed


def test_without_its_mutant_a_clause_is_a_gap(copy: Path) -> None:
    add(copy, CLAUSES, LAWS)

    status, printed = typed("conformance mutants --clause SEQ-24", copy)
    assert (status, "SEQ-24: no mutant is caught by its own assertion" in printed) == (1, True), printed


def test_the_places_where_a_cell_is_known_are_there() -> None:
    files = [path.as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.*")]
    named = re.findall(r"`([\w/]+\.(?:py|cu|toml|json))`", section("A cell"))
    of_the_new_cell = re.compile(r"(.*/)?(test_)?new(_back)?\.\w+")

    assert len(named) > 20
    known = [name for name in named if not of_the_new_cell.fullmatch(name)]
    assert [name for name in known if not any(file.endswith(f"/{name}") for file in files)] == []


CELL = "GRUCell"
NOT_NEEDED: Mapping[str, str] = {
    "conformance/properties/test_equations_refused.py": "a law of DropoutWrapper, around any cell",
    "conformance/properties/test_errors.py": "a law of errors, with any cell",
    "conformance/properties/test_gradients.py": "laws of all gradients, with a few kinds of cell",
    "conformance/properties/test_gradients_values.py": "laws of shared variables and dropout, with a few kinds of cell",
    "conformance/vectors/cases/scopes.py": "vectors of scopes, with any cell",
    "conformance/vectors/cases/states.py": "vectors of states, with any cell",
    "impl_gpu/bench/networks.py": "measures the two cells that the libraries it is compared with have too",
    "impl_gpu/prove/products.py": "products of every form; the sentence says where one form comes from",
}
"""Files that name the cell and need no other, with the reason."""


def stands_in(step: str, file: str) -> bool:
    """Whether a step names a file, whole or by its end with the folder beside it."""
    parts = file.split("/")
    for cut in range(len(parts)):
        folder, name = "/".join(parts[:cut]), "/".join(parts[cut:])
        if f"`{name}`" in step and (not folder or f"`{folder}/" in step or f"`{folder}`" in step):
            return True
    return False


def test_each_file_that_names_a_cell_stands_in_the_walk_or_is_not_needed() -> None:
    steps = re.split(r"^\d+\. ", section("A cell"), flags=re.MULTILINE)
    shipped = [path for folder in FOLDERS if folder not in ("docs", "tests") for path in (ROOT / folder).rglob("*.*")]
    names = {
        path.relative_to(ROOT).as_posix()
        for path in shipped
        if path.suffix in {".py", ".cu", ".toml", ".json"} and CELL in path.read_text(encoding="utf-8")
    }
    told = {name for name in names if any(stands_in(step, re.sub(r"\bgru(?=[_.])", "new", name)) for step in steps)}

    assert sorted(names - told - set(NOT_NEEDED)) == []
    assert sorted(set(NOT_NEEDED) - (names - told)) == []


def test_a_worker_keeps_what_it_can_and_says_what_it_lacks(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n# my_worker\.py\n(.*?)```", WORKER, re.DOTALL)
    (tmp_path / "my_worker.py").write_text(program, encoding="utf-8")
    (command,) = commands(WORKER)

    status, printed = typed(command, ROOT, tmp_path)
    assert (status, "my_worker (cpu): 3 of 3 documented clauses" in printed) == (0, True), printed
    status, printed = typed(command.replace("IN-5,IN-6,IN-7", "IN-5,IN-9"), ROOT, tmp_path)
    assert (status, "1 unsupported" in printed) == (0, True), printed
    assert set(re.findall(r"^import (\w+)|^from", program, re.MULTILINE)) == {"json", "sys"}
