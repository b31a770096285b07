"""Says how far a device's numbers may be from the host's, call by call.

What is equal bit for bit is equal. Elsewhere a number of a kernel may be off by ULPS units in the last place of the
largest of 1, itself and what was there before (the summands of a new state); a sum of k products by (k + ULPS) units
of the sum of their sizes. NaN stands where NaN stands.
"""

from typing import Any

import numpy as np

from .host_gemm import STORED, from_bfloat16
from .seam import Gemm

Numbers = np.ndarray[Any, Any]

ULPS = 16.0
UNITS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}
"""From 1 to the next number of each type."""
TF32_UNIT = 2.0**-10
MOVING = ("rows", "clock")
"""Modules whose kernels compute nothing: bit for bit."""


def numbers(raw: Numbers, kind: str) -> Numbers:
    """Bytes as numbers of a type, those of float16 and bfloat16 as float32."""
    stored = np.ascontiguousarray(raw).view(STORED[kind])
    return from_bfloat16(stored) if kind == "bfloat16" else stored.astype(np.promote_types(stored.dtype, np.float32))


def far(device: Numbers, host: Numbers, allowed: Numbers) -> Numbers:
    """Which numbers of the device are further from the host's than is allowed."""
    with np.errstate(all="ignore"):
        close = np.abs(device.astype(np.float64) - host.astype(np.float64)) <= allowed
    return np.asarray(~(close | (np.isnan(device) & np.isnan(host)) | (device == host)))


def kernel_bounds(kind: str, host: Numbers, before: Numbers) -> Numbers:
    """What is allowed of a kernel's results."""
    with np.errstate(all="ignore"):
        sizes = np.fmax(np.fmax(1.0, np.abs(host)), np.abs(before)).astype(np.float64)
    return ULPS * UNITS[kind] * np.where(np.isfinite(sizes), sizes, 1.0)


def matrix(raw: Numbers, offset: int, kind: str, shape: tuple[int, int], leading: int) -> Numbers:
    """A matrix that lies column after column in some bytes, as it is stored there."""
    size = STORED[kind].itemsize
    return np.ndarray(shape, STORED[kind], raw.data, offset, (size, leading * size))


def product_bounds(call: Gemm, a: Numbers, b: Numbers, c_before: Numbers, c: Numbers) -> Numbers:
    """What is allowed of C = alpha op(A) op(B) + beta C, from the numbers of the four."""
    unit = TF32_UNIT if call.compute == "32F_FAST_TF32" else UNITS["float64" if call.compute == "64F" else "float32"]
    with np.errstate(all="ignore"):
        left, right = (np.abs(side.astype(np.float64)) for side in (a, b))
        sizes = abs(call.alpha) * ((left.T if call.transpose_a else left) @ (right.T if call.transpose_b else right))
        if call.beta:
            sizes = sizes + abs(call.beta) * np.abs(c_before.astype(np.float64))
        allowed = (call.k + ULPS) * unit * sizes + 2.0 * UNITS[call.c_type] * np.abs(c.astype(np.float64))
    return np.where(np.isfinite(allowed), allowed, 0.0)
