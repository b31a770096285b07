"""Gives probe cells the functions that they compute with, on arrays of the device."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import array_module
from dynamic_rnn_spec.wire.probes import MODULUS, NumPyOps

from .device import current_device


class DeviceOps(NumPyOps):
    """``NumPyOps`` with each function taken from the module of the array at hand."""

    def digest(self, leaf: Any) -> Any:
        """The sum of each row as float64 [batch]; the real part of a complex number, 0 and 1 for a bool."""
        numbers = leaf.real if leaf.dtype.kind == "c" else leaf
        return array_module(leaf).sum(numbers.astype(np.float64), axis=tuple(range(1, leaf.ndim)))

    def modulo(self, row: Any) -> Any:
        """``row`` modulo MODULUS, at least 0."""
        return array_module(row).mod(row, float(MODULUS))

    def spread(self, row: Any, dims: Any, dtype: str) -> Any:
        """An array [batch] + dims of that dtype: element p of a row is ``(row + 7 p) mod MODULUS``, or its parity."""
        xp = array_module(row)
        positions = 7.0 * np.arange(int(np.prod(dims, dtype=int))).reshape(tuple(dims))
        values = self.modulo(row.reshape((-1,) + (1,) * len(dims)) + xp.asarray(positions))
        return xp.mod(values, 2) == 1 if dtype == "bool" else values.astype(dtype)

    def plus_one(self, leaf: Any) -> Any:
        """``leaf + 1`` in the dtype of ``leaf``."""
        return leaf + array_module(leaf).ones((), dtype=leaf.dtype)

    def constant(self, value: Any) -> Any:
        """A NumPy array as an array of the device."""
        return current_device().enter(np.array(value))

    def repeat_row(self, row: Any, batch_size: Any) -> Any:
        """A NumPy array as [batch] + its shape on the device, every row the same."""
        return self.constant(np.broadcast_to(row, (batch_size, *row.shape)))
