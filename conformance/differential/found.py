"""Gathers the results of a comparison stratum by stratum, and makes counts, counterexample files and a table of
them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from conformance.differential.strata import Stratum
from conformance.law.engine import LawResult
from conformance.machine.exit_status import BROKEN, FAILED, HOLDS
from conformance.report.model import COUNTEREXAMPLE_FORMAT, VERSION
from conformance.strategies.arrays import FLOATS


@dataclass
class Found:
    """The results of a run by stratum, in no particular order, and the reasons why some cases were not tried."""

    results: dict[Stratum, LawResult] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The exit status."""
        if self.troubles or any(one.verdict in ("could not run", "vacuous") for one in self.results.values()):
            return FAILED
        return BROKEN if any(not agrees(one) for one in self.results.values()) else HOLDS

    @property
    def coverage(self) -> dict[str, int]:
        """How many cases were of each sort."""
        counts: Counter[str] = Counter()
        for result in self.results.values():
            counts.update(result.coverage)
        return dict(sorted(counts.items()))


def agrees(result: LawResult) -> bool:
    """Whether every case agreed; one that was declared unsupported did not."""
    return result.verdict == "pass" and not result.left_out


def summary(found: Found, files: Mapping[Stratum, Path]) -> dict[str, Any]:
    """Counts, coverage and failures, as JSON data."""
    by_kind: dict[str, dict[str, int]] = {}
    for stratum, result in sorted(found.results.items()):
        by_kind.setdefault(stratum.kind, {})[stratum.dtype or "any"] = result.examples
    return {
        "cases": sum(result.examples for result in found.results.values()),
        "by_kind": by_kind,
        "coverage": found.coverage,
        "failures": [
            {
                "kind": stratum.kind,
                "dtype": stratum.dtype,
                "verdict": result.verdict,
                "message": result.reason,
                "left_out": result.left_out,
                "counterexample": files[stratum].as_posix() if stratum in files else None,
            }
            for stratum, result in sorted(found.results.items())
            if not agrees(result)
        ],
        "troubles": found.troubles,
        "agrees": found.status == HOLDS,
        "complete": True,
    }


def write_counterexamples(found: Found, implementation: str, folder: Path) -> dict[Stratum, Path]:
    """A file for each smallest case that differs, which `replay` runs again."""
    files: dict[Stratum, Path] = {}
    for stratum, result in found.results.items():
        example = result.counterexample
        if example is None:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{stratum.kind} {stratum.dtype}").strip("-")
        files[stratum] = folder / f"{name}.json"
        content = {
            "format": COUNTEREXAMPLE_FORMAT,
            "version": VERSION,
            "clause": result.clause,
            "implementation": implementation,
            "test": result.test,
            **{name: getattr(example, name) for name in ("message", "where", "case", "expected", "got")},
        }
        files[stratum].write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="ascii")
    return files


def table(results: Sequence[tuple[Stratum, LawResult]]) -> Table:
    """One row a kind: how many cases of each float dtype were compared, and of all others together."""
    shown = Table()
    columns = (*FLOATS, "other dtypes")
    for column in ("kind", *columns):
        shown.add_column(column, justify="left" if column == "kind" else "right")
    for kind in dict.fromkeys(stratum.kind for stratum, _ in sorted(results)):
        row = [Text() for _ in columns]
        for column, cell in zip(columns, row, strict=True):
            of_cell = [
                result
                for stratum, result in results
                if stratum.kind == kind and column == (stratum.dtype if stratum.dtype in FLOATS else columns[-1])
            ]
            wrong = [result.verdict for result in of_cell if not agrees(result)]
            cell.append(" ".join([str(sum(result.examples for result in of_cell)), *wrong]) if of_cell else "")
            cell.stylize("bold red" if wrong else "")
        shown.add_row(kind, *row)
    return shown
