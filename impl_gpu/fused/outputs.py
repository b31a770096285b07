"""Allocates the outputs of a call as one new array in the caller's layout.

Letters: T steps, B rows.
"""

from typing import Any

import numpy as np

from ..device.seam import Device
from .ragged import Schedule


class Outputs:
    """The array of outputs of a call, in the caller's layout."""

    def __init__(self, device: Device, stream: Any, runs: Schedule, width: int, time_major: bool, dtype: Any) -> None:
        self._device = device
        self._stream = stream
        self._runs = runs
        T, B = runs.steps, runs.batch_size
        shape = (T, B, width) if time_major else (B, T, width)  # TIME-3 and OUT-2, or OUT-1
        self._step_bytes = B * width * np.dtype(dtype).itemsize
        self._time_major = time_major
        buffer = device.allocate(max(1, T * self._step_bytes), stream, "outputs")
        self.array = device.array(buffer, shape, np.dtype(dtype))
        self.ptr = buffer.ptr
        # Elements to the next step, and to the next row; TIME-4: to the kernels the layouts differ by these alone.
        self.strides = (B * width, width) if time_major else (width, T * width)

    def zero_past_the_end(self) -> None:
        """Zeros at the steps that no row reaches [SEQ-10]; batch-major, where they are not one piece, everywhere."""
        past = self._runs.steps - self._runs.end
        if past:
            first = self._runs.end if self._time_major else 0
            nbytes = (self._runs.steps - first) * self._step_bytes
            # SEQ-10
            self._device.zero(self.ptr + first * self._step_bytes, nbytes, self._stream, "outputs past the end")
