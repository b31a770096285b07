"""The switches of impl_gpu: what a user may turn, and the environment that sets it; it refuses to act on any of them.

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


_CHOICES = {"path": PATHS, "gemm": GEMMS}
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
) -> Iterator[Options]:
    """Set switches for the calls within the block, in this thread or task.

    An argument that is None stays as it is outside: as an outer block has it, else as the environment variable
    ``IMPL_GPU_<NAME>`` has it (1 or 0, or the word), else the default.

    Args:
        tf32: matrix products of float32 may round their operands to ten bits of mantissa, which tensor cores are
            fast at. Default: False, strict float32.
        graph: the steps of a chunk are captured in a CUDA graph when they come a second time, and replayed from then
            on; bit for bit the same results. Default: False.
        overlap: the input products of the next chunk run on a second stream beside the steps of this one; bit for
            bit the same results. Default: True.
        path: "auto": built-in cells run fused; "cell": every cell is called step by step, like a user's own.
            Default: "auto".
        sync: the host waits after every device call, so that an error is told where it is made. Default: False.
        gemm: "own": matrix products by this package's cuBLAS handle; "cupy": by CuPy's, which can't be captured.
            Default: "own".
        shadow: every device call is done again on the host and compared, and the first that differs is named.
            Default: False.

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
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True, False or None, got a {type(value).__name__}")
    return bool(value)


def _wanted(name: str) -> str:
    return " or ".join(repr(choice) for choice in _CHOICES[name])
