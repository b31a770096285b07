"""Python 3.6 and the TensorFlow in it are found where people keep them, or the reason why it is not run is told; the
interpreters here are shell scripts."""

from pathlib import Path

import pytest

from conformance.machine.interpreters import NotAvailable, find_python36
from conformance.subject.subjects import load


def fake_python(folder: Path, name: str, answer: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


GOOD = """echo '{"version": [3, 6], "module": true}'"""
BARE = """echo '{"version": [3, 6], "module": false}'"""
OTHER = """echo '{"version": [3, 11], "module": true}'"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PYTHON36", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_python36_is_searched_in_the_variable_then_the_path_then_pyenv(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_pyenv = fake_python(machine / "pyenv" / "versions" / "3.6.15" / "bin", "python", GOOD)
    assert find_python36() == in_pyenv

    on_path = fake_python(machine / "bin", "python3.6", GOOD)
    assert find_python36() == on_path

    named = fake_python(machine / "elsewhere", "my_python", GOOD)
    monkeypatch.setenv("PYTHON36", str(named))
    assert find_python36() == named


@pytest.mark.parametrize("useless", ["exit 127", OTHER, "echo 3.6", BARE])
def test_a_candidate_that_is_none_is_passed_over(machine: Path, useless: str) -> None:
    fake_python(machine / "bin", "python3.6", useless)
    in_pyenv = fake_python(machine / "pyenv" / "versions" / "3.6.15" / "bin", "python", GOOD)

    assert find_python36("tensorflow") == in_pyenv


def test_without_python36_tensorflow_is_not_run(machine: Path) -> None:
    with pytest.raises(NotAvailable, match=r"no Python 3.6: PYTHON36 names none"):
        load("tensorflow14")


def test_without_tensorflow_it_is_not_run(machine: Path) -> None:
    fake_python(machine / "bin", "python3.6", BARE)

    with pytest.raises(NotAvailable, match=r"no Python 3.6 with tensorflow: .*python3.6 lack it"):
        load("tensorflow14")


def test_a_tensorflow_that_cannot_be_imported_is_not_run(machine: Path) -> None:
    fake_python(machine / "bin", "python3.6", f'if [ "$1" = -c ]; then {GOOD}; else exit 3; fi')

    with pytest.raises(NotAvailable, match="ended before it greeted: exit status 3"):
        load("tensorflow14")


def test_a_variable_that_names_no_program_is_not_run(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON36", str(machine / "absent"))

    with pytest.raises(NotAvailable, match=r"PYTHON36 names .*absent', which is no program"):
        find_python36()
