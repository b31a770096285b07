"""Runs a cell over every step of its inputs: the r1.4 page of dynamic_rnn as one loop over time.

Letters: T steps, B rows (the batch), t a step. A clause id beside a line names the promise that this line keeps.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dynamic_rnn_spec import VariableScope, default_store, variable_scope
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

from .arrays import Array, read_only
from .checks.arguments import Arguments, check_arguments
from .checks.returned import check_returned
from .sequence import new_sequence
from .zero_state import starting_state


def dynamic_rnn(  # the page's nine parameters: SIG-1, in its order; SIG-2, by position or by name; SIG-3, its defaults
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: Any = None,
    swap_memory: Any = False,  # SWAP-1
    time_major: Any = False,  # TIME-1
    scope: Any = None,
) -> tuple[Any, Any]:
    """Run ``cell`` over every step of ``inputs``, each time on the whole batch; give its outputs and final state.

    Args:
        cell: an instance of RNNCell; ``state_size`` and ``output_size`` say what one row of its state and output
            holds.
        inputs: an array [B, T, ...] of any dtype, or a nested structure (tuple, list, dict, named tuple) of such
            arrays, which may differ in rank and in all axes but the first two. With ``time_major`` they are [T, B,
            ...].
        sequence_length: int32 or int64 [B], or a list or tuple of B ints: how many steps count for each row. Past
            them the row's outputs are zero and its state stands still. None: all T. Below 0 counts as 0, above T as
            T.
        initial_state: arrays [B, ...] in the structure of ``cell.state_size``; a plain tuple serves for a named one.
            They keep their dtypes. None: what ``cell.zero_state(B, dtype)`` gives.
        dtype: of the state that is made, and of the outputs: a NumPy dtype, scalar type or name. It may be None where
            ``initial_state`` is given and all of one dtype; the outputs then keep the dtype in which the cell gives
            them.
        parallel_iterations: a positive integer; None is 32. It has no effect here: this loop runs one step after the
            other, and the page lets it change time and memory only, never a value.
        swap_memory: True or False. It has no effect here: there is no device memory to swap from.
        time_major: True or False: whether time is the first axis of inputs and outputs; states and lengths have the
            batch first in any case.
        scope: where the variables of the call live: a name, which goes on from the open scope, or a VariableScope,
            which is absolute. None is "rnn".

    Returns:
        A tuple ``(outputs, state)``. ``outputs`` has the structure of ``cell.output_size``, its leaves being new
        arrays [B, T, ...] ([T, B, ...] with ``time_major``); ``state`` has that of ``cell.state_size``, its leaves
        being new arrays [B, ...].

    Raises:
        TypeError: ``cell`` is no RNNCell instance [CELL-2, CELL-3]; another argument is of a wrong type [SEQ-18,
            INIT-9, DTYPE-12, DTYPE-13, PAR-3, SWAP-3, TIME-6, SCOPE-9]; the cell returns something of a wrong type
            [CELL-10, CELL-11, DTYPE-10].
        ValueError: ``inputs`` is None or holds no array [IN-5, IN-6, IN-7, IN-9]; another argument has a wrong
            shape, structure or value [IN-10 to IN-15, SEQ-16, SEQ-17, INIT-8, INIT-9, DTYPE-3, DTYPE-4, PAR-3,
            SCOPE-10]; the cell returns something of a wrong shape or structure [CELL-10, CELL-11, CELL-12, OUT-7];
            variables can't be made or shared [SCOPE-6, SCOPE-12, VAR-14]. A failed call leaves no variable behind
            [ERR-3].

    From: the r1.4 page; where it is silent, TensorFlow 1.4.1.
    """
    # ERR-2: what can be judged without the cell is refused here, before it is called.
    given = check_arguments(
        cell, inputs, sequence_length, initial_state, dtype, parallel_iterations, swap_memory, time_major, scope
    )
    # SCOPE-1: "rnn" if None; SCOPE-3: a name goes on from the open scope; SCOPE-4: a VariableScope keeps its own full
    # name. ERR-3: when anything below fails, no variable and no half-built cell is left.
    with default_store().transaction(), variable_scope(given.scope) as opened, new_sequence():
        return run_steps(cell, inputs, given, opened, step=cell)


def run_steps(
    cell: Any, inputs: Any, given: Arguments, opened: VariableScope, step: Callable[[Any, Any], Any]
) -> tuple[Any, Any]:
    """The loop over time; ``step(step_inputs, old_state)``, the cell or what stands for it, gives (output, new_state).

    Args:
        cell: as dynamic_rnn takes it; it makes the zero state.
        inputs: as dynamic_rnn takes them, for their structure.
        given: the checked arguments.
        opened: the scope of the call, open.
        step: what takes the step.
    """
    T, lengths = given.max_time, given.lengths  # CELL-4: T is that of this call's inputs
    xs = [read_only(_time_first(x, given.time_major)) for x in given.inputs]  # each [T, B, ...]; TIME-2, TIME-5
    outputs: list[Array] = []  # each in the layout of the caller: [B, T, ...], with time_major [T, B, ...]

    state = starting_state(cell, given)  # INIT-2, INIT-7, CELL-9

    for t in range(T):  # CELL-6: T times in the order of time, on all rows, past their lengths too
        step_inputs = pack_sequence_as(inputs, [x[t] for x in xs])  # IN-1, IN-2, IN-4, IN-8, IN-16
        old_state = pack_sequence_as(state, [read_only(leaf) for leaf in flatten(state)])
        with variable_scope(opened, reuse=True if t > 0 else None):  # one set of variables serves all steps
            result = step(step_inputs, old_state)  # CELL-7; CELL-13: nothing here catches what it raises
        output, new_state = check_returned(result, state, given, [whole.dtype for whole in outputs])

        if t == 0:
            # DTYPE-5: the cell's own dtype; DTYPE-2: which is the one that was asked for, if one was; SEQ-13: +0 of it
            outputs = _zero_outputs(given, [o.dtype for o in output])
        steps = [_time_first(whole, given.time_major)[t] for whole in outputs]  # each [B, ...], a part of the whole
        if lengths is None:
            _write(steps, output, rows=...)  # SEQ-1, OUT-1
            state = new_state  # CELL-5
        else:
            # SEQ-8: true within the length; SEQ-9, SEQ-14: never for 0 or less; SEQ-15, SEQ-20: always for T or more
            counts = t < lengths  # [B]
            _write(steps, output, rows=counts)  # SEQ-5, SEQ-7: the rows past their lengths stay zero
            state = _copy_through(state, new_state, counts)  # SEQ-4, SEQ-6

    if T == 0:  # CELL-8: no steps, so empty outputs; and the state is still the initial one
        outputs = _zero_outputs(given, [given.output_dtype for _ in given.output_dims])
    final = [np.array(leaf) for leaf in flatten(state)]  # INIT-10: copies; STATE-1, STATE-2: as the cell shaped them
    # SIG-4: outputs, then state; SIG-5, OUT-4, OUT-5, STATE-3, INIT-11: in the structures that the sizes have.
    return pack_sequence_as(given.output_size, outputs), pack_sequence_as(state, final)


def _time_first(array: Array, time_major: bool) -> Array:
    """``array`` seen as [T, B, ...]: the one transposition of batch and time, with ``time_major`` none [TIME-7]."""
    return array if time_major else array.swapaxes(0, 1)  # TIME-4


def _zero_outputs(given: Arguments, dtypes: Sequence[Any]) -> list[Array]:
    """Zeros for all steps of each output, [B, T, ...] or with ``time_major`` [T, B, ...] [OUT-1 to 3, SEQ-10]."""
    T, B = given.max_time, given.batch_size
    leading = (T, B) if given.time_major else (B, T)  # TIME-3
    # OUT-6: nothing follows the leading two where a row has no dimensions.
    return [np.zeros(leading + dims, dtype) for dims, dtype in zip(given.output_dims, dtypes, strict=True)]


def _write(steps: Sequence[Array], output: Sequence[Array], rows: Any) -> None:
    """Put ``output`` [B, ...] into its step for these rows, as it is: no other dtype, no other bits."""
    for step, o in zip(steps, output, strict=True):
        step[rows] = o[rows]


def _copy_through(state: Any, new_state: Any, counts: Array) -> Any:
    """The new state in the rows that ``counts`` [B] names, the old one bit for bit in the others [SEQ-23]."""
    leaves = []
    for old, new in zip(flatten(state), flatten(new_state), strict=True):
        if np.ndim(new) > 0:
            kept = np.array(old)  # SIG-6, SEQ-23: a copy with its bits, for the old one may be the caller's
            kept[counts] = new[counts]  # SEQ-22: row by row
            new = kept
        leaves.append(new)  # SEQ-21: a leaf of rank 0 belongs to no row and takes the new value
    return pack_sequence_as(state, leaves)
