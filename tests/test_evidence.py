"""Tests that evidence is complete after each stage, and that no stage that dies, hangs or says nothing counts as
passed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tancarflow_evidence import evidence, provenance
from tancarflow_evidence.evidence import (
    Evidence,
    Stage,
    plain,
    run_stage,
    summary,
    write_json,
    write_progress,
    write_result,
)


def stage(name: str, code: str, seconds: float = 30.0) -> Stage:
    return Stage(name, (sys.executable, "-c", "from tancarflow_evidence.evidence import *\n" + code), seconds)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


PASSES = stage("passes", "write_result(PASSED, figures={'worst': 0.5}, facts={'device': 'a toy'})")


def test_a_run_that_passes_says_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "evidence.json"
    heard: list[str] = []

    verdict = Evidence(path, "a test", tmp_path, seed=7).run([PASSES], 60.0, heard.append)

    found = read(path)
    assert verdict == found["verdict"] == "passed"
    assert found["subject"] == "a test"
    assert found["seed"] == 7
    assert found["facts"] == {"device": "a toy"}
    assert found["source"] == {"commit": None, "changes": None, "sha256": None}
    assert found["machine"]["numpy"] == np.__version__
    assert found["command"][0].startswith("py")
    assert found["date"].endswith("+00:00")
    (only,) = found["stages"]
    assert only.pop("seconds") > 0.0
    assert only == {"name": "passes", "verdict": "passed", "figures": {"worst": 0.5}}
    assert [line.split()[0] for line in heard] == ["passed"]


@pytest.mark.parametrize(
    ("code", "verdict", "why"),
    [
        ("write_result(FAILED, first_failure='x')", "failed", None),
        ("raise SystemExit(3)", "crashed", "no result, exit status 3"),
        ("pass", "crashed", "no result, exit status 0"),
        ("import os; os.abort()", "crashed", "no result, exit status -6 (SIGABRT)"),
        ("write_result(PASSED); raise SystemExit(1)", "crashed", "passed, but then exit status 1"),
        ("write_progress('it'); import os; os.abort()", "crashed", "exit status -6 (SIGABRT), in it"),
        ("write_progress('it')", "crashed", "exit status 0, in it"),
        ("import time; print('begun', flush=True); time.sleep(60)", "timed out", "more than 1.5 s"),
        ("import time; write_progress('it'); time.sleep(60)", "timed out", "more than 1.5 s, in it"),
    ],
)
def test_what_is_no_pass(code: str, verdict: str, why: str | None) -> None:
    result = run_stage(stage("it", code, 1.5))

    assert result["verdict"] == verdict
    assert result.get("why") == why
    assert "output" in result
    if "begun" in code:
        assert "begun" in result["output"]


def test_a_stage_that_fails_does_not_keep_the_others_from_running(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"

    verdict = Evidence(path, "a test", tmp_path).run([stage("dies", "import os; os.abort()"), PASSES], 60.0)

    assert verdict == read(path)["verdict"] == "failed"
    assert [one["verdict"] for one in read(path)["stages"]] == ["crashed", "passed"]


def test_a_stage_may_end_the_run(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"

    Evidence(path, "a test", tmp_path).run([stage("first", "write_result(FAILED, go_on=False)"), PASSES], 60.0)

    assert [one["verdict"] for one in read(path)["stages"]] == ["failed", "not run"]


def test_stages_past_the_budget_are_not_run_and_the_whole_has_not_passed(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"

    verdict = Evidence(path, "a test", tmp_path).run([PASSES], 0.5)

    assert verdict == "not run"
    assert read(path)["stages"] == [{"name": "passes", "verdict": "not run", "why": "the run had used up its 0.5 s"}]


def test_a_stage_gets_no_more_time_than_the_budget_has_left(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"

    Evidence(path, "a test", tmp_path).run([stage("slow", "import time; time.sleep(60)", 50.0)], 1.5)

    assert read(path)["stages"][0]["verdict"] == "timed out"


def test_the_file_is_there_before_the_first_stage_ends(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    looks = stage("looks", f"write_result(PASSED, seen=open({str(path)!r}).read())")

    Evidence(path, "a test", tmp_path).run([looks], 60.0)

    seen = json.loads(read(path)["stages"][0]["seen"])
    assert seen["verdict"] == "not run"
    assert seen["stages"] == [{"name": "looks", "verdict": "not run"}]


def test_children_of_a_stage_end_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    child = f"import time; time.sleep(1); open({str(mark)!r}, 'w')"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); write_result(PASSED)"

    assert run_stage(stage("parent", code))["verdict"] == "passed"
    subprocess.run(["sleep", "1.3"], check=True)
    assert not mark.exists()


def test_an_unknown_verdict_is_refused(tmp_path: Path) -> None:
    found = Evidence(tmp_path / "evidence.json", "a test", tmp_path)

    with pytest.raises(ValueError, match="verdict: expected one of"):
        found.add("odd", {"verdict": "fine"})


def test_a_stage_of_this_process_counts(tmp_path: Path) -> None:
    found = Evidence(tmp_path / "evidence.json", "a test", tmp_path)
    found.add("one", {"verdict": "passed", "facts": {"a": 1}})
    found.add("two", {"verdict": "failed"})

    assert read(found.path)["verdict"] == "failed"
    assert read(found.path)["facts"] == {"a": 1}


def test_without_a_driver_the_result_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(evidence.RESULT, raising=False)

    write_progress("it")
    write_result("passed", worst=np.float32(0.5))

    assert json.loads(capsys.readouterr().out) == {"verdict": "passed", "worst": 0.5}


def test_values_of_numpy_and_numbers_that_json_has_not() -> None:
    given = {"a": np.float64("nan"), "b": (np.int32(3), np.array([1.5])), 4: float("inf"), "t": np.True_}

    assert plain(given) == {"a": "nan", "b": [3, [1.5]], "4": "inf", "t": True}
    with pytest.raises(TypeError, match="expected a value that JSON can hold, got a set"):
        plain({1})


def test_a_file_that_can_not_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    write_json(path, {"old": 1})

    with pytest.raises(TypeError, match="got a object"):
        write_json(path, {"new": object()})

    assert read(path) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_summary_gives_the_reason() -> None:
    line = summary({"name": "seam", "verdict": "failed", "seconds": 1.25, "first_failure": "zero: byte 3"})

    assert line.split() == ["failed", "seam", "1.2", "s", "zero:", "byte", "3"]


def test_the_commit_and_whether_there_are_changes(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(("git", "-C", str(tmp_path), *identity, *arguments), check=True, capture_output=True)

    (tmp_path / "file").write_text("one", encoding="utf-8")
    git("init")
    git("add", "file")
    git("commit", "-m", "One")
    clean = provenance.source_of(tmp_path)
    (tmp_path / "file").write_text("two", encoding="utf-8")

    assert len(clean["commit"]) == 40
    assert clean["changes"] is False
    assert provenance.source_of(tmp_path) == {**clean, "changes": True}


def test_a_tree_without_its_history_may_be_told_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(provenance.COMMIT, "abc")

    assert provenance.source_of(tmp_path) == {"commit": "abc", "changes": None, "sha256": None}
    assert provenance.settings()[provenance.COMMIT] == "abc"


def test_settings_say_nothing_of_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_PATH", "/somewhere")
    monkeypatch.setenv("IMPL_GPU_CACHE", "/somewhere")
    monkeypatch.setenv("IMPL_GPU_SYNC", "1")

    assert {"CUDA_PATH", "IMPL_GPU_CACHE"} & set(provenance.settings()) == set()
    assert provenance.settings()["IMPL_GPU_SYNC"] == "1"


def test_the_sum_is_over_names_and_contents_of_what_matters(tmp_path: Path) -> None:
    (tmp_path / "a" / "__pycache__").mkdir(parents=True)
    (tmp_path / "a" / "x.py").write_text("x", encoding="utf-8")
    before = provenance.digest(tmp_path, ["a"])

    (tmp_path / "a" / "__pycache__" / "x.pyc").write_text("x", encoding="utf-8")
    assert provenance.digest(tmp_path, ["a"]) == before
    (tmp_path / "a" / "y.py").write_text("", encoding="utf-8")
    assert provenance.digest(tmp_path, ["a"]) != before
    with pytest.raises(FileNotFoundError, match="there is no 'b'"):
        provenance.digest(tmp_path, ["b"])
