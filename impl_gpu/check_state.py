"""Checks ``initial_state`` against a cell's state_size; no leaf is cast or broadcast."""

from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import children_of, is_sequence

from .abstract import Abstract
from .arrays import described, is_array, why_not_on_device
from .dtypes import describe_value
from .sizes import place, row_dims


def check_initial_state(state: Any, state_size: Any, batch_size: int) -> list[tuple[Any, Abstract]] | None:
    """The leaves of a state, each with its shape and dtype, in the order of state_size's; None for none [INIT-1].

    A tuple of any class serves for a tuple of any other [INIT-4]; a list or a dict only for its own class.

    Raises:
        TypeError: another container, or a leaf that is no array, or an array of a dtype that CuPy lacks [INIT-9].
        ValueError: another number of parts, one array for several parts included [INIT-9]; another shape than [B] and
            the leaf's size [INIT-8].
    """
    row_dims("state_size", state_size)
    leaves: list[tuple[Any, Abstract]] | None = None
    if state is not None:  # INIT-1
        leaves = []
        _collect(leaves, state, state_size, batch_size, "")
    return leaves


def _collect(leaves: list[tuple[Any, Abstract]], state: Any, size: Any, batch_size: int, path: str) -> None:
    where = place(path)
    if not is_sequence(size):
        (dims,) = row_dims("state_size", size)
        leaves.append(_check_leaf(state, (batch_size, *dims), where))  # INIT-2, INIT-6; TIME-5: batch first
        return
    kind = type(size).__name__
    if is_array(state):
        wanted = f"a {kind} of {len(children_of(size))} parts{where}"
        raise ArgumentValueError("initial_state", wanted, describe_given(state), "INIT-9")
    tuples = isinstance(size, tuple) and isinstance(state, tuple)
    if not tuples and type(state) is not type(size):
        raise ArgumentTypeError("initial_state", f"a {kind}{where}", describe_given(state), "INIT-9")
    wanted_parts = children_of(size)
    try:
        parts = children_of(state)
    except TypeError as error:
        raise ArgumentTypeError("initial_state", f"the keys of state_size{where}", str(error), "INIT-9") from error
    wanted_keys, keys = [key for key, _ in wanted_parts], [key for key, _ in parts]
    if len(keys) != len(wanted_keys) or (not tuples and keys != wanted_keys):
        wanted = f"the {len(wanted_keys)} parts {', '.join(wanted_keys)}{where}"
        got = f"{len(keys)}: {', '.join(keys)}" if keys else "none"
        raise ArgumentValueError("initial_state", wanted, got, "INIT-9")
    for (key, part_size), (_, part) in zip(wanted_parts, parts, strict=True):  # INIT-3: in order
        _collect(leaves, part, part_size, batch_size, path + key)  # INIT-5: to any depth


def _check_leaf(value: Any, shape: tuple[int, ...], where: str) -> tuple[Any, Abstract]:
    known = described(value)
    if known is None:
        raise ArgumentTypeError("initial_state", f"an array of shape {shape}{where}", describe_given(value), "INIT-9")
    if known.shape != shape:
        raise ArgumentValueError("initial_state", f"shape {shape}{where}", str(known.shape), "INIT-8")
    reason = why_not_on_device(known.dtype)
    if reason is not None:
        wanted = f"numbers or bools{where}"
        raise ArgumentTypeError("initial_state", wanted, f"dtype {known.dtype}", "INIT-9", reason)
    return value, known


def describe_given(value: Any) -> str:
    """A value that stands where another was wanted, in the words of an error."""
    if is_sequence(value):
        return f"a {type(value).__name__}"
    known = described(value)
    return describe_value(value) if known is None else f"an array of shape {known.shape}"
