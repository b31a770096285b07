"""Sets up one chunk of a cell's steps at random, launches it and compares.

It is given the kernel sources, so that the tests of planted defects ask the very same of a source that is wrong.
"""

from typing import Any, NamedTuple

import numpy as np

from impl_gpu import kernels

from .bench import GATES, STORES, Array, Bench, Held, bits, stored, wide

# A step rounds to STORE at most three times on the way to h, and ACC has a few ulp more: 4 units of STORE are ample
# for half types; float32 and float64, where STORE is ACC, have up to a dozen roundings.
UNITS = {"float16": 4 * 2.0**-11, "bfloat16": 4 * 2.0**-8, "float32": 16 * 2.0**-24, "float64": 16 * 2.0**-53}
NAN_BITS = {np.dtype(np.float16): 0xFE55, np.dtype(np.uint16): 0xFFD5, np.dtype(np.float32): 0xFFC12345}
NAN_BITS[np.dtype(np.float64)] = 0xFFF8123456789ABC


class Setup(NamedTuple):
    """What one chunk of steps is asked to do. T steps of the call, B rows, n columns; the chunk is at ``start``."""

    dtype: str
    T: int
    B: int
    n: int
    start: int
    chunk: int
    active: int
    lengths: Any
    order: Any
    to_caller: bool
    by_clock: bool
    time_major: bool
    padding: int  # columns beside each row of the caller's outputs
    offset: int  # elements by which some memory is off an aligned address

    def alive(self, t: int) -> Array:
        rows = np.arange(self.B)
        return (rows < self.active) & ((self.lengths if self.lengths is not None else np.full(self.B, self.T)) > t)


def draw_setup(rng: np.random.Generator, dtype: str, vectors: bool) -> Setup:
    """A random one; with ``vectors`` such that 16-byte accesses are legal."""
    width = 16 // np.dtype(STORES[dtype]).itemsize
    n = int(rng.choice([1, 2, 5, 17, 33]) * width) if vectors else int(rng.choice([1, 2, 3, 5, 8, 33, 130, 259]))
    T, B = int(rng.integers(2, 7)), int(rng.integers(1, 10))
    by_clock = bool(rng.integers(2))
    chunk = int(rng.integers(2 if by_clock else 1, T + 1))
    start = int(rng.integers(0, T - chunk + 1))
    lengths = None
    if rng.random() < 0.75:
        lengths = -np.sort(-rng.integers(0, T + 1, B))
        lengths[-1] = rng.choice([0, lengths[-1]])
        lengths[0] = rng.choice([T, lengths[0]])
        lengths = -np.sort(-lengths)
    least = B if lengths is None else max(1, int((lengths > start).sum()))
    active = int(rng.integers(1, B + 1)) if lengths is None else int(rng.integers(least, B + 1))
    order = rng.permutation(B) if rng.random() < 0.75 else None
    padding, offset = int(rng.integers(0, 3)), 0 if vectors else int(rng.integers(0, 2))
    flags = (bool(rng.integers(2)), by_clock, bool(rng.integers(2)))
    return Setup(dtype, T, B, n, start, chunk, active, lengths, order, *flags, padding, offset)


