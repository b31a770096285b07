"""Tests the command line: what it prints, its exit status, and that an error is one line that says what to do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import cli, report


def ran(*arguments: str) -> int:
    """The exit status of a command, in this process."""
    return cli.main(list(arguments))


def test_run_writes_a_whole_report_and_says_where_last(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report"
    some = ("--profile", "smoke", "--examples", "6")
    assert ran("run", "impl_ref", *some, "--clause", "SIG", "--jobs", "1", "--out", str(out)) == 0
    shown = capfd.readouterr().out.splitlines()
    assert shown[-1] == f"report: {out / 'index.html'}"
    assert any("signature" in line and "6/6" in line for line in shown)
    assert any(line.startswith("impl_ref (cpu): ") and "documented clauses" in line for line in shown)
    whole = report.read(out)
    assert whole["run"]["profile"] == "smoke"
    assert whole["run"]["command"] == (
        f"python -m conformance run impl_ref --clause SIG --profile smoke --examples 6 --out {out}"
    )
    (implementation,) = whole["implementations"]
    assert implementation["own"]
    said = {one["clause"]: one["verdict"] for one in implementation["verdicts"]}
    assert said["SIG-1"] == "pass"
    assert {one["examples"] for one in implementation["verdicts"] if one["clause"] in ("SIG-2", "SIG-3")} == {12}
    assert said["SEQ-5"] == "not run"
    assert {path.name for path in out.iterdir()} >= {"report.json", "index.html", "report.md", "junit.xml", "badge.svg"}


def test_a_broken_clause_is_shown_with_its_case_and_replayed(
    toy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r"
    wrong = "toy_subjects:OffByOne"
    assert ran("run", wrong, "--profile", "smoke", "--clause", "SEQ-5", "--jobs", "1", "--out", str(out)) == 1
    shown = capfd.readouterr().out
    assert "SEQ-5 fails on off_by_one" in shown
    replay = next(line for line in shown.splitlines() if line.strip().startswith("again: "))
    assert replay.strip() == f"again: python -m conformance replay {out}/cases/off_by_one/SEQ-5.json {wrong}"
    stored = str(out / "cases" / "off_by_one" / "SEQ-5.json")
    assert ran("replay", stored, wrong) == 1
    shown = capfd.readouterr().out
    assert shown.splitlines()[0].endswith(" on off_by_one: broken")
    assert "expected" in shown
    assert " | got" in shown
    assert ran("replay", stored, "impl_ref") == 0
    shown = capfd.readouterr().out
    assert shown.splitlines()[0].endswith(" on impl_ref: holds")
    assert "dynamic_rnn(" in shown
    assert "it was stored because on off_by_one: " in shown
    assert ran("validate", str(out)) == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run"], "name an implementation: impl_gpu, impl_ref"),
        (["run", "no_such_thing"], "no implementation 'no_such_thing'"),
        (["run", "json:nothing"], "json:nothing"),
        (["run", "--worker", "/no/such/program"], "cannot be started"),
        (["run", "--worker", f"{sys.executable} -c pass"], "ended before it greeted"),
        (["run", "impl_ref", "--clause", "SEQ-99"], "expected an id such as SEQ-5 or a section such as SEQ"),
        (["run", "impl_ref", "--known", "/no/such.toml"], "/no/such.toml"),
        (["replay", "/no/such.json", "impl_ref"], "/no/such.json"),
        (["vectors", "verify"], "name one implementation"),
        (["validate", "/no/such/report"], "/no/such/report"),
        (["clauses", "NONE-1"], "NONE-1"),
    ],
)
def test_an_error_is_one_line_and_status_2(
    arguments: list[str], complaint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ran(*arguments) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith("conformance: ")
    assert complaint in told.err


@pytest.mark.parametrize("arguments", [[], ["run", "impl_ref", "--jobs", "0"], ["run", "x", "--profile", "fast"]])
def test_what_argparse_refuses_is_status_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        ran(*arguments)
    assert left.value.code == 2
    assert "usage: conformance" in capfd.readouterr().err


@pytest.mark.parametrize("missing", ["hypothesis", "rich", "jinja2"])
def test_a_missing_extra_is_named_in_one_line(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from conformance.cli import main; sys.exit(main(['clauses']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    expected = f"conformance: {missing} is missing; install the extra: pip install 'tancarflow[conformance]'"
    assert done.stderr.splitlines() == [expected]


def test_clauses_are_listed_and_shown_whole(capfd: pytest.CaptureFixture[str]) -> None:
    assert ran("clauses") == 0
    assert "SEQ-23" in capfd.readouterr().out
    assert ran("clauses", "SEQ-5", "TIME-7") == 0
    shown = capfd.readouterr().out
    assert "on the page: Args > sequence_length, sentence 2" in shown
    assert "test: conformance.properties.test_sequence_length" in shown
    assert "not observable: " in shown
    assert "mutant of impl_ref: SEQ-5-" in shown
    assert "mutant of impl_gpu: SEQ-5-not-zeroed: outputs past a row's end are left as the memory was" in shown


def test_the_module_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "clauses", "SIG-1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("SIG-1 ")


def pytest_run(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Runs pytest as a user would type it, in a folder of their own."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_pytest_fails_in_plain_words(toy: Path, tmp_path: Path) -> None:
    done = pytest_run("toy_laws", "--impl", "toy_subjects:Wrong", "-k", "SEQ-5", folder=tmp_path)
    assert done.returncode == 1
    assert "SEQ-5: at outputs[6]: expected 0.0, got -0.0; 1 of 7 elements differ" in done.stdout
    assert "Traceback" not in done.stdout
    assert "hypothesis" not in done.stdout.partition("= FAILURES")[2]
    assert "1 failed, 1 passed, 4 deselected" in done.stdout


def test_pytest_tells_every_verdict_and_writes_the_report(toy: Path, tmp_path: Path) -> None:
    done = pytest_run("toy_laws", "--impl", "toy_subjects:Right", "--out", "r", "-n", "2", folder=tmp_path)
    assert "SEQ-17: vacuous" in done.stdout
    assert "SEQ-18: could not run" in done.stdout
    found = {
        one["clause"]: one["verdict"]
        for one in report.read(tmp_path / "r")["implementations"][0]["verdicts"]
        if one["verdict"] != "not run"
    }
    assert found["SEQ-5"] == found["SEQ-13"] == "pass"
    assert found["SEQ-17"] == "vacuous"
    lines = (tmp_path / "r" / "results.jsonl").read_text().splitlines()
    assert len(lines) == 6
    assert {json.loads(line)["clause"] for line in lines} == {"SEQ-4", "SEQ-5", "SEQ-13", "SEQ-17", "SEQ-18"}


def test_pytest_wants_an_implementation_for_laws_and_leaves_other_tests_alone(toy: Path, tmp_path: Path) -> None:
    done = pytest_run("toy_laws", folder=tmp_path)
    assert done.returncode == 4
    assert "name the implementation under test, such as --impl impl_ref" in done.stderr + done.stdout
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")
    done = pytest_run("test_other.py", folder=tmp_path)
    assert done.returncode == 0
    assert "conformance" not in done.stdout.replace(str(tmp_path), "")


def test_pytest_shows_unsupported_as_skipped(toy: Path, tmp_path: Path) -> None:
    done = pytest_run("toy_laws", "--impl", "toy_subjects:Lacking", "-k", "SEQ-5", "-rs", folder=tmp_path)
    assert "2 skipped" in done.stdout
    assert "SEQ-5: unsupported: rows: the toy has none" in done.stdout


def test_the_plugin_imports_nothing_heavy() -> None:
    heavy = "{'hypothesis', 'numpy', 'rich', 'jinja2'}"
    code = f"import sys; import conformance.plugin; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pytest_gives_way_where_another_plugin_has_an_option_of_the_same_name(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "taken.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--profile', action='store_true')\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    arguments = ["-p", "taken", "toy_laws", "--impl", "toy_subjects:Right", "-k", "SEQ-13"]
    done = pytest_run(*arguments, "--conformance-profile", "smoke", "--profile", folder=tmp_path)
    assert done.returncode == 0
    assert "1 passed" in done.stdout
