"""Checks dynamic_rnn's nine arguments, in their order [ERR-4], before anything is allocated, uploaded or launched.

A refusal names the argument, what was wanted, what came, and the clause. The arguments that are arrays have files of
their own: ``check_inputs``, ``check_lengths`` and ``check_state``.
"""

import dataclasses
import re
from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, RNNCell, VariableScope

from .abstract import Abstract
from .arrays import enter
from .check_inputs import check_inputs, check_layout
from .check_lengths import check_lengths, check_lengths_size, read_lengths
from .check_state import check_initial_state
from .dtypes import DType, as_dtype, describe_value
from .sizes import row_dims

DEFAULT_PARALLEL_ITERATIONS = 32
DEFAULT_SCOPE = "rnn"
_SCOPE_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\-/]*")


@dataclasses.dataclass
class Arguments:
    """The arguments of one call after all checks.

    ``inputs``, ``initial_state`` and ``lengths`` are as the caller gave them until ``enter``: from then on they are
    cupy.ndarrays of the device, and lengths int64 on the host. What is known of them without moving a byte stands in
    ``input_shapes`` and ``state_shapes`` from the start.
    """

    structure: Any  # of the inputs, as the caller gave it
    inputs: list[Any]  # the leaves, in the caller's layout
    input_shapes: list[Abstract]
    batch_size: int
    max_time: int
    lengths: Any  # [B], or None
    initial_state: list[Any] | None  # the leaves, each [B, ...]
    state_shapes: list[Abstract] | None
    dtype: DType | None
    output_dtype: DType | None  # of outputs that no step has given: dtype, else the one of initial_state
    time_major: bool
    parallel_iterations: int
    swap_memory: bool
    scope: str | VariableScope
    state_size: Any
    output_size: Any
    output_dims: list[tuple[int, ...]]  # of one row of each output

    def enter(self, device: Any) -> None:
        """Bring the arrays to the device and the lengths to the host; called once all checks have passed.

        Lengths that lie on a device cost one wait of the host here, arrays in host memory one upload each.
        """
        if self.lengths is not None:
            self.lengths = read_lengths(device, self.lengths)
        self.inputs = [enter(device, value) for value in self.inputs]
        if self.initial_state is not None:
            self.initial_state = [enter(device, value) for value in self.initial_state]  # DTYPE-8: never cast


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
    """Refuse what dynamic_rnn refuses, or give what its paths read.

    Raises:
        TypeError, ValueError: the first argument, in the order of the lines below, that is not as the docstring of
            dynamic_rnn has it.
    """
    check_cell(cell)  # ERR-4: of several faults the first that these lines find decides the error
    leaves = check_inputs(inputs, time_major)
    lengths = check_lengths(sequence_length)
    opened = check_scope(scope)
    time_first = check_flag("time_major", time_major, "TIME-6")
    batch_size, max_time = check_layout(leaves, time_first)
    if lengths is not None:
        check_lengths_size(lengths, batch_size)
    state_size, output_size = cell.state_size, cell.output_size
    output_dims = row_dims("output_size", output_size)
    state_dtype = None if dtype is None else as_dtype(dtype)
    state = check_initial_state(initial_state, state_size, batch_size)
    state_shapes = None if state is None else [known for _, known in state]
    return Arguments(
        structure=inputs,
        inputs=[leaf.value for leaf in leaves],
        input_shapes=[leaf.known for leaf in leaves],
        batch_size=batch_size,
        max_time=max_time,
        lengths=lengths,
        initial_state=None if state is None else [value for value, _ in state],
        state_shapes=state_shapes,
        dtype=state_dtype,
        output_dtype=check_output_dtype(state_dtype, state_shapes, needed=max_time == 0 and bool(output_dims)),
        time_major=time_first,
        parallel_iterations=check_parallel_iterations(parallel_iterations),
        swap_memory=check_flag("swap_memory", swap_memory, "SWAP-3"),
        scope=opened,
        state_size=state_size,
        output_size=output_size,
        output_dims=output_dims,
    )


def check_cell(cell: Any, argument: str = "cell") -> None:
    """A cell is an instance of RNNCell [CELL-1, CELL-2]; to have the methods of one is not enough [CELL-3]."""
    if isinstance(cell, RNNCell):  # CELL-1
        return
    hint, clause = None, "CELL-2"
    if isinstance(cell, type):
        hint = "a class is no cell yet: make an instance" if issubclass(cell, RNNCell) else None
    elif callable(cell) and all(name in dir(cell) for name in ("state_size", "output_size", "zero_state")):
        clause = "CELL-3"
    raise ArgumentTypeError(argument, "an instance of RNNCell", describe_value(cell), clause, hint)


def check_scope(scope: Any) -> str | VariableScope:
    """A VariableScope or a name [SCOPE-2, SCOPE-3]; None is "rnn" [SCOPE-1]."""
    if scope is None:
        return DEFAULT_SCOPE
    if isinstance(scope, VariableScope):
        return scope  # SCOPE-2, SCOPE-4: a scope is absolute; its name alone would go on from the open one
    if not isinstance(scope, str):
        raise ArgumentTypeError("scope", "a string, a VariableScope or None", describe_value(scope), "SCOPE-9")
    if _SCOPE_NAME.fullmatch(scope) is None:
        wanted = "a name of letters, digits and _.-/ with a letter, a digit or a point in front"
        raise ArgumentValueError("scope", wanted, describe_value(scope), "SCOPE-10")
    return scope


def check_flag(argument: str, value: Any, clause: str) -> bool:
    """True or False, Python's or NumPy's; no other value counts as true or false [SWAP-3, TIME-6]."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ArgumentTypeError(argument, "True or False", describe_value(value), clause)


def check_output_dtype(dtype: DType | None, state: list[Abstract] | None, needed: bool) -> DType | None:
    """The dtype of outputs that no step has given [DTYPE-9]; only a state of one dtype stands for a missing dtype.

    Raises:
        ValueError: neither was given [DTYPE-3]; the state has several dtypes [DTYPE-4]; it has none, and outputs
            without steps are ``needed`` [DTYPE-9].
    """
    if dtype is not None:
        return dtype  # DTYPE-7: the state may have several then
    if state is None:
        raise ArgumentValueError("dtype", "a dtype where no initial_state is given", "None", "DTYPE-3")
    found: list[DType] = list(dict.fromkeys(known.dtype for known in state))
    if len(found) > 1:
        got = f"None beside a state of {', '.join(map(str, found))}"
        raise ArgumentValueError("dtype", "a dtype where initial_state has several", got, "DTYPE-4")
    if not found and needed:
        wanted = "a dtype where neither a step nor a state tells the one of the outputs"
        raise ArgumentValueError("dtype", wanted, "None", "DTYPE-9")
    return found[0] if found else None  # DTYPE-5, DTYPE-6, DTYPE-9


def check_parallel_iterations(value: Any) -> int:
    """A positive integer, Python's or NumPy's [PAR-1, PAR-4]; None is 32."""
    if value is None:
        return DEFAULT_PARALLEL_ITERATIONS  # PAR-1
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):  # PAR-4: of NumPy too, of any width
        raise ArgumentTypeError("parallel_iterations", "a positive integer or None", describe_value(value), "PAR-3")
    if value < 1:
        raise ArgumentValueError("parallel_iterations", "at least 1", str(value), "PAR-3")
    return int(value)
