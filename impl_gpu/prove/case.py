"""Defines a case of a kernel: drawn arrays, and the launches that change them.

Every case is drawn from its name and the seed, the same on every machine. Letters: T steps, B rows in the order by
length, n units, p columns of a projection. Columns are 16 for entries with 16-byte accesses, 5 for the others.
"""

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..device.host_gemm import STORED, to_bfloat16
from ..device.seam import Device
from ..kernels import geometry
from .desk import Numbers

T, B, ACTIVE = 6, 7, 5
LENGTHS = np.array([6, 4, 4, 2, 1, 0, 0], np.int32)  # longest first
ORDER = np.array([3, 0, 6, 2, 5, 1, 4], np.int32)
CHUNK = 3
NARROW, WIDE = 5, 16
DTYPES = ("float16", "bfloat16", "float32", "float64")

Addresses = dict[str, int]


class Case(NamedTuple):
    """``arrays`` by name, ``kinds`` the floating types of those that are computed (all else: bit for bit).

    ``launch(device, stream, addresses)`` may be several launches.
    """

    name: str
    module: str
    dtype: str
    arrays: dict[str, Numbers]
    kinds: dict[str, str]
    launch: Callable[[Device, Any, Addresses], None]
    vector: bool


class Draw:
    """Random arrays of one case."""

    def __init__(self, name: str, dtype: str, seed: int) -> None:
        self._rng = np.random.RandomState((zlib.crc32(name.encode()) + seed) % 2**32)
        self.dtype = dtype
        self.accumulator = "float64" if dtype == "float64" else "float32"

    def store(self, *shape: int) -> Numbers:
        """Numbers as the variant stores them; those of bfloat16 as their bits."""
        return self._drawn(shape, self.dtype)

    def gates(self, *shape: int) -> Numbers:
        """Numbers as gates are stored."""
        return 2 * self._drawn(shape, self.accumulator)

    def uniform(self, *shape: int) -> Numbers:
        values = np.asarray(self._rng.random_sample(shape), np.float32)
        return to_bfloat16(values) if self.dtype == "bfloat16" else values.astype(STORED[self.dtype])

    def bits(self, shape: tuple[int, ...], itemsize: int) -> Numbers:
        """Any bytes."""
        raw = self._rng.randint(0, 256, (*shape, itemsize))
        return np.ascontiguousarray(raw.astype(np.uint8)).view(np.dtype(f"V{itemsize}"))[..., 0]

    def _drawn(self, shape: tuple[int, ...], kind: str) -> Numbers:
        values = np.asarray(self._rng.standard_normal(shape))
        if kind == "bfloat16":
            return to_bfloat16(values.astype(np.float32))
        return values.astype(STORED[kind])


def nan_of(array: Numbers) -> Any:
    """NaN as an array stores it; bfloat16 lies there as its bits."""
    return to_bfloat16(np.full(1, np.nan, np.float32))[0] if array.dtype == np.uint16 else np.nan


def run(case: Case, device: Device, stream: Any, addresses: Addresses) -> None:
    """Enqueue the launches of a case; wide accesses are taken wherever they are legal, or nowhere."""
    usual = geometry.LEAST_VECTOR_THREADS
    geometry.LEAST_VECTOR_THREADS = 0 if case.vector else 2**62
    try:
        case.launch(device, stream, addresses)
    finally:
        geometry.LEAST_VECTOR_THREADS = usual


def case_name(entry: str, dtype: str, vector: bool, way: str) -> str:
    return f"{entry} {dtype} {'wide' if vector else 'narrow'} {way}"
