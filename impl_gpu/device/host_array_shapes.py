"""Finds what a NumPy function makes of arrays of given shapes, by calling it on arrays of ones.

So every error of shapes, dtypes and arguments comes at the call, as it does in CuPy, and the work itself, which is only
enqueued, has nothing left to refuse. What is found is kept by what was asked.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

MOST_KEPT = 4096
NUMERIC = "biufc"

Region = tuple[int, int]
"""An address and a number of bytes."""


class Fresh(NamedTuple):
    """A result in memory of its own."""

    shape: tuple[int, ...]
    dtype: Any


class Viewed(NamedTuple):
    """A result that lies in the memory of an operand."""

    operand: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any


class Operand(NamedTuple):
    """A result that is an operand itself."""

    operand: int


class Value(NamedTuple):
    """A result that is no array."""

    value: Any


class Outcome(NamedTuple):
    """The results in order; ``container`` holds them where a function returns several (None: it returns the one).

    ``runs`` tells whether there is anything to compute: views are not.
    """

    results: tuple[Fresh | Viewed | Operand | Value, ...]
    container: Any
    runs: bool


class Layout(NamedTuple):
    """All that a result's shape can depend on in an operand."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any


_KEPT: dict[Any, Outcome] = {}


def outcome_of(
    key: Any, function: Callable[..., Any], layouts: Sequence[Layout], bind: Callable[[Any], Any]
) -> Outcome:
    """What ``function`` returns for operands of these layouts.

    ``bind(arrays)`` gives its arguments (args, kwargs) with these arrays as operands. ``key`` stands for all that the
    answer depends on; None where that can't be told.

    Raises:
        Exception: whatever the function raises for such operands.
    """
    known = _KEPT.get(key) if key is not None else None
    if known is not None:
        return known
    stands = [_ones(layout) for layout in layouts]
    args, kwargs = bind(stands)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing: CuPy says nothing either
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        result = function(*args, **kwargs)
    container = type(result) if isinstance(result, (tuple, list)) else None
    results = tuple(_described(item, stands) for item in (result if container else (result,)))
    runs = any(not isinstance(item, Viewed) for item in results)
    outcome = Outcome(results, _plain(container), runs)
    if key is not None:
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = outcome
    return outcome


def _plain(container: Any) -> Any:
    # NumPy's named results (numpy.linalg) are tuples in CuPy as well.
    return tuple if container not in (None, list, tuple) else container


def span(shape: Sequence[int], strides: Sequence[int], itemsize: int) -> tuple[int, int]:
    """The bytes from the first element (at 0) down to the lowest and up to behind the highest."""
    low, high = 0, itemsize
    for size, stride in zip(shape, strides, strict=True):
        if size == 0:
            return 0, 0
        reach = stride * (size - 1)
        if reach < 0:
            low += reach
        else:
            high += reach
    return low, high


def _ones(layout: Layout) -> Any:
    low, high = span(layout.shape, layout.strides, layout.dtype.itemsize)
    memory = np.empty(high - low, np.uint8)
    array = np.ndarray(layout.shape, layout.dtype, memory, -low, layout.strides)
    array[...] = 1
    return array


def _described(item: Any, stands: list[Any]) -> Fresh | Viewed | Operand | Value:
    if isinstance(item, np.ndarray):
        for index, stand in enumerate(stands):
            if item is stand:
                return Operand(index)
        if item.size:
            address = item.__array_interface__["data"][0]
            for index, stand in enumerate(stands):
                if np.may_share_memory(item, stand):
                    offset = address - stand.__array_interface__["data"][0]
                    return Viewed(index, offset, item.shape, item.strides, item.dtype)
        return Fresh(item.shape, held(item.dtype))
    if isinstance(item, np.generic):
        return Fresh((), held(item.dtype))
    if isinstance(item, bool):  # numpy.allclose and its like; in CuPy an array on the device
        return Fresh((), np.dtype(bool))
    return Value(item)


def held(dtype: Any) -> Any:
    """The dtype, if a device holds such values."""
    if dtype.kind not in NUMERIC and dtype.name != "bfloat16":
        raise TypeError(f"Unsupported dtype {dtype}")
    return dtype
