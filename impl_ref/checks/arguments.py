"""Checks dynamic_rnn's nine arguments in their order [ERR-4], before any cell runs or any variable is made.

Every refusal is an ArgumentTypeError or ArgumentValueError that names the argument, what was wanted, what came, and
the clause. The two arguments that are structures of arrays have their own files: ``inputs.py`` and ``state.py``.
"""

import re
from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, RNNCell, VariableScope

from ..arrays import Array, is_array
from ..dtypes import DType, as_dtype, describe_type
from ..sizes import row_dims
from .inputs import check_inputs, check_layout
from .state import check_initial_state

DEFAULT_PARALLEL_ITERATIONS = 32
DEFAULT_SCOPE = "rnn"
_SCOPE_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\-/]*")


class Arguments(NamedTuple):
    """The arguments of one call after all checks: what the loop reads."""

    inputs: list[Array]  # the leaves, in the caller's layout
    batch_size: int
    max_time: int
    lengths: Array | None  # [B]
    initial_state: list[Array] | None  # the leaves, each [B, ...]
    dtype: DType | None
    output_dtype: DType | None  # of outputs that no step has given: dtype, else the one of initial_state
    time_major: bool
    parallel_iterations: int
    swap_memory: bool
    scope: str | VariableScope
    state_size: Any
    output_size: Any
    output_dims: list[tuple[int, ...]]  # of one row of each output


def check_arguments(
    cell: Any,
    inputs: Any,
    sequence_length: Any,
    initial_state: Any,
    dtype: Any,
    parallel_iterations: Any,
    swap_memory: Any,
    time_major: Any,
    scope: Any,
) -> Arguments:
    """Check all arguments in their order, and give what the loop needs.

    Raises:
        TypeError, ValueError: the first argument, in the order of the lines below, that is not as the docstring of
            dynamic_rnn says.
    """
    # ERR-4: of several wrong arguments the first in this order is refused.
    check_cell(cell)
    leaves = check_inputs(inputs, time_major)
    lengths = check_lengths(sequence_length)
    scope = check_scope(scope)
    time_major = check_flag("time_major", time_major, "TIME-6")
    batch_size, max_time = check_layout(leaves, time_major)
    check_lengths_size(lengths, batch_size)
    state_size, output_size = cell.state_size, cell.output_size
    output_dims = row_dims("output_size", output_size)
    made_dtype = None if dtype is None else as_dtype(dtype)
    state = check_initial_state(initial_state, state_size, batch_size)
    output_dtype = check_output_dtype(made_dtype, state, max_time, has_outputs=bool(output_dims))
    return Arguments(
        inputs=[leaf for _, leaf in leaves],
        batch_size=batch_size,
        max_time=max_time,
        lengths=lengths,
        initial_state=state,
        dtype=made_dtype,
        output_dtype=output_dtype,
        time_major=time_major,
        parallel_iterations=check_parallel_iterations(parallel_iterations),
        swap_memory=check_flag("swap_memory", swap_memory, "SWAP-3"),
        scope=scope,
        state_size=state_size,
        output_size=output_size,
        output_dims=output_dims,
    )


def check_cell(cell: Any, argument: str = "cell") -> None:
    """Only an instance of RNNCell is a cell [CELL-1, CELL-2]; having its methods is not enough [CELL-3]."""
    if isinstance(cell, RNNCell):  # CELL-1
        return
    looks_alike = callable(cell) and {"state_size", "output_size", "zero_state"} <= set(dir(cell))
    clause = "CELL-3" if looks_alike and not isinstance(cell, type) else "CELL-2"
    hint = "make an instance of it" if isinstance(cell, type) and issubclass(cell, RNNCell) else None
    raise ArgumentTypeError(argument, "an instance of RNNCell", describe_type(cell), clause, hint)


def check_lengths(sequence_length: Any) -> Array | None:
    """A vector of int32 or int64, or a list or tuple of ints [SEQ-2, SEQ-3, SEQ-19]; None is no lengths [SEQ-1]."""
    if sequence_length is None:
        return None
    if isinstance(sequence_length, (list, tuple)):  # SEQ-19
        return _lengths_of_list(sequence_length)
    if isinstance(sequence_length, (int, float, complex)):
        raise _lengths_rank("a single number")
    if not is_array(sequence_length):
        wanted = "an int32 or int64 vector, or a list or tuple of ints"
        raise ArgumentTypeError("sequence_length", wanted, describe_type(sequence_length), "SEQ-18")
    if sequence_length.ndim != 1:
        raise _lengths_rank(f"shape {sequence_length.shape}")
    if sequence_length.dtype.kind != "i" or sequence_length.dtype.itemsize not in (4, 8):  # SEQ-2: of 4, SEQ-3: of 8
        raise ArgumentTypeError("sequence_length", "dtype int32 or int64", str(sequence_length.dtype), "SEQ-18")
    return np.asarray(sequence_length)  # SEQ-11: in the width that it came in


