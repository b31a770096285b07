"""Stands a shape and a dtype in the place of an array, for a step that is made of shapes only.

A built-in cell that is given these instead of arrays opens its scopes, makes its variables and refuses what it would
refuse, and does no arithmetic: so one code path serves both, and nothing is launched before all is known to be well.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


class Abstract:
    """What is known of an array before there is one."""

    __slots__ = ("shape", "dtype")

    def __init__(self, shape: Sequence[int], dtype: Any) -> None:
        self.shape = tuple(shape)
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("an array of rank 0 has no length")
        return self.shape[0]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self!r} holds no values")

    def __repr__(self) -> str:
        return f"Abstract({self.shape}, {self.dtype})"


def is_abstract(value: Any) -> bool:
    """Whether a step is made of shapes only, ``value`` being one of its arrays."""
    return isinstance(value, Abstract)


def matrix_like(x: Abstract, columns: int) -> Abstract:
    """The shape of what a step makes of ``x`` [B, ...]: [B, columns] of the same dtype."""
    return Abstract((x.shape[0], columns), x.dtype)


def column_range(matrix: Any, start: int, stop: int) -> Any:
    """The columns from ``start`` up to ``stop`` of an array [B, columns]: a view, or its shape."""
    if not isinstance(matrix, Abstract):
        return matrix[:, start:stop]
    rows, columns = matrix.shape
    return Abstract((rows, max(0, min(stop, columns) - start)), matrix.dtype)
