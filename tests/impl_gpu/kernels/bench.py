"""Launches kernels on a host device with NumPy arrays, stored as the variants of the kernels store them."""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from impl_gpu import kernels
from impl_gpu.device.host import HostDevice
from impl_gpu.device.log import launch_log

Array = np.ndarray[Any, Any]
STORES = {"float16": np.float16, "bfloat16": np.uint16, "float32": np.float32, "float64": np.float64}
GATES = {"float16": np.float32, "bfloat16": np.float32, "float32": np.float32, "float64": np.float64}


def stored(values: Any, dtype: str) -> Array:
    """float64 values as the variant stores them; bfloat16 as its bits, rounded to nearest even."""
    with np.errstate(over="ignore"):
        if dtype != "bfloat16":
            return np.asarray(values).astype(STORES[dtype])
        bits = np.asarray(values).astype(np.float32).view(np.uint32)
    rounded = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(bits.view(np.float32)), np.uint16(0x7FC0), rounded)


def wide(array: Array, dtype: str) -> Array:
    """What is stored, as float64."""
    if dtype != "bfloat16":
        return array.astype(np.float64)
    return (array.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def bits(array: Array) -> Array:
    """Equal where the bits are, so that NaN and -0.0 are told apart."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


class Held:
    """Device memory with an array in it, ``offset`` elements from an aligned address."""

    def __init__(self, bench: "Bench", array: Array, offset: int = 0) -> None:
        self.bench, self.shape, self.dtype = bench, array.shape, array.dtype
        nbytes = max(array.nbytes, 1)
        self.buffer = bench.device.allocate(nbytes + offset * array.itemsize, bench.stream, "test")
        self.ptr = self.buffer.ptr + offset * array.itemsize
        self.nbytes = array.nbytes
        staging = bench.device.pinned(nbytes, "test")
        whole = np.ascontiguousarray(array)
        ctypes.memmove(staging.ptr, whole.ctypes.data, array.nbytes)
        bench.device.put(self.ptr, staging.ptr, array.nbytes, bench.stream, "test")
        bench.device.synchronize(bench.stream, "test")

    def now(self) -> Array:
        """What lies there when all work has run."""
        staging = self.bench.device.pinned(max(self.nbytes, 1), "test")
        self.bench.device.get(staging.ptr, self.ptr, self.nbytes, self.bench.stream, "test")
        self.bench.device.synchronize(self.bench.stream, "test")
        result = np.empty(self.shape, self.dtype)
        ctypes.memmove(result.ctypes.data, staging.ptr, self.nbytes)
        return result


class Bench:
    """A host device whose kernels are compiled from ``source(module, dtype)``; None: those there are."""

    def __init__(self, source: Callable[[str, str], str] | None = None, seed: int = 0) -> None:
        self.device = HostDevice(seed, source)
        self.stream = self.device.current_stream()

    def hold(self, array: Any, offset: int = 0) -> Held:
        return Held(self, np.asarray(array), offset)

    def table(self, numbers: Any) -> Held | None:
        """int32 numbers, or None."""
        return None if numbers is None else Held(self, np.asarray(numbers, np.int32))

    def launch(self, name: str, **arguments: Any) -> list[Any]:
        """``kernels.launch_<name>`` with addresses for what is held; the entries of the log."""
        given = {key: value.ptr if isinstance(value, Held) else value for key, value in arguments.items()}
        with launch_log() as log:
            getattr(kernels, f"launch_{name}")(self.device, self.stream, **given)
        return log.entries

    def finish(self) -> None:
        """Run what is left and look whether anything was written beside its memory."""
        self.device.finish()
