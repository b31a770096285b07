"""Makes host arrays of other arrays, of numbers and of nothing, by CuPy's names.

The parameters are CuPy's. Those called ``order``, ``subok`` and ``blocking`` have no effect where they stand for the
order in memory of a new array, which is C's here, for its class, and for whether the host waits, which it does.
"""

from typing import Any

import numpy as np

from . import current_device
from .host_array_calls import call
from .host_arrays import HostArray, new, upload

# Arrays from other things.


def array(obj: Any, dtype: Any = None, copy: bool | None = True, order: str = "K", ndmin: int = 0) -> Any:
    """A host array with the values of one, of a NumPy array, of numbers, or of a sequence of any of them."""
    if isinstance(obj, HostArray):
        made = obj.astype(obj.dtype if dtype is None else dtype, copy=bool(copy))
    elif isinstance(obj, (list, tuple)) and _holds_host_arrays(obj):
        parts = [array(item) for item in obj]
        made = call(np.stack, parts)
        if dtype is not None:
            made = made.astype(dtype, copy=False)
    else:
        made = upload(np.asarray(obj, dtype))
    while made.ndim < ndmin:
        made = made[None]
    return made


def asarray(a: Any, dtype: Any = None, order: Any = None, *, copy: bool | None = None, blocking: bool = False) -> Any:
    """A host array as ``array`` makes it, but without a copy where none is needed."""
    return array(a, dtype, copy=bool(copy))


def asanyarray(a: Any, dtype: Any = None, order: Any = None) -> Any:
    """The same as ``asarray``."""
    return array(a, dtype, copy=False)


def ascontiguousarray(a: Any, dtype: Any = None) -> Any:
    """The array itself if its rows lie one after the other, else a copy; at least of rank 1."""
    made = array(a, dtype, copy=False)
    if not made.flags.c_contiguous:
        made = made.copy()
    return made if made.ndim else made[None]


def copy(a: Any, order: str = "K") -> Any:
    """A copy."""
    return array(a, copy=True)


def asnumpy(a: Any, stream: Any = None, order: str = "C", out: Any = None, *, blocking: bool = True) -> Any:
    """A NumPy array of the same values; the host waits for a host array."""
    return a.get(stream, order, out) if isinstance(a, HostArray) else np.asarray(a, order=order)  # type: ignore[call-overload]


def _holds_host_arrays(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_host_arrays, value))
    return isinstance(value, HostArray)


# Arrays of one value.


def empty(shape: Any, dtype: Any = float, order: str = "C") -> Any:
    """Memory with nothing in it, poisoned on the host side."""
    return new(current_device(), _shape(shape), np.dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> Any:
    """An array of one value."""
    if isinstance(fill_value, HostArray):
        made = empty(shape, fill_value.dtype if dtype is None else dtype)
    else:
        made = empty(shape, np.asarray(fill_value).dtype if dtype is None else dtype)
    made.fill(fill_value)
    return made


def zeros(shape: Any, dtype: Any = float, order: str = "C") -> Any:
    """An array of zeros."""
    return full(shape, 0, dtype)


def ones(shape: Any, dtype: Any = float, order: str = "C") -> Any:
    """An array of ones."""
    return full(shape, 1, dtype)


def empty_like(prototype: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None) -> Any:
    """Memory of the shape and dtype of an array."""
    return empty(prototype.shape if shape is None else shape, prototype.dtype if dtype is None else dtype)


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None
) -> Any:
    """An array of one value in the shape and dtype of another."""
    made = empty_like(a, dtype, shape=shape)
    made.fill(fill_value)
    return made


def zeros_like(a: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None) -> Any:
    """Zeros in the shape and dtype of an array."""
    return full_like(a, 0, dtype, shape=shape)


def ones_like(a: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None) -> Any:
    """Ones in the shape and dtype of an array."""
    return full_like(a, 1, dtype, shape=shape)


def _shape(shape: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in shape) if np.iterable(shape) else (int(shape),)
