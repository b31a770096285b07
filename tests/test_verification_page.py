"""Tests that what docs/verification.md says is planted is there: every test that it names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(test_\w+\.py)::(\w+)(?:\[([^\]]+)\])?`")
PAGE = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
PLANTED = NAMED.findall(PAGE)


def test_at_least_twenty_defects_are_listed() -> None:
    assert len(set(PLANTED)) == len(PLANTED) >= 20


@pytest.mark.parametrize(("file", "function", "case"), PLANTED)
def test_a_listed_defect_is_planted_by_a_test(file: str, function: str, case: str) -> None:
    [place] = (ROOT / "tests" / "impl_gpu").rglob(file)
    source = place.read_text(encoding="utf-8")

    assert f"def {function}(" in source
    assert not case or f'"{case}"' in source


def test_it_says_that_no_gpu_has_run_it_as_long_as_there_is_no_evidence() -> None:
    evidence = ROOT / "docs" / "evidence"
    ran = [evidence / f"impl_gpu-{name}.json" for name in ("prove", "conformance", "bench", "training")]
    pages = [PAGE, *((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/impl-gpu.md"))]

    claims = ["not yet run on a gpu" in page.lower() for page in pages]
    assert claims == [not all(map(Path.exists, ran))] * len(pages)
