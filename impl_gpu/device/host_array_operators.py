"""Lists the operators and methods of host arrays that are a NumPy function each."""

from collections.abc import Callable
from typing import Any

import cupy
import numpy as np

from .host_array_calls import SCALARS, call

# Methods whose NumPy function has the same parameters.
_METHODS: dict[str, Callable[..., Any]] = {
    "all": np.all,
    "any": np.any,
    "argmax": np.argmax,
    "argmin": np.argmin,
    "argsort": np.argsort,
    "choose": np.choose,
    "clip": np.clip,
    "cumprod": np.cumprod,
    "cumsum": np.cumsum,
    "diagonal": np.diagonal,
    "dot": np.dot,
    "max": np.max,
    "mean": np.mean,
    "min": np.min,
    "prod": np.prod,
    "ptp": np.ptp,
    "ravel": np.ravel,
    "repeat": np.repeat,
    "round": np.round,
    "searchsorted": np.searchsorted,
    "std": np.std,
    "sum": np.sum,
    "trace": np.trace,
    "var": np.var,
}

_MISSING = (
    "__cuda_array_interface__", "__dlpack__", "__dlpack_device__", "argpartition", "byteswap", "compress", "dump",
    "dumps", "flat", "mdspan", "partition", "put", "scatter_add", "scatter_max", "scatter_min", "toDlpack", "tofile",
)  # fmt: skip
"""What CuPy's arrays have and would hand the host's memory to a GPU, or look for one."""

_BINARY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "and": np.bitwise_and,
    "divmod": np.divmod,
    "floordiv": np.floor_divide,
    "lshift": np.left_shift,
    "matmul": np.matmul,
    "mod": np.remainder,
    "mul": np.multiply,
    "or": np.bitwise_or,
    "pow": np.power,
    "rshift": np.right_shift,
    "sub": np.subtract,
    "truediv": np.true_divide,
    "xor": np.bitwise_xor,
}
_COMPARISONS: dict[str, Callable[..., Any]] = {
    "eq": np.equal,
    "ge": np.greater_equal,
    "gt": np.greater,
    "le": np.less_equal,
    "lt": np.less,
    "ne": np.not_equal,
}
_UNARY: dict[str, Callable[..., Any]] = {
    "abs": np.absolute,
    "invert": np.invert,
    "neg": np.negative,
    "pos": np.positive,
}


class _Missing:
    """An attribute that is not there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        raise AttributeError(f"the host side's arrays have no {self.name!r}")


def _give_way(other: Any) -> bool:
    """Whether an operand of another kind is to answer itself, by NumPy's rules."""
    if isinstance(other, (cupy.ndarray, *SCALARS)):
        return False
    if hasattr(other, "__array_ufunc__"):
        return other.__array_ufunc__ is None
    return bool(getattr(other, "__array_priority__", 0) > cupy.ndarray.__array_priority__)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: call(function, self, *args, **kwargs)


def _binary(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: NotImplemented if _give_way(other) else call(function, self, other)


def _conj(self: Any) -> Any:
    # Of what is not complex CuPy gives the array itself.
    return call(np.conjugate, self) if self.dtype.kind == "c" else self


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: NotImplemented if _give_way(other) else call(function, other, self)


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: call(function, self, other, out=self)


def _unary(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self: call(function, self)


def _pow(self: Any, other: Any, modulo: None = None) -> Any:
    if _give_way(other):
        return NotImplemented
    # Python's numbers 2 and 0.5 are a square and a root to CuPy; in place and for NumPy's scalars they are not.
    if type(other) in (int, float) and other in (2, 0.5):
        dtype = np.result_type(self.dtype, other)
        return call(np.square if other == 2 else np.sqrt, self, **({} if dtype == self.dtype else {"dtype": dtype}))
    return call(np.power, self, other)


def complete(kind: Any) -> None:
    """Give the class of host arrays its operators and plain methods."""
    for name in _MISSING:
        setattr(kind, name, _Missing(name))
    for name, function in _METHODS.items():
        setattr(kind, name, _method(function))
    for name, function in _BINARY.items():
        setattr(kind, f"__{name}__", _binary(function))
        setattr(kind, f"__r{name}__", _reflected(function))
        if name not in ("divmod", "matmul"):
            setattr(kind, f"__i{name}__", _in_place(function))
    kind.__pow__ = _pow
    kind.conj = kind.conjugate = _conj
    for name, function in _COMPARISONS.items():
        setattr(kind, f"__{name}__", _binary(function))
    for name, function in _UNARY.items():
        setattr(kind, f"__{name}__", _unary(function))
