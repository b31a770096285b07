"""Tests sums, drops and the way of a chunk to the caller, host-executed; bit for bit, rounded where NumPy rounds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .bench import Bench, bits, stored, wide

DTYPES = ["float16", "bfloat16", "float32", "float64"]
SEEDS = range(5)


@pytest.mark.parametrize("vectors", [False, True], ids=["scalar", "vector"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_residual_add_is_the_rounded_sum(force_vectors: Callable[[bool], Any], dtype: str, vectors: bool) -> None:
    """Any count, so that vectors end within 16 bytes; the sum may replace either summand [EQ-11]."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        count, bench = int(rng.choice([1, 7, 16, 129, 1000])), Bench(seed=seed)
        a, b = (stored(rng.standard_normal(count) * 100, dtype) for _ in range(2))
        held = [bench.hold(a), bench.hold(b), bench.hold(np.zeros_like(a))]
        out = held[int(rng.integers(3))]
        with force_vectors(vectors):
            bench.launch("residual_add", dtype=dtype, out=out, a=held[0], b=held[1], count=count)
        want = stored(wide(a, dtype) + wide(b, dtype), dtype)
        assert np.array_equal(bits(out.now()), bits(want))
        bench.finish()


@pytest.mark.parametrize("vectors", [False, True], ids=["scalar", "vector"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_drop_rows_keeps_what_numpy_keeps(force_vectors: Callable[[bool], Any], dtype: str, vectors: bool) -> None:
    """v / keep * floor(keep + U), every operation rounded; draws in the caller's order; finished rows stay [EQ-9]."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        rows, n = int(rng.integers(1, 9)), int(rng.choice([8, 24])) if vectors else int(rng.choice([1, 3, 8, 150]))
        keep, once = float(rng.choice([0.1, 0.5, 0.7, 0.99])), bool(rng.integers(2))
        v = stored(rng.standard_normal((rows, n)), dtype)
        fine = 2 ** {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[dtype]
        edge = np.floor((1 - keep) * fine) + rng.integers(-1, 3, (1 if once else rows, n))
        U = stored(np.clip(np.where(rng.random(edge.shape) < 0.5, edge / fine, rng.random(edge.shape)), 0, 0.99), dtype)
        order = rng.permutation(rows) if rng.random() < 0.7 else None
        lengths = rng.integers(0, 4, rows) if rng.random() < 0.7 else None
        bench = Bench(seed=seed)
        held, out = bench.hold(v), bench.hold(stored(np.full((rows, n), 3.0), dtype))
        if in_place := bool(rng.integers(2)):
            out = held
        before = out.now()
        with force_vectors(vectors):
            bench.launch(
                "drop_rows",
                dtype=dtype,
                out=out,
                v=held,
                uniform=bench.hold(U),
                order=bench.table(order),
                lengths=bench.table(lengths),
                keep=keep,
                t=1,
                rows=rows,
                n=n,
                uniform_row=0 if once else n,
            )
        named = np.arange(rows) if order is None else order
        draws = np.broadcast_to(U, (rows, n))[named]
        rounded = wide(stored(keep, dtype), dtype)
        scaled = wide(stored(wide(v, dtype) / rounded, dtype), dtype)
        stays = np.floor(wide(stored(rounded + wide(draws, dtype), dtype), dtype))
        want = stored(scaled * stays, dtype)
        if lengths is not None:
            want[lengths <= 1] = before[lengths <= 1]
        assert np.array_equal(bits(out.now()), bits(want)), (seed, in_place)
        bench.finish()


def test_keep_is_rounded_once() -> None:
    """By way of float32 this one would be rounded to another float16, as a tie that it is not."""
    keep = 0.5 + 2.0**-12 + 2.0**-40
    bench = Bench()
    assert np.float16(np.float32(keep)) != np.float16(keep)
    v, out = np.ones((1, 1), np.float16), bench.hold(np.zeros((1, 1), np.float16))
    never = {"order": None, "lengths": None, "t": 0, "rows": 1, "n": 1, "uniform_row": 0}
    bench.launch(
        "drop_rows", dtype="float16", out=out, v=bench.hold(v), uniform=bench.hold(v * 0.5), keep=keep, **never
    )
    assert out.now()[0, 0] == np.float16(1) / np.float16(keep)


@pytest.mark.parametrize("vectors", [False, True], ids=["scalar", "vector"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_write_chunk_places_rows_and_zeros(force_vectors: Callable[[bool], Any], dtype: str, vectors: bool) -> None:
    """Alive rows bit by bit to their places, +0 for finished ones, whose memory holds NaN; nothing else is written."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        B, n = int(rng.integers(1, 9)), int(rng.choice([8, 24])) if vectors else int(rng.choice([1, 3, 130]))
        T, active = int(rng.integers(1, 7)), int(rng.integers(1, B + 1))
        t0 = int(rng.integers(0, T))
        length = int(rng.integers(1, T - t0 + 1))
        lengths = rng.integers(0, T + 1, B) if rng.random() < 0.7 else None
        order = rng.permutation(B) if rng.random() < 0.7 else None
        values = stored(rng.standard_normal((length, active, n)), dtype)
        values[rng.random(values.shape) < 0.1] = stored(-0.0, dtype)
        padding, offset = int(rng.integers(0, 3)), int(rng.integers(0, 2))
        before = stored(rng.standard_normal((B, T, n + padding)), dtype)
        bench = Bench(seed=seed)
        outputs, clock = bench.hold(before, offset=offset), bench.hold(np.zeros(32, np.uint8))
        strides = {"output_t": n + padding, "output_row": T * (n + padding)}
        bench.launch("set_clock", clock=clock, now=55, outputs=outputs, **strides)
        with force_vectors(vectors):
            bench.launch(
                "write_chunk",
                dtype=dtype,
                clock=clock,
                lengths=bench.table(lengths),
                order=bench.table(order),
                chunk=bench.hold(values),
                n=n,
                active=active,
                rows=B,
                t0=t0,
                len=length,
            )
        want = before.copy()
        for k in range(length):
            for row in range(B):
                alive = row < active and (lengths is None or t0 + k < lengths[row])
                place = row if order is None else order[row]
                want[place, t0 + k, :n] = values[k, row] if alive else 0
        assert np.array_equal(bits(outputs.now()), bits(want))
        bench.finish()
