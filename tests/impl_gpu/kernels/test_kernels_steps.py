"""Tests the steps of every cell, host-executed, against the page's equations in float64, at random shapes."""

from collections.abc import Callable
from typing import Any

import pytest

from .equations import complaints

SEEDS = range(8)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("cell", ["basic_rnn", "lstm", "lstm_projected", "gru"])
@pytest.mark.parametrize("vectors", [False, True], ids=["scalar", "vector"])
def test_steps_compute_mask_and_place(
    force_vectors: Callable[[bool], Any], cell: str, dtype: str, vectors: bool
) -> None:
    """h, c, the outputs and the clock; finished rows keep their bits and give +0 [SEQ-4 to SEQ-12]."""
    with force_vectors(vectors):
        found = [(seed, complaint) for seed in SEEDS for complaint in complaints(cell, dtype, seed, vectors)]
    assert found == []
