"""Sets up one launch of a step backwards at random and compares what it gives.

It is given the kernel sources, so that the tests of planted defects ask the very same of a source that is wrong.
"""

from typing import Any, NamedTuple

import numpy as np

from .bench import GATES, STORES, Array, Bench, Held, bits, stored, wide
from .judge import NAN_BITS

# One rounding to STORE at the end, of half types; float32 and float64, where STORE is ACC, have up to two dozen.
UNITS = {"float16": 2 * 2.0**-11, "bfloat16": 2 * 2.0**-8, "float32": 32 * 2.0**-24, "float64": 32 * 2.0**-53}


class Setup(NamedTuple):
    """What one launch is asked to do: step t of T, B rows, the first ``active`` with gates, n columns."""

    dtype: str
    T: int
    t: int
    B: int
    n: int
    active: int
    lengths: Any
    offset: int  # elements by which some memory is off an aligned address

    @property
    def counts(self) -> Array:
        """[active] steps of each row."""
        return np.asarray(np.full(self.B, self.T) if self.lengths is None else self.lengths)[: self.active]


def draw_setup(rng: np.random.Generator, dtype: str, vectors: bool) -> Setup:
    """A random one; with ``vectors`` such that 16-byte accesses are legal."""
    width = 16 // np.dtype(GATES[dtype]).itemsize
    n = int(rng.choice([1, 2, 5, 17]) * width) if vectors else int(rng.choice([1, 2, 3, 5, 8, 33, 130]))
    T, B = int(rng.integers(1, 5)), int(rng.integers(1, 10))
    lengths = -np.sort(-rng.integers(0, T + 1, B)) if rng.random() < 0.75 else None
    offset = 0 if vectors else int(rng.integers(0, 2))
    return Setup(dtype, T, int(rng.integers(0, T)), B, n, int(rng.integers(1, B + 1)), lengths, offset)


