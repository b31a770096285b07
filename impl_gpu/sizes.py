"""Reads from a cell's state_size, output_size or input_size what one row of each leaf measures."""

from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import flatten_with_paths, pack_sequence_as
from dynamic_rnn_spec.vocabulary.tensor_shape import dims_of

from .dtypes import describe_value

_CLAUSE_OF = {"state_size": "STATE-3", "output_size": "OUT-4", "input_size": "EQ-10"}


def row_dims(name: str, sizes: Any) -> list[tuple[int, ...]]:
    """What one row of each leaf measures, an integer n being ``(n,)`` and a TensorShape itself [OUT-3, OUT-8].

    Args:
        name: "state_size", "output_size" or "input_size", for an error.
        sizes: integers and TensorShapes, nested.

    Raises:
        TypeError: a leaf is neither, or arrays can't stand in such a container [STATE-3, OUT-4].
        ValueError: a negative integer [STATE-3, OUT-4].
    """
    clause = _CLAUSE_OF[name]
    try:
        leaves = flatten_with_paths(sizes)  # OUT-8: a tuple of integers is several leaves, a TensorShape one
        pack_sequence_as(sizes, [size for _, size in leaves])
    except TypeError as error:
        wanted = f"{name} in containers in which arrays can stand"
        raise ArgumentTypeError("cell", wanted, str(error), clause) from error
    return [_dims(name, size, path, clause) for path, size in leaves]


def _dims(name: str, size: Any, path: str, clause: str) -> tuple[int, ...]:
    wanted = f"integers and TensorShapes in {name}{place(path)}"
    try:
        return dims_of(size)
    except TypeError as error:
        raise ArgumentTypeError("cell", wanted, describe_value(size), clause) from error
    except ValueError as error:
        raise ArgumentValueError("cell", f"{wanted}, none below 0", describe_value(size), clause) from error


def place(path: str) -> str:
    """The place in a structure, in the words of an error; "" where there is no structure."""
    return f" at {path}" if path else ""
