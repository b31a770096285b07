"""Compares two structures of arrays, bit for bit or within a tolerance, and says where they first differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamic_rnn_spec.vocabulary.structure import children_of, is_namedtuple, is_sequence

Array = np.ndarray[Any, Any]
Tolerance = float | Callable[[np.dtype[Any]], float]
"""How far a number may be off, times max(1, |expected|): one number, or one for each dtype."""


@dataclass(frozen=True)
class Difference:
    """The first place where two values part: ``where`` as ``state[0].h[2, 1]``, ``message`` as a text without it."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"at {self.where}: {self.message}" if self.where else self.message


def exact_difference(got: Any, expected: Any, where: str = "") -> Difference | None:
    """Where ``got`` first differs from ``expected``: in a container, a namedtuple's name, shape, dtype or bit."""
    return _difference(got, expected, where, _elements_differ)


def close_difference(
    got: Any, expected: Any, tolerance: Tolerance, where: str = "", whole: bool = False
) -> Difference | None:
    """The same, except that a floating-point element may be off by the tolerance times max(1, |expected|).

    With ``whole``, as gradients need it, the largest finite number of the array stands in place of |expected|. NaN
    stands only where NaN stands, and an infinity only for itself.
    """

    def outside(got: Array, expected: Array) -> tuple[Array, str]:
        if expected.dtype.kind not in "fc":
            return _elements_differ(got, expected)
        allowed = tolerance(expected.dtype) if callable(tolerance) else tolerance
        against = "the largest of all" if whole else "|expected|"
        return _outside(got, expected, allowed, whole), f"allowed is {allowed:.3g} times max(1, {against})"

    return _difference(got, expected, where, outside)


def kind_of(value: Any) -> str:
    """The type of a container or leaf, in words that differ for all types that a comparison tells apart."""
    if is_namedtuple(value):
        return f"{type(value).__name__}({', '.join(value._fields)})"
    if isinstance(value, Mapping):
        return "dict"
    if isinstance(value, (np.ndarray, np.generic)):
        return "array"
    return type(value).__name__


def _difference(
    got: Any, expected: Any, where: str, differ: Callable[[Array, Array], tuple[Array, str]]
) -> Difference | None:
    if kind_of(got) != kind_of(expected):
        return Difference(where, f"expected {_a(expected)}, got {_a(got)}")
    if is_sequence(expected):
        wanted, found = children_of(expected), children_of(got)
        if [piece for piece, _ in wanted] != [piece for piece, _ in found]:
            return Difference(where, f"expected {_a(expected)}, got {_a(got)}")
        for (piece, child), (_, other) in zip(wanted, found, strict=True):
            if (difference := _difference(other, child, where + piece, differ)) is not None:
                return difference
        return None
    if isinstance(expected, (np.ndarray, np.generic)):
        return _array_difference(np.asarray(got), np.asarray(expected), where, differ)
    if got == expected or (got != got and expected != expected):
        return None
    return Difference(where, f"expected {expected!r}, got {got!r}")


def _array_difference(
    got: Array, expected: Array, where: str, differ: Callable[[Array, Array], tuple[Array, str]]
) -> Difference | None:
    if got.shape != expected.shape:
        return Difference(where, f"expected shape {expected.shape}, got {got.shape}")
    if got.dtype.newbyteorder("=") != expected.dtype.newbyteorder("="):
        return Difference(where, f"expected dtype {expected.dtype.name}, got {got.dtype.name}")
    wrong, note = differ(got, expected)
    count = int(np.count_nonzero(wrong))
    if not count:
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = where + (f"[{', '.join(map(str, index))}]" if index else "")
    wanted, found = element_text(expected[index]), element_text(got[index])
    if wanted == found:
        wanted, found = (f"{text} ({_bits(array[index])})" for text, array in ((wanted, expected), (found, got)))
    many = f"; {count} of {wrong.size} elements differ" if wrong.size > 1 else ""
    return Difference(place, f"expected {wanted}, got {found}{many}{'; ' + note if note else ''}")


def _elements_differ(got: Array, expected: Array) -> tuple[Array, str]:
    """Which elements differ in any bit: NaN equals NaN of the same payload only, and 0.0 is not -0.0."""
    return (_as_bytes(got) != _as_bytes(expected)).any(axis=-1), ""


def _as_bytes(array: Array) -> Array:
    native = array.astype(array.dtype.newbyteorder("="), order="C")
    if native.dtype.itemsize == 0:
        return np.zeros((*native.shape, 0), np.uint8)
    return np.frombuffer(native.tobytes(), np.uint8).reshape((*native.shape, native.dtype.itemsize))


def _outside(got: Array, expected: Array, allowed: float, whole: bool) -> Array:
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    a, b = got.astype(wide), expected.astype(wide)
    finite = np.isfinite(a) & np.isfinite(b)
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.max(np.abs(b[np.isfinite(b)]), initial=0) if whole else np.abs(b)
        near = np.abs(a - b) <= allowed * np.maximum(1.0, size)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
    wrong: Array = ~np.where(finite, near, same)
    return wrong


def element_text(value: Any) -> str:
    """One number as its shortest decimal, -0.0 and NaN included."""
    item = value.item() if isinstance(value, (np.ndarray, np.generic)) else value
    if isinstance(item, float) and math.isfinite(item) and isinstance(value, np.floating):
        return str(value)
    return repr(item)


def _bits(value: Any) -> str:
    return "bits 0x" + np.asarray(value).astype(np.asarray(value).dtype.newbyteorder(">")).tobytes().hex()


def _a(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"a dict with the keys {sorted(value)}"
    if is_sequence(value):
        return f"a {kind_of(value)} of {len(value)}"
    if isinstance(value, (np.ndarray, np.generic)):
        return f"an array of shape {np.shape(value)}"
    return f"{value!r} of type {type(value).__name__}"
