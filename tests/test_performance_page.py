"""Tests that the figures of docs/performance.md are those of the committed evidence."""

import json
import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_the_table_is_that_of_the_evidence() -> None:
    evidence = json.loads((DOCS / "evidence" / "impl_ref-bench.json").read_text(encoding="utf-8"))
    page = (DOCS / "performance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) ms \| ([\d.]+) ms \| ([\d.]+) \|$", page, re.MULTILINE)
    medians = evidence["median_seconds"]
    assert rows == [
        (T, f"{medians['impl_ref'][T] * 1e3:.1f}", f"{medians['tensorflow14'][T] * 1e3:.1f}", f"{ratio:.2f}")
        for T, ratio in evidence["ratio"].items()
    ]
    assert f"OPENBLAS_NUM_THREADS={evidence['threads']['OPENBLAS_NUM_THREADS']} python" in page