class Judge:
    """One chunk of a cell's steps, launched and compared; ``complaints`` lists what is not as it should be."""

    def __init__(self, bench: Bench, rng: np.random.Generator, setup: Setup) -> None:
        self.bench, self.rng, self.s = bench, rng, setup
        self.complaints: list[str] = []
        s = setup
        self.lengths, self.order = bench.table(s.lengths), bench.table(s.order)
        # The caller's outputs, full of one NaN; ``outputs`` is what they should be.
        shape = (s.T, s.B) if s.time_major else (s.B, s.T)
        store = np.dtype(STORES[s.dtype])
        self.filling = np.array(NAN_BITS[store], f"u{store.itemsize}").view(store)
        self.outputs = np.full((*shape, s.n + s.padding), self.filling)
        self.held_outputs = bench.hold(self.outputs, offset=int(rng.integers(0, 2)))
        self.chunk_out = None if s.to_caller else bench.hold(np.full((s.chunk, s.active, s.n), self.filling))
        self.wanted_chunk = None if s.to_caller else np.full((s.chunk, s.active, s.n), np.nan)
        row, step = (s.n + s.padding), (s.n + s.padding)
        output_t, output_row = (row * s.B, step) if s.time_major else (row, step * s.T)
        self.clock = bench.hold(np.full(kernels.CLOCK_BYTES, 0xFF, np.uint8))
        where = {"outputs": self.held_outputs, "output_t": output_t, "output_row": output_row}
        bench.launch("set_clock", clock=self.clock, now=s.start if s.by_clock else 99, **where)
        if s.by_clock:  # as a chunk before this one leaves it: only the first step may read ``next``
            stale = bench.hold(np.array([77], np.int32))
            bench.device.copy(self.clock.ptr, stale.ptr, 4, bench.stream, "test")
        self.wanted_outputs: dict[tuple[int, int], Array | None] = {}  # by t and caller's row; None: +0

    def state(self, columns: int | None = None) -> tuple[Held, Array]:
        """[B, n] held, and what is in it; rows that no step of the chunk changes have NaN and -0.0."""
        s = self.s
        array = stored(self.rng.standard_normal((s.B, columns or s.n)), s.dtype)
        untouched = ~s.alive(s.start)
        array[untouched] = self.filling
        array[untouched, ::2] = stored(-0.0, s.dtype)
        return self.bench.hold(array, s.offset), wide(array, s.dtype)

    def gates(self, parts: int, columns: int | None = None) -> tuple[Held, Array]:
        """[chunk, active, parts n] of the accumulator; NaN where a row is not alive."""
        s = self.s
        array = (2 * self.rng.standard_normal((s.chunk, s.active, parts * (columns or s.n)))).astype(GATES[s.dtype])
        for k in range(s.chunk):
            array[k, ~s.alive(s.start + k)[: s.active]] = np.nan
        return self.bench.hold(array), array.astype(np.float64)

    def weight(self, *shape: int) -> tuple[Held, Array]:
        array = stored(self.rng.standard_normal(shape), self.s.dtype)
        return self.bench.hold(array), wide(array, self.s.dtype)

    def when(self, k: int) -> dict[str, Any]:
        """The arguments that place step k in time."""
        s = self.s
        return {"t0": -1 if s.by_clock else s.start, "step": k, "first": int(k == 0)}

    def where(self, k: int) -> dict[str, Any]:
        """The arguments that say which rows there are and where their results go."""
        s = self.s
        out = None
        if self.chunk_out is not None:
            out = self.chunk_out.ptr + k * s.active * s.n * self.chunk_out.dtype.itemsize
        last = {"last": int(k == s.chunk - 1), "chunk": s.chunk}
        return {"order": self.order, "rows": s.B, "chunk_out": out, **self.when(k), **last}

    def common(self) -> dict[str, Any]:
        s = self.s
        return {"dtype": s.dtype, "clock": self.clock, "lengths": self.lengths, "active": s.active}

    def expect_result(self, k: int, result: Array) -> None:
        """``result`` [B, n] is what the step gives; rows that are not alive give +0 to the caller."""
        s = self.s
        alive = s.alive(s.start + k)
        for row in range(s.B):
            mine = row if s.order is None else int(s.order[row])
            self.wanted_outputs[s.start + k, mine] = result[row] if alive[row] else None
        if self.wanted_chunk is not None:
            self.wanted_chunk[k, alive[: s.active]] = result[: s.active][alive[: s.active]]

    def near(self, what: str, got: Array, want: Array) -> None:
        """Within the units of the variant; NaN nowhere."""
        error = np.abs(wide(got, self.s.dtype) - want) / (1 + np.abs(want))
        wrong = ~(error <= UNITS[self.s.dtype])
        if wrong.any():
            first = tuple(int(index) for index in np.argwhere(wrong)[0])
            self.complaints.append(f"{what}: {wrong.sum()} of {wrong.size} are off, the first at {first}")

    def same(self, what: str, got: Array, want: Array) -> None:
        """Bit by bit."""
        if not np.array_equal(bits(got), bits(want)):
            self.complaints.append(f"{what}: other bits")

    def judge_state(self, what: str, held: Held, before: Array, after: Array) -> None:
        """Changed rows are near ``after``, all others keep their bits."""
        got, changed = held.now(), self.s.alive(self.s.start)
        self.near(what, got[changed], after[changed])
        kept = stored(-0.0, self.s.dtype)
        untouched = got[~changed]
        self.same(f"{what} of finished rows", untouched[:, ::2], np.full_like(untouched[:, ::2], kept))
        self.same(f"{what} of finished rows", untouched[:, 1::2], np.full_like(untouched[:, 1::2], self.filling))
        assert before.shape == got.shape

    def judge_outputs(self) -> None:
        """The caller's outputs, the chunk and the clock."""
        s = self.s
        got = self.held_outputs.now()
        by_time = got if s.time_major else got.swapaxes(0, 1)
        self.same("beside the outputs", by_time[..., s.n :], np.full_like(by_time[..., s.n :], self.filling))
        for t in range(s.T):
            for row in range(s.B):
                there, where = by_time[t, row, : s.n], f"output of row {row} at {t}"
                if not s.to_caller or (t, row) not in self.wanted_outputs:
                    self.same(f"{where}, which nobody asked for", there, np.full_like(there, self.filling))
                elif (want := self.wanted_outputs[t, row]) is None:
                    self.same(f"{where}, finished", there, np.zeros_like(there))
                else:
                    self.near(where, there, want)
        if self.chunk_out is not None and self.wanted_chunk is not None:
            chunk, written = self.chunk_out.now(), ~np.isnan(self.wanted_chunk)
            self.near("chunk_out", chunk[written], self.wanted_chunk[written])
            self.same("chunk_out of finished rows", chunk[~written], np.full_like(chunk[~written], self.filling))
        now, after = (s.start, s.start + s.chunk) if s.by_clock else (99, 99)
        if list(self.clock.now()[:8].view(np.int32)) != [now, after]:
            self.complaints.append("the clock was moved wrongly")
        self.bench.finish()
