"""Holds implementations to SEQ-16 to 18 by the errors for lengths of another rank, size or dtype, where the same call
with good lengths works."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.strategies.derive import argument, frame_sizes, steps_of_rows, with_arguments, with_lengths
from conformance.strategies.frame import Frame, choice
from conformance.strategies.lengths import RAGGED
from conformance.strategies.probes import tally_case, tally_cases
from conformance.strategies.wrong import wrong_cases
from dynamic_rnn_spec.case import Case

VALID = tally_case(Frame(pattern=RAGGED, raw=9))
"""A call whose lengths are as they should be: what is refused must not be refused for something else."""
STEPS = choice((2, 0, 1, 3))
"""Without a step too, where no later mishap can stand for the refusal."""
OTHER_DTYPES = ("float32", "float64", "bool", "int8", "int16", "uint8", "uint16", "uint32", "uint64", "complex64")


def _refused(check: Check, case: Case, kind: str, valid: Case) -> None:
    """The case is refused with that kind of error, while the same call with good lengths works."""
    check.raised(case, kind)
    check.returned(valid)
    check.reach("refused")


def _with_rank(case: Case, axes: Sequence[int]) -> Case:
    """The lengths of the case with further axes of size 1 at these places."""
    return with_arguments(case, sequence_length=np.expand_dims(argument(case, "sequence_length"), tuple(axes)))


def _with_size(case: Case, change: int) -> Case:
    """The lengths of the case with some too many, or without the last ones; at least one is left."""
    given: Any = argument(case, "sequence_length")
    size = len(given) + change
    resized = np.resize(given, max(size, 1) if size != len(given) else size + 1)
    return with_arguments(case, sequence_length=resized)


@law("SEQ-16", cases=wrong_cases("SEQ-16"))
def test_lengths_of_another_rank(check: Check, case: Case) -> None:
    """A number, an array of rank 0, matrices, nested lists: ValueError."""
    _refused(check, case, "ValueError", VALID)


@law("SEQ-16", cases=st.builds(_with_rank, tally_cases(max_time=STEPS, lengths=RAGGED), choice(((0,), (1,), (1, 2)))))
def test_lengths_with_further_axes(check: Check, case: Case) -> None:
    """Lengths [1, B], [B, 1] and [B, 1, 1], also where B is 1: ValueError."""
    given = argument(case, "sequence_length")
    _refused(check, case, "ValueError", with_arguments(case, sequence_length=given.reshape(-1)))


@law("SEQ-17", cases=wrong_cases("SEQ-17"))
def test_lengths_of_another_size(check: Check, case: Case) -> None:
    """Too few, too many, none at all: ValueError."""
    _refused(check, case, "ValueError", VALID)


@law(
    "SEQ-17",
    cases=st.builds(
        _with_size, tally_cases(batch=choice((2, 3, 4)), max_time=STEPS, lengths=RAGGED), choice((-3, -1, 1, 3))
    ),
)
def test_one_length_is_not_spread_over_the_batch(check: Check, case: Case) -> None:
    """A vector of another size than B, a single length among them: ValueError."""
    batch, steps = frame_sizes(case)
    _refused(check, case, "ValueError", with_lengths(case, [steps] * batch))


@law("SEQ-18", cases=wrong_cases("SEQ-18"))
def test_lengths_of_another_dtype(check: Check, case: Case) -> None:
    """Floats, bools, other integers, complex numbers, strings, alone and in lists: TypeError."""
    _refused(check, case, "TypeError", VALID)


@law(
    "SEQ-18",
    cases=st.builds(
        lambda case, dtype: with_lengths(case, steps_of_rows(case), dtype),
        tally_cases(lengths=RAGGED),
        choice(OTHER_DTYPES),
    ),
)
def test_whole_numbers_of_another_dtype(check: Check, case: Case) -> None:
    """Lengths that are whole numbers, but not in int32 or int64: TypeError all the same."""
    _refused(
        check,
        case,
        "TypeError",
        with_arguments(case, sequence_length=argument(case, "sequence_length").real.astype("int32")),
    )
