"""Views arrays of other libraries that lie in the memory of the host side as host arrays, without a copy.

What stands for a GPU's memory here is the host side's own: a test lends it as PyTorch or JAX would lend a GPU's. It
refuses memory of a real GPU, which the processor can't read.
"""

import math
from typing import Any

import cupy
import numpy as np

from .host_array_memory import HostMemory
from .host_array_shapes import span
from .seam import SeamError

DLPACK_CPU, DLPACK_CUDA = 1, 2


def lent(host: Any, value: Any) -> Any:
    """A host array in the memory that ``value`` lends; None: it lends none of a device.

    Raises:
        TypeError: the memory is a GPU's.
    """
    if hasattr(value, "__dlpack_device__"):
        if value.__dlpack_device__()[0] != DLPACK_CUDA:
            return None
        found = np.from_dlpack(_OnProcessor(value))
        return _over(host, value, found.ctypes.data, found.shape, found.dtype, found.strides, (found, value))
    interface = getattr(value, "__cuda_array_interface__", None)
    if interface is None:
        return None
    shape, dtype = tuple(interface["shape"]), np.dtype(interface["typestr"])
    strides = interface.get("strides")
    return _over(host, value, interface["data"][0], shape, dtype, strides, value)


def _over(host: Any, value: Any, address: int, shape: Any, dtype: Any, strides: Any, owner: Any) -> Any:
    low, high = (0, math.prod(shape) * dtype.itemsize) if strides is None else span(shape, strides, dtype.itemsize)
    if low < high:
        try:
            host.check(address + low, high - low, "lent memory")
        except SeamError as error:
            raise TypeError(f"the host side takes no memory of a GPU, got {type(value).__name__}") from error
    memory = cupy.cuda.UnownedMemory(address + low, high - low, owner, 0)
    array = HostMemory.kind(shape, dtype, memptr=cupy.cuda.MemoryPointer(memory, -low), strides=strides)
    array.host = host
    return array


class _OnProcessor:
    """An array in what stands for a GPU's memory, as one that NumPy may look at."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __dlpack_device__(self) -> tuple[int, int]:
        return DLPACK_CPU, 0

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self._value.__dlpack__()
