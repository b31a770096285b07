"""Checks what a cell is made with.

Every number is given back as a Python number: a NumPy scalar in an equation would lift float32 arrays to its own
precision [EQ-16].
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from dynamic_rnn_spec import AUTO_REUSE, ArgumentTypeError, ArgumentValueError

from ..dtypes import describe_type


def positive(argument: str, value: Any, clause: str) -> int:
    """A number of units, columns or parts: an integer of at least 1."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ArgumentTypeError(argument, "a positive integer", describe_type(value), clause)
    if value < 1:
        raise ArgumentValueError(argument, "at least 1", str(value), clause)
    return int(value)


def optional_positive(argument: str, value: Any, clause: str) -> int | None:
    """A positive integer, or None."""
    return None if value is None else positive(argument, value, clause)


def real(argument: str, value: Any, clause: str) -> float:
    """A real number."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ArgumentTypeError(argument, "a number", describe_type(value), clause)
    return float(value)  # EQ-16


def optional_bound(argument: str, value: Any, clause: str) -> float | None:
    """A number b of at least 0, for limits [-b, b], or None."""
    if value is None:
        return None
    bound = real(argument, value, clause)
    if not bound >= 0:
        raise ArgumentValueError(argument, "at least 0", str(value), clause)
    return bound


def keep_probability(argument: str, value: Any) -> float:
    """A number in (0, 1] [EQ-18]. TensorFlow takes 0 when the wrapper is made, and refuses it at the first step."""
    probability = real(argument, value, "EQ-18")
    if not 0 < probability <= 1:
        raise ArgumentValueError(argument, "a number above 0 and at most 1", str(value), "EQ-18")
    return probability


def flag(argument: str, value: Any, clause: str) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentTypeError(argument, "True or False", describe_type(value), clause)
    return bool(value)


def optional_function(argument: str, value: Any, clause: str) -> Callable[..., Any] | None:
    """A function, or None."""
    if value is not None and not callable(value):
        raise ArgumentTypeError(argument, "a function or None", describe_type(value), clause)
    function: Callable[..., Any] | None = value
    return function


def reuse_option(value: Any) -> None | bool | str:
    """None, a bool or AUTO_REUSE [SCOPE-7]."""
    if value is not None and not isinstance(value, bool) and value != AUTO_REUSE:
        raise ArgumentTypeError("reuse", "None, True, False or AUTO_REUSE", describe_type(value), "SCOPE-7")
    chosen: None | bool | str = value
    return chosen
