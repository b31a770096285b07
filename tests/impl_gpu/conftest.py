"""Gives tests of the device a desk that works a host device by hand, with NumPy arrays and kernels as text."""

import ctypes
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from impl_gpu.device.host import HostDevice
from impl_gpu.device.seam import Buffer, Kernel, Parameter

ENTRY = re.compile(r'extern "C" __global__ void (\w+)\((.*?)\)', re.S)


class Desk:
    """A host device of one seed, whose kernels are ``source``."""

    def __init__(self, seed: int = 0, source: str = "") -> None:
        self.source = source
        self.device = HostDevice(seed, lambda module, dtype: source)
        self.stream = self.device.current_stream()

    def view(self, buffer: Buffer, dtype: Any = np.float32) -> np.ndarray[Any, Any]:
        """The pinned memory as an array, now."""
        memory: Any = (ctypes.c_char * buffer.nbytes).from_address(buffer.ptr)
        return np.frombuffer(memory, dtype)

    def pinned(self, values: Any, dtype: Any = np.float32) -> Buffer:
        """Pinned memory with these values."""
        array = np.asarray(values, dtype)
        buffer = self.device.pinned(array.nbytes, "staging")
        self.view(buffer, dtype)[...] = array.ravel()
        return buffer

    def upload(self, values: Any, dtype: Any = np.float32, stream: Any = None, purpose: str = "data") -> Buffer:
        """Device memory with these values; the copy has run."""
        stream = stream or self.stream
        staging = self.pinned(values, dtype)
        buffer = self.device.allocate(staging.nbytes, stream, purpose)
        self.device.put(buffer.ptr, staging.ptr, staging.nbytes, stream, purpose)
        self.device.synchronize(stream, "upload")
        return buffer

    def download(self, buffer: Buffer, dtype: Any = np.float32, stream: Any = None) -> np.ndarray[Any, Any]:
        """What device memory holds when all work of the stream has run."""
        stream = stream or self.stream
        target = self.device.pinned(buffer.nbytes, "result")
        self.device.get(target.ptr, buffer.ptr, buffer.nbytes, stream, "result")
        self.device.synchronize(stream, "result")
        return self.view(target, dtype).copy()

    def kernel(self, entry: str, dtype: str = "float32", **instead: str) -> Kernel:
        """A kernel of the source, declared as it is there but for the types in ``instead``."""
        declared = dict(ENTRY.findall(self.source))[entry]
        parameters = []
        for text in declared.split(","):
            kind, name = re.fullmatch(r"\s*(.*?)\s*(\w+)\s*", text).groups()  # type: ignore[union-attr]
            parameters.append(Parameter(name, instead.get(name, kind)))
        return Kernel(entry, "test", dtype, tuple(parameters))

    def launch(
        self, entry: str, *values: Any, stream: Any = None, threads: int = 32, blocks: int = 1, **more: Any
    ) -> None:
        """One launch in one dimension."""
        kernel = self.kernel(entry)
        self.device.launch(kernel, (blocks, 1, 1), (threads, 1, 1), values, stream or self.stream, entry, 0, **more)


@pytest.fixture(scope="session")
def make_desk() -> Callable[..., Desk]:
    """``make_desk(seed, source)``."""
    return Desk
