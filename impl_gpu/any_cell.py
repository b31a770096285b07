"""Runs any cell by calling it step by step on arrays of the device.

The cell is called T times on the full batch, past the rows' lengths too, as TensorFlow 1.4.1 calls it [CELL-6]. Around
each call stands one kernel for each leaf: it writes the rows that count, zeroes finished outputs and copies finished
states through, whatever dtype and rank they have.

Letters: T steps, B rows, t a step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from dynamic_rnn_spec import VariableScope, variable_scope
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

from .arguments import Arguments
from .arrays import empty, enter, in_whole_rows, zeros
from .device.seam import Device
from .kernels import launch_masked_copy
from .returned import check_returned
from .zero_state import starting_state


def run(
    cell: Any,
    given: Arguments,
    device: Device,
    opened: VariableScope,
    step: Callable[[Any, Any], Any] | None = None,
) -> tuple[list[Any], Any]:
    """The leaves of the outputs, in the caller's layout, and the final state in the structure of the cell's own.

    Args:
        cell: any RNNCell.
        given: the arguments, entered.
        device: where their arrays are.
        opened: the scope of the call.
        step: what takes a step, ``step(inputs, state)``; None: the cell itself.

    Raises:
        TypeError, ValueError: what the cell returns is not as ``check_returned`` has it, or its zero state is not as
            ``starting_state`` has it; and whatever the cell itself raises [CELL-13].
    """
    step = cell if step is None else step
    rows = Rows(given, device)
    state = starting_state(cell, given, device)  # INIT-2, INIT-7, CELL-9
    outputs: list[Any] = []
    for t in range(given.max_time):  # CELL-6: T times in the order of time, past all lengths too
        leaves = [rows.step(x, t) for x in given.inputs]  # IN-14: never cast
        step_inputs = pack_sequence_as(given.structure, leaves)  # IN-2, IN-8, IN-16: nested as they came
        # One set of variables for all steps; at the first the scope's own rule of reuse holds.
        reuse = True if t > 0 else None
        with device.users_code(), variable_scope(opened, reuse=reuse):
            result = step(step_inputs, state)  # CELL-7; CELL-13: nothing here catches what it raises
        output, new_state = check_returned(result, state, given, [whole.dtype for whole in outputs])
        if t == 0:
            outputs = [rows.whole(leaf.shape[1:], leaf.dtype) for leaf in output]  # DTYPE-2, DTYPE-5
        for whole, leaf in zip(outputs, output, strict=True):
            rows.write(whole, t, enter(device, leaf))
        state = _next_state(state, new_state, t, rows)  # CELL-5
    if given.max_time == 0:  # CELL-8
        outputs = [rows.zero_whole(dims, given.output_dtype) for dims in given.output_dims]  # DTYPE-2
    final = [rows.copied(leaf) for leaf in flatten(state)]  # INIT-10
    return outputs, pack_sequence_as(state, final)  # STATE-3; INIT-11: an empty state too


def _next_state(state: Any, new_state: Any, t: int, rows: "Rows") -> Any:
    leaves = [
        rows.next_state(old, enter(rows.device, new), t)
        for old, new in zip(flatten(state), flatten(new_state), strict=True)  # SEQ-6: every leaf
    ]
    return pack_sequence_as(state, leaves)


class Rows:
    """Copies of rows by their lengths, on the caller's current stream."""

    def __init__(self, given: Arguments, device: Device) -> None:
        self.device = device
        self._given = given
        self._lengths: Any = None
        if given.lengths is not None:
            # SEQ-14, SEQ-15: below 0 counts as 0, above T as T; so every length fits the kernel's int [SEQ-11].
            clamped = np.clip(given.lengths, 0, given.max_time).astype(np.int32)
            self._lengths = device.enter(clamped)

    def step(self, x: Any, t: int) -> Any:
        """Step t of an array in the caller's layout, its time axis gone: a view [B, ...] [IN-1, IN-4, TIME-2]."""
        return x[t] if self._given.time_major else x[:, t]

    def whole(self, dims: tuple[int, ...], dtype: Any) -> Any:
        """All steps of one output in the caller's layout, to be written row by row."""
        return empty(self.device, self._whole_shape(dims), dtype, self.device.current_stream(), "outputs")

    def zero_whole(self, dims: tuple[int, ...], dtype: Any) -> Any:
        """All steps of one output, which has no steps or is never written."""
        return zeros(self.device, self._whole_shape(dims), dtype, self.device.current_stream(), "outputs")

    def _whole_shape(self, dims: tuple[int, ...]) -> tuple[int, ...]:
        B, T = self._given.batch_size, self._given.max_time
        # OUT-1 and OUT-2 or TIME-3: the axes of the layout; OUT-3, OUT-6: behind them those of a row, if it has any.
        return (T, B, *dims) if self._given.time_major else (B, T, *dims)

    def write(self, whole: Any, t: int, output: Any) -> None:
        """Step t of an output: the rows that count, and +0 in the others [SEQ-5, SEQ-7, SEQ-13]."""
        self._copy(self.step(whole, t), output, None, t, self._lengths)

    def next_state(self, old: Any, new: Any, t: int) -> Any:
        """A leaf of the state after step t: new rows where they count [SEQ-12], the old bits elsewhere [SEQ-4, SEQ-23].

        With lengths it is an array of its own.
        """
        if self._lengths is None or new.ndim == 0:  # SEQ-21: a leaf of rank 0 belongs to no row
            return new
        # SIG-6: never into `old`, which at the first step is the caller's own.
        kept = empty(self.device, new.shape, new.dtype, self.device.current_stream(), "state")
        self._copy(kept, new, old, t, self._lengths)
        return kept

    def alone(self, leaf: Any, t: int) -> Any:
        """The rows of step t that count, and zeros in the others, in an array of its own; rank 0 belongs to no row."""
        if self._lengths is None or leaf.ndim == 0:
            return self.copied(leaf)
        kept = empty(self.device, leaf.shape, leaf.dtype, self.device.current_stream(), "rows that count")
        self._copy(kept, leaf, None, t, self._lengths)
        return kept

    def copied(self, leaf: Any) -> Any:
        """The same values in an array of their own."""
        copy = empty(self.device, leaf.shape, leaf.dtype, self.device.current_stream(), "copy")
        self._copy(copy if leaf.ndim else copy.reshape(1), leaf if leaf.ndim else leaf.reshape(1), None, 0, None)
        return copy

    def _copy(self, dst: Any, src: Any, other: Any, t: int, lengths: Any) -> None:
        if not dst.size:
            return
        src, other = in_whole_rows(src), None if other is None else in_whole_rows(other)
        itemsize = dst.itemsize
        launch_masked_copy(
            self.device,
            self.device.current_stream(),
            itemsize=itemsize,
            dst=dst.data.ptr,
            src=src.data.ptr,
            other=None if other is None else other.data.ptr,
            lengths=None if lengths is None else lengths.data.ptr,
            t=t,
            rows=len(dst),
            row_elements=dst.size // len(dst),
            dst_row=dst.strides[0] // itemsize,
            src_row=src.strides[0] // itemsize,
            other_row=0 if other is None else other.strides[0] // itemsize,
        )
