"""Checks what a cell returns from a step; nothing is cast, broadcast or dropped to make it fit."""

from collections.abc import Sequence
from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.structure import assert_same_structure, flatten, flatten_with_paths

from .arguments import Arguments
from .arrays import described, known_of
from .check_state import describe_given
from .dtypes import DType, describe_value
from .sizes import place


def check_returned(result: Any, state: Any, given: Arguments, dtypes: Sequence[DType]) -> tuple[list[Any], Any]:
    """The leaves of the output of one step, and its new state.

    Args:
        result: what the cell returned.
        state: the state that it was given.
        given: the arguments of the call.
        dtypes: those of the outputs of the steps before; none at the first step.

    Raises:
        TypeError: no pair, or an output in a list where a leaf belongs [CELL-12]; other containers in the state
            [CELL-10]; another dtype of a state [CELL-11] or of an output [DTYPE-10]; something that is no array.
        ValueError: a pair of other than two [CELL-12]; other numbers of states [CELL-10] or outputs [CELL-12]; another
            shape of a state [CELL-11] or of an output [OUT-7].
    """
    wanted = "a pair (output, state) from each step"
    if not isinstance(result, (tuple, list)):
        raise ArgumentTypeError("cell", wanted, describe_given(result), "CELL-12")
    if len(result) != 2:
        raise ArgumentValueError("cell", wanted, f"{len(result)} parts", "CELL-12")
    output, new_state = result
    leaves = check_output(output, given, dtypes)
    check_new_state(new_state, state)
    return leaves, new_state


def check_output(output: Any, given: Arguments, dtypes: Sequence[DType]) -> list[Any]:
    """The leaves of an output that is nested like output_size, in containers of any class [OUT-5]."""
    wanted = "an output nested like output_size"
    try:
        assert_same_structure(given.output_size, output, check_types=False)  # OUT-5: in containers of any class
    except TypeError as error:
        raise ArgumentTypeError("cell", wanted, str(error), "CELL-12") from error
    except ValueError as error:
        raise ArgumentValueError("cell", wanted, f"one that differs {error}", "CELL-12") from error
    found = flatten_with_paths(output)
    wanted_dtypes: Sequence[DType | None] = dtypes or [given.dtype] * len(found)
    for (path, leaf), dims, dtype in zip(found, given.output_dims, wanted_dtypes, strict=True):
        where = place(path)
        known = described(leaf)
        if known is None:
            raise ArgumentTypeError("cell", f"an array as output{where}", describe_value(leaf), "OUT-7")
        shape = (given.batch_size, *dims)
        if known.shape != shape:
            raise ArgumentValueError("cell", f"an output of shape {shape}{where}", str(known.shape), "OUT-7")
        if dtype is not None and known.dtype != dtype:
            raise ArgumentTypeError("cell", f"an output of dtype {dtype}{where}", str(known.dtype), "DTYPE-10")
    return [leaf for _, leaf in found]


def check_new_state(new_state: Any, state: Any) -> None:
    """A new state is like the one that the cell was given: containers [CELL-10], shapes and dtypes [CELL-11]."""
    try:
        assert_same_structure(state, new_state)
    except TypeError as error:
        raise ArgumentTypeError("cell", "a state in the containers of the old one", str(error), "CELL-10") from error
    except ValueError as error:
        raise ArgumentValueError("cell", "a state nested like the old one", str(error), "CELL-10") from error
    for old, (path, new) in zip(flatten(state), flatten_with_paths(new_state), strict=True):
        where, was, known = place(path), known_of(old), described(new)
        if known is None:
            raise ArgumentTypeError("cell", f"an array as state{where}", describe_value(new), "CELL-11")
        if known.shape != was.shape:  # STATE-1, STATE-2: so the last state has the shapes of state_size, as the first
            raise ArgumentValueError("cell", f"a state of shape {was.shape}{where}", str(known.shape), "CELL-11")
        if known.dtype != was.dtype:
            raise ArgumentTypeError("cell", f"a state of dtype {was.dtype}{where}", str(known.dtype), "CELL-11")
