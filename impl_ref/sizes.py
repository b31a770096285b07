"""Reads state_size and output_size: the dimensions of one row of each of a cell's arrays."""

from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import flatten_with_paths, pack_sequence_as
from dynamic_rnn_spec.vocabulary.tensor_shape import dims_of

from .dtypes import describe_type

_CLAUSES = {"state_size": "STATE-3", "output_size": "OUT-4", "input_size": "EQ-10"}


def row_dims(name: str, sizes: Any) -> list[tuple[int, ...]]:
    """The dimensions of one row of each leaf: ``5`` is ``(5,)``, ``TensorShape([2, 3])`` ``(2, 3)`` [OUT-3, OUT-8].

    Args:
        name: "state_size", "output_size" or "input_size", for an error.
        sizes: integers and TensorShapes, nested.

    Raises:
        TypeError: a leaf is neither an integer nor a TensorShape, or arrays can't stand in such containers [STATE-3,
            OUT-4].
        ValueError: an integer is negative [STATE-3, OUT-4].
    """
    found = []
    try:
        leaves = flatten_with_paths(sizes)  # OUT-8: into a tuple, and not into a TensorShape
        pack_sequence_as(sizes, leaves)
    except TypeError as error:
        wanted = f"{name} in containers that arrays can have too"
        raise ArgumentTypeError("cell", wanted, str(error), _CLAUSES[name]) from error
    for path, size in leaves:
        wanted = f"{name} of integers and TensorShapes" + (f" at {path}" if path else "")
        try:
            found.append(dims_of(size))
        except TypeError:
            raise ArgumentTypeError("cell", wanted, describe_type(size), _CLAUSES[name]) from None
        except ValueError:
            raise ArgumentValueError("cell", wanted + " of at least 0", describe_type(size), _CLAUSES[name]) from None
    return found
