"""Checks the options that cells are made with.

Numbers come back as Python's: a NumPy scalar in an equation would lift float32 arrays to its own precision [EQ-16].
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from dynamic_rnn_spec import AUTO_REUSE, ArgumentTypeError, ArgumentValueError

from ..dtypes import describe_value

_BOOLS = (bool, np.bool_)


def positive(argument: str, value: Any, clause: str) -> int:
    """An integer of at least 1: units, columns, parts."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise ArgumentTypeError(argument, "a positive integer", describe_value(value), clause)
    if value < 1:
        raise ArgumentValueError(argument, "at least 1", str(value), clause)
    return int(value)


def optional_positive(argument: str, value: Any, clause: str) -> int | None:
    """None, or an integer of at least 1."""
    return value if value is None else positive(argument, value, clause)


def real(argument: str, value: Any, clause: str) -> float:
    """A real number; a bool does not count as one."""
    if isinstance(value, _BOOLS) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ArgumentTypeError(argument, "a number", describe_value(value), clause)
    return float(value)


def optional_bound(argument: str, value: Any, clause: str) -> float | None:
    """None, or the b of limits [-b, b], a number of at least 0."""
    if value is None:
        return None
    bound = real(argument, value, clause)
    if bound >= 0:
        return bound
    raise ArgumentValueError(argument, "at least 0", str(value), clause)


def keep_probability(argument: str, value: Any) -> float:
    """A number in (0, 1] [EQ-18]; TensorFlow accepts 0 here, and refuses it at the first step."""
    probability = real(argument, value, "EQ-18")
    if 0 < probability <= 1:
        return probability
    raise ArgumentValueError(argument, "a number above 0 and up to 1", str(value), "EQ-18")


def flag(argument: str, value: Any, clause: str) -> bool:
    """True or False."""
    if isinstance(value, _BOOLS):
        return bool(value)
    raise ArgumentTypeError(argument, "True or False", describe_value(value), clause)


def optional_function(argument: str, value: Any, clause: str) -> Callable[..., Any] | None:
    """None, or a function."""
    if value is None or callable(value):
        function: Callable[..., Any] | None = value
        return function
    raise ArgumentTypeError(argument, "a function or None", describe_value(value), clause)


def reuse_option(value: Any) -> None | bool | str:
    """None, True, False or AUTO_REUSE [SCOPE-7]."""
    if value is None or isinstance(value, bool) or value == AUTO_REUSE:
        chosen: None | bool | str = value
        return chosen
    raise ArgumentTypeError("reuse", "None, True, False or AUTO_REUSE", describe_value(value), "SCOPE-7")
