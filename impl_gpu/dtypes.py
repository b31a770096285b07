"""Decides which values name a dtype that a device has; a name that NumPy and TensorFlow read differently is refused.

bfloat16 is a dtype wherever ml_dtypes is installed; text is not one, since CuPy has no text.
"""

import importlib.util
from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError

DType = np.dtype[Any]

if importlib.util.find_spec("ml_dtypes") is not None:
    import ml_dtypes

    BFLOAT16: DType | None = np.dtype(ml_dtypes.bfloat16)
else:
    BFLOAT16 = None

_ABSTRACT: tuple[type[Any], ...] = (
    np.generic,
    np.number,
    np.integer,
    np.signedinteger,
    np.unsignedinteger,
    np.inexact,
    np.floating,
    np.complexfloating,
    np.flexible,
    np.character,
)
"""Types of which NumPy makes a dtype of its own choice, or none."""

_ITEM_SIZES = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8), "c": (8, 16)}
_WANTED = "a dtype of numbers or bools, as an object, a NumPy scalar type or a name"


def as_dtype(value: Any, argument: str = "dtype") -> DType:
    """The dtype that ``value`` names [DTYPE-11], in the byte order of the machine.

    Args:
        value: ``np.dtype("float32")``, ``np.float32``, ``"float32"`` or NumPy's code ``"f4"``; ``"bfloat16"`` too
            where ml_dtypes is installed.
        argument: the name that an error gives it.

    Raises:
        TypeError: anything else, text included, of which a device has no arrays [DTYPE-12, DTYPE-13]. ``float``,
            ``int``, ``complex`` and the words for them are 64 bits wide to NumPy and 32 to TensorFlow: which is
            meant would be a guess.
    """
    hint: str | None = None
    if isinstance(value, np.dtype):  # DTYPE-11
        found: DType | None = value
    elif isinstance(value, str):  # DTYPE-11
        found, hint = _of_name(value)
    elif isinstance(value, type) and issubclass(value, np.generic):  # DTYPE-11
        found = None if value in _ABSTRACT else np.dtype(value)
    else:
        found = None
        hint = "say np.float32 or np.float64" if value is float else None
    if found is not None and on_device(native(found)):
        return native(found)
    if found is not None and found.kind in "SU":
        hint = "CuPy has no text"
    unclear = value is bool or (isinstance(value, str) and not value)
    clause = "DTYPE-13" if unclear else "DTYPE-12"
    raise ArgumentTypeError(argument, _WANTED, describe_value(value), clause, hint)


def _of_name(name: str) -> tuple[DType | None, str | None]:
    try:
        dtype = np.dtype(name)
    except TypeError:
        return None, None
    if name in (dtype.name, dtype.str[1:]):
        return dtype, None
    return None, f"say {dtype.name!r} if that is meant"


def native(dtype: DType) -> DType:
    """The dtype in the byte order of the machine, which is the only one on a device."""
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def is_bfloat16(dtype: DType) -> bool:
    """Whether it is bfloat16, by its name: without ml_dtypes BFLOAT16 is None, which NumPy takes for float64."""
    return dtype.name == "bfloat16"


def on_device(dtype: DType) -> bool:
    """Whether CuPy has arrays of this dtype."""
    return is_bfloat16(dtype) or dtype.itemsize in _ITEM_SIZES.get(dtype.kind, ())


def is_floating(dtype: DType) -> bool:
    """Whether a cell with weights computes in this dtype: float16, bfloat16, float32 or float64."""
    return is_bfloat16(dtype) or dtype.kind == "f"


def mantissa_bits(dtype: DType) -> int:
    """How many bits of the fraction of a floating dtype are stored."""
    if is_bfloat16(dtype):
        return 7
    return int(np.finfo(dtype).nmant)


def describe_value(value: Any) -> str:
    """A value that is no array, in the words of an error: its type, and the value itself where that is short."""
    if isinstance(value, type):
        return f"the type {value.__name__}"
    if isinstance(value, (bool, int, float, complex, str, bytes, np.dtype)) or value is None:
        text = str(value) if isinstance(value, np.dtype) else repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    return f"an object of type {type(value).__name__}"
