"""Chooses the device that impl_gpu works on, by IMPL_GPU_DEVICE.

``cuda`` (or nothing) is a GPU through CuPy; ``host`` executes the same kernels on the processor, slowly.
"""

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar

from ..settings import Options, current
from .seam import Device
from .wrapped import switched

_USED: ContextVar[Device | None] = ContextVar("impl_gpu_device", default=None)


def current_device() -> Device:
    """The device of the innermost ``use_device``, else what IMPL_GPU_DEVICE asks for; with the wrappers that the
    switches ``shadow`` and ``sync`` put around it.

    Raises:
        RuntimeError: a GPU is asked for and there is none.
        ValueError: IMPL_GPU_DEVICE is neither "cuda" nor "host".
    """
    options = current()
    return switched(_USED.get() or _asked(options), options)


def _asked(options: Options) -> Device:
    asked = os.environ.get("IMPL_GPU_DEVICE") or "cuda"
    if asked == "cuda":
        return _cuda(_gpu(), options.gemm)
    if asked == "host":
        return _host()
    raise ValueError(f'IMPL_GPU_DEVICE: expected "cuda" or "host", got {asked!r}')


@contextlib.contextmanager
def use_device(device: Device) -> Iterator[Device]:
    """Within the block ``current_device()`` is this one."""
    token = _USED.set(device)
    try:
        yield device
    finally:
        _USED.reset(token)


def _gpu() -> int:
    """The number of the GPU that is current in CuPy."""
    import cupy

    try:
        cupy.cuda.runtime.getDeviceCount()  # an error where there is none
        return int(cupy.cuda.runtime.getDevice())
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise RuntimeError(
            f"impl_gpu: no CUDA device: {error}; "
            "IMPL_GPU_DEVICE=host executes the same kernels on the processor, slowly"
        ) from error


@functools.cache
def _cuda(number: int, gemm: str) -> Device:
    from .cuda import CudaDevice

    return CudaDevice(number, gemm)


@functools.cache
def _host() -> Device:
    from .host import HostDevice

    sys.stderr.write("impl_gpu: IMPL_GPU_DEVICE=host: kernels are executed on the processor, not on a GPU\n")
    return HostDevice()
