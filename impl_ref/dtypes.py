"""Reads what names a dtype, and refuses names that TensorFlow and NumPy read differently."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError

DType = np.dtype[Any]

_ABSTRACT: frozenset[Any] = frozenset(
    {np.generic, np.number, np.integer, np.signedinteger, np.unsignedinteger}
    | {np.inexact, np.floating, np.complexfloating, np.flexible, np.character}
)
_WANTED = "a NumPy dtype, a NumPy scalar type or the name of one"


def as_dtype(value: Any, argument: str = "dtype") -> DType:
    """The NumPy dtype that ``value`` names [DTYPE-11].

    Args:
        value: ``np.dtype("float32")``, ``np.float32``, ``"float32"`` or NumPy's code ``"f4"``.
        argument: the name that an error gives it.

    Raises:
        TypeError: anything else [DTYPE-12, DTYPE-13]. ``float``, ``int``, ``complex`` and the words for them are
            refused too: they are 64 bits wide to NumPy and 32 to TensorFlow.
    """
    if isinstance(value, np.dtype):  # DTYPE-11
        return _numeric(value, argument)
    if isinstance(value, type) and issubclass(value, np.generic):  # DTYPE-11
        return _scalar_dtype(value, argument)
    if isinstance(value, str):  # DTYPE-11
        return _named_dtype(value, argument)
    hint = "say np.float32 or np.float64" if value is float else None
    clause = "DTYPE-13" if value is bool else "DTYPE-12"
    raise ArgumentTypeError(argument, _WANTED, describe_type(value), clause, hint)


def dtype_agrees(wanted: DType, got: DType) -> bool:
    """Whether ``got`` is the wanted dtype; text without a width (``np.bytes_``) agrees with text of any width."""
    return bool(wanted == got) or (wanted.itemsize == 0 and wanted.kind == got.kind)


def describe_type(value: Any) -> str:
    """How an error describes a value that is no array: by its type, or by the value where that is short."""
    if isinstance(value, type):
        return f"the type {value.__name__}"
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "..."
    return f"an object of type {type(value).__name__}"


def _scalar_dtype(value: type[np.generic], argument: str) -> DType:
    if value in _ABSTRACT:
        raise ArgumentTypeError(argument, _WANTED, f"the abstract type {value.__name__}", "DTYPE-12")
    return _numeric(np.dtype(value), argument)


def _numeric(dtype: DType, argument: str) -> DType:
    if dtype.kind not in "biufcSU":
        raise ArgumentTypeError(argument, "a dtype of numbers, bools or text", str(dtype), "DTYPE-12")
    return dtype


def _named_dtype(name: str, argument: str) -> DType:
    try:
        dtype = np.dtype(name)
    except TypeError:
        raise ArgumentTypeError(argument, _WANTED, repr(name), "DTYPE-12" if name else "DTYPE-13") from None
    if name not in (dtype.name, dtype.str[1:]):
        raise ArgumentTypeError(argument, _WANTED, repr(name), "DTYPE-12", f"say {dtype.name!r} if that is meant")
    return _numeric(dtype, argument)
