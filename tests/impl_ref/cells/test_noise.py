"""Tests that noise follows its seed."""

from typing import Any

import numpy as np
import pytest

from impl_ref.cells.noise import UniformNoise


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_draws_lie_in_their_range_and_dtype(dtype: Any) -> None:
    draws = UniformNoise(1)("output", 0, (100, 100), dtype)
    assert draws.dtype == dtype
    assert draws.shape == (100, 100)
    assert draws.min() >= 0
    assert draws.max() < 1
    assert abs(float(draws.astype(float).mean()) - 0.5) < 0.02


def test_a_seed_fixes_every_stream_and_streams_differ() -> None:
    def draws(seed: int | None) -> list[Any]:
        noise = UniformNoise(seed)
        asked = [("input", 0), ("state", 0), ("state", 1), ("state", 0)]
        return [noise(purpose, leaf, (2,), np.float64).tolist() for purpose, leaf in asked]

    assert draws(7) == draws(7)
    assert draws(7) != draws(8)
    assert draws(None) != draws(None)
    assert len({tuple(pair) for pair in draws(7)}) == 4


def test_what_is_no_seed_is_refused(refused: Any) -> None:
    with refused(TypeError, "seed", "an integer or None", "1.5", "EQ-9"):
        UniformNoise(1.5)
    with refused(ValueError, "seed", "at least 0", "-1", "EQ-9"):
        UniformNoise(-1)
