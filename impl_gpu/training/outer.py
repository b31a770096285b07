"""Brings cotangents of the outputs into a backward pass and gradients of the inputs out of it, chunk by chunk.

Letters: T steps, B rows.
"""

from typing import Any

import numpy as np

from .. import kernels
from ..arrays import in_whole_rows
from ..device.seam import Device
from ..fused.precision import Precision
from ..fused.ragged import Chunk, Schedule


class Cotangents:
    """The cotangents of the outputs, in the caller's layout; None: zeros."""

    def __init__(
        self,
        device: Device,
        stream: Any,
        d_outputs: Any,
        time_major: bool,
        precision: Precision,
        order: int | None,
        lengths: int | None,
        width: int,
    ) -> None:
        self._device = device
        self._stream = stream
        self._precision = precision
        self._order = order
        self._lengths = lengths
        self._width = width
        self._array = None
        if d_outputs is not None:
            self._array = in_whole_rows(d_outputs if time_major else d_outputs.swapaxes(0, 1), leading=2)  # GRAD-13

    @property
    def are_zeros(self) -> bool:
        return self._array is None

    def load(self, dst: int, chunk: Chunk) -> None:
        """Bring a chunk to ``dst`` [length, active, width] of the accumulator, zeros for finished rows [GRAD-8]."""
        src, strides = None, (0, 0)
        if self._array is not None:
            src = int(self._array.data.ptr)
            strides = tuple(stride // self._array.itemsize for stride in self._array.strides[:2])
        kernels.launch_load_cotangent(
            self._device,
            self._stream,
            dtype=self._precision.name,
            dst=dst,
            src=src,
            order=self._order,
            lengths=self._lengths,
            n=self._width,
            active=chunk.active,
            first=chunk.first,
            length=chunk.length,
            src_t=strides[0],
            src_row=strides[1],
        )


class InputGradients:
    """The gradients of the inputs, in one new array of the caller's layout."""

    def __init__(
        self,
        device: Device,
        stream: Any,
        runs: Schedule,
        depth: int,
        time_major: bool,
        dtype: Any,
        precision: Precision,
        order: int | None,
        lengths: int | None,
    ) -> None:
        self._device = device
        self._stream = stream
        self._runs = runs
        self._depth = depth
        self._time_major = time_major
        self._precision = precision
        self._order = order
        self._lengths = lengths
        T, B = runs.steps, runs.batch_size
        self._step_bytes = B * depth * precision.stored
        self._ptr = (buffer := device.allocate(max(1, T * self._step_bytes), stream, "gradient of inputs")).ptr
        self._strides = (B * depth, depth) if time_major else (depth, T * depth)  # GRAD-13
        self.array = device.array(buffer, (T, B, depth) if time_major else (B, T, depth), np.dtype(dtype))

    def zero_past_the_end(self) -> None:
        """+0 at the steps that no row reaches [GRAD-7]; batch-major, where they are not one piece, everywhere."""
        past = self._runs.steps - self._runs.end
        if past:
            first = self._runs.end if self._time_major else 0
            nbytes = (self._runs.steps - first) * self._step_bytes
            self._device.zero(self._ptr + first * self._step_bytes, nbytes, self._stream, "gradient past the end")

    def store(self, src: int, chunk: Chunk) -> None:
        """Write a chunk from [length, active, depth] of the accumulator; +0 for finished rows [GRAD-7]."""
        kernels.launch_store_gradient(
            self._device,
            self._stream,
            dtype=self._precision.name,
            dst=self._ptr,
            src=src,
            order=self._order,
            lengths=self._lengths,
            n=self._depth,
            active=chunk.active,
            first=chunk.first,
            length=chunk.length,
            rows=self._runs.batch_size,
            dst_t=self._strides[0],
            dst_row=self._strides[1],
        )
