"""Defines dynamic_rnn: checks the arguments, then runs the call by one of two paths.

Start reading here. ``check_arguments`` knows all that is refused before a byte moves; ``_run`` chooses the path:

* ``fused`` runs built-in cells, by their exact types: products for a chunk of steps at once, one kernel a step.
* ``any_cell`` calls the cell step by step, like TensorFlow.
"""

from typing import Any

from dynamic_rnn_spec import VariableScope, default_store, variable_scope
from dynamic_rnn_spec.vocabulary.structure import pack_sequence_as

from . import any_cell, fused
from .arguments import Arguments, check_arguments
from .cells.shapes import step_on_shapes, why_not_on_shapes
from .device import current_device
from .device.log import note
from .sequence import new_sequence


def dynamic_rnn(
    cell: Any,  # SIG-1: nine by position, in this order; SIG-2: each by its name
    inputs: Any,
    sequence_length: Any = None,  # SIG-3: this one and those below may be left out
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: Any = None,
    swap_memory: Any = False,  # SWAP-1
    time_major: Any = False,  # TIME-1
    scope: Any = None,
) -> tuple[Any, Any]:
    """Run ``cell`` over every step of ``inputs``, each time on the whole batch; give its outputs and final state.

    All work is enqueued on the caller's current stream of the current device, and the host does not wait for it,
    except for lengths that lie on the device. An array may be of CuPy, or of anything that lends device memory by
    ``__cuda_array_interface__`` or DLPack (PyTorch, JAX): these are read where they are, without a copy. An array of
    NumPy costs one upload. Numbers and bools of every dtype that CuPy has may go through a cell of the user's;
    built-in cells compute in float16, bfloat16 (where ml_dtypes is installed), float32 or float64.

    Args:
        cell: an instance of RNNCell; ``state_size`` and ``output_size`` say what one row of its state and output
            holds. Its ``call`` must not write into what it is given: that may be the caller's own memory, and CuPy
            has no read-only arrays.
        inputs: an array [B, T, ...], or a nested structure (tuple, list, dict, named tuple) of arrays, which may
            differ in dtype, in rank and in all axes but the first two. With ``time_major`` they are [T, B, ...],
            which saves the fused path a transposition.
        sequence_length: int32 or int64 [B], or a list or tuple of B ints: how many steps count for each row. Past
            them the row's outputs are zero and its state stands still. None: all T. Below 0 counts as 0, above T as
            T. The host needs their values: lengths that lie on the device cost one synchronisation of the host with
            the current stream.
        initial_state: arrays [B, ...] in the structure of ``cell.state_size``; a plain tuple serves for a named one.
            They keep their dtypes. None: what ``cell.zero_state(B, dtype)`` gives.
        dtype: of the state that is made, and of the outputs: a NumPy dtype, scalar type or name, "bfloat16" too. It
            may be None where ``initial_state`` is given and all of one dtype; the outputs then keep the dtype in
            which the cell gives them.
        parallel_iterations: a positive integer; None is 32. Built-in cells compute what does not depend on time (the
            input products) for that many steps at once: more of them take more memory and less time. A user's cell
            runs one step after the other, whatever it is.
        swap_memory: True or False. It has no effect here: nothing is kept for a backward pass, so there is nothing to
            swap; dynamic_rnn_vjp keeps something.
        time_major: True or False: whether time is the first axis of inputs and outputs; states and lengths have the
            batch first in any case.
        scope: where the variables of the call live: a name, which goes on from the open scope, or a VariableScope,
            which is absolute. None is "rnn".

    Returns:
        A tuple ``(outputs, state)``. ``outputs`` has the structure of ``cell.output_size``, its leaves being new CuPy
        arrays [B, T, ...] ([T, B, ...] with ``time_major``); ``state`` has that of ``cell.state_size``, its leaves
        being new CuPy arrays [B, ...].

    Raises:
        TypeError: ``cell`` is no RNNCell instance [CELL-2, CELL-3]; another argument is of a wrong type, or an array
            of a dtype that CuPy lacks [IN-17, SEQ-18, INIT-9, DTYPE-12, DTYPE-13, PAR-3, SWAP-3, TIME-6, SCOPE-9];
            the cell returns something of a wrong type [CELL-10, CELL-11, CELL-12, DTYPE-10].
        ValueError: ``inputs`` is None or holds no array [IN-5, IN-6, IN-7, IN-9]; another argument has a wrong
            shape, structure or value [IN-10 to IN-15, SEQ-16, SEQ-17, INIT-8, INIT-9, DTYPE-3, DTYPE-4, DTYPE-9,
            PAR-3, SCOPE-10]; the cell returns something of a wrong shape or structure [CELL-10, CELL-11, CELL-12,
            OUT-7]; variables can't be made or shared [SCOPE-6, SCOPE-12, VAR-14]. A failed call leaves no variable
            behind [ERR-3]. What can be refused without running a user's cell is refused before anything is
            allocated, uploaded or launched.
        RuntimeError: there is no CUDA device.

    From: the r1.4 page; where it is silent, TensorFlow 1.4.1.
    """
    given = check_arguments(  # ERR-2: before any step
        cell, inputs, sequence_length, initial_state, dtype, parallel_iterations, swap_memory, time_major, scope
    )
    # SCOPE-1: "rnn" if None; SCOPE-3: a name goes on from the open scope. ERR-3: when anything below fails, no variable
    # and no half-built cell is left.
    with default_store().transaction(), variable_scope(given.scope) as opened, new_sequence():
        outputs, state = _run(cell, given, opened)
    return pack_sequence_as(given.output_size, outputs), state  # SIG-4, SIG-5, OUT-4, OUT-5


def _run(cell: Any, given: Arguments, opened: VariableScope) -> tuple[list[Any], Any]:
    """The leaves of the outputs, and the final state."""
    if given.max_time > 0 and why_not_on_shapes(cell) is None:
        step_on_shapes(cell, given, opened)  # makes the variables, and refuses what the first step would refuse
    reason = fused.refusal(cell, given)
    device = current_device()
    given.enter(device)
    if reason is None:
        return fused.run(cell, given, device)
    note(f"any-cell path: {reason}")
    return any_cell.run(cell, given, device, opened)
