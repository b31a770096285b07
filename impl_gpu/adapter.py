"""Connects impl_gpu to the conformance contract: turns a case into calls, and their results into an outcome."""

import os
import random
from collections.abc import Mapping
from typing import Any

import cupy
import numpy as np

import impl_gpu
from dynamic_rnn_spec.adapter import PythonAdapter
from dynamic_rnn_spec.case import Answer, Case, DType, Outcome
from dynamic_rnn_spec.vocabulary.structure import flatten, is_sequence
from dynamic_rnn_spec.wire.probes import Recorder

from .arrays import enter
from .caches import clear_caches
from .device import current_device
from .device.seam import SeamError
from .probe_ops import DeviceOps
from .settings import options

SCHEDULE = "IMPL_GPU_SCHEDULE"
"""The environment variable of a number that picks other schedules for the same cases, on the host side."""

MEMORY_CHECKED = "CONFORMANCE_MEMORY_CHECKED"
"""The environment variable that the suite sets where a memory checker watches."""

_SWAPS = ("move", "recompute", "auto")
_HELD = ("inputs", "initial_state", "dtype")
_ON_HOST = 0.25
"""The share of a case's arrays that are given as NumPy's: these are uploaded by the call."""


def implementation() -> "GpuAdapter":
    """The entry point of the group ``dynamic_rnn.implementations``."""
    if os.environ.get(MEMORY_CHECKED):
        cupy.cuda.set_allocator(None)  # a memory checker sees nothing inside of a pool
    return GpuAdapter()


class GpuAdapter(PythonAdapter):
    """Runs cases on the current device. On the host side each case has a schedule of its own, drawn from its digest."""

    def __init__(self) -> None:
        versions = {"numpy": np.__version__, "cupy": cupy.__version__}
        super().__init__(
            "impl_gpu", impl_gpu.dynamic_rnn, impl_gpu, versions, dynamic_rnn_vjp=impl_gpu.dynamic_rnn_vjp
        )
        self.ops = DeviceOps()
        self._dice = random.Random(0)

    def describe(self) -> dict[str, Any]:
        """What the report says about the implementation."""
        device = current_device().describe()
        return {"name": self.name, "versions": self.versions, "device": str(device["device"])}

    schedules = True
    """``run`` can be asked for another legal order of the same work."""

    def missing(self) -> str | None:
        """What this machine lacks for running cases: a device, or for the host side a compiler."""
        try:
            current_device().describe()
        except RuntimeError as error:
            return str(error)
        return None

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        """Every call of the case; on the host side, then all that is left in its streams, and a look at its memory.

        Args:
            case: what to run.
            schedule: another number is another order of the same work on the host side; on a device that is left to
                it. With an odd one graphs are replayed where there are some, which changes no bit.

        What was enqueued and a device would not survive is found on the host side at the latest then: it crashed.
        """
        if any(_holds_text(call.arguments.get(name)) for call in case.calls for name in _HELD):
            return Outcome.of(Answer.unsupported("text", "CuPy has no arrays of text"), case)
        device: Any = current_device()
        digest = int(case.digest(), 16)
        self._dice = random.Random(digest)
        graph = True if schedule is not None and schedule % 2 else None
        on_host = device.kind == "host"
        if on_host:
            clear_caches()
            device.restart(digest + int(os.environ.get(SCHEDULE) or 0) + 1000003 * (schedule or 0))
        # Where swapping is allowed and everything fits, which it always does here, nothing would be swapped.
        with options(graph=graph, swap=_SWAPS[digest % len(_SWAPS)]):
            outcome = super().run(case)
        if not on_host:
            return outcome
        try:
            device.finish()
        except SeamError as error:
            return Outcome.of(Answer("crashed", what="on the host side", why=str(error)), case)
        return outcome

    def to_array(self, array: Any) -> Any:
        """Mostly an array of the device; now and then a NumPy array, which the call has to upload."""
        if array.dtype.kind in "SU" or self._dice.random() < _ON_HOST:
            return np.array(array)
        return enter(current_device(), np.array(array))

    def to_numpy(self, array: Any) -> Any:
        """What impl_gpu returned, as NumPy; what is no array stays as it is."""
        return current_device().to_numpy(array) if isinstance(array, cupy.ndarray) else super().to_numpy(array)

    def snapshot(self, value: Any) -> Any:
        """The bytes of every array in a value, those on the device read back."""
        return super().snapshot(self.plain(value))

    def share_memory(self, result: Any, given: Any) -> bool:
        """Whether an array of the result lies in the memory of an array that was given [INIT-10]."""
        theirs = _spans(given)
        return any(first < end and start < last for first, last in _spans(result) for start, end in theirs)

    def recorder(self) -> Recorder:
        """What records the calls of a probe cell, reading its arrays back."""
        recorder = _DeviceRecorder()
        recorder.convert = self.to_numpy
        return recorder


class _DeviceRecorder(Recorder):
    convert: Any

    def to_numpy(self, array: Any) -> Any:
        return self.convert(array)


def _spans(value: Any) -> list[tuple[int, int]]:
    return [_span(array) for array in flatten(value) if isinstance(array, cupy.ndarray) and array.size]


def _span(array: Any) -> tuple[int, int]:
    """The addresses of the first and the last byte of an array, the latter one further."""
    low = high = array.data.ptr
    for size, stride in zip(array.shape, array.strides, strict=True):
        low += min(0, (size - 1) * stride)
        high += max(0, (size - 1) * stride)
    return low, high + array.itemsize


def _holds_text(value: Any) -> bool:
    if isinstance(value, DType):
        return np.dtype(value.name).kind in "SU"
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "SU"
    if isinstance(value, Mapping):
        return any(_holds_text(child) for child in value.values())
    return is_sequence(value) and any(_holds_text(child) for child in value)
