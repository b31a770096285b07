"""Decides which cases our own implementations may leave out: cases of text, which arrays on a device cannot hold.

Any implementation may declare a case unsupported, and the report counts and names such cases. For a third party the
other cases decide. Our own implementations promise every dtype of numbers, so a declared gap counts against them, with
one exception: cases that hand byte strings to the cell. A law about nothing but text is then left out, provided that
another law of its clause passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dynamic_rnn_spec.case import Case, DType
from dynamic_rnn_spec.vocabulary.structure import is_sequence

HELD = ("inputs", "initial_state", "dtype")
"""The arguments whose values the cell would have to hold; lengths of text are an error, and stay one."""


def is_of_text(case: Case) -> bool:
    """Whether some call of the case hands byte strings to its cell."""
    return any(_text(call.arguments.get(name)) for call in case.calls for name in HELD)


def _text(value: Any) -> bool:
    if isinstance(value, DType):
        return np.dtype(value.name).kind in "SU"
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "SU"
    if isinstance(value, Mapping):
        return any(map(_text, value.values()))
    return is_sequence(value) and any(map(_text, value))
