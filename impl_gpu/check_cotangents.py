"""Checks cotangents against what a call returned; none is cast or broadcast."""

from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import children_of, flatten, is_namedtuple, is_sequence

from .arrays import described, known_of
from .check_state import describe_given
from .dtypes import DType, is_floating
from .sizes import place


def has_gradient(dtype: DType) -> bool:
    """Whether an array of that dtype has gradients: whole numbers and bools have none [GRAD-2]."""
    return is_floating(dtype) or dtype.kind == "c"


def check_cotangents(argument: str, value: Any, returned: Any) -> list[Any]:
    """The cotangents of all leaves of ``returned``, as the caller gave them; None where there is none [GRAD-6].

    Args:
        argument: "d_outputs" or "d_state".
        value: None, or the structure of ``returned``; a plain tuple serves for a named one.
        returned: outputs or final state, of arrays.

    Raises:
        TypeError: another container; a leaf that is neither an array nor None; another dtype; anything but None for
            an array without gradients [GRAD-21].
        ValueError: another number of parts, or another shape [GRAD-21].
    """
    leaves: list[Any] = []
    _collect(leaves, argument, value, returned, "")
    return leaves


def _collect(leaves: list[Any], argument: str, value: Any, returned: Any, path: str) -> None:
    where = place(path)
    if value is None:  # GRAD-6
        leaves += [None] * len(flatten(returned))
        return
    if not is_sequence(returned):
        _check_leaf(argument, value, returned, where)
        leaves.append(value)
        return
    plain = isinstance(returned, tuple) and isinstance(value, tuple) and not is_namedtuple(value)
    if type(value) is not type(returned) and not plain:
        raise ArgumentTypeError(argument, f"a {type(returned).__name__}{where}", describe_given(value), "GRAD-21")
    wanted = children_of(returned)
    try:
        given = children_of(value)
    except TypeError as error:
        raise ArgumentTypeError(argument, f"the keys of what was returned{where}", str(error), "GRAD-21") from error
    keys = [key for key, _ in wanted]
    if len(given) != len(wanted) or not (plain or [key for key, _ in given] == keys):
        got = ", ".join(key for key, _ in given) or "none"
        raise ArgumentValueError(argument, f"the {len(keys)} parts {', '.join(keys)}{where}", got, "GRAD-21")
    for (key, part), (_, one) in zip(wanted, given, strict=True):
        _collect(leaves, argument, one, part, path + key)


def _check_leaf(argument: str, value: Any, returned: Any, where: str) -> None:
    wanted, known = known_of(returned), described(value)
    if not has_gradient(wanted.dtype):
        reason = f"None{where}, for an array of {wanted.dtype} has no gradient"
        raise ArgumentTypeError(argument, reason, describe_given(value), "GRAD-21")
    if known is None:
        raise ArgumentTypeError(argument, f"an array of shape {wanted.shape}{where}", describe_given(value), "GRAD-21")
    if known.dtype != wanted.dtype:
        raise ArgumentTypeError(argument, f"dtype {wanted.dtype}{where}", str(known.dtype), "GRAD-21")
    if known.shape != wanted.shape:
        raise ArgumentValueError(argument, f"shape {wanted.shape}{where}", str(known.shape), "GRAD-21")
