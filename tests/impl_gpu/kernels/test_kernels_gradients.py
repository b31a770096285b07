"""Tests gradients in and out, sums and drops backwards, host-executed; bit for bit, since each rounding is known."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from impl_gpu import kernels
from impl_gpu.kernels import declared

from .bench import GATES, Array, Bench, bits, stored, wide
from .test_kernels_launches import Recorder, launch

DTYPES = ["float16", "bfloat16", "float32", "float64"]
SEEDS = range(4)
every_way = pytest.mark.parametrize("vectors", [False, True], ids=["scalar", "vector"])
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


class Drawn:
    """Sizes, masks and orders of one launch; T steps, B rows of the caller, n columns, rows of n + gap numbers."""

    def __init__(self, seed: int, dtype: str, vectors: bool) -> None:
        self.rng = rng = np.random.default_rng([seed, vectors])
        self.bench, self.dtype = Bench(seed=seed), dtype
        self.n, self.gap = (int(rng.choice([8, 24])), 8) if vectors else (int(rng.choice([1, 3, 33])), 1)
        self.T, self.B = int(rng.integers(1, 6)), int(rng.integers(1, 9))
        self.active = int(rng.integers(1, self.B + 1))
        self.first = int(rng.integers(0, self.T))
        self.length = int(rng.integers(1, self.T - self.first + 1))
        self.lengths = -np.sort(-rng.integers(-1, self.T + 1, self.B)) if seed % 4 else None
        self.order = rng.permutation(self.B) if rng.random() < 0.7 else None
        self.named = np.arange(self.B) if self.order is None else self.order
        self.counts = np.full(self.B, self.T) if self.lengths is None else self.lengths

    def alive(self, step: int) -> Array:
        """[B] in the order by length."""
        return np.asarray((np.arange(self.B) < self.active) & (self.first + step < self.counts))

    def store(self, *shape: int) -> Array:
        """Numbers, NaN, infinities and -0.0 as STORE."""
        values = self.rng.standard_normal(shape)
        values[self.rng.random(shape) < 0.2] = self.rng.choice([np.nan, np.inf, -0.0])
        return stored(values, self.dtype)

    def acc(self, *shape: int) -> Array:
        values = self.rng.standard_normal(shape)
        values[self.rng.random(shape) < 0.2] = self.rng.choice([np.inf, -0.0])
        return values.astype(GATES[self.dtype])

    def tables(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "order": self.bench.table(self.order), "n": self.n}

    def chunk(self) -> dict[str, Any]:
        sizes = {"active": self.active, "first": self.first, "length": self.length}
        return {**self.tables(), **sizes, "lengths": self.bench.table(self.lengths)}


@every_way
@every_dtype
def test_load_cotangent_reads_what_counts(force_vectors: Callable[[bool], Any], dtype: str, vectors: bool) -> None:
    """In the order by length; +0 for all else, whatever lies there, and for no cotangent at all [GRAD-6, GRAD-8]."""
    for seed in SEEDS:
        d = Drawn(seed, dtype, vectors)
        src = d.store(d.T, d.B, d.n + d.gap)
        dst = d.bench.hold(np.full((d.length, d.active, d.n), 7, GATES[dtype]))
        for given in (d.bench.hold(src), None):
            with force_vectors(vectors):
                strides = {"src_t": d.B * (d.n + d.gap), "src_row": d.n + d.gap}
                (entry,) = d.bench.launch("load_cotangent", dst=dst, src=given, **strides, **d.chunk())
            want = np.zeros_like(dst.now())
            for step in range(d.length if given else 0):
                rows = np.flatnonzero(d.alive(step))
                want[step, rows] = wide(src[d.first + step, d.named[rows], : d.n], dtype)
            assert np.array_equal(bits(dst.now()), bits(want))
            assert entry.detail.endswith("_vec") == vectors
        d.bench.finish()


@every_way
@every_dtype
def test_store_gradient_writes_every_row(force_vectors: Callable[[bool], Any], dtype: str, vectors: bool) -> None:
    """To the caller's places, rounded; +0 past a row's length; steps of other chunks are left alone [GRAD-7]."""
    for seed in SEEDS:
        d = Drawn(seed, dtype, vectors)
        src, before = d.acc(d.length, d.active, d.n), d.store(d.B, d.T, d.n + d.gap)
        want = before.copy()
        for step in range(d.length):
            rows = np.flatnonzero(d.alive(step))
            want[:, d.first + step, : d.n] = 0
            want[d.named[rows], d.first + step, : d.n] = stored(src[step, rows], dtype)
            src[step, ~d.alive(step)[: d.active]] = np.nan
        dst = d.bench.hold(before)
        strides = {"dst_t": d.n + d.gap, "dst_row": d.T * (d.n + d.gap)}
        with force_vectors(vectors):
            d.bench.launch("store_gradient", dst=dst, src=d.bench.hold(src), rows=d.B, **strides, **d.chunk())
        assert np.array_equal(bits(dst.now()), bits(want))
        d.bench.finish()


@every_way
@every_dtype
def test_state_gradients_come_and_go(force_vectors: Callable[[bool], Any], dtype: str, vectors: bool) -> None:
    """Rows without a step hand on the bits of d_state, +0 where there is none; others what was carried [GRAD-10]."""
    for seed in SEEDS:
        d = Drawn(seed, dtype, vectors)
        original, carried = d.store(d.B, d.n + d.gap), d.acc(d.B, d.n)
        loaded = d.bench.hold(np.full((d.B, d.n), 7, GATES[dtype]))
        steps = d.T if seed else 0
        went = d.counts > 0 if d.lengths is not None else np.full(d.B, steps > 0)
        for given in (d.bench.hold(original), None):
            dst = d.bench.hold(original)
            row = d.n + d.gap
            with force_vectors(vectors):
                d.bench.launch("load_state_cotangent", dst=loaded, src=given, rows=d.B, src_row=row, **d.tables())
                sizes = {"rows": d.B, "steps": steps, "dst_row": row, "original_row": row}
                given_rows = {"original": given, "lengths": d.bench.table(d.lengths), **sizes, **d.tables()}
                d.bench.launch("store_state_gradient", dst=dst, carried=d.bench.hold(carried), **given_rows)
            there = original[:, : d.n] if given else np.zeros_like(original[:, : d.n])
            assert np.array_equal(bits(loaded.now()), bits(wide(there[d.named], dtype).astype(GATES[dtype])))
            want = original.copy()
            want[:, : d.n] = there
            want[d.named[went], : d.n] = stored(carried[went], dtype)
            assert np.array_equal(bits(dst.now()), bits(want))
        d.bench.finish()


@every_way
@every_dtype
def test_drop_gradient_passes_what_was_kept(force_vectors: Callable[[bool], Any], dtype: str, vectors: bool) -> None:
    """The draws of ``drop_rows``, in the caller's order: d / keep where it kept, 0 where it dropped [GRAD-17]."""
    for seed in SEEDS:
        d = Drawn(seed, dtype, vectors)
        once, keep = bool(d.rng.integers(2)), float(d.rng.choice([0.1, 0.5, 0.7, 0.99]))
        held = d.bench.hold(gradient := d.rng.standard_normal((d.B, d.n)).astype(GATES[dtype]))
        fine = 2 ** {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[dtype]
        edge = (np.floor((1 - keep) * fine) + d.rng.integers(-1, 3, (d.B, d.n))) / fine
        U = stored(np.where(d.rng.random(edge.shape) < 0.5, edge, d.rng.random(edge.shape)).clip(0, 0.99), dtype)
        uniform = d.bench.hold(U[:1] if once else U)
        draws = {"uniform": uniform, "uniform_row": 0 if once else d.n, "keep": keep, "rows": d.B}
        forward = d.bench.hold(stored(np.ones((d.B, d.n)), dtype))
        with force_vectors(vectors):
            d.bench.launch("drop_rows", out=forward, v=forward, lengths=None, t=0, **draws, **d.tables())
            d.bench.launch("drop_gradient", d=held, **draws, **d.tables())
        kept = wide(forward.now(), dtype) != 0
        want = gradient / wide(stored(keep, dtype), dtype).astype(GATES[dtype]) * kept.astype(GATES[dtype])
        assert np.array_equal(bits(held.now()), bits(want))
        d.bench.finish()


@every_way
@every_dtype
def test_column_sums_add_strips_in_order(force_vectors: Callable[[bool], Any], dtype: str, vectors: bool) -> None:
    """Within rows that are apart; products with another array; the order of the sums is written out here."""
    for seed in SEEDS:
        d = Drawn(seed, dtype, vectors)
        rows = int(d.rng.choice([1, 2, 63, 64, 65, 300]))
        values, other = (stored(d.rng.standard_normal((rows, d.n + gap)), dtype) for gap in (d.gap, 3 * d.gap))
        before = d.rng.standard_normal(d.n).astype(GATES[dtype])
        summands = wide(values[:, : d.n], dtype).astype(GATES[dtype])
        if with_other := bool(seed % 2):
            summands = summands * wide(other[:, : d.n], dtype).astype(GATES[dtype])
        strips = np.zeros((min(rows, 64), d.n), GATES[dtype])
        for row, summand in enumerate(summands):
            strips[row % 64] += summand
        total = np.add.accumulate(strips)[-1]
        for _ in range(2):
            sums = d.bench.hold(before)
            scratch = d.bench.hold(np.full(kernels.partial_sums_bytes(dtype, rows, d.n), 0xFF, np.uint8))
            with force_vectors(vectors):
                log = d.bench.launch(
                    "column_sums",
                    dtype=dtype,
                    sums=sums,
                    values=d.bench.hold(values),
                    other=d.bench.hold(other) if with_other else None,
                    partial=scratch,
                    rows=rows,
                    n=d.n,
                    values_row=d.n + d.gap,
                    other_row=d.n + 3 * d.gap,
                )
            assert np.array_equal(bits(sums.now()), bits(before + total))
            assert [entry.detail for entry in log] == [
                "column_sums_vec" if vectors else "column_sums",
                "add_partial_sums",
            ]
        d.bench.finish()


@every_way
@every_dtype
def test_narrow_values_rounds(force_vectors: Callable[[bool], Any], dtype: str, vectors: bool) -> None:
    for seed in SEEDS:
        rng, bench = np.random.default_rng(seed), Bench(seed=seed)
        values = rng.standard_normal(int(rng.choice([1, 7, 129, 1000]))).astype(GATES[dtype])
        dst = bench.hold(stored(np.full(values.shape, 7.0), dtype))
        with force_vectors(vectors):
            bench.launch("narrow_values", dtype=dtype, dst=dst, src=bench.hold(values), count=len(values))
        assert np.array_equal(bits(dst.now()), bits(stored(values, dtype)))
        bench.finish()


def test_launches_of_gradients_log_the_bytes_of_their_headers() -> None:
    moved = partial(declared.moved, "gradients")
    tables: dict[str, Any] = {"dtype": "float16", "order": 4096, "n": 5}
    chunk = {"lengths": 4096, "active": 3, "first": 0, "length": 4, **tables}
    sizes = {"len": 4, "active": 3, "n": 5, "lengths": 1, "order": 1}
    for src in (4096, None):
        call = launch("load_cotangent", dst=4096, src=src, src_t=5, src_row=5, **chunk)
        wanted = moved("load_cotangent", "float16", **sizes, src=int(src is not None))
        assert call["nbytes"] == wanted == 4 * 3 * 5 * (4 + (2 if src else 0)) + 24
        call = launch("load_state_cotangent", dst=4096, src=src, rows=7, src_row=5, **tables)
        assert call["nbytes"] == moved(
            "load_state_cotangent", "float16", rows=7, n=5, order=1, src=int(src is not None)
        )
    call = launch("store_gradient", dst=4096, src=4096, rows=7, dst_t=5, dst_row=5, **chunk)
    assert call["nbytes"] == moved("store_gradient", "float16", rows=7, **sizes) == 4 * 5 * (3 * 4 + 7 * 2) + 12 + 28
    state = {"carried": 4096, "original": None, "lengths": None, "rows": 7, "steps": 1, "dst_row": 5, "original_row": 0}
    call = launch("store_state_gradient", dst=4096, **state, **tables)
    assert call["nbytes"] == moved("store_state_gradient", "float16", rows=7, n=5, lengths=0, order=1)
    for uniform_row, draws in ((5, 7), (0, 1)):
        call = launch("drop_gradient", d=4096, uniform=4096, keep=0.5, rows=7, uniform_row=uniform_row, **tables)
        assert call["nbytes"] == moved("drop_gradient", "float16", rows=7, n=5, order=1, draws=draws)
    call = launch("narrow_values", dtype="float16", dst=4096, src=4096, count=77)
    assert call["nbytes"] == moved("narrow_values", "float16", count=77) == 77 * 6


@pytest.mark.parametrize("other", [None, 4096])
def test_sums_of_4096_rows_and_columns_take_64_strips(other: int | None) -> None:
    """65536 threads of 16 bytes at a time, then a thread for each column."""
    recorder: Any = Recorder()
    sizes: dict[str, Any] = {"rows": 4096, "n": 4096, "values_row": 4096, "other_row": 4096}
    where: dict[str, Any] = {"dtype": "float32", "sums": 4096, "values": 4096, "other": other, "partial": 4096}
    kernels.launch_column_sums(recorder, None, **where, **sizes)
    strips, adding = recorder.calls
    assert (strips["kernel"].entry, strips["grid"], strips["block"]) == ("column_sums_vec", (64, 8, 1), (128, 1, 1))
    assert (adding["kernel"].entry, adding["grid"], adding["block"]) == ("add_partial_sums", (32, 1, 1), (128, 1, 1))
    given = {"rows": 4096, "n": 4096, "strips": 64, "other": int(other is not None)}
    assert strips["nbytes"] == declared.moved("gradients", "column_sums", "float32", **given)
    assert adding["nbytes"] == declared.moved("gradients", "add_partial_sums", "float32", rows=64, n=4096)
    assert kernels.partial_sums_bytes("float32", 4096, 4096) == 64 * 4096 * 4


def test_no_gradient_is_launched_for_nothing() -> None:
    recorder: Any = Recorder()
    where: dict[str, Any] = {"dtype": "float32", "dst": 4096, "src": 4096}
    kernels.launch_narrow_values(recorder, None, **where, count=0)
    kernels.launch_load_state_cotangent(recorder, None, **where, order=None, rows=0, n=4, src_row=4)
    sums: dict[str, Any] = {"dtype": "float32", "sums": 4096, "values": 4096, "other": None, "partial": 4096}
    kernels.launch_column_sums(recorder, None, **sums, rows=0, n=4, values_row=4)
    kernels.launch_column_sums(recorder, None, **sums, rows=4, n=0, values_row=4)
    assert recorder.calls == []
