"""Brings arrays to a device and back by nothing but the seam."""

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..device.seam import Buffer, Device

Numbers = np.ndarray[Any, Any]
Arrays = Mapping[str, Numbers]


class Desk:
    """A device with one stream, on which everything here is done."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.stream = device.current_stream()

    @property
    def on_gpu(self) -> bool:
        """Whether this is a GPU, and not a rehearsal."""
        return self.device.kind == "cuda"

    def upload(self, array: Numbers, stream: Any = None) -> Buffer:
        """The bytes of an array in device memory."""
        stream = stream or self.stream
        array = np.ascontiguousarray(array)
        buffer = self.device.allocate(array.nbytes, stream, "prove")
        if array.nbytes:
            pinned = self.pinned(array)
            self.device.put(buffer.ptr, pinned.ptr, array.nbytes, stream, "prove")
            self.device.synchronize(stream, "prove")
        return buffer

    def pinned(self, array: Numbers) -> Buffer:
        """The bytes of an array in pinned memory."""
        array = np.ascontiguousarray(array)
        buffer = self.device.pinned(array.nbytes, "prove")
        ctypes.memmove(buffer.ptr, array.ctypes.data, array.nbytes)
        return buffer

    def download(self, ptr: int, like: Numbers, stream: Any = None) -> Numbers:
        """What lies at an address, as an array of this dtype and shape."""
        stream = stream or self.stream
        result = np.empty(like.shape, like.dtype)
        if result.nbytes:
            pinned = self.device.pinned(result.nbytes, "prove")
            self.device.get(pinned.ptr, ptr, result.nbytes, stream, "prove")
            self.device.synchronize(stream, "prove")
            ctypes.memmove(result.ctypes.data, pinned.ptr, result.nbytes)
        return result

    def after(self, arrays: Arrays, work: Any) -> dict[str, Numbers]:
        """All arrays after ``work(addresses)`` was enqueued and has run."""
        buffers = {name: self.upload(array) for name, array in arrays.items()}
        work({name: buffer.ptr for name, buffer in buffers.items()})
        return {name: self.download(buffers[name].ptr, array) for name, array in arrays.items()}
