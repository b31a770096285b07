"""Makes sequence_length by pattern: none, full, ragged, with rows of 0, negative, too long."""

from collections.abc import Sequence
from typing import Any

import numpy as np

NONE = "none"
FULL = "full"
RAGGED = "ragged"
ZERO = "zero"
EARLY = "early"
ALL_ZERO = "all zero"
NEGATIVE = "negative"
LONG = "long"
UNIFORM = "uniform"
ONE_LONG = "one long"

VALID = (NONE, FULL, RAGGED, ZERO, EARLY, ALL_ZERO)
"""Every pattern whose lengths lie between 0 and T."""
SHORTENING = (RAGGED, ZERO, EARLY)
"""The patterns in which some row has a step past its end (where T is at least 1)."""
ANY = (*VALID, NEGATIVE, LONG)
EVERY = (*ANY, UNIFORM, ONE_LONG)


def lengths_of(pattern: str, raw: Sequence[int], rows: int, steps: int) -> list[int] | None:
    """The lengths of a batch in that pattern, one for each row, from ``raw`` numbers; NONE is None.

    RAGGED: between 0 and T, one row at least below T. ZERO: the same, and one row of 0. EARLY: all below T. NEGATIVE
    and LONG: the same as RAGGED, and one row below 0 or beyond T. UNIFORM: all the same, below T. ONE_LONG: one row of
    T, the others of at most 2.
    """
    if pattern == NONE:
        return None
    if pattern in (FULL, ALL_ZERO):
        return [steps if pattern == FULL else 0] * rows
    if rows == 0:
        return []
    if steps == 0:
        return [-3 if pattern == NEGATIVE else 2 if pattern == LONG else 0] * rows
    if pattern == UNIFORM:
        return [raw[0] % steps] * rows
    if pattern == ONE_LONG:
        return [steps if row == raw[0] % rows else min(raw[row % len(raw)] % 3, steps) for row in range(rows)]
    top = steps - 1 if pattern == EARLY else steps
    lengths = [raw[row % len(raw)] % (top + 1) for row in range(rows)]
    chosen = raw[0] % rows
    if pattern == RAGGED and min(lengths) == steps:
        lengths[chosen] = steps - 1
    if pattern == ZERO:
        lengths[chosen] = 0
    if pattern == NEGATIVE:
        lengths[chosen] = -1 - raw[-1] % 3
    if pattern == LONG:
        lengths[chosen] = steps + 1 + raw[-1] % 3
    return lengths


def as_argument(lengths: Sequence[int] | None, form: str) -> Any:
    """Lengths as ``sequence_length`` takes them: ``form`` is "int32", "int64", "list" or "tuple"."""
    if lengths is None:
        return None
    if form in ("list", "tuple"):
        return list(lengths) if form == "list" else tuple(lengths)
    return np.array(lengths, form)
