"""Checks dynamic_rnn's ``inputs``: arrays that agree on batch and time, read where they lie."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import flatten_with_paths, is_sequence, pack_sequence_as

from .abstract import Abstract
from .arrays import described, why_not_on_device
from .dtypes import describe_value
from .sizes import place


class Leaf(NamedTuple):
    """One array of the inputs: where it stands, the array as the caller gave it, its shape and dtype."""

    path: str
    value: Any
    known: Abstract


def check_inputs(inputs: Any, time_major: Any) -> list[Leaf]:
    """Every leaf, an array of rank 2 or more of a dtype that a device has [IN-2, IN-8, IN-13, IN-14].

    Args:
        inputs: as the caller gave them.
        time_major: as the caller gave it, unchecked: here it only decides in which words None is refused.

    Raises:
        ValueError: None [IN-5, IN-6]; no array at all [IN-7, IN-9]; a None [IN-12] or a number [IN-15] among them; an
            array of rank 0 or 1 [IN-11].
        TypeError: something else among them, or an array of a dtype that CuPy lacks, such as text [IN-17]; a dict
            whose keys can't be sorted, or a container of which no other can be made for a step [IN-8].
    """
    time_first = bool(time_major) if isinstance(time_major, (bool, np.bool_)) else False
    layout = "an array [max_time, batch, ...]" if time_first else "an array [batch, max_time, ...]"
    if inputs is None:
        raise ArgumentValueError("inputs", layout, "None", "IN-6" if time_first else "IN-5")
    try:
        found = flatten_with_paths(inputs)
    except TypeError as error:
        raise ArgumentTypeError("inputs", "dicts whose keys can be sorted", "others", "IN-8") from error
    if not found and isinstance(inputs, list) and not inputs:
        raise ArgumentValueError("inputs", "at least one array", "an empty list", "IN-7")
    if not found:
        raise ArgumentValueError("inputs", "at least one array", f"{inputs!r} without any", "IN-9")
    leaves = [_check_leaf(path, value, layout + place(path), is_sequence(inputs)) for path, value in found]
    try:
        pack_sequence_as(inputs, leaves)
    except TypeError as error:
        raise ArgumentTypeError("inputs", "containers that a step's inputs can have", str(error), "IN-8") from error
    return leaves


def _check_leaf(path: str, value: Any, wanted: str, nested: bool) -> Leaf:
    if value is None:
        raise ArgumentValueError("inputs", wanted, "None", "IN-12")
    if isinstance(value, (bool, int, float, complex)) and not nested:
        raise ArgumentValueError("inputs", wanted, describe_value(value), "IN-11")
    if isinstance(value, (bool, int, float, complex)):
        hint = "a list is always a structure: for an array say np.array(...)"
        raise ArgumentValueError("inputs", wanted, describe_value(value), "IN-15", hint)
    known = described(value)
    if known is None:
        raise ArgumentTypeError("inputs", wanted, describe_value(value), "IN-17")
    if known.ndim < 2:  # IN-13: 2 is enough
        raise ArgumentValueError("inputs", f"{wanted} of rank 2 or more", f"shape {known.shape}", "IN-11")
    reason = why_not_on_device(known.dtype)
    if reason is not None:
        raise ArgumentTypeError("inputs", f"{wanted} of numbers or bools", f"dtype {known.dtype}", "IN-17", reason)
    return Leaf(path, value, known)


def check_layout(leaves: Sequence[Leaf], time_major: bool) -> tuple[int, int]:
    """The batch size and the number of steps, in which all leaves agree [IN-3].

    Raises:
        ValueError: they don't agree [IN-10].
    """
    leading = leaves[0].known.shape[:2]  # IN-3: from the third axis on they need not agree
    for leaf in leaves[1:]:
        if leaf.known.shape[:2] != leading:
            wanted = f"first two dimensions {leading} at {leaf.path}, as at {leaves[0].path}"
            raise ArgumentValueError("inputs", wanted, f"shape {leaf.known.shape}", "IN-10")
    B, T = reversed(leading) if time_major else leading  # CELL-4: T is that of these inputs, at every call
    return B, T