class JudgeBack:
    """The arrays of a launch by the kernel's names, and ``complaints``, what is not as it should be afterwards.

    Whatever the kernel may not read is NaN. What it may not write keeps its bits; rows of results that are not alive
    are +0.
    """

    def __init__(self, bench: Bench, rng: np.random.Generator, setup: Setup) -> None:
        self.bench, self.rng, self.s = bench, rng, setup
        self.complaints: list[str] = []
        self.alive = setup.t < setup.counts
        self.held: dict[str, Held | None] = {"lengths": bench.table(setup.lengths)}
        self._kinds: dict[str, str] = {}
        self._written: dict[str, slice] = {}  # of a result, the columns that the launch writes
        self._before: dict[str, Array] = {}
        self.entries: set[str] = set()

    @property
    def acc(self) -> str:
        """The dtype of ACC."""
        return "float64" if self.s.dtype == "float64" else "float32"

    def _hold(self, name: str, kind: str, array: Array) -> Array:
        self._kinds[name] = kind
        self._before[name] = array
        self.held[name] = self.bench.hold(array, self.s.offset)
        return array

    def _filled(self, kind: str, rows: int, columns: int) -> Array:
        store = np.dtype(STORES[kind])
        return np.full((rows, columns), np.array(NAN_BITS[store], f"u{store.itemsize}").view(store))

    def store(self, name: str, values: Array) -> Array:
        """``values`` [active][columns] as STORE, rows alive; what they are when rounded."""
        rounded = stored(values, self.s.dtype)
        filled = self._filled(self.s.dtype, *values.shape)
        filled[self.alive] = rounded[self.alive]
        self._hold(name, self.s.dtype, filled)
        return wide(rounded, self.s.dtype)

    def gates(self, name: str, columns: int, activated: slice | None = None, given: bool = True) -> Array:
        """[active][columns] of ACC, rows alive; not ``given``: null, and zeros."""
        if not given:
            self.held[name] = None
            return np.zeros((self.s.active, columns))
        array = (2 * self.rng.standard_normal((self.s.active, columns))).astype(GATES[self.s.dtype])
        if activated is not None:
            array[:, activated] = 1 / (1 + np.exp(-array[:, activated]))
        held = array.copy()
        held[~self.alive] = np.nan
        self._hold(name, self.acc, held)
        return array.astype(np.float64)

    def weight(self, name: str, columns: int, given: bool = True) -> Array:
        """[columns] of STORE; not ``given``: null, and zeros."""
        if not given:
            self.held[name] = None
            return np.zeros(columns)
        array = self._hold(name, self.s.dtype, stored(self.rng.standard_normal(columns), self.s.dtype))
        return wide(array, self.s.dtype)

    def arriving(self, columns: int, carried: bool = True, in_place: bool = False) -> Array:
        """The gradient of h from its three places: sometimes no output, and carried from t + 1 or from the end."""
        s = self.s
        goes_on = s.t + 1 < s.counts
        total = np.zeros((s.active, columns))
        total += self.gates("d_out", columns, given=bool(self.rng.integers(3)))
        for name, reads in (("d_next", goes_on & self.alive), ("d_last", ~goes_on & self.alive)):
            if not carried:
                self.held[name] = None
                continue
            array = self._filled(self.acc, s.B, columns)
            array[: s.active][reads] = self.rng.standard_normal((int(reads.sum()), columns))
            self._hold(name, self.acc, array)
            total[reads] += array[: s.active][reads]
        if in_place:
            self._written["d_next"] = slice(None)
        return total

    def in_place(self, name: str, columns: int) -> Array:
        """[B][columns] of ACC, which the launch changes for rows alive."""
        array = self._filled(self.acc, self.s.B, columns)
        values = self.rng.standard_normal((self.s.active, columns)).astype(array.dtype)
        array[: self.s.active][self.alive] = values[self.alive]
        self._hold(name, self.acc, array)
        self._written[name] = slice(None)
        return values.astype(np.float64)

    def result(self, name: str, columns: int, written: slice = slice(None)) -> Held | None:
        """[active][columns] of STORE, of which the launch writes some columns."""
        self._hold(name, self.s.dtype, self._filled(self.s.dtype, self.s.active, columns))
        self._written[name] = written
        return self.held[name]

    def launch(self, name: str, *, timed: bool = True, **arguments: Any) -> None:
        """``kernels.launch_<name>`` of all that is held."""
        time = {"steps": self.s.T} if timed else {}
        given = {**self.held, **time, **arguments}
        log = self.bench.launch(name, dtype=self.s.dtype, active=self.s.active, t=self.s.t, **given)
        self.entries |= {entry.detail for entry in log if entry.kind == "kernel"}

    def results(self) -> list[str]:
        """The names of all that the launch writes."""
        return list(self._written)

    def now(self, name: str) -> Array:
        held = self.held[name]
        assert held is not None
        return held.now()

    def near(self, name: str, want: Array) -> None:
        """Rows alive are within the units of the type; NaN nowhere."""
        got = wide(self.now(name)[: self.s.active, self._written[name]], self._kinds[name])[self.alive]
        want = want[self.alive]
        wrong = ~(np.abs(got - want) / (1 + np.abs(want)) <= UNITS[self._kinds[name]])
        if wrong.any():
            first = tuple(int(index) for index in np.argwhere(wrong)[0])
            self.complaints.append(f"{name}: {wrong.sum()} of {wrong.size} are off, the first at {first}")

    def judge_rest(self) -> None:
        """Everything but what rows alive got."""
        for name, before in self._before.items():
            want, got = before.copy(), self.now(name)
            if name in self._written:
                columns = self._written[name]
                rows = np.flatnonzero(self.alive)
                want[rows, columns] = got[rows, columns]
                if before.shape[0] == self.s.active and name not in ("dc", "d_next"):
                    want[np.flatnonzero(~self.alive), columns] = 0
            if not np.array_equal(bits(got), bits(want)):
                self.complaints.append(f"{name}, where nothing is alive: other bits")
        self.bench.finish()
