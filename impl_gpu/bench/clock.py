"""Times one piece of work, and says on what device.

On CUDA by two events on the current stream, which is PyTorch's as well (both start on the default one). On the host
side by the processor's clock, which says nothing about a GPU.
"""

import time
from collections.abc import Callable
from typing import Any

import cupy


class CudaClock:
    """Milliseconds between two events."""

    def __init__(self) -> None:
        self._start, self._stop = cupy.cuda.Event(), cupy.cuda.Event()

    def milliseconds(self, work: Callable[[], Any]) -> float:
        """The time from the first to the last thing that the device does for ``work``."""
        stream = cupy.cuda.get_current_stream()
        stream.synchronize()
        self._start.record(stream)
        kept = work()
        self._stop.record(stream)
        self._stop.synchronize()
        del kept
        return float(cupy.cuda.get_elapsed_time(self._start, self._stop))


class ProcessorClock:
    """Milliseconds of the processor that executes the kernels."""

    def __init__(self, device: Any) -> None:
        self._device = device

    def milliseconds(self, work: Callable[[], Any]) -> float:
        """The time until all of ``work`` is done."""
        start = time.perf_counter()
        kept = work()
        self._device.synchronize(self._device.current_stream(), "bench")
        elapsed = time.perf_counter() - start
        del kept
        return 1e3 * elapsed


def clock_of(device: Any) -> CudaClock | ProcessorClock:
    """The clock for a device."""
    return CudaClock() if device.kind == "cuda" else ProcessorClock(device)


def device_facts(device: Any) -> dict[str, Any]:
    """The device and the version of CuPy, for evidence."""
    return {"device": device.describe(), "cupy": cupy.__version__}