def _lengths_of_list(lengths: list[Any] | tuple[Any, ...]) -> Array:
    for index, length in enumerate(lengths):
        if isinstance(length, (list, tuple)) or np.ndim(length) > 0:
            raise _lengths_rank(f"a {type(lengths).__name__} with a {type(length).__name__} at [{index}]")
        if isinstance(length, bool) or not isinstance(length, (int, np.int32, np.int64)):
            raise ArgumentTypeError("sequence_length", f"an int at [{index}]", describe_type(length), "SEQ-18")
    bounds = np.iinfo(np.int64)  # beyond them lies no T, so a longer int counts the same as the bound
    return np.array([min(max(int(length), bounds.min), bounds.max) for length in lengths], np.int64)


def _lengths_rank(got: str) -> ArgumentValueError:
    return ArgumentValueError("sequence_length", "rank 1", got, "SEQ-16")


def check_lengths_size(lengths: Array | None, batch_size: int) -> None:
    """One length for each row [SEQ-17]."""
    if lengths is not None and lengths.shape != (batch_size,):
        raise ArgumentValueError("sequence_length", f"shape {(batch_size,)}", str(lengths.shape), "SEQ-17")


def check_scope(scope: Any) -> str | VariableScope:
    """A VariableScope or a valid name; None is the default [SCOPE-1, SCOPE-2, SCOPE-3]."""
    if scope is None:
        return DEFAULT_SCOPE
    if isinstance(scope, VariableScope):
        return scope  # SCOPE-2
    if not isinstance(scope, str):
        raise ArgumentTypeError("scope", "a string, a VariableScope or None", describe_type(scope), "SCOPE-9")
    if not _SCOPE_NAME.fullmatch(scope):
        wanted = "a name of letters, digits and _.-/ that begins with a letter, a digit or a point"
        raise ArgumentValueError("scope", wanted, describe_type(scope), "SCOPE-10")
    return scope


def check_flag(argument: str, value: Any, clause: str) -> bool:
    """True or False, of Python or of NumPy [SWAP-3, TIME-6]."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentTypeError(argument, "True or False", describe_type(value), clause)
    return bool(value)


def check_output_dtype(
    dtype: DType | None, state: list[Array] | None, max_time: int, has_outputs: bool
) -> DType | None:
    """The dtype of outputs that no step has given [DTYPE-9]; it may be missing only where a state stands for it.

    Raises:
        ValueError: no state was given [DTYPE-3]; the state is of several dtypes [DTYPE-4]; or nothing at all tells
            the dtype of outputs that have no steps [DTYPE-9].
    """
    if dtype is not None:
        return dtype  # DTYPE-7: then a state of several dtypes will do
    if state is None:
        raise ArgumentValueError("dtype", "a dtype, since initial_state is missing", "None", "DTYPE-3")
    found: list[DType] = list(dict.fromkeys(leaf.dtype for leaf in state))
    if len(found) > 1:
        got = f"None with a state of {', '.join(map(str, found))}"
        raise ArgumentValueError("dtype", "a dtype, since initial_state has several", got, "DTYPE-4")
    if found:
        return found[0]  # DTYPE-5, DTYPE-9
    if max_time == 0 and has_outputs:
        wanted = "a dtype, since neither the empty initial_state nor a step tells that of the outputs"
        raise ArgumentValueError("dtype", wanted, "None", "DTYPE-9")
    return None  # DTYPE-6


def check_parallel_iterations(value: Any) -> int:
    """A positive integer of Python or NumPy; None is 32 [PAR-1, PAR-3, PAR-4]."""
    if value is None:
        return DEFAULT_PARALLEL_ITERATIONS  # PAR-1
    # PAR-4: of NumPy too, of any width
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ArgumentTypeError("parallel_iterations", "a positive integer or None", describe_type(value), "PAR-3")
    if value < 1:
        raise ArgumentValueError("parallel_iterations", "at least 1", str(value), "PAR-3")
    return int(value)
