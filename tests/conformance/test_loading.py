"""Loads targets as users do, with the installed command in a folder of their own: some are found, some exit, some are
broken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("conformance")
STORED = Path(__file__).parents[2] / "docs" / "tensorflow14" / "known" / "IN-7.json"

RIGHT = """
class Right:
    def describe(self):
        return {"name": "right", "versions": {}, "device": "cpu"}
    def run(self, case):
        raise RuntimeError("nobody asks for a case")
"""


def clean_environment() -> dict[str, str]:
    """Without what points a Python at a folder."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def typed(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command in that folder, as its user types it."""
    command = [str(COMMAND), *arguments]
    return subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False)


def test_the_command_finds_a_target_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from impl_ref.adapter import implementation\n", encoding="utf-8")
    done = typed(tmp_path, "run", "mine:implementation", "--clause", "SIG-5", "--profile", "smoke")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "report" / "report.json").is_file()


def test_the_command_finds_a_package_with_an_adapter_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "my_rnn").mkdir()
    (tmp_path / "my_rnn" / "__init__.py").touch()
    (tmp_path / "my_rnn" / "adapter.py").write_text("from impl_ref.adapter import implementation\n", encoding="utf-8")
    assert typed(tmp_path, "replay", str(STORED), "my_rnn").returncode == 0


def test_pytest_finds_a_target_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from impl_ref.adapter import implementation\n", encoding="utf-8")
    done = pytest_typed(tmp_path, "mine:implementation")
    assert done.returncode == 0, done.stdout


LEAVING = {
    "at the top": "import sys\nsys.exit(0)",
    "without a word": "import os\nos._exit(0)",
    "by a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "for another program": "import os\nos.execv('/bin/true', ['/bin/true'])",
    "when it is made": RIGHT + "    def __init__(self):\n        raise SystemExit(0)\n",
    "when it is described": RIGHT.replace('return {"name"', 'raise SystemExit(0)\n        return {"name"'),
    "when it says what it lacks": RIGHT + "    def missing(self):\n        raise SystemExit(0)\n",
    "as if interrupted": "raise KeyboardInterrupt",
    "by an exception that is none": "class Gone(BaseException):\n    pass\nraise Gone",
    "in the first process only": "import multiprocessing as m, os\nif m.parent_process() is None:\n    os._exit(0)",
}


COMMANDS = {
    "run beside another": ["run", "impl_ref", "leaving:Right"],
    "replay": ["replay", str(STORED), "leaving:Right"],
    "vectors": ["vectors", "verify", "leaving:Right"],
    "differential": ["differential", "leaving:Right"],
    "gradients": ["gradients", "leaving:Right"],
    "schedules": ["schedules", "leaving:Right"],
    "mutants": ["mutants", "--of", "leaving:Right"],
}


@pytest.mark.parametrize(
    ("how", "command"),
    [(how, ["run", "leaving:Right"]) for how in LEAVING if how != "in the first process only"]
    + [("without a word", command) for command in COMMANDS.values()],
)
def test_a_target_that_leaves_the_process_ends_the_command_with_one_line(
    tmp_path: Path, how: str, command: list[str]
) -> None:
    (tmp_path / "leaving.py").write_text(LEAVING[how], encoding="utf-8")
    done = typed(tmp_path, *command)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("conformance: ")
    assert "leaving:Right" in line


@pytest.mark.parametrize("command", ["replay", "vectors"])
@pytest.mark.parametrize("how", ["in the first process only", "in a case"])
def test_no_command_takes_a_target_that_leaves_for_one_that_holds(tmp_path: Path, how: str, command: str) -> None:
    code = LEAVING.get(how, RIGHT.replace('raise RuntimeError("nobody asks for a case")', "import os; os._exit(0)"))
    (tmp_path / "leaving.py").write_text(code, encoding="utf-8")
    done = typed(tmp_path, *COMMANDS[command])
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("conformance: ")


def test_device_does_not_go_on_with_a_target_that_leaves(tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text(LEAVING["without a word"], encoding="utf-8")
    done = typed(tmp_path, "device", "leaving:Right", "--out", "evidence.json")
    assert done.returncode == 2
    stages = json.loads((tmp_path / "evidence.json").read_text(encoding="utf-8"))["stages"]
    assert {stage["verdict"] for stage in stages} == {"not run"}
    assert "leaving:Right cannot be loaded: its process died: exit status 0" in stages[0]["why"]


def pytest_typed(folder: Path, target: str) -> "subprocess.CompletedProcess[str]":
    command = [str(COMMAND.with_name("pytest")), "--pyargs", "conformance", "--impl", target, "-k", "SIG-5"]
    command += ["-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False)


def test_pytest_ends_with_one_line_for_a_target_that_leaves(tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text(LEAVING["without a word"], encoding="utf-8")
    done = pytest_typed(tmp_path, "leaving:Right")
    assert done.returncode == 4
    (line,) = [line for line in done.stderr.splitlines() if line]
    assert line.startswith("ERROR: conformance: leaving:Right cannot be loaded")


@pytest.mark.parametrize("name", ["random.py", "conformance/__init__.py", "numpy.py", "impl_ref.py"])
def test_what_lies_in_the_current_folder_takes_no_installed_module_s_place(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("raise RuntimeError('that of the folder')", encoding="utf-8")
    done = typed(tmp_path, "replay", str(STORED), "impl_ref")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("code", ["raise ValueError('no good')", "def Right(:", "1 / 0"])
def test_a_target_that_cannot_be_loaded_ends_the_command_with_one_line(tmp_path: Path, code: str) -> None:
    (tmp_path / "broken.py").write_text(code, encoding="utf-8")
    done = typed(tmp_path, "run", "broken:Right")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("conformance: broken:Right cannot be loaded: it raised ")


MALFORMED = {"cells a list": {"cells": [1]}, "calls a number": {"calls": 3}, "a cell a number": {"cells": {"cell": 1}}}


@pytest.mark.parametrize("how", MALFORMED)
def test_a_malformed_case_file_is_refused_in_one_line(tmp_path: Path, how: str) -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    stored["case"].update(MALFORMED[how])
    (tmp_path / "case.json").write_text(json.dumps(stored), encoding="utf-8")
    done = typed(tmp_path, "replay", "case.json", "impl_ref")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("conformance: case.json: not a whole counterexample (")


NO_KINDS = ["save_weights", "load_weights", "RNNCell", "LSTMStateTuple", "__class__", "probe:", "probe:_Tally", "Probe"]


@pytest.mark.parametrize("kind", NO_KINDS)
def test_a_case_file_names_nothing_but_a_kind_of_cell(tmp_path: Path, kind: str) -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    (cell,) = stored["case"]["cells"].values()
    cell.update(kind=kind, options={"path": "written.npz", "name": "rnn"}, children=[])
    (tmp_path / "case.json").write_text(json.dumps(stored), encoding="utf-8")
    done = typed(tmp_path, "replay", "case.json", "impl_ref")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "kind: expected one of BasicRNNCell, GRUCell, " in line
    assert line.endswith(f"got {kind!r})")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case.json"]
