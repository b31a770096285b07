"""Checks the cotangents that a vjp is given against what dynamic_rnn returned."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import children_of, is_namedtuple, is_sequence

from ..arrays import Array, is_array
from ..dtypes import describe_type


def has_gradient(array: Any) -> bool:
    """Whether an array has a dtype that gradients can have; integers, bools and text have none [GRAD-2]."""
    return bool(np.asarray(array).dtype.kind in "fc")


def check_cotangents(argument: str, value: Any, returned: Any) -> list[Array | None]:
    """The cotangents of the leaves of ``returned``: zeros for None [GRAD-6], None for an array without gradients.

    Args:
        argument: "d_outputs" or "d_state".
        value: None, or a structure like ``returned``; a plain tuple stands for a named one.
        returned: outputs or final state.

    Raises:
        TypeError: a container of another type, a leaf that is no array, another dtype, or something else than None
            for an array without gradients [GRAD-21].
        ValueError: another number of parts, or another shape [GRAD-21].
    """
    return _check(argument, value, returned, "")


def _check(argument: str, value: Any, returned: Any, path: str) -> list[Array | None]:
    place = f" at {path}" if path else ""
    if not is_sequence(returned):
        return [_check_leaf(argument, value, returned, place)]
    members = children_of(returned)
    if value is None:
        return [leaf for key, member in members for leaf in _check(argument, None, member, path + key)]
    plain = isinstance(returned, tuple) and isinstance(value, tuple) and not is_namedtuple(value)
    if not plain and type(value) is not type(returned):
        raise ArgumentTypeError(argument, f"a {type(returned).__name__}{place}", describe_type(value), "GRAD-21")
    try:
        given = children_of(value)
    except TypeError as error:
        raise ArgumentTypeError(argument, f"the keys of what was returned{place}", str(error), "GRAD-21") from error
    if len(given) != len(members) or not (plain or [key for key, _ in given] == [key for key, _ in members]):
        wanted = f"{len(members)} parts{place}: {', '.join(key for key, _ in members)}"
        got = ", ".join(key for key, _ in given)
        raise ArgumentValueError(argument, wanted, f"{len(given)}: {got}" if given else "none", "GRAD-21")
    leaves: list[Array | None] = []
    for (key, member), (_, one) in zip(members, given, strict=True):
        leaves.extend(_check(argument, one, member, path + key))
    return leaves


def _check_leaf(argument: str, d: Any, returned: Array, place: str) -> Array | None:
    if not has_gradient(returned):
        if d is not None:
            wanted = f"None{place}, since an array of {returned.dtype} has no gradient"
            raise ArgumentTypeError(argument, wanted, describe_type(d), "GRAD-21")
        return None
    if d is None:
        return np.zeros_like(returned)
    if not is_array(d):
        wanted = f"an array of shape {returned.shape}{place}, or None"
        raise ArgumentTypeError(argument, wanted, describe_type(d), "GRAD-21")
    if d.dtype != returned.dtype:
        raise ArgumentTypeError(argument, f"dtype {returned.dtype}{place}", str(d.dtype), "GRAD-21")
    if d.shape != returned.shape:
        raise ArgumentValueError(argument, f"shape {returned.shape}{place}", str(d.shape), "GRAD-21")
    return np.asarray(d)
