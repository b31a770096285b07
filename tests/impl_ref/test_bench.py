"""Tests the benchmark: its arithmetic, its report, and what it says without another interpreter."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from impl_ref import bench


def test_a_line_is_found_again() -> None:
    line = bench.fit({T: 0.5 + 0.25 * T for T in (1, 2, 4)})
    assert line["start"] == pytest.approx(0.5)
    assert line["per_step"] == pytest.approx(0.25)
    assert line["r_squared"] == pytest.approx(1)


def test_the_sides_take_turns_after_a_first_call_that_does_not_count() -> None:
    calls: list[tuple[str, int]] = []

    def side(name: str) -> Callable[[int], float]:
        def seconds(steps: int) -> float:
            calls.append((name, steps))
            return float(len(calls))

        return seconds

    times = bench.measure({"a": side("a"), "b": side("b")}, [5], repeats=2)
    assert calls == [("a", 5), ("b", 5)] * 3
    assert times == {"a": {5: [3, 5]}, "b": {5: [4, 6]}}


def test_the_report_is_written_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bench.json"
    sizes = ["--batch", "2", "--depth", "3", "--units", "4", "--repeats", "1"]
    assert bench.main(["--steps", "1", "2", "3", *sizes, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "LSTMCell, batch 2, depth 3, 4 units, float32, forward" in shown
    assert "ms * T, R^2 = " in shown
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written["median_seconds"]["impl_ref"]) == ["1", "2", "3"]
    assert set(written["versions"]["impl_ref"]) == {"numpy", "python"}
    assert "ratio" not in written


def test_what_runs_in_the_other_interpreter_is_a_program() -> None:
    compile(bench.TENSORFLOW_PROGRAM, "the other interpreter's program", "exec")


def test_an_interpreter_that_is_missing_or_fails_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--tensorflow14", "no-such-python"]) == 2
    assert capsys.readouterr().err == "bench: can't start no-such-python: No such file or directory\n"
    assert bench.main(["--tensorflow14", "false"]) == 2
    assert capsys.readouterr().err == "bench: TensorFlow 1.4.1 ended with status 1\n"
