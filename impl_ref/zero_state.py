"""Makes the state before the first step: the caller's, zeros, or what a cell makes instead."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec import RNNCell as CellProtocol
from dynamic_rnn_spec.vocabulary.structure import flatten_with_paths, pack_sequence_as

from .arrays import is_array
from .dtypes import as_dtype, describe_type
from .sizes import row_dims

if TYPE_CHECKING:
    from .checks.arguments import Arguments


def zero_state(cell: CellProtocol, batch_size: Any, dtype: Any) -> Any:
    """The state of ``cell`` before the first step: zeros, unless its class overrides ``zero_state`` [CELL-9, INIT-7].

    Args:
        cell: any RNNCell instance, also one whose class derives from ``dynamic_rnn_spec.RNNCell`` directly.
        batch_size: B, the number of rows; 0 is allowed.
        dtype: of every leaf.

    Returns:
        Arrays [B, ...] in the structure of ``cell.state_size``; or what the cell's own ``zero_state`` returns, as it
        is.

    Raises:
        TypeError: ``batch_size`` is no integer [CELL-9], ``dtype`` names no dtype [DTYPE-12].
        ValueError: ``batch_size`` is negative [CELL-9].

    From: TensorFlow 1.4.1, ``RNNCell.zero_state``.
    """
    if type(cell).zero_state is CellProtocol.zero_state:
        return zeros(cell, batch_size, dtype)
    return cell.zero_state(batch_size, dtype)


def zeros(cell: CellProtocol, batch_size: Any, dtype: Any) -> Any:
    """Zeros [B, ...] in the structure of ``cell.state_size``, whatever the cell's own ``zero_state`` says."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)):
        raise ArgumentTypeError("batch_size", "an integer", describe_type(batch_size), "CELL-9")
    if batch_size < 0:
        raise ArgumentValueError("batch_size", "at least 0", str(batch_size), "CELL-9")
    made, state_size = as_dtype(dtype), cell.state_size
    leaves = [np.zeros((batch_size, *dims), made) for dims in row_dims("state_size", state_size)]  # DTYPE-1
    return pack_sequence_as(state_size, leaves)


def starting_state(cell: CellProtocol, given: "Arguments") -> Any:
    """The state that the first step is given: ``initial_state`` in the containers of state_size, or the zero state.

    Raises:
        TypeError: a zero state that the cell makes itself has a leaf that is no array [CELL-9].
        ValueError: lengths are given, and such a leaf has not one row for each of them [CELL-9].
    """
    if given.initial_state is not None:
        # INIT-3: the very arrays, in order; INIT-4: a plain tuple becomes the named one.
        return pack_sequence_as(given.state_size, given.initial_state)
    state = zero_state(cell, given.batch_size, given.dtype)
    for path, leaf in flatten_with_paths(state):
        place = f" at {path}" if path else ""
        if not is_array(leaf):
            raise ArgumentTypeError("cell", f"a zero_state of arrays{place}", describe_type(leaf), "CELL-9")
        if given.lengths is not None and np.ndim(leaf) > 0 and len(leaf) != given.batch_size:
            wanted = f"a zero_state of {given.batch_size} rows{place}, one for each length"
            raise ArgumentValueError("cell", wanted, f"shape {leaf.shape}", "CELL-9")
    return state
