"""Checks the form of what a cell's ``call_vjp`` and its pull return.

Both implementations and ``RNNCell.vjp`` call it, so the author of a wrong cell gets the same message from each.
"""

from collections import abc
from typing import Any, Tuple

from .errors import ArgumentTypeError


def check_step_and_pull(given: Any) -> Tuple[Any, Any]:
    """``(output, new_state), pull``, as ``call_vjp`` has given it.

    Raises:
        TypeError: no tuple of two with a function at its end [GRAD-5].
    """
    if not isinstance(given, tuple) or len(given) != 2 or not callable(given[1]):
        wanted = "((output, new_state), pull) from call_vjp, pull a function"
        raise ArgumentTypeError("cell", wanted, _described(given, 2), "GRAD-5")
    return given


def check_triple(pulled: Any) -> Tuple[Any, Any, Any]:
    """``(d_inputs, d_state, d_variables)``, as a pull has given it.

    Raises:
        TypeError: no tuple of three with a dict at its end [GRAD-5].
    """
    if not isinstance(pulled, tuple) or len(pulled) != 3 or not isinstance(pulled[2], abc.Mapping):
        wanted = "(d_inputs, d_state, d_variables) from the pull of call_vjp, d_variables a dict"
        raise ArgumentTypeError("cell", wanted, _described(pulled, 3), "GRAD-5")
    return pulled


def describe(value: Any) -> str:
    """A value that stands where another was expected, in words for an error."""
    if isinstance(value, (tuple, list)):
        return "a {} of {}".format(type(value).__name__, len(value))
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return "an object of type {}".format(type(value).__name__)


def _described(value: Any, length: int) -> str:
    if isinstance(value, tuple) and len(value) == length:
        return "{} whose last is {}".format(describe(value), describe(value[-1]))
    return describe(value)
