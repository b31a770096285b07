"""Tests writing and reading a report: whole or refused, atomic, and only its own files are ever removed."""

import copy
import json
from pathlib import Path

import pytest

from conformance.report import Report, ReportError, read, write

DERIVED = {"index.html", "report.md", "junit.xml", "badge.svg", "report.json"}


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_is_read_back(report: Report, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "report"
    assert write(report, out) == out / "report.json"
    assert read(out) == read(out / "report.json") == report
    cases = {f"cases/tf-1.4.1/{clause}.json" for clause in ("IN-7", "IN-10", "SEQ-7", "CELL-6")}
    assert files_in(out) == DERIVED | cases | {"cases/impl_ref/SEQ-5.json"}


def test_complete_is_the_last_thing_in_the_file(report: Report, tmp_path: Path) -> None:
    report = {"complete": True, **report}  # the order of the keys is what is tested
    text = write(report, tmp_path).read_text(encoding="ascii")
    assert text.rstrip().endswith('"complete": true\n}')


def test_an_unset_complete_is_added_and_a_false_one_refused(report: Report, tmp_path: Path) -> None:
    del report["complete"]
    write(report, tmp_path)
    assert read(tmp_path)["complete"] is True
    report["complete"] = False
    with pytest.raises(ReportError, match=r"^complete: a report whose run did not end is not written$"):
        write(report, tmp_path)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.7, 0.999])
def test_a_file_cut_off_is_refused_as_truncated(report: Report, tmp_path: Path, kept: float) -> None:
    file = write(report, tmp_path)
    content = file.read_bytes().rstrip()
    file.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ReportError, match="truncated"):
        read(tmp_path)


def test_whole_json_without_complete_is_refused_as_truncated(report: Report, tmp_path: Path) -> None:
    del report["complete"]
    (tmp_path / "report.json").write_text(json.dumps(report))
    with pytest.raises(ReportError, match=r"report\.json: complete: missing; the report is truncated"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "junit"}, "format: expected 'dynamic_rnn.report', got 'junit'"),
        ({"version": 2}, "version: this reader knows 1, got 2"),
        ({"extra": 1}, r"report: missing \[\], unknown \['extra'\]"),
    ],
)
def test_another_form_is_refused(report: Report, tmp_path: Path, change: dict[str, object], message: str) -> None:
    (tmp_path / "report.json").write_text(json.dumps({**report, **change}))
    with pytest.raises(ReportError, match=message):
        read(tmp_path)


def test_a_bare_nan_is_no_json(report: Report, tmp_path: Path) -> None:
    report["run"]["seconds"] = float("nan")
    (tmp_path / "report.json").write_text(json.dumps(report))
    with pytest.raises(ReportError, match="bare NaN is not JSON"):
        read(tmp_path)


def test_what_the_last_report_left_is_removed_and_nothing_else(report: Report, tmp_path: Path) -> None:
    write(report, tmp_path)
    (tmp_path / "cases" / "tf-1.4.1" / "mine.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("keep")
    report["implementations"] = report["implementations"][:1]
    write(report, tmp_path)
    mine = {"cases/tf-1.4.1/mine.json", "notes.txt"}
    assert files_in(tmp_path) == DERIVED | {"cases/impl_ref/SEQ-5.json"} | mine


def test_folders_left_empty_go_too(report: Report, tmp_path: Path) -> None:
    write(report, tmp_path)
    report["implementations"] = []
    write(report, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(DERIVED)


def test_files_that_no_report_wrote_are_never_overwritten(report: Report, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("my own page")
    with pytest.raises(ReportError, match=r"holds index\.html, which no report wrote; choose another folder$"):
        write(report, tmp_path)
    assert files_in(tmp_path) == {"index.html"}


def test_a_truncated_report_in_the_way_is_replaced(report: Report, tmp_path: Path) -> None:
    write(report, tmp_path)
    unfinished = {key: value for key, value in report.items() if key != "complete"}
    (tmp_path / "report.json").write_text(json.dumps(unfinished))
    write(report, tmp_path)
    assert read(tmp_path) == report


def test_a_report_at_odds_with_itself_leaves_the_old_one_standing(report: Report, tmp_path: Path) -> None:
    write(report, tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)}
    wrong = copy.deepcopy(report)
    wrong["implementations"][0]["summary"]["documented"]["pass"] += 1
    with pytest.raises(ReportError, match="impl_ref: summary: expected"):
        write(wrong, tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)} == before


def test_a_counterexample_stands_on_its_own(report: Report, tmp_path: Path) -> None:
    write(report, tmp_path)
    stored = json.loads((tmp_path / "cases/impl_ref/SEQ-5.json").read_text())
    found = next(v for v in report["implementations"][0]["verdicts"] if v["clause"] == "SEQ-5")["counterexample"]
    assert found is not None
    assert stored == {
        "format": "dynamic_rnn.counterexample",
        "version": 1,
        "clause": "SEQ-5",
        "implementation": "impl_ref",
        "test": "properties/test_seq.py::test_seq_5",
        **{key: found[key] for key in ("message", "where", "case", "expected", "got")},
    }
