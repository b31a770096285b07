"""Tests that what Hypothesis draws depends on the seed and the law's name, and on nothing that happens to be
imported."""

import importlib
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from conformance.law import examples

NUMBERS = st.lists(st.integers() | st.floats(allow_nan=False), min_size=4, max_size=4)


def drawn(seed: int = 0, name: str = "law") -> list[Any]:
    """Every example of a small run."""
    seen: list[Any] = []
    examples.drive(seen.append, NUMBERS, examples=150, seed=seed, name=name, shrink=True)
    return seen


def test_seed_and_name_decide() -> None:
    assert drawn() == drawn()
    assert drawn(seed=1) != drawn()
    assert drawn(name="another") != drawn()
    assert 0 <= examples.derived_seed(3, "law") < 2**64


def test_numbers_in_imported_modules_are_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn()
    (tmp_path / "full_of_numbers.py").write_text(f"NUMBERS = {[7919**n for n in range(2, 40)]}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("full_of_numbers")
    assert drawn() == before


def test_other_tests_keep_the_hypothesis_that_they_had() -> None:
    from hypothesis.internal.conjecture import providers

    internals: Any = providers
    held = (internals._get_local_constants, internals.CONSTANTS_CACHE)
    drawn()
    assert (internals._get_local_constants, internals.CONSTANTS_CACHE) == held


def test_the_smallest_failing_example_is_raised() -> None:
    def body(value: int) -> None:
        if value > 10:
            raise ValueError(str(value))

    with pytest.raises(ValueError, match=r"^11$"):
        examples.drive(body, st.integers(), examples=100, seed=0, name="law", shrink=True)


def test_a_strategy_that_gives_nothing_says_so() -> None:
    with pytest.raises(hypothesis.errors.Unsatisfiable):
        examples.drive(lambda value: None, st.nothing(), examples=10, seed=0, name="law", shrink=True)
