"""Checks dynamic_rnn's ``inputs``: they hold arrays, which agree on batch and time."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import flatten_with_paths, is_sequence, pack_sequence_as

from ..arrays import Array, is_array
from ..dtypes import describe_type


def check_inputs(inputs: Any, time_major: Any) -> list[tuple[str, Array]]:
    """Every leaf with its path, each an array of rank 2 or more [IN-2, IN-8, IN-13, IN-14].

    Args:
        inputs: what the caller gave.
        time_major: what the caller gave, not checked yet: it only tells which clause refuses None.

    Raises:
        ValueError: None [IN-5, IN-6]; no array in it [IN-7, IN-9]; a None [IN-12] or a number [IN-15] for a member;
            an array of rank below 2 [IN-11].
        TypeError: a member is of another type [IN-17]; a dict has keys that can't be sorted, or a container can't be
            made anew for a step's inputs [IN-8].
    """
    time_first = isinstance(time_major, (bool, np.bool_)) and bool(time_major)
    layout = "[max_time, batch, ...]" if time_first else "[batch, max_time, ...]"
    if inputs is None:
        raise ArgumentValueError("inputs", f"an array {layout}", "None", "IN-6" if time_first else "IN-5")
    try:
        leaves = flatten_with_paths(inputs)
    except TypeError as error:
        raise ArgumentTypeError("inputs", "dicts with keys that can be sorted", "other keys", "IN-8") from error
    if not leaves:
        empty_list = isinstance(inputs, list) and len(inputs) == 0
        got = "an empty list" if empty_list else f"{inputs!r}, which holds none"
        raise ArgumentValueError("inputs", "at least one array", got, "IN-7" if empty_list else "IN-9")
    arrays = [(path, _check_leaf(leaf, path, layout, inside=is_sequence(inputs))) for path, leaf in leaves]
    try:
        pack_sequence_as(inputs, arrays)
    except TypeError as error:
        raise ArgumentTypeError("inputs", "containers that a step can have too", str(error), "IN-8") from error
    return arrays


def _check_leaf(leaf: Any, path: str, layout: str, inside: bool) -> Array:
    wanted = f"an array {layout}" + (f" at {path}" if inside else "")
    if leaf is None:
        raise ArgumentValueError("inputs", wanted, "None", "IN-12")
    if isinstance(leaf, (bool, int, float, complex)):
        hint = "a list is a structure and never an array: use np.array(...)" if inside else None
        raise ArgumentValueError("inputs", wanted, describe_type(leaf), "IN-15" if inside else "IN-11", hint)
    if not is_array(leaf):
        raise ArgumentTypeError("inputs", wanted, describe_type(leaf), "IN-17")
    if leaf.ndim < 2:  # IN-13: 2 is enough
        raise ArgumentValueError("inputs", f"rank 2 or more, {wanted}", f"shape {leaf.shape}", "IN-11")
    return np.asarray(leaf)  # IN-14: in its own dtype


def check_layout(leaves: Sequence[tuple[str, Array]], time_major: bool) -> tuple[int, int]:
    """The batch size and the number of steps, on which all leaves agree [IN-3, IN-10].

    Raises:
        ValueError: they don't [IN-10].
    """
    first_path, first = leaves[0]
    for path, leaf in leaves[1:]:
        if leaf.shape[:2] != first.shape[:2]:  # IN-3: the further dimensions are not compared
            wanted = f"the same first two dimensions {first.shape[:2]} at {path} as at {first_path}"
            raise ArgumentValueError("inputs", wanted, f"shape {leaf.shape}", "IN-10")
    leading, following = first.shape[:2]
    return (following, leading) if time_major else (leading, following)
