"""Defines HostArray, a cupy.ndarray over memory of the host side whose arithmetic is enqueued.

Views (slices, transposes, added axes) are CuPy's own and need no device. All that computes or copies, which CuPy can't
do without a GPU, goes through ``host_array_calls.call``: the shape is known at once, NumPy does the work when its turn
comes on the stream.
"""

from typing import Any

import cupy
import numpy as np

from dynamic_rnn_spec.vocabulary.array_module import ARRAY_MODULES

from . import host_array_calls as calls
from .host_array_functions import assign, astype, fill, get_item, set_item, sort_in_place
from .host_array_memory import HostMemory, copy_values, lay, make, new, upload, view, write
from .host_array_operators import complete
from .host_array_shapes import Region

_BASIC = frozenset({int, slice, type(None), type(Ellipsis)})


__all__ = ["HostArray", "make", "new", "upload", "view"]


class HostArray(HostMemory):
    """An array of the host side. ``host`` is the HostDevice that its memory belongs to."""

    # What CuPy can't do with no device, and NumPy's protocols.

    def __getitem__(self, key: Any) -> Any:
        if type(key) in _BASIC or (type(key) is tuple and all(type(part) in _BASIC for part in key)):
            return super().__getitem__(key)
        key = _plain_key(key)
        if not _has_arrays(key):
            return super().__getitem__(key)
        return calls.call_with_constants(get_item, self, _positions(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        key = _plain_key(key)
        if not _has_arrays(key):
            calls.call(assign, super().__getitem__(key), value)
            return
        if isinstance(value, np.ndarray):
            raise TypeError(f"Unsupported type {type(value)}")
        if isinstance(value, HostArray) and value.ndim:
            key = _positions(key)  # how many values a mask takes is known to the host only when it waits
        calls.call_with_constants(set_item, self, key, value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or not hasattr(cupy, ufunc.__name__):
            return NotImplemented
        out = kwargs.pop("out", None)
        if out is not None:
            kwargs["out"] = out if len(out) > 1 else out[0]
        return calls.call(ufunc, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from . import host_module

        if not all(issubclass(kind, (HostArray, np.ndarray)) for kind in types):
            return NotImplemented
        covered = host_module.counterpart(function)
        return NotImplemented if covered is None else covered(*args, **kwargs)

    def __cupy_override_elementwise_kernel__(self, kernel: Any, *args: Any, **kwargs: Any) -> Any:
        # CuPy asks for this name before it touches a device. It is private; a test fails when CuPy forgets it.
        from . import host_module

        return host_module.call_kernel(kernel, *args, **kwargs)

    # Values.

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> Any:
        """A NumPy copy; the host waits for the stream (None: the current one)."""
        if out is None:
            rows = "C" if order.upper() == "A" and not self.flags.f_contiguous else order
            out = np.empty(self.shape, self.dtype, order="F" if rows.upper() in "AF" else "C")
        elif (out.shape, out.dtype) != (self.shape, self.dtype):
            raise ValueError(f"out: expected {self.shape} {self.dtype}, got {out.shape} {out.dtype}")
        if self.size:
            host = self.host
            regions: list[Region] = []
            source = lay(self, regions)
            chosen = host.current_stream() if stream is None else stream
            host.enqueue(chosen, "read back", copy_values, host, "read back", regions, out, source)
            host._do_synchronize(chosen)
        return out

    def set(self, arr: Any, stream: Any = None) -> None:
        """Overwrite with a NumPy array of the same shape and dtype, as it is now."""
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if self.dtype != arr.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
        if self.shape != arr.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        write(self, arr.copy(), stream)

    def item(self, *args: Any) -> Any:
        """One element as a Python scalar."""
        return self.get().item(*args)

    def tolist(self) -> Any:
        """All elements in nested lists."""
        return self.get().tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        """The bytes of all elements."""
        return bytes(self.get().tobytes(order))

    def __bool__(self) -> bool:
        if self.size != 1:
            what = "an empty array" if self.size == 0 else "an array with more than one element"
            raise ValueError(f"The truth value of {what} is ambiguous. Use a.any() or a.all()")
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __complex__(self) -> complex:
        return complex(self.get())

    def __repr__(self) -> str:
        return repr(self.get())

    def __str__(self) -> str:
        return str(self.get())

    def __format__(self, format_spec: str) -> str:
        return format(self.get(), format_spec)

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce__(self) -> Any:
        return upload, (self.get(),)

    # Copies and dtypes.

    def astype(self, dtype: Any, order: Any = "K", casting: Any = None, subok: Any = None, copy: bool = True) -> Any:
        """The values in another dtype: a copy, or with ``copy=False`` the array itself where nothing changes."""
        if not copy and self.dtype == np.dtype(dtype):
            return self
        return calls.call(astype, self, np.dtype(dtype), order, "unsafe" if casting is None else casting)

    def copy(self, order: str = "C") -> Any:
        """A copy."""
        return calls.call(np.array, self, order=order)

    def flatten(self, order: str = "C") -> Any:
        """A copy of rank 1."""
        return calls.call(np.ravel, self, order).copy()

    def fill(self, value: Any) -> None:
        """Overwrite every element."""
        calls.call(fill, self, value)

    def sort(self, axis: int = -1) -> None:
        """Sort in place."""
        calls.call(sort_in_place, self, axis)

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        """A view where there can be one, else a copy; ``copy`` allows for only one of these."""
        return calls.call(np.reshape, self, shape[0] if len(shape) == 1 else shape, order=order, copy=copy)

    def take(self, indices: Any, axis: Any = None, out: Any = None) -> Any:
        """The elements at these indices, which wrap around."""
        if isinstance(indices, list):
            indices = np.array(indices)
        return calls.call_with_constants(np.take, self, indices, axis, out)

    def nonzero(self) -> Any:
        """The indices of what is not zero; the host waits."""
        return tuple(upload(part, self.host) for part in self.get().nonzero())

    @property
    def real(self) -> Any:
        """The real part, a view."""
        return calls.call(np.real, self)

    @real.setter
    def real(self, value: Any) -> None:
        calls.call(assign, self.real, value)

    @property
    def imag(self) -> Any:
        """The imaginary part: a view, or zeros of a real array."""
        return calls.call(np.imag, self)

    @imag.setter
    def imag(self, value: Any) -> None:
        calls.call(assign, self.imag, value)


complete(HostArray)


# Keys.


def _plain_key(key: Any) -> Any:
    """A key with lists as NumPy arrays and NumPy's integers as Python's; NumPy arrays as they are now."""
    if isinstance(key, tuple):
        return tuple(_plain_key(part) for part in key)
    if isinstance(key, list):
        return np.array(key)
    if isinstance(key, np.integer):
        return int(key)
    return key.copy() if isinstance(key, np.ndarray) else key


def _has_arrays(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(part, (np.ndarray, cupy.ndarray, bool, np.bool_)) for part in parts)


def _positions(key: Any) -> Any:
    """A key with masks read by the host, which waits for them: what they choose has no shape otherwise."""
    if isinstance(key, tuple):
        return tuple(_positions(part) for part in key)
    return key.get() if isinstance(key, HostArray) and key.dtype == bool else key


# Their module.


def _module_of(value: Any) -> Any:
    from . import host_module

    if isinstance(value, HostArray):
        return host_module
    raise TypeError(f"array_module: expected an array of NumPy or CuPy, got {type(value).__name__}")


ARRAY_MODULES["impl_gpu"] = _module_of
