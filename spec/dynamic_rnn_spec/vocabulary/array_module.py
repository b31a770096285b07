"""Finds the module whose functions work on an array: NumPy, CuPy, or one that an implementation has announced."""

import sys
from typing import Any, Callable, Dict

import numpy as np

ARRAY_MODULES: Dict[str, Callable[[Any], Any]] = {}
"""Array modules beside NumPy: the first part of an array type's module name, and what answers with the functions for
it."""


def array_module(array: Any) -> Any:
    """The module whose functions work on ``array``: NumPy for a NumPy array, CuPy for a CuPy array.

    Raises:
        TypeError: the array belongs to no known module.
    """
    if isinstance(array, (np.ndarray, np.generic)):
        return np
    root = type(array).__module__.split(".")[0]
    if root in ARRAY_MODULES:
        return ARRAY_MODULES[root](array)
    if root == "cupy" and "cupy" in sys.modules:
        return sys.modules["cupy"]
    raise TypeError("array_module: expected an array of NumPy or CuPy, got {}".format(type(array).__name__))
