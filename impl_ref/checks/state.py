"""Checks the containers and shapes of dynamic_rnn's ``initial_state`` against the cell's state_size."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import children_of, is_sequence

from ..arrays import Array, is_array
from ..dtypes import describe_type
from ..sizes import row_dims


def check_initial_state(state: Any, state_size: Any, batch_size: int) -> list[Array] | None:
    """The leaves of the given state, in the order of state_size's, or None where none was given [INIT-1].

    Any tuple, plain or named, stands for any other [INIT-4]; lists and dicts stand for their own type only.

    Raises:
        TypeError: a container of another type than in state_size, or a leaf that is no array [INIT-9].
        ValueError: another number of parts, one array for a container included [INIT-9]; a leaf whose shape is not [B]
            and its size [INIT-8].
    """
    row_dims("state_size", state_size)
    return None if state is None else _check(state, state_size, batch_size, "")


def _check(state: Any, size: Any, batch_size: int, path: str) -> list[Array]:
    place = f" at {path}" if path else ""
    if not is_sequence(size):
        return [_check_leaf(state, row_dims("state_size", size)[0], batch_size, place)]
    if is_array(state):
        wanted = f"{len(children_of(size))} parts{place} in a {type(size).__name__}"
        raise ArgumentValueError("initial_state", wanted, _describe(state), "INIT-9")
    both_tuples = isinstance(size, tuple) and isinstance(state, tuple)
    if not both_tuples and type(state) is not type(size):
        raise ArgumentTypeError("initial_state", f"a {type(size).__name__}{place}", _describe(state), "INIT-9")
    try:
        sizes, states = children_of(size), children_of(state)
    except TypeError as error:
        raise ArgumentTypeError("initial_state", f"the keys of state_size{place}", str(error), "INIT-9") from error
    same_keys = both_tuples or [key for key, _ in sizes] == [key for key, _ in states]
    if len(sizes) != len(states) or not same_keys:
        parts = ", ".join(key for key, _ in states)
        wanted = f"{len(sizes)} parts{place}: {', '.join(key for key, _ in sizes)}"
        raise ArgumentValueError("initial_state", wanted, f"{len(states)}: {parts}" if states else "none", "INIT-9")
    leaves: list[Array] = []
    for (key, child_size), (_, child) in zip(sizes, states, strict=True):
        leaves.extend(_check(child, child_size, batch_size, path + key))  # INIT-5
    return leaves


def _check_leaf(leaf: Any, dims: tuple[int, ...], batch_size: int, place: str) -> Array:
    shape = (batch_size, *dims)  # INIT-6
    if not is_array(leaf):
        raise ArgumentTypeError("initial_state", f"an array of shape {shape}{place}", _describe(leaf), "INIT-9")
    if leaf.shape != shape:
        raise ArgumentValueError("initial_state", f"shape {shape}{place}", str(leaf.shape), "INIT-8")
    return np.asarray(leaf)  # DTYPE-8: in its own dtype


def _describe(value: Any) -> str:
    if is_sequence(value):
        return f"a {type(value).__name__}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return describe_type(value)
