"""Runs dynamic_rnn and pulls gradients back through it: back propagation through time.

The forward pass is the one loop of ``dynamic_rnn``; what each of its steps says of pulling gradients back goes on a
tape, and the backward pass takes it off again, from the last step to the first. docs/gradients.md derives it.

Letters: T steps, B rows, t a step; ``d_y`` is the gradient of the loss with respect to y, in the shape of y.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from dynamic_rnn_spec import Gradients, default_store, variable_scope
from dynamic_rnn_spec.vocabulary.rnn_cell import cannot_pull_back
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

from .arrays import Array, read_only
from .cells.row_wise import is_row_wise
from .cells.weighted import quiet
from .checks.arguments import Arguments, check_arguments
from .checks.cotangents import check_cotangents, has_gradient
from .checks.pulled import check_pulled
from .dynamic_rnn import run_steps
from .sequence import new_sequence

Pull = Callable[[Any, Any], tuple[Any, Any, dict[str, Array]]]


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
) -> tuple[tuple[Any, Any], Callable[[Any, Any], Gradients]]:
    """Run ``cell`` as dynamic_rnn does, and give a function that pulls gradients back through the whole call.

    Args:
        cell: as for dynamic_rnn, and able to pull gradients back: a built-in cell, whose ``activation`` and
            ``residual_fn``, if of the caller's own, have an attribute ``vjp``; or a cell with a method ``call_vjp``
            (see ``RNNCell.call_vjp``).
        inputs: as for dynamic_rnn; they are kept, not copied, until ``vjp`` is let go, and must not be written to.
        sequence_length, initial_state, dtype, time_major, scope: as for dynamic_rnn.
        parallel_iterations: a positive integer; None is 32. It has no effect here: the backward pass too runs one step
            after the other.
        swap_memory: True or False. It has no effect here: what the backward pass needs lies in the memory of the host
            already, so there is no device to swap it from [SWAP-4].

    Returns:
        A tuple ``((outputs, state), vjp)``: what dynamic_rnn returns [GRAD-18], and a function of cotangents.

        ``vjp(d_outputs, d_state)`` takes the gradients of a loss with respect to outputs and state, arrays of their
        shapes and dtypes in their structures; None, whole or in place of an array, is zeros [GRAD-6]. It returns
        Gradients of new arrays: ``inputs`` and ``initial_state`` in the structures that were given, with None for
        what is not of a floating dtype and where no state was given [GRAD-1, GRAD-2]; ``variables``, a dict by the
        names of the cell's variables [GRAD-3]. It may be called again [GRAD-19], uses the values that the variables
        had in the forward pass, and raises TypeError or ValueError for cotangents of another form [GRAD-21].

    Raises:
        TypeError: the cell, or one in it, can't pull gradients back, which is found before anything runs [GRAD-20].
        TypeError, ValueError: as dynamic_rnn does.

    From: the form of vector-Jacobian products in the field; its values are TensorFlow 1.4.1's ``tf.gradients``, but
    for padding that holds NaN [GRAD-12].
    """
    given = check_arguments(
        cell, inputs, sequence_length, initial_state, dtype, parallel_iterations, swap_memory, time_major, scope
    )
    if (lacking := cell.without_vjp()) is not None:
        raise cannot_pull_back(lacking)
    tape: list[Pull] = []
    lengths = given.lengths if is_row_wise(cell) else None

    def step(step_inputs: Any, old_state: Any) -> Any:
        if lengths is not None:
            counts = np.less(len(tape), lengths)  # [B], at step len(tape)
            step_inputs, old_state = _zeros_elsewhere(step_inputs, counts), _zeros_elsewhere(old_state, counts)
        elif not tape:  # the caller's own, which may be written to before the pull reads it
            old_state = pack_sequence_as(old_state, [read_only(np.array(leaf)) for leaf in flatten(old_state)])
        result, pull = cell.vjp(step_inputs, old_state)
        tape.append(pull)
        return result

    with default_store().transaction(), variable_scope(given.scope) as opened, new_sequence():
        outputs, state = run_steps(cell, inputs, given, opened, step)  # GRAD-18: the loop of dynamic_rnn itself
    variables = {variable.name: np.zeros_like(variable.value) for variable in cell.variables}

    def vjp(d_outputs: Any, d_state: Any) -> Gradients:
        d_ys = check_cotangents("d_outputs", d_outputs, outputs)
        d_s = check_cotangents("d_state", d_state, state)
        d_xs, d_s, d_variables = _back_through_time(tape, given, d_ys, d_s, state, variables)
        return Gradients(
            pack_sequence_as(inputs, d_xs),  # GRAD-1: in the structures that were given
            None if initial_state is None else pack_sequence_as(initial_state, d_s),
            d_variables,
        )

    return (outputs, state), vjp


def _back_through_time(
    tape: list[Pull],
    given: Arguments,
    d_ys: list[Array | None],
    d_s: list[Array | None],
    state: Any,
    variables: dict[str, Array],
) -> tuple[list[Array | None], list[Array | None], dict[str, Array | None]]:
    """Gradients of inputs, initial state and variables from ``d_ys`` of the outputs, ``d_s`` of the state [GRAD-4]."""
    lengths = given.lengths
    d_xs = [np.zeros(x.shape, x.dtype) if has_gradient(x) else None for x in given.inputs]  # GRAD-7: +0 in the padding
    d_s = [None if d is None else np.array(d) for d in d_s]  # GRAD-19, GRAD-22
    sums = {name: np.zeros(value.shape, _wide(value)) for name, value in variables.items() if has_gradient(value)}
    dtypes = {name: value.dtype for name, value in variables.items()}

    for t in reversed(range(given.max_time)):  # GRAD-5
        counts = ... if lengths is None else t < lengths  # [B]
        d_step = [None if d is None else _step_of(d, t, given) for d in d_ys]
        d_output = [_rows(counts, d) for d in d_step]  # GRAD-8: an output that was zeroed hands nothing back
        d_new = [_rows(counts, d) for d in d_s]  # GRAD-9: nor does the new state of a row that stands still
        pulled = tape[t](pack_sequence_as(given.output_size, d_output), pack_sequence_as(state, d_new))  # GRAD-4
        d_x, d_old, d_own = check_pulled(pulled, given, d_s, variables)
        d_s = [_rows(counts, d, kept) for d, kept in zip(d_old, d_s, strict=True)]  # GRAD-9, GRAD-10
        for whole, d in zip(d_xs, d_x, strict=True):
            if whole is not None and d is not None:
                _step_of(whole, t, given)[counts] = d[counts]
        for name, d in d_own.items():
            dtypes.setdefault(name, d.dtype)
            with quiet():
                sums[name] = sums[name] + d if name in sums else np.array(d, _wide(d))

    with quiet():  # a sum of float16 numbers may be too large for one
        totals = {name: np.array(total, dtypes[name]) for name, total in sums.items()}
    return d_xs, d_s, {name: totals.get(name) for name in dtypes}  # GRAD-2, GRAD-3


def _step_of(whole: Array, t: int, given: Arguments) -> Array:
    """Step t of an array in the caller's layout: a view [B, ...] [GRAD-13]."""
    return whole[t] if given.time_major else whole[:, t]


def _rows(counts: Any, d: Array | None, other: Array | None = None) -> Array | None:
    """``d`` in the rows that count, ``other`` or zeros bit for bit in the rest: chosen, for 0 times NaN is NaN."""
    if d is None or np.ndim(d) == 0:
        return d  # a leaf of rank 0 belongs to no row
    chosen = np.zeros_like(d) if other is None else np.array(other)
    chosen[counts] = d[counts]
    return chosen


def _zeros_elsewhere(structure: Any, counts: Array) -> Any:
    """A structure with zeros in the rows that don't count, so that what stood there reaches no gradient [GRAD-12]."""
    return pack_sequence_as(structure, [read_only(_rows(counts, leaf)) for leaf in flatten(structure)])


def _wide(d: Array) -> Any:
    """The dtype in which gradients like ``d`` are summed."""
    return np.promote_types(d.dtype, np.float32)
