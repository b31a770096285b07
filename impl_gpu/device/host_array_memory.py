"""Lays arrays over a buffer of the host side, and lends NumPy views of it by address."""

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from . import current_device
from .host_array_shapes import Region, Viewed, held, span


class HostMemory(cupy.ndarray):  # type: ignore[misc]  # CuPy has no types
    """What lies in the memory of ``host``, a HostDevice. ``kind`` is the subclass that arrays are made of."""

    host: Any
    kind: Any = None

    def __init_subclass__(cls) -> None:
        HostMemory.kind = cls

    def __array_finalize__(self, source: Any) -> None:
        if source is not None:
            self.host = source.host


def make(buffer: Any, shape: Sequence[int], dtype: Any, offset: int = 0) -> Any:
    """A C-ordered array over a buffer of the host side from byte ``offset`` on; it keeps the buffer alive."""
    memory = cupy.cuda.UnownedMemory(buffer.ptr, buffer.nbytes, buffer, 0)
    array = HostMemory.kind(shape, dtype, memptr=cupy.cuda.MemoryPointer(memory, offset))
    array.host = buffer._device
    return array


def new(host: Any, shape: Sequence[int], dtype: Any) -> Any:
    """Uninitialised memory of its own, for work on the current stream; the log of launches says nothing of it."""
    host.purpose = "an array of a cell"
    return make(host._do_allocate(math.prod(shape) * dtype.itemsize, host.current_stream()), shape, dtype)


def within(array: Any, place: Viewed) -> Any:
    """An array in the memory of another one."""
    made = HostMemory.kind(place.shape, place.dtype, memptr=array.data + place.offset, strides=place.strides)
    made.host = array.host
    return made


def upload(values: Any, host: Any = None) -> Any:
    """A NumPy array or scalar as it is now, on ``host`` (None: the current device).

    Raises:
        TypeError: no dtype of a device, or the current device is no HostDevice.
    """
    if host is None:
        host = current_device()
        if host.kind != "host":
            raise TypeError(f"the host side's arrays need the host side, the device is {host.kind!r}")
    values = np.array(values, order="C")
    held(values.dtype)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    array = new(host, values.shape, values.dtype)
    if values.size:
        write(array, values, None)
    return array


def view(array: Any) -> Any:
    """The memory of an array as a NumPy array, by address: it keeps nothing alive and waits for nothing."""
    return lay(array, [])


def lay(array: Any, regions: list[Region]) -> Any:
    """As ``view``; the bytes that it covers are added to ``regions``."""
    shape, strides, dtype = array.shape, array.strides, array.dtype
    low, high = span(shape, strides, dtype.itemsize)
    if low == high:
        return np.empty(shape, dtype)
    address = array.data.ptr + low
    regions.append((address, high - low))
    memory = (ctypes.c_char * (high - low)).from_address(address)
    return np.ndarray(shape, dtype, memory, -low, strides)  # type: ignore[arg-type]


def write(array: Any, values: Any, stream: Any) -> None:
    """Enqueue the overwriting of an array; nobody else changes ``values``."""
    host = array.host
    regions: list[Region] = []
    target = lay(array, regions)
    chosen = host.current_stream() if stream is None else stream
    host.enqueue(chosen, "upload of an array", copy_values, host, "upload of an array", regions, target, values)


def copy_values(host: Any, purpose: str, regions: list[Region], target: Any, source: Any) -> None:
    """The work of an upload or of a reading back."""
    for address, nbytes in regions:
        host.check(address, nbytes, purpose)
    np.copyto(target, source)
