"""Checks ``sequence_length``, a vector with an integer for each row, by its shape and dtype alone.

``read_lengths`` does that, once all checks are done.
"""

from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError

from .arrays import described, enter
from .dtypes import describe_value


def check_lengths(sequence_length: Any) -> Any:
    """A vector of int32 or int64, or a list or tuple of ints [SEQ-2, SEQ-3, SEQ-19]; None is no lengths [SEQ-1]."""
    if sequence_length is None:
        return None
    if isinstance(sequence_length, (list, tuple)):  # SEQ-19
        return _lengths_from(sequence_length)
    if isinstance(sequence_length, (int, float, complex)):
        raise _wrong_rank("a single number")
    known = described(sequence_length)
    if known is None:
        wanted = "an int32 or int64 vector, or a list or tuple of ints"
        raise ArgumentTypeError("sequence_length", wanted, describe_value(sequence_length), "SEQ-18")
    if known.ndim != 1:
        raise _wrong_rank(f"shape {known.shape}")
    if known.dtype not in (np.int32, np.int64):  # SEQ-2, SEQ-3
        raise ArgumentTypeError("sequence_length", "dtype int32 or int64", str(known.dtype), "SEQ-18")
    return sequence_length


def _lengths_from(numbers: list[Any] | tuple[Any, ...]) -> Any:
    bounds = np.iinfo(np.int64)
    lengths = []
    for index, number in enumerate(numbers):
        known = described(number)
        if isinstance(number, (list, tuple)) or (known is not None and known.ndim > 0):
            raise _wrong_rank(f"a {type(numbers).__name__} with a {type(number).__name__} at [{index}]")
        if isinstance(number, bool) or not isinstance(number, (int, np.int32, np.int64)):
            raise ArgumentTypeError("sequence_length", f"an int at [{index}]", describe_value(number), "SEQ-18")
        # No T lies beyond the bounds of int64, so there a longer length counts as the bound does [SEQ-15].
        lengths.append(min(max(int(number), bounds.min), bounds.max))
    return np.array(lengths, np.int64)


def _wrong_rank(got: str) -> ArgumentValueError:
    return ArgumentValueError("sequence_length", "rank 1", got, "SEQ-16")


def check_lengths_size(lengths: Any, batch_size: int) -> None:
    """One length for each row [SEQ-17]."""
    known = described(lengths)
    if known is not None and known.shape != (batch_size,):
        raise ArgumentValueError("sequence_length", f"shape {(batch_size,)}", str(known.shape), "SEQ-17")


def read_lengths(device: Any, lengths: Any) -> Any:
    """Checked lengths as int64 on the host; where they lie on the device, the host waits for them once."""
    on_host = lengths if isinstance(lengths, np.ndarray) else device.to_numpy(enter(device, lengths))
    return on_host.astype(np.int64)  # SEQ-11: never narrower
