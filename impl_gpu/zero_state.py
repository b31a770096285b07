"""Makes the state before the first step: zeros on the device, or what the cell makes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec import RNNCell as CellProtocol
from dynamic_rnn_spec.vocabulary.structure import flatten_with_paths, pack_sequence_as

from .abstract import Abstract
from .arrays import described, enter, zeros
from .device import current_device
from .dtypes import as_dtype, describe_value
from .sizes import place, row_dims

if TYPE_CHECKING:
    from .arguments import Arguments


def zero_state(cell: CellProtocol, batch_size: Any, dtype: Any) -> Any:
    """The state of ``cell`` before the first step: zeros, unless its class makes another one [CELL-9, INIT-7].

    Args:
        cell: any RNNCell instance, also of a class that derives from ``dynamic_rnn_spec.RNNCell`` itself.
        batch_size: B, the number of rows, 0 included.
        dtype: of every leaf.

    Returns:
        Arrays of the device [B, ...] in the structure of ``cell.state_size``; or what the cell's own ``zero_state``
        returns, unchanged.

    Raises:
        TypeError: ``batch_size`` is no integer [CELL-9], ``dtype`` names no dtype [DTYPE-12].
        ValueError: ``batch_size`` is negative [CELL-9].

    From: TensorFlow 1.4.1, ``RNNCell.zero_state``.
    """
    if type(cell).zero_state is not CellProtocol.zero_state:
        return cell.zero_state(batch_size, dtype)
    return zeros_of(cell, batch_size, dtype)


def zeros_of(cell: CellProtocol, batch_size: Any, dtype: Any) -> Any:
    """Zeros [B, ...] in the structure of ``cell.state_size``, whatever the class of the cell makes of it."""
    if not isinstance(batch_size, (int, np.integer)) or isinstance(batch_size, bool):
        raise ArgumentTypeError("batch_size", "an integer", describe_value(batch_size), "CELL-9")
    if batch_size < 0:
        raise ArgumentValueError("batch_size", "at least 0", str(batch_size), "CELL-9")
    made, state_size = as_dtype(dtype), cell.state_size
    rows = row_dims("state_size", state_size)
    device = current_device()
    stream = device.current_stream()
    leaves = [zeros(device, (int(batch_size), *dims), made, stream, "zero state") for dims in rows]  # DTYPE-1
    return pack_sequence_as(state_size, leaves)


def starting_state(cell: CellProtocol, given: "Arguments", device: Any) -> Any:
    """What the first step is given, as arrays of the device: ``initial_state`` in the containers of state_size, or
    the zero state of the cell.

    Raises:
        TypeError: the zero state of the cell holds something that is no array [CELL-9].
        ValueError: lengths are given, and one of its leaves does not have a row for each of them [CELL-9].
    """
    if given.initial_state is not None:
        return pack_sequence_as(given.state_size, given.initial_state)  # INIT-4: any tuple becomes the one wanted
    state = zero_state(cell, given.batch_size, given.dtype)
    leaves = []
    for path, leaf in flatten_with_paths(state):
        known = described(leaf)
        if known is None:
            raise ArgumentTypeError("cell", f"arrays in its zero_state{place(path)}", describe_value(leaf), "CELL-9")
        if given.lengths is not None and known.ndim > 0 and len(known) != given.batch_size:
            wanted = f"a row for each of {given.batch_size} lengths in its zero_state{place(path)}"
            raise ArgumentValueError("cell", wanted, f"shape {known.shape}", "CELL-9")
        leaves.append(enter(device, leaf))
    return pack_sequence_as(state, leaves)


def starting_shapes(given: "Arguments") -> Any:
    """The shapes and dtypes of what the first step of a cell with an ordinary zero state is given."""
    leaves = given.state_shapes
    if leaves is None:
        rows = row_dims("state_size", given.state_size)
        leaves = [Abstract((given.batch_size, *dims), given.dtype) for dims in rows]
    return pack_sequence_as(given.state_size, leaves)
