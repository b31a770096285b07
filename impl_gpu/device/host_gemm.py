"""Computes matrix products on the host side, reading the very tuple that cublasGemmEx gets.

Every operand is taken from its address by type, leading dimension and transposition, column after column, so that a
wrong one gives what it would give on a device: other numbers, or an access outside the buffer.
"""

import ctypes
from typing import Any

import numpy as np

from .host_memory import Memory
from .seam import Gemm, SeamError

STORED: dict[str, np.dtype[Any]] = {
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(np.uint16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}
"""What a matrix of each type lies in memory as; a bfloat16 is the upper half of a float32."""


def product(call: Gemm, memory: Memory, purpose: str) -> None:
    """Run one product.

    Raises:
        SeamError: an operand lies outside its buffer, or C over A or B, or at an address that its type does not allow.
    """
    stored_a = (call.k, call.m) if call.transpose_a else (call.m, call.k)
    stored_b = (call.n, call.k) if call.transpose_b else (call.k, call.n)
    a = _matrix(memory, f"{purpose}: A", call.a, call.a_type, stored_a, call.lda)
    b = _matrix(memory, f"{purpose}: B", call.b, call.b_type, stored_b, call.ldb)
    c = _matrix(memory, f"{purpose}: C", call.c, call.c_type, (call.m, call.n), call.ldc)
    for name, operand in (("A", a), ("B", b)):
        if np.may_share_memory(c, operand) and np.shares_memory(c, operand):
            raise SeamError(f"{purpose}: C lies over {name}")
    accumulator = np.float64 if call.compute == "64F" else np.float32
    tf32 = call.compute == "32F_FAST_TF32"
    left, right = (_loaded(matrix, kind, tf32) for matrix, kind in ((a, call.a_type), (b, call.b_type)))
    with np.errstate(all="ignore"):
        result = (left.T if call.transpose_a else left) @ (right.T if call.transpose_b else right)
        if call.alpha != 1.0:
            result = accumulator(call.alpha) * result
        # With beta 0, C is not read: what was there, NaN included, is gone.
        if call.beta != 0.0:
            result = result + accumulator(call.beta) * _loaded(c, call.c_type, False)
        c[...] = to_bfloat16(result) if call.c_type == "bfloat16" else result.astype(c.dtype)


def from_bfloat16(bits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The float32 of the same value."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def to_bfloat16(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The bits of the nearest bfloat16, ties to even; NaN stays NaN."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(values), 0x7FFF, rounded).astype(np.uint16)


def to_tf32(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The nearest values with ten bits of fraction, as a tensor core reads its operands."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    rounded = ((bits + 0x1000) & 0xFFFFE000).astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(values), rounded, values)


def _matrix(
    memory: Memory, what: str, address: int, kind: str, shape: tuple[int, int], leading: int
) -> np.ndarray[Any, Any]:
    dtype = STORED[kind]
    rows, columns = shape
    nbytes = ((columns - 1) * leading + rows) * dtype.itemsize
    memory.check(address, nbytes, "device", what)
    if address % dtype.itemsize:
        raise SeamError(f"{what}: {address:#x} is no address of a {kind}")
    raw: Any = (ctypes.c_char * nbytes).from_address(address)
    return np.ndarray(shape, dtype, raw, 0, (dtype.itemsize, leading * dtype.itemsize))


def _loaded(matrix: np.ndarray[Any, Any], kind: str, tf32: bool) -> np.ndarray[Any, Any]:
    if kind == "bfloat16":
        return from_bfloat16(matrix)
    if kind == "float16":
        return matrix.astype(np.float32)
    return to_tf32(matrix) if tf32 else matrix
