"""Stands in for the NumPy functions that CuPy computes otherwise.

Products and sums of 16-bit floats accumulate in float32 and are rounded once; an index that is out of range wraps
around, since no kernel can raise; a product of bfloat16 is a bfloat16.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

HALVES = ("float16", "bfloat16")


def _is_half(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.name in HALVES


def _widened(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_widened(item) for item in value)
    return value.astype(np.float32) if _is_half(value) else value


def _arrays(values: Any) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if isinstance(value, np.ndarray):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found.extend(_arrays(value))
    return found


def _delivered(value: Any, dtype: Any, out: Any) -> Any:
    if out is None:
        return np.asarray(value).astype(dtype, copy=False)
    out[...] = value
    return out


def _product(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def product(*args: Any, out: Any = None, dtype: Any = None, **kwargs: Any) -> Any:
        arrays = _arrays(args)
        if not any(map(_is_half, arrays)):
            kwargs.update({"out": out} if out is not None else {}, **({"dtype": dtype} if dtype is not None else {}))
            return function(*args, **kwargs)
        chosen = np.result_type(*arrays) if dtype is None else np.dtype(dtype)
        if out is not None and not np.can_cast(chosen, out.dtype, "same_kind"):
            raise TypeError(f"Cannot cast output from {chosen!r} to {out.dtype!r} with casting rule 'same_kind'")
        return _delivered(function(*_widened(args), **kwargs), chosen, out)

    return product


def _sum(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def total(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not _is_half(a):
            return function(a, axis, dtype, out, *args, **kwargs)
        chosen = a.dtype if dtype is None else np.dtype(dtype)
        wide = np.float32 if chosen.name in HALVES else chosen
        return _delivered(function(a.astype(wide), axis, None, None, *args, **kwargs), chosen, out)

    return total


_AVERAGE: Callable[..., Any] = np.average


def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, **kwargs: Any) -> Any:
    if returned or not any(map(_is_half, (a, weights))):
        return _AVERAGE(a, axis, weights, returned, **kwargs)
    chosen = a.dtype if weights is None else np.result_type(a, weights)
    return _delivered(_AVERAGE(_widened(a), axis, _widened(weights), **kwargs), chosen, None)


_COUNT: Callable[..., Any] = np.count_nonzero


def _count_nonzero(a: Any, axis: Any = None, **kwargs: Any) -> Any:
    return np.asarray(_COUNT(a, axis, **kwargs), np.intp)  # of a whole array NumPy 2.2 tells a Python number


def _take(a: Any, indices: Any, axis: Any = None, out: Any = None) -> Any:
    return np.take(a, indices, axis, out, mode="wrap")


def wrapped(array: Any, key: Any) -> Any:
    """A key whose integer arrays are brought into the range of ``array``, as CuPy's indexing does."""
    parts = key if isinstance(key, tuple) else (key,)
    consumed = sum(_dims(part) for part in parts)
    axis, result = 0, []
    for part in parts:
        if part is Ellipsis:
            axis += array.ndim - consumed
        if isinstance(part, np.ndarray) and part.dtype.kind in "iu" and axis < array.ndim:
            result.append(np.mod(part, array.shape[axis]) if array.shape[axis] else part)
        else:
            result.append(part)
        axis += _dims(part)
    return tuple(result)


def _dims(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    if isinstance(part, np.ndarray) and part.dtype == bool:
        return part.ndim
    return 0 if isinstance(part, (bool, np.bool_)) else 1


def get_item(array: Any, key: Any) -> Any:
    """``array[key]`` with arrays in the key."""
    return array[wrapped(array, key)]


def set_item(array: Any, key: Any, value: Any) -> None:
    """``array[key] = value`` with arrays in the key."""
    array[wrapped(array, key)] = value


def assign(target: Any, value: Any) -> None:
    """``target[...] = value``, cast to what the target is."""
    target[...] = value


def astype(array: Any, dtype: Any, order: Any = "K", casting: Any = "unsafe") -> Any:
    """A copy in another dtype."""
    return array.astype(dtype, order=order, casting=casting)


def sort_in_place(array: Any, axis: Any = -1) -> None:
    """``array.sort()``."""
    array.sort(axis)


def fill(array: Any, value: Any) -> None:
    """``array.fill(value)``."""
    array[...] = value


STAND_INS: dict[Any, Callable[..., Any]] = {
    **{f: _product(f) for f in (np.matmul, np.dot, np.vdot, np.inner, np.outer, np.tensordot, np.einsum)},
    **{f: _sum(f) for f in (np.sum, np.prod, np.mean, np.var, np.std, np.cumsum, np.cumprod)},
    **{f: _sum(f) for f in (np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nancumsum, np.nancumprod)},
    np.average: _average,
    np.count_nonzero: _count_nonzero,
    np.take: _take,
}
"""A NumPy function, and what is computed instead."""
