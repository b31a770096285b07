"""Fills arrays for cases: with small exact numbers, or with wild ones that only an exact copy keeps.

The content of an array follows from its shape, dtype and a seed alone, so one drawn integer gives a whole array and a
case shrinks by its shape. No two places of an array are filled by a plain pattern: a transposed or shifted array is
seen.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FLOATS = ("float32", "float64", "float16")
INTEGERS = ("int32", "int64", "int8", "int16", "uint8", "uint16")
COMPLEX = ("complex64", "complex128")
NUMBERS = (*FLOATS, *INTEGERS, *COMPLEX)
"""Every dtype of numbers that the page's time knows, the simplest first."""
DTYPES = (*NUMBERS, "bool")
"""NUMBERS and bool: what a Tally can hold in state, output and input."""
STRING = "bytes"
"""Byte strings: an Echo or a LastInput can carry them, nothing can compute with them."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_WILD_BITS = {
    2: (0x8000, 0x3C00, 0x7E00, 0x7C00, 0xFE2A, 0xFC00, 0x7E01, 0x0001, 0xC000),
    4: (0x80000000, 0x3F800000, 0x7FC00000, 0x7F800000, 0xFFC01234, 0xFF800000, 0x7FC00001, 0x00000001, 0xC0490FDB),
    8: (
        0x8000000000000000,
        0x3FF0000000000000,
        0x7FF8000000000000,
        0x7FF0000000000000,
        0xFFF8000012345678,
        0xFFF0000000000000,
        0x7FF8000000000001,
        0x0000000000000001,
        0xC00921FB54442D18,
    ),
}
"""By the bytes of a float: -0.0, 1, NaN, Inf, a negative NaN with a payload, -Inf, a NaN with a payload, the least
above 0, a number.
"""


def scatter(count: int, seed: int) -> Array:
    """``count`` numbers below 2**31 as int64 that look random and follow from ``seed``: the seed 0 gives others than
    1.
    """
    with np.errstate(over="ignore"):
        mixed = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(1000003 * (seed + 1))) * _STEP
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
    return (mixed >> np.uint64(33)).astype(np.int64)


def small(shape: Sequence[int], dtype: str, seed: int = 0) -> Array:
    """Whole numbers from -4 to 4 (0 to 8 where there is no sign), of any dtype; bools by parity, strings of one to
    three letters.
    """
    shape = tuple(shape)
    numbers = scatter(int(np.prod(shape, dtype=np.int64)), seed).reshape(shape) % 9
    if dtype == "bool":
        return np.asarray(numbers % 2 == 1)
    if dtype == STRING:
        words = np.array([b"a", b"bc", b"def", b"", b"g", b"hi", b"jkl", b"m", b"no"])
        return np.asarray(words[numbers], dtype="S3")
    if np.dtype(dtype).kind == "u":
        return numbers.astype(dtype)
    if np.dtype(dtype).kind == "c":
        return (numbers - 4 + 1j * ((numbers * 5) % 9 - 4)).astype(dtype)
    return (numbers - 4).astype(dtype)


def fractions(shape: Sequence[int], dtype: str, seed: int = 0) -> Array:
    """Quarters from -1 to 1: numbers for the built-in cells, exact in every float dtype and where no gate is
    saturated.
    """
    return np.asarray(small(shape, "float64", seed) / 4).astype(dtype)


def noise(shape: Sequence[int], seed: int = 0) -> Array:
    """Uniform noise in [0, 1) for dropout, in sixty-fourths, as float64: no dtype rounds it up to 1."""
    shape = tuple(shape)
    return np.asarray((scatter(int(np.prod(shape, dtype=np.int64)), seed).reshape(shape) % 64) / 64)


def wild(shape: Sequence[int], dtype: str, seed: int = 0) -> Array:
    """What only an exact copy keeps: -0.0, NaN with payloads, infinities, the least number; for integers the
    extremes.
    """
    shape = tuple(shape)
    if dtype in (STRING, "bool"):
        return small(shape, dtype, seed)
    kind = np.dtype(dtype)
    numbers = scatter(int(np.prod(shape, dtype=np.int64)), seed) % 9
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        table = np.array([limits.min, limits.max, 0, 1, limits.max - 1, limits.min + 1, 2, 3, 4], kind)
        return np.asarray(table[numbers].reshape(shape))
    if kind.kind == "c":
        half = "float32" if kind.itemsize == 8 else "float64"
        return np.asarray(wild((*shape, 2), half, seed).view(kind).reshape(shape))
    table = np.array(_WILD_BITS[kind.itemsize], f"u{kind.itemsize}")
    return np.asarray(table[numbers].view(kind).reshape(shape))
