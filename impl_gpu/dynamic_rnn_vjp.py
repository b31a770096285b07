"""Defines dynamic_rnn_vjp: dynamic_rnn together with what pulls gradients back through it.

Two paths, as in ``dynamic_rnn``:

* ``training`` runs built-in cells, by their exact types, as fused as ``dynamic_rnn``: one kernel a step each way.
* ``any_cell_vjp`` calls the ``vjp`` of the cell step by step, and its pulls from the last step to the first.
"""

from typing import Any

from dynamic_rnn_spec import Gradients, VariableScope, default_store, variable_scope
from dynamic_rnn_spec.vocabulary.rnn_cell import cannot_pull_back
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

from . import any_cell_vjp, training
from .arguments import Arguments, check_arguments
from .arrays import enter, known_of
from .cells.shapes import step_on_shapes, why_not_on_shapes
from .check_cotangents import check_cotangents
from .device import current_device, use_device
from .device.log import note
from .sequence import new_sequence
from .training.memory_report import MemoryReport


class Vjp:
    """Pulls cotangents back through one call. What that needs it holds, on the device or the host, until let go."""

    def __init__(self, given: Arguments, outputs: Any, state: Any, initial_state: Any, pulled: Any) -> None:
        """``outputs`` and ``state`` have shapes in the place of arrays; ``pulled`` has the device of the call."""
        self._given = given
        self._outputs = outputs
        self._state = state
        self._initial_state = initial_state
        self._pulled = pulled

    @property
    def memory(self) -> MemoryReport:
        """What is held, moved to the host and computed again, in bytes, and the decision behind it in words."""
        report: MemoryReport = self._pulled.memory
        return report

    def __call__(self, d_outputs: Any, d_state: Any) -> Gradients:
        """The gradients; see dynamic_rnn_vjp. All work is enqueued on the caller's current stream of the call's device,
        whichever device is current now."""
        d_ys = check_cotangents("d_outputs", d_outputs, self._outputs)
        d_s = check_cotangents("d_state", d_state, self._state)
        device = self._pulled.device
        with use_device(device), device.made_current():
            entered = [[None if d is None else enter(device, d) for d in leaves] for leaves in (d_ys, d_s)]
            d_inputs, d_initial, d_variables = self._pulled.pull(*entered)
        return Gradients(
            pack_sequence_as(self._given.structure, d_inputs),  # GRAD-1
            None if self._initial_state is None else pack_sequence_as(self._initial_state, d_initial),  # GRAD-1, GRAD-2
            d_variables,
        )


def dynamic_rnn_vjp(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: Any = None,
    swap_memory: Any = False,
    time_major: Any = False,
    scope: Any = None,
) -> tuple[tuple[Any, Any], Vjp]:
    """Run ``cell`` as dynamic_rnn does, and give what pulls gradients back through the whole call.

    All work is enqueued on the caller's current stream of the current device, as in dynamic_rnn; that of a pull on the
    stream that is current then.

    Args:
        cell: as for dynamic_rnn, and able to pull gradients back: a built-in cell, whose ``activation`` and
            ``residual_fn``, if of the caller's own, have an attribute ``vjp``; or a cell with a method ``call_vjp``
            (see ``RNNCell.call_vjp``). Built-in cells with tanh run fused, but for those that drop their state.
        inputs: as for dynamic_rnn. They are kept, not copied, until the vjp is let go, and must not be written to.
        sequence_length, initial_state, dtype, time_major, scope: as for dynamic_rnn.
        parallel_iterations: a positive integer; None is 32. The steps of a chunk: what does not depend on time (input
            products, weight gradients) is computed for that many at once, forward and backward, and what the
            backward pass needs is moved by such chunks. More of them take more memory and less time; ``vjp.memory``
            says how much. It does not matter to a user's cell.
        swap_memory: True or False: whether what the fused backward pass needs may go to page-locked memory of the
            host when it does not fit the device, and come back ahead of its use [SWAP-4]; what would not hide behind
            the computation is computed again. False keeps it on the device. What a user's cell keeps is its own and
            is not moved, nor is what a built-in cell keeps that does not run fused here: one with an activation or a
            ``residual_fn`` of the caller's, or that drops its state. ``vjp.memory`` says it.

    Returns:
        A tuple ``((outputs, state), vjp)``: what dynamic_rnn returns [GRAD-18], and a Vjp.

        ``vjp(d_outputs, d_state)`` takes the gradients of a loss with respect to outputs and state, arrays of their
        shapes and dtypes in their structures (as for inputs: CuPy's, NumPy's, or lent); None, whole or in place of an
        array, is zeros [GRAD-6]. It returns Gradients of new CuPy arrays: ``inputs`` and ``initial_state`` in the
        structures that were given, with None for what is of no floating dtype and where no state was given [GRAD-1,
        GRAD-2]; ``variables``, a dict by the names of the cell's variables [GRAD-3]. It may be called again
        [GRAD-19], and uses the values that the variables had in the forward pass. ``vjp.memory`` is a MemoryReport.
        It raises TypeError or ValueError for cotangents of another form [GRAD-21].

    Raises:
        TypeError: the cell, or one in it, can't pull gradients back, which is found before anything is allocated,
            uploaded or launched [GRAD-20].
        MemoryError: the device has no memory left for what the backward pass needs; the message says whether
            ``swap_memory`` would help.
        TypeError, ValueError, RuntimeError: as dynamic_rnn does.

    From: the form of vector-Jacobian products in the field; its values are TensorFlow 1.4.1's ``tf.gradients``, but
    for padding that holds NaN [GRAD-12].
    """
    given = check_arguments(
        cell, inputs, sequence_length, initial_state, dtype, parallel_iterations, swap_memory, time_major, scope
    )
    lacking = cell.without_vjp()
    if lacking is not None:  # GRAD-20: before anything has run
        raise cannot_pull_back(lacking)
    with default_store().transaction(), variable_scope(given.scope) as opened, new_sequence():
        leaves, state, pulled = _run(cell, given, opened)
    outputs = pack_sequence_as(given.output_size, leaves)
    known_outputs = pack_sequence_as(given.output_size, [known_of(leaf) for leaf in leaves])
    known_state = pack_sequence_as(state, [known_of(leaf) for leaf in flatten(state)])
    return (outputs, state), Vjp(given, known_outputs, known_state, initial_state, pulled)


def _run(cell: Any, given: Arguments, opened: VariableScope) -> tuple[list[Any], Any, Any]:
    """The leaves of the outputs, the final state, and what pulls gradients back."""
    if given.max_time > 0 and why_not_on_shapes(cell) is None:
        step_on_shapes(cell, given, opened)
    reason = training.refusal(cell, given)
    device = current_device()
    given.enter(device)
    if reason is None:
        return training.run(cell, given, device)
    note(f"any-cell path: {reason}")
    return any_cell_vjp.run(cell, given, device, opened, reason)
