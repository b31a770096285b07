"""Writes a report to disk and reads it back.

All files are made in a fresh folder beside their place and moved in one by one, `report.json` last, so that every file
that it names is there by the time anyone can read it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from conformance.report import badge, html, junit, markdown
from conformance.report.check import case_files, check
from conformance.report.model import (
    COUNTEREXAMPLE_FORMAT,
    FORMAT,
    VERSION,
    Counterexample,
    Report,
    ReportError,
    Verdict,
)

TRUTH = "report.json"
DERIVED = {
    "index.html": html.render,
    "report.md": markdown.render,
    "junit.xml": junit.render,
    "badge.svg": badge.render,
}


def write(report: Report, out: Path) -> Path:
    """Writes `report.json` and all that follows from it into `out`; returns the place of `report.json`.

    Files of the report that stood there before and are no part of the new one are removed, nothing else is.
    `complete` need not be set; it is added as the last key.

    Raises:
        ReportError: the report contradicts itself, or `out` holds files of the same names that no report wrote.
    """
    truth = dict(report)
    if truth.pop("complete", True) is not True:
        raise ReportError("complete: a report whose run did not end is not written")
    truth["complete"] = True
    whole = check(truth)
    files = {file: _json(content) for file, content in counterexamples(whole).items()}
    files.update({name: render(whole).encode() for name, render in DERIVED.items()})
    files[TRUTH] = _json(truth)
    earlier = _files_of_earlier(out, files)
    _move_in(files, out)
    _remove(earlier - set(files), out)
    return out / TRUTH


def read(path: Path) -> Report:
    """The report at `path`, a `report.json` or the folder that holds one.

    Raises:
        ReportError: not JSON, of another format or version, truncated, or contradicting itself.
    """
    file = path / TRUTH if path.is_dir() else path
    try:
        value = json.loads(file.read_bytes(), parse_constant=_no_bare_constant)
    except ValueError as error:
        raise ReportError(f"{file}: not a whole JSON text, it may be truncated ({error})") from error
    try:
        return check(value)
    except ReportError as error:
        raise ReportError(f"{file}: {error}") from error


def counterexamples(report: Report) -> dict[str, dict[str, Any]]:
    """Each counterexample of a report as a file of its own, which can be replayed without the report."""
    return {
        example["file"]: _counterexample(implementation["name"], verdict, example)
        for implementation in report["implementations"]
        for verdict in implementation["verdicts"]
        if (example := verdict["counterexample"]) is not None
    }


def _counterexample(implementation: str, verdict: Verdict, example: Counterexample) -> dict[str, Any]:
    return {
        "format": COUNTEREXAMPLE_FORMAT,
        "version": VERSION,
        "clause": verdict["clause"],
        "implementation": implementation,
        "test": verdict["tests"][0] if verdict["tests"] else None,
        **{field: example[field] for field in ("message", "where", "case", "expected", "got")},
    }


def _json(value: Any) -> bytes:
    """ASCII JSON, so that even a lone surrogate survives, and never a bare NaN."""
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode("ascii")


def _no_bare_constant(constant: str) -> None:
    raise ReportError(f"bare {constant} is not JSON")


def _files_of_earlier(out: Path, files: Mapping[str, bytes]) -> set[str]:
    """The files that the report now standing in `out` made; only a truth of our format vouches for them."""
    if (out / TRUTH).is_file():
        try:
            return {*case_files(read(out)), *DERIVED, TRUTH}
        except ReportError:
            value = _as_json(out / TRUTH)
            if isinstance(value, dict) and value.get("format") == FORMAT:
                return {*DERIVED, TRUTH}
    in_the_way = sorted(name for name in files if (out / name).exists())
    if in_the_way:
        raise ReportError(f"{out}: holds {', '.join(in_the_way)}, which no report wrote; choose another folder")
    return set()


def _as_json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError:
        return None


def _move_in(files: Mapping[str, bytes], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".report-", dir=out))
    try:
        for name, content in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
        for name in files:  # report.json comes last in `files`
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).replace(out / name)
    finally:
        shutil.rmtree(fresh)


def _remove(stale: set[str], out: Path) -> None:
    for name in sorted(stale):
        (out / name).unlink(missing_ok=True)
    for folder in sorted({str(PurePosixPath(name).parent) for name in stale} | {"cases"}, reverse=True):
        if folder != "." and (out / folder).is_dir() and not any((out / folder).iterdir()):
            (out / folder).rmdir()
