"""Decides what counts as an array, reads its shape and dtype where it lies, and brings it onto a device.

NumPy's and CuPy's arrays count, and everything that lends its memory by ``__cuda_array_interface__`` or DLPack, as
the arrays of PyTorch, JAX and Numba do.
"""

from typing import Any

import cupy
import numpy as np

from dynamic_rnn_spec import array_module

from .abstract import Abstract
from .dtypes import DType, native, on_device

_NATIVE = (np.ndarray, np.generic, cupy.ndarray, Abstract)


def is_array(value: Any) -> bool:
    """Whether ``value`` has a shape and a dtype that NumPy can name; a Python number and a list have none [IN-15]."""
    return isinstance(value, _NATIVE) or described(value) is not None


def described(value: Any) -> Abstract | None:
    """The shape and the dtype of an array, in the byte order of the machine; None for what is no array."""
    if isinstance(value, _NATIVE):
        return Abstract(value.shape, native(value.dtype))
    # Looked up on the class: on a tensor that requires a gradient PyTorch's property raises.
    if hasattr(type(value), "__dlpack__") and hasattr(value, "shape") and hasattr(value, "dtype"):
        dtype = _named_dtype(value.dtype)
        return None if dtype is None else Abstract(tuple(int(dim) for dim in value.shape), dtype)
    interface = getattr(value, "__cuda_array_interface__", None)
    if isinstance(interface, dict):
        return Abstract(interface["shape"], native(np.dtype(interface["typestr"])))
    return None


def known_of(array: Any) -> Abstract:
    """The shape and the dtype of what is known to be an array."""
    known = described(array)
    if known is None:
        raise TypeError(f"no array: {array!r}")
    return known


def _named_dtype(dtype: Any) -> DType | None:
    """NumPy's dtype of the same name: ``torch.float32`` is float32."""
    try:
        return native(np.dtype(dtype))
    except TypeError:
        name = str(dtype).rpartition(".")[2]
    try:
        return np.dtype(name)
    except TypeError:
        return None


def enter(device: Any, value: Any) -> Any:
    """``value`` as a cupy.ndarray of the device: without a copy where its memory is there, else by one upload.

    An element that lies across the boundaries of its size, which no kernel could read, is moved: the array is copied
    byte by byte.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        value = np.asarray(value)
        if not value.dtype.isnative:
            value = value.astype(native(value.dtype))
    array = device.enter(value)
    if not array.size or _aligned(array):
        return array
    return array[..., None].view(np.uint8).copy().view(array.dtype)[..., 0]


def _aligned(array: Any) -> bool:
    places = int(array.data.ptr)
    for dim, stride in zip(array.shape, array.strides, strict=True):
        if dim > 1:
            places |= int(stride)
    return places % int(array.itemsize) == 0


def in_whole_rows(array: Any, leading: int = 1) -> Any:
    """``array`` itself where what lies behind its ``leading`` axes is in one piece, as kernels read it, else a copy."""
    if not array.size or array[(0,) * leading].flags.c_contiguous:
        return array
    return array_module(array).ascontiguousarray(array)


def empty(device: Any, shape: tuple[int, ...], dtype: DType, stream: Any, purpose: str) -> Any:
    """An array of the device whose values are yet to be written by work on ``stream``."""
    wanted = Abstract(shape, dtype)
    buffer = device.allocate(wanted.nbytes, stream, purpose)
    return device.array(buffer, wanted.shape, wanted.dtype)


def zeros(device: Any, shape: tuple[int, ...], dtype: DType, stream: Any, purpose: str) -> Any:
    """An array of zeros; a byte of zero bits is 0, +0 and False in every dtype that a device has."""
    array = empty(device, shape, dtype, stream, purpose)
    device.zero(array.data.ptr, array.nbytes, stream, purpose)
    return array


def why_not_on_device(dtype: DType) -> str | None:
    """In the words of an error why no array of this dtype can be on the device; None: it can."""
    if on_device(dtype):
        return None
    if dtype.kind in "SU":
        return "CuPy has no text"
    return f"CuPy has no {dtype}"
