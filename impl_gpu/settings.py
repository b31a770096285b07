"""Defines the switches of impl_gpu: what a user may turn, and the environment that sets it.

with impl_gpu.options(tf32=True, graph=True):
    outputs, state = impl_gpu.dynamic_rnn(cell, x, dtype="float32")
"""

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

PATHS = ("auto", "cell")
GEMMS = ("own", "cupy")
SWAPS = ("auto", "move", "recompute")
ENVIRONMENT = "IMPL_GPU_"
_ON_OFF = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


class Options(NamedTuple):
    """What holds for the calls of one moment. The docstring of ``options`` says what each one does."""

    tf32: bool = False
    graph: bool = False
    overlap: bool = True
    path: str = "auto"
    sync: bool = False
    gemm: str = "own"
    shadow: bool = False
    swap: str = "auto"
    memory_budget: int | None = None


_CHOICES = {"path": PATHS, "gemm": GEMMS, "swap": SWAPS}
_SIZES = ("memory_budget",)
_SET: ContextVar[dict[str, Any]] = ContextVar("impl_gpu_options", default={})  # noqa: B039  (never changed in place)


@contextlib.contextmanager
def options(
    tf32: bool | None = None,
    graph: bool | None = None,
    overlap: bool | None = None,
    path: str | None = None,
    sync: bool | None = None,
    gemm: str | None = None,
    shadow: bool | None = None,
    swap: str | None = None,
    memory_budget: int | None = None,
) -> Iterator[Options]:
    """Set switches for the calls within the block, in this thread or task.

    An argument that is None stays as it is outside: as an outer block has it, else as the environment variable
    ``IMPL_GPU_<NAME>`` has it (1 or 0, the word or the number), else the default.

    Args:
        tf32: matrix products of float32 may round their operands to ten bits of mantissa, which tensor cores are
            fast at. Default: False, strict float32.
        graph: the steps of a chunk are captured in a CUDA graph when they come a second time, and replayed from then
            on; bit for bit the same results. dynamic_rnn_vjp captures nothing. Default: False.
        overlap: the input products of the next chunk run on a second stream beside the steps of this one; bit for
            bit the same results. In dynamic_rnn_vjp nothing runs ahead. Default: True.
        path: "auto": built-in cells run fused; "cell": every cell is called step by step, like a user's own.
            Default: "auto".
        sync: the host waits after every device call, so that an error is told where it is made. Default: False.
        gemm: "own": matrix products by this package's cuBLAS handle; "cupy": by CuPy's, which can't be captured.
            Default: "own".
        shadow: every device call is done again on the host and compared, and the first that differs is named.
            Default: False.
        swap: what ``swap_memory=True`` does. "auto": what the forward pass keeps for the backward one stays on the
            device if it fits the budget; else it is moved to the host, and gates that would hold the steps up on
            their way are computed again instead. "move": all of it is moved, even if it fits. "recompute": gates are
            computed again, and the rest is moved. Default: "auto".
        memory_budget: bytes of device memory for what is kept from a forward pass until its backward pass, with
            ``swap_memory=True``; a positive integer. Default: what is free when the forward pass begins.

    Raises:
        TypeError, ValueError: an argument, or an environment variable, has a value that is none of these.
    """
    given = {
        "tf32": tf32,
        "graph": graph,
        "overlap": overlap,
        "path": path,
        "sync": sync,
        "gemm": gemm,
        "shadow": shadow,
        "swap": swap,
        "memory_budget": memory_budget,
    }
    checked = {name: _checked(name, value) for name, value in given.items() if value is not None}
    token = _SET.set({**_SET.get(), **checked})
    try:
        yield current()
    finally:
        _SET.reset(token)


def current() -> Options:
    """The switches that hold now.

    Raises:
        ValueError: an environment variable has a value that is none of its switch's.
    """
    chosen = Options(**{**_from_environment(), **_SET.get()})
    if chosen.graph and chosen.gemm == "cupy":
        raise ValueError("gemm: expected 'own', since graph is on, got 'cupy', which can't be captured")
    return chosen


def _from_environment() -> dict[str, Any]:
    found = {}
    for name in Options._fields:
        variable = ENVIRONMENT + name.upper()
        text = os.environ.get(variable, "")
        if not text:
            continue
        if name in _CHOICES:
            value: Any = text
            if text not in _CHOICES[name]:
                raise ValueError(f"{variable}: expected {_wanted(name)}, got {text!r}")
        elif name in _SIZES:
            if not (text.isascii() and text.isdecimal() and int(text)):
                raise ValueError(f"{variable}: expected a number of bytes above 0, got {text!r}")
            value = int(text)
        else:
            value = _ON_OFF.get(text.lower())
            if value is None:
                raise ValueError(f"{variable}: expected 1 or 0, got {text!r}")
        found[name] = value
    return found


def _checked(name: str, value: Any) -> Any:
    if name in _CHOICES:
        if not isinstance(value, str):
            raise TypeError(f"{name}: expected {_wanted(name)}, got a {type(value).__name__}")
        if value not in _CHOICES[name]:
            raise ValueError(f"{name}: expected {_wanted(name)}, got {value!r}")
        return value
    if name in _SIZES:
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise TypeError(f"{name}: expected a number of bytes or None, got a {type(value).__name__}")
        if value < 1:
            raise ValueError(f"{name}: expected a number of bytes above 0, got {value}")
        return int(value)
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True, False or None, got a {type(value).__name__}")
    return bool(value)


def _wanted(name: str) -> str:
    return " or ".join(repr(choice) for choice in _CHOICES[name])
