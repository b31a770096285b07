"""Tests `device` with small fakes: its stages come in order and leave their evidence, and what is absent or broken
never ends as passed."""

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance import cli
from conformance.commands import device as command
from conformance.commands import stages
from tancarflow_evidence import evidence

_RELU = {"kind": "BasicRNNCell relu"}
RUN_ONLY: dict[str, dict[str, Any]] = {
    "Run": {"clause": ("STATE-4",)},
    "Differential": _RELU,
    "Gradients": _RELU,
    "Schedules": {"kind": "GRUCell", "cases": 8, "schedules": 2},
}


def a_part_of(command: type, *given: Any, **more: Any) -> Any:
    """The command, on a small part of its work."""
    return command(*given, **{**more, **RUN_ONLY[command.__name__]})


def read(words: list[str]) -> command.Device:
    options = cli.read(words)
    assert isinstance(options, command.Device)
    return options


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs one stage in this process, on a small part of its work, and returns the result that it leaves."""

    for name in RUN_ONLY:
        whole = getattr(stages, name)
        monkeypatch.setattr(stages, name, functools.partial(a_part_of, whole))
    monkeypatch.setenv(evidence.RESULT, str(tmp_path / "result.json"))

    def run(stage: str, implementation: str = "impl_ref") -> dict[str, Any]:
        words = ["device", implementation, "--stage", stage, "--jobs", "1", "--cases", "100", "--profile", "smoke"]
        status = cli.main(words)
        found: dict[str, Any] = json.loads((tmp_path / "result.json").read_text())
        assert (status == 0) == (found["verdict"] == "passed")
        return found

    return run


def test_the_stages_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    options = read(["device"])
    assert (options.implementation, options.profile, options.minutes) == ("impl_gpu", "default", 8.0)
    assert command.names(options) == ["available", "smoke", "profile", "differential", "gradients", "schedules"]
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    small = read(["device", "--profile", "smoke"])
    assert command.names(small) == ["available", "smoke", "differential", "gradients", "schedules", "memcheck"]
    assert set(command.SHARES) == set(stages.STAGES)


def test_a_stage_is_a_command_of_its_own() -> None:
    options = read(["device", "impl_ref", "--seed", "3", "--minutes", "5"])
    stage = command.stage("profile", options, 300.0)
    assert (stage.name, stage.seconds) == ("default", 180.0)
    words = list(stage.command)
    assert words[0] == sys.executable
    assert words[words.index("-m") :][:5] == ["-m", "conformance", "device", "impl_ref", "--stage"]
    again = read(words[words.index("device") :])
    assert (again.stage, again.seed, again.jobs, again.profile) == ("profile", 3, options.jobs, "default")
    assert not again.small


def test_a_rehearsal_is_small_in_every_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[Any] = []

    def run(self: Any, planned: Any, budget: float, tell: Any) -> str:
        ran.extend(planned)
        return "passed"

    monkeypatch.setattr(evidence.Evidence, "run", run)
    assert cli.main(["device", "impl_ref", "--small", "--out", str(tmp_path / "e.json")]) == 0
    assert [stage.name for stage in ran][:5] == ["available", "smoke", "differential", "gradients", "schedules"]
    for stage in ran:
        words = list(stage.command)
        again = read(words[words.index("device") :])
        assert (again.small, again.profile, again.cases) == (True, "smoke", command.SMALL)


def test_what_is_available_says_what_it_runs_on(ran: Any) -> None:
    found = ran("available")
    assert found["facts"]["implementation"]["device"] == "cpu"
    assert found["facts"]["implementation"]["own"] is True


def test_the_suite_counts_clauses_and_keeps_what_breaks_them(ran: Any, toy: Path) -> None:
    found = ran("smoke")
    assert found["profile"] == "smoke"
    assert found["examples"] > 0
    assert found["ran_on"] == "cpu"
    assert "STATE-4" not in [one["clause"] for one in found["broken"]], "a clause that was run and holds"
    broken = ran("smoke", "toy_subjects:OffByOne")
    assert broken["verdict"] == "failed"


def test_a_broken_clause_is_kept_whole(ran: Any, toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RUN_ONLY, "Run", {"clause": ("SEQ-5",)})
    found = ran("smoke", "toy_subjects:OffByOne")
    assert "SEQ-5" in found["why"]
    assert found["counterexamples"][0]["clause"] == "SEQ-5"
    assert found["counterexamples"][0]["case"]["calls"]


def test_the_differential_leaves_its_counts(ran: Any, toy: Path) -> None:
    found = ran("differential")
    assert found["by_kind"].keys() == {"BasicRNNCell relu"}
    assert found["against"]["name"] == "impl_ref"
    broken = ran("differential", "toy_subjects:Inexact")
    assert broken["verdict"] == "failed"
    assert broken["why"].startswith("1 do not agree: BasicRNNCell relu float32: at state")
    assert broken["counterexamples"][0]["test"] == "conformance.differential.differential::BasicRNNCell relu float32"


def test_what_has_no_schedules_runs_each_case_again_and_again(ran: Any, toy: Path) -> None:
    found = ran("schedules")
    assert found["verdict"] == "passed"
    assert found["schedules"] == 2
    assert ran("schedules", "toy_subjects:Reference")["verdict"] == "passed"


def test_an_absent_implementation_is_not_run_and_nothing_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "absent_one"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "adapter.py").write_text("import cupy_that_is_not_there\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.syspath_prepend(str(tmp_path))
    out = tmp_path / "evidence.json"
    assert cli.main(["device", "absent_one", "--out", str(out), "--minutes", "1"]) == 2
    found = json.loads(out.read_text())
    assert found["verdict"] == "not run"
    assert {stage["verdict"] for stage in found["stages"]} == {"not run"}
    assert "cupy_that_is_not_there" in found["stages"][0]["why"]
    assert f"not run: {out}" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("said", "status", "verdict"),
    [
        ("========= ERROR SUMMARY: 0 errors", 0, "passed"),
        ("========= ERROR SUMMARY: 3 errors", 9, "failed"),
        ("========= ERROR SUMMARY: 3 errors", 0, "failed"),
        ("nothing to the point", 0, "failed"),
    ],
)
def test_memory_is_checked_where_there_is_a_program_for_it(
    ran: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, status: int, verdict: str
) -> None:
    fake = tmp_path / "bin" / "compute-sanitizer"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "{said}"\necho "checked: $CONFORMANCE_MEMORY_CHECKED $*"\nexit {status}\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    found = ran("memcheck")
    assert found["verdict"] == verdict
    assert found["command"][0] == "compute-sanitizer"
    if verdict == "failed":
        assert "checked: 1 --tool memcheck" in found["told"]
