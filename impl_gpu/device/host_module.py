"""Gives host arrays their array module, ``dynamic_rnn_spec.array_module(x)``.

It has the functions that NumPy and CuPy share, as far as ``host_array_names`` has them; their results are host arrays,
computed when their turn comes. A NumPy array beside a host array is refused, as CuPy refuses it.
"""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import cupy
import numpy as np

from .host_array_calls import call
from .host_array_making import (
    array,
    asanyarray,
    asarray,
    ascontiguousarray,
    asnumpy,
    copy,
    empty,
    empty_like,
    full,
    full_like,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from .host_array_names import COMPUTED, CONSTANTS, KNOWN, LINALG, MADE, READ
from .host_arrays import HostArray, upload, view

ndarray = HostArray

MAKERS = (
    array, asanyarray, asarray, ascontiguousarray, asnumpy, copy, empty, empty_like, full, full_like, ones, ones_like,
    zeros, zeros_like,
)  # fmt: skip

NOT_COVERED = "the host side's array module has no {!r}; what it has is named in impl_gpu/device/host_array_names.py"


_FOUND: dict[str, Any] = {name: getattr(np, name) for name in CONSTANTS}
"""Not among the module's globals, where ``any`` and ``max`` would hide Python's own."""


def __getattr__(name: str) -> Any:
    if name not in _FOUND:
        function = _function(name)
        if function is None:
            raise AttributeError(NOT_COVERED.format(name))
        _FOUND[name] = function
    return _FOUND[name]


def _function(name: str) -> Any:
    if not hasattr(np, name) or not hasattr(cupy, name):
        return None
    function = getattr(np, name)
    if name in READ:
        return _reading(function)
    if name in KNOWN:
        return _telling(function)
    if name in COMPUTED or name in MADE or isinstance(function, np.ufunc):
        return _calling(function)
    return None


def _calling(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return call(function, *args, **kwargs)

    return called


def _reading(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def read(*args: Any, **kwargs: Any) -> Any:
        arrays = [value for value in (*args, *kwargs.values()) if isinstance(value, HostArray)]
        if not arrays:
            raise TypeError(f"{function.__name__}: expected an array of the host side")
        result = function(*map(_values, args), **{name: _values(value) for name, value in kwargs.items()})
        several = isinstance(result, tuple)
        made = tuple(upload(item, arrays[0].host) for item in (result if several else (result,)))
        return made if several else made[0]

    return read


def _values(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    return value.get() if isinstance(value, HostArray) else value


def _telling(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Any:
        stands = [np.broadcast_to(np.ones((), a.dtype), a.shape) if isinstance(a, HostArray) else a for a in args]
        return function(*stands, **kwargs)

    return told


linalg = SimpleNamespace(**{name: _reading(getattr(np.linalg, name)) for name in sorted(LINALG)})


def get_array_module(*args: Any) -> Any:
    """This module, or NumPy where there is no host array."""
    return sys.modules[__name__] if any(isinstance(value, HostArray) for value in args) else np


# Functions with manners of their own.


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """``x`` where the condition holds, else ``y``; without both, where it holds: the host waits for that."""
    if (x is None) != (y is None):
        raise ValueError("Must provide both 'x' and 'y' or neither.")
    if x is None:
        return condition.nonzero()
    return call(np.where, condition, x, y)


def take(a: Any, indices: Any, axis: Any = None, out: Any = None) -> Any:
    """The elements at these indices, which wrap around."""
    return a.take(indices, axis, out)


def atleast_1d(*arys: Any) -> Any:
    """Arrays with axes added until they have one."""
    return _at_least(np.atleast_1d, arys)


def atleast_2d(*arys: Any) -> Any:
    """Arrays with axes added until they have two."""
    return _at_least(np.atleast_2d, arys)


def atleast_3d(*arys: Any) -> Any:
    """Arrays with axes added until they have three."""
    return _at_least(np.atleast_3d, arys)


def _at_least(function: Callable[..., Any], arrays: tuple[Any, ...]) -> Any:
    made = [call(function, one) for one in arrays]
    return made[0] if len(made) == 1 else made


def meshgrid(*xi: Any, **kwargs: Any) -> Any:
    """Coordinates of a grid from coordinates of its axes."""
    return list(call(np.meshgrid, *xi, **kwargs))


def shares_memory(a: Any, b: Any, max_work: Any = None) -> bool:
    """Whether two arrays have bytes in common."""
    return a.size > 0 and b.size > 0 and np.shares_memory(view(a), view(b), max_work)


def may_share_memory(a: Any, b: Any, max_work: Any = None) -> bool:
    """Whether the memory of two arrays may overlap."""
    return a.size > 0 and b.size > 0 and np.may_share_memory(view(a), view(b), max_work)


# What reaches a host array through NumPy's and CuPy's own functions.

_OWN: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *MAKERS,
        where,
        take,
        atleast_1d,
        atleast_2d,
        atleast_3d,
        meshgrid,
        shares_memory,
        may_share_memory,
    )
}


def counterpart(function: Callable[..., Any]) -> Any:
    """What to call in place of a function of NumPy that was given a host array; None: nothing serves."""
    name = function.__name__
    if function.__module__ == "numpy.linalg":
        return vars(linalg).get(name)
    return _OWN.get(name) or _function(name)


_KERNELS: dict[str, Callable[..., Any]] = {
    "cupy_clip": np.clip,
    "cupy_round": np.round,
    "cupy_where": np.where,
}


def call_kernel(kernel: Any, *args: Any, **kwargs: Any) -> Any:
    """What CuPy's own ufunc makes of host arrays, as in ``cupy.tanh(x)``.

    Raises:
        TypeError: the kernel is no such function; its CUDA source needs a GPU.
    """
    function = None
    if isinstance(kernel, cupy.ufunc):
        function = _KERNELS.get(kernel.name) or getattr(np, kernel.name.removeprefix("cupy_"), None)
    if function is None:
        name = getattr(kernel, "name", type(kernel).__name__)
        raise TypeError(
            f"the host side can't run CuPy's kernel {name!r}: take functions from dynamic_rnn_spec.array_module(x)"
        )
    given = {key: value for key, value in kwargs.items() if value is not None}
    return call(function, *args, **given)


@contextlib.contextmanager
def cell_errors() -> Iterator[None]:
    """Tell what to do where a cell calls functions of CuPy itself, which look for a GPU.

    Raises:
        RuntimeError: in place of CuPy's own complaint.
    """
    try:
        yield
    except (cupy.cuda.runtime.CUDARuntimeError, ImportError) as error:
        if isinstance(error, ImportError) and "libcublas" not in str(error):
            raise
        raise RuntimeError(
            f"a cell called CuPy, which found no GPU ({error}): "
            "on the host side the functions for an array x come from dynamic_rnn_spec.array_module(x)"
        ) from error
