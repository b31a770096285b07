"""Tests that the adapters of docs/adapter.md connect as the page says, and that the suite finds what is wrong with
their kernel."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.report import read

PAGE = Path(__file__).parents[1] / "docs" / "adapter.md"
MODULES = ("my_rnn", "my_adapter", "tf_like_adapter", "gradients_adapter")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        name = re.match(r"# (\w+)\.py\n", block)
        assert name is not None
        assert name[1] in MODULES
        (tmp_path / f"{name[1]}.py").write_text(block, encoding="utf-8")
    return tmp_path


def typed(folder: Path, command: str) -> int:
    """The exit status of a command, typed in the folder of the adapters with nothing else set."""
    program, *words = command.split()
    path = Path(sys.executable).with_name(program)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run([str(path), *words], cwd=folder, env=environment, check=False).returncode


def verdicts(adapter: str, folder: Path, *clauses: str) -> dict[str, str]:
    chosen = [word for clause in clauses for word in ("--clause", clause)]
    typed(folder, shlex.join(["conformance", "run", adapter, "--jobs", "1", *chosen]))
    (implementation,) = read(folder / "report")["implementations"]
    found = {verdict["clause"]: verdict["verdict"] for verdict in implementation["verdicts"]}
    return {clause: found[clause] for clause in clauses}


def test_the_adapter_is_twenty_lines() -> None:
    (block,) = re.findall(r"```python\n# my_adapter\.py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    code = [line for line in block.splitlines() if line.strip() and not line.startswith(("import", "from"))]
    assert len(code) <= 22


def test_the_command_for_one_clause_works_as_printed(folder: Path) -> None:
    command = "conformance run my_adapter:MyRnn --clause SEQ-5"
    assert f"`{command}`" in PAGE.read_text(encoding="utf-8")
    assert typed(folder, command) == 0


def test_the_kernel_keeps_its_equations_and_says_what_it_lacks(folder: Path) -> None:
    assert verdicts("my_adapter:MyRnn", folder, "EQ-4", "STATE-5", "EQ-2") == {
        "EQ-4": "pass",
        "STATE-5": "pass",
        "EQ-2": "unsupported",
    }


def test_a_mask_off_by_one_is_found(folder: Path) -> None:
    kernel = folder / "my_rnn.py"
    kernel.write_text(kernel.read_text().replace("(t < lengths)", "(t <= lengths)"))
    assert verdicts("my_adapter:MyRnn", folder, "EQ-4") == {"EQ-4": "fail"}


def test_a_library_with_tensorflows_names_needs_no_more_than_its_names(folder: Path) -> None:
    assert verdicts("tf_like_adapter:implementation", folder, "SEQ-5", "IN-7") == {
        "SEQ-5": "pass",
        "IN-7": "pass",
    }


def test_an_adapter_without_gradients_is_unsupported_and_not_held_to_them(folder: Path) -> None:
    assert typed(folder, "conformance run my_adapter:MyRnn --jobs 1 --clause GRAD-14,GRAD-21") == 0
    (implementation,) = read(folder / "report")["implementations"]
    found = {verdict["clause"]: verdict["verdict"] for verdict in implementation["verdicts"]}
    assert (found["GRAD-14"], found["GRAD-21"]) == ("unsupported", "unsupported")


def test_a_library_with_gradients_hands_them_in(folder: Path) -> None:
    assert verdicts("gradients_adapter:implementation", folder, "GRAD-5") == {"GRAD-5": "pass"}
