"""Tells arrays from other values, a NumPy scalar being an array of rank 0, and makes read-only views of them."""

from typing import Any, TypeGuard

import numpy as np

Array = np.ndarray[Any, Any]


def is_array(value: Any) -> TypeGuard[Array]:
    """Whether ``value`` has a shape and a dtype of NumPy's; a Python number and a list have none [IN-15]."""
    return isinstance(value, (np.ndarray, np.generic))


def read_only(array: Any) -> Any:
    """A view of an array through which nothing can be written; a NumPy scalar can't be written to anyway."""
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view
