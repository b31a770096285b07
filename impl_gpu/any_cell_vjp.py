"""Pulls gradients back through any cell: calls its ``vjp`` step by step, then the pulls from the last to the first.

The kernels around each pull are those around a step: they hand it the gradients of the rows that count, and keep those
of the others as they are.

Letters: T steps, B rows, t a step; ``d_y`` is the gradient of a loss with respect to y, in the shape of y.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from dynamic_rnn_spec import VariableScope
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

from . import any_cell
from .abstract import Abstract
from .any_cell import Rows
from .arguments import Arguments
from .arrays import enter, known_of, zeros
from .cells.row_wise import is_row_wise
from .check_cotangents import has_gradient
from .check_pulled import check_pulled
from .device.memory import Peak
from .device.seam import Device
from .training.memory_report import MemoryReport, of_the_cell


def run(
    cell: Any, given: Arguments, device: Device, opened: VariableScope, reason: str
) -> tuple[list[Any], Any, "PulledSteps"]:
    """The leaves of the outputs, the final state, and what pulls gradients back through all steps.

    Args:
        cell: an RNNCell that can pull gradients back.
        given: the arguments, entered.
        device: where their arrays are.
        opened: the scope of the call.
        reason: why it goes this path.
    """
    steps = PulledSteps(cell, given, device, reason)
    with device.watched(steps.peak):
        outputs, state = any_cell.run(cell, given, device, opened, steps.take)  # GRAD-18: dynamic_rnn's own loop
    steps.end(outputs, state)
    return outputs, state, steps


class PulledSteps:
    """The pulls of a call, one for each step: each holds what its step needs, on the device."""

    def __init__(self, cell: Any, given: Arguments, device: Device, reason: str) -> None:
        self._cell = cell
        self._reason = reason
        self.peak = Peak()
        self._given = given
        self.device = device
        self._stream = device.current_stream()
        self._ended = device.new_event()
        self._rows = Rows(given, device)
        # GRAD-12: a built-in cell computes every row by itself, so a row that doesn't count may be anything.
        self._shielded = given.lengths is not None and is_row_wise(cell)
        self._pulls: list[Callable[[Any, Any], Any]] = []
        self._outputs: list[Abstract] = []
        self._state: Any = None

    @property
    def memory(self) -> MemoryReport:
        """What is known of the memory that the pulls hold."""
        return of_the_cell(self._given.max_time, self._reason, self.peak.nbytes)

    def take(self, inputs: Any, state: Any) -> Any:
        """A step of the forward pass; its pull is kept."""
        t = len(self._pulls)
        if self._shielded:
            inputs = pack_sequence_as(inputs, [self._rows.alone(leaf, t) for leaf in flatten(inputs)])
            state = pack_sequence_as(state, [self._rows.alone(leaf, t) for leaf in flatten(state)])
        elif t == 0:  # the caller's own, which may be written to before the pull reads it
            state = pack_sequence_as(state, [self._rows.copied(leaf) for leaf in flatten(state)])
        result, pull = self._cell.vjp(inputs, state)
        self._pulls.append(pull)
        return result

    def end(self, outputs: list[Any], state: Any) -> None:
        """Remember what the forward pass, now enqueued, has given."""
        self._outputs = [known_of(output) for output in outputs]
        self._state = pack_sequence_as(state, [known_of(leaf) for leaf in flatten(state)])
        self.device.record_event(self._ended, self._stream)

    def pull(self, d_outputs: list[Any], d_state: list[Any]) -> tuple[list[Any], list[Any], dict[str, Any]]:
        """Gradients of the leaves of inputs and initial state, and of the variables by name.

        Args:
            d_outputs, d_state: the cotangents of all leaves, entered; None where there is none.
        """
        stream = self.device.current_stream()
        self.device.wait_event(stream, self._ended)
        try:
            with self.device.watched(self.peak):
                return self._back_through_time(Rows(self._given, self.device), d_outputs, d_state)
        finally:  # what the pulls hold is given back on the stream of the forward pass: not before this has run
            self.device.record_event(self._ended, stream)
            self.device.wait_event(self._stream, self._ended)

    def _back_through_time(
        self, rows: Rows, d_outputs: list[Any], d_state: list[Any]
    ) -> tuple[list[Any], list[Any], dict[str, Any]]:
        given = self._given
        d_ys = [self._filled(d, like) for d, like in zip(d_outputs, self._outputs, strict=True)]
        d_s = [self._filled(d, like) for d, like in zip(d_state, flatten(self._state), strict=True)]
        d_xs = [rows.whole(x.shape[2:], x.dtype) if has_gradient(x.dtype) else None for x in given.inputs]
        variables = {v.name: Abstract(v.shape, v.dtype) for v in self._cell.variables}
        sums = {name: self._zeros(v.shape, _wide(v.dtype)) for name, v in variables.items() if has_gradient(v.dtype)}
        for t in reversed(range(given.max_time)):  # GRAD-5
            d_output = [None if d is None else rows.alone(rows.step(d, t), t) for d in d_ys]  # GRAD-8
            d_new = [None if d is None else rows.alone(d, t) for d in d_s]  # GRAD-9
            with self.device.users_code():
                pulled = self._pulls[t](
                    pack_sequence_as(given.output_size, d_output), pack_sequence_as(self._state, d_new)
                )
            d_x, d_old, d_own = check_pulled(pulled, given, d_s, variables)
            for whole, d in zip(d_xs, d_x, strict=True):
                if whole is not None:
                    rows.write(whole, t, self._entered(d, known_of(rows.step(whole, t))))  # GRAD-7
            d_s = [
                None if kept is None else rows.next_state(kept, self._entered(d, known_of(kept)), t)
                for kept, d in zip(d_s, d_old, strict=True)
            ]  # GRAD-9, GRAD-10
            for name, d in d_own.items():  # GRAD-16
                one = enter(self.device, d)
                variables.setdefault(name, known_of(one))
                wide = one.astype(_wide(one.dtype))
                sums[name] = sums[name] + wide if name in sums else wide
        d_variables = {name: sums[name].astype(v.dtype) if name in sums else None for name, v in variables.items()}
        # GRAD-2, GRAD-3; a copy, GRAD-19: it shares no memory with what was given; GRAD-22: bit for bit
        return d_xs, [None if d is None else rows.copied(d) for d in d_s], d_variables

    def _entered(self, d: Any, like: Abstract) -> Any:
        """What a pull gave; zeros for None."""
        return self._zeros(like.shape, like.dtype) if d is None else enter(self.device, d)

    def _filled(self, d: Any, like: Abstract) -> Any:
        """The cotangent, zeros for none; None for an array that has no gradient."""
        if d is not None or not has_gradient(like.dtype):
            return d
        return self._zeros(like.shape, like.dtype)

    def _zeros(self, shape: tuple[int, ...], dtype: Any) -> Any:
        return zeros(self.device, shape, dtype, self.device.current_stream(), "no gradient")


def _wide(dtype: Any) -> Any:
    """The dtype in which many gradients of that dtype are summed."""
    return np.dtype(np.float32) if dtype.itemsize < 4 and has_gradient(dtype) else dtype
