"""Checks what a cell returns from a step; nothing is cast, broadcast or dropped to make it fit."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import assert_same_structure, flatten, flatten_with_paths, is_sequence

from ..arrays import Array, is_array
from ..dtypes import DType, describe_type, dtype_agrees
from .arguments import Arguments


def check_returned(result: Any, state: Any, given: Arguments, dtypes: Sequence[DType]) -> tuple[list[Array], Any]:
    """The leaves of the output, and the new state, of one step.

    Args:
        result: what the cell returned.
        state: the state that it was given.
        given: the arguments of the call.
        dtypes: of the outputs of the steps before, none at the first.

    Raises:
        TypeError: no pair [CELL-12]; another container in the state [CELL-10]; another dtype in it [CELL-11]; an
            output of another dtype than asked for, or than in the step before [DTYPE-10].
        ValueError: no pair of two [CELL-12]; another number of states [CELL-10] or outputs [CELL-12]; another shape
            of a state [CELL-11] or output [OUT-7].
    """
    if not isinstance(result, (tuple, list)):
        raise ArgumentTypeError("cell", "a pair (output, state) from each step", _describe(result), "CELL-12")
    if len(result) != 2:
        raise ArgumentValueError("cell", "a pair (output, state) from each step", f"{len(result)} parts", "CELL-12")
    output, new_state = result
    leaves = check_output(output, given, dtypes)
    check_new_state(new_state, state)
    return leaves, new_state


def check_output(output: Any, given: Arguments, dtypes: Sequence[DType]) -> list[Array]:
    """The leaves of an output nested like output_size, in whatever containers [OUT-5, CELL-12, OUT-7, DTYPE-10]."""
    wanted = "outputs nested as in output_size"
    try:
        assert_same_structure(given.output_size, output, check_types=False)  # OUT-5: in containers of any class
    except TypeError as error:
        raise ArgumentTypeError("cell", wanted, str(error), "CELL-12") from error
    except ValueError as error:
        raise ArgumentValueError("cell", wanted, f"others {error}", "CELL-12") from error
    wanted_dtypes: list[DType | None] = list(dtypes) or [given.dtype] * len(given.output_dims)
    leaves = flatten_with_paths(output)
    for (path, leaf), dims, dtype in zip(leaves, given.output_dims, wanted_dtypes, strict=True):
        place = f" at {path}" if path else ""
        shape = (given.batch_size, *dims)
        if not is_array(leaf):
            raise ArgumentTypeError("cell", f"an output that is an array{place}", describe_type(leaf), "OUT-7")
        if leaf.shape != shape:
            raise ArgumentValueError("cell", f"an output of shape {shape}{place}", str(leaf.shape), "OUT-7")
        if dtype is not None and not dtype_agrees(dtype, leaf.dtype):
            raise ArgumentTypeError("cell", f"an output of dtype {dtype}{place}", str(leaf.dtype), "DTYPE-10")
    return [leaf for _, leaf in leaves]


def check_new_state(new_state: Any, state: Any) -> None:
    """A new state has the containers, shapes and dtypes of the one that the cell was given [CELL-10, CELL-11]."""
    try:
        assert_same_structure(state, new_state)
    except TypeError as error:
        wanted = "a new state in the containers of the old"
        raise ArgumentTypeError("cell", wanted, f"others {error}", "CELL-10") from error
    except ValueError as error:
        raise ArgumentValueError("cell", "a new state nested like the old", f"another {error}", "CELL-10") from error
    for old, (path, new) in zip(flatten(state), flatten_with_paths(new_state), strict=True):
        place = f" at {path}" if path else ""
        if not is_array(new):
            raise ArgumentTypeError("cell", f"a new state that is an array{place}", describe_type(new), "CELL-11")
        if new.shape != old.shape:
            raise ArgumentValueError("cell", f"a new state of shape {old.shape}{place}", str(new.shape), "CELL-11")
        if new.dtype != old.dtype:
            raise ArgumentTypeError("cell", f"a new state of dtype {old.dtype}{place}", str(new.dtype), "CELL-11")


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"a {type(value).__name__}" if is_sequence(value) else describe_type(value)
