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
    command = [str(COMMAND.with_name("pytest")), "--pyargs", "conformance", "--impl", "mine:implementation"]
    done = subprocess.run(
        [*command, "-k", "SIG-5", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


LEAVING = {
    "at the top": "import sys\nsys.exit(0)",
    "without a word": "import os\nos._exit(0)",
    "by a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "for another program": "import os\nos.execv('/bin/true', ['/bin/true'])",
    "when it is made": RIGHT + "    def __init__(self):\n        raise SystemExit(0)\n",
    "when it is described": RIGHT.replace('return {"name"', 'raise SystemExit(0)\n        return {"name"'),
    "when it says what it lacks": RIGHT + "    def missing(self):\n        raise SystemExit(0)\n",
}


COMMANDS = {
    "run beside another": ["run", "impl_ref", "leaving:Right"],
    "replay": ["replay", str(STORED), "leaving:Right"],
    "vectors": ["vectors", "verify", "leaving:Right"],
    "differential": ["differential", "leaving:Right"],
}


@pytest.mark.parametrize(
    ("how", "command"),
    [(how, ["run", "leaving:Right"]) for how in LEAVING]
    + [(how, command) for command in COMMANDS.values() for how in ("at the top", "without a word")],
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


@pytest.mark.parametrize("code", ["raise ValueError('no good')", "def Right(:", "1 / 0"])
def test_a_target_that_cannot_be_loaded_ends_the_command_with_one_line(tmp_path: Path, code: str) -> None:
    (tmp_path / "broken.py").write_text(code, encoding="utf-8")
    done = typed(tmp_path, "run", "broken:Right")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("conformance: broken:Right cannot be loaded: it raised ")


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
