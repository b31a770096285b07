"""Draws the frames of generated cases, with more rows, steps and layouts than the laws use, and parallel_iterations in
each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from conformance.strategies import arrays, derive, lengths
from conformance.strategies.frame import Frame, choice
from dynamic_rnn_spec.case import Case

PATTERNS = (lengths.RAGGED, lengths.FULL, lengths.UNIFORM, lengths.ONE_LONG, lengths.ZERO, lengths.EARLY)
SELDOM = (lengths.NONE, lengths.ALL_ZERO, lengths.NEGATIVE, lengths.LONG)
MOST_CHUNKS = 40
"""parallel_iterations is drawn from 1 to this."""


class Wide(Frame):
    """A frame whose lengths are scattered over all of its steps: ``raw`` is the seed of them."""

    @property
    def lengths(self) -> list[int] | None:
        """The length of each row, None where there are none."""
        digits = [int(number) for number in arrays.scatter(max(self.batch, 1), self.raw)]
        return lengths.lengths_of(self.pattern, digits, self.batch, self.steps)


def mostly(usual: Any, seldom: Any) -> Any:
    """``usual`` three times of four."""
    return st.one_of(usual, usual, usual, seldom)


BATCH = mostly(st.integers(1, 9), st.sampled_from([0, 1, 17, 33]))
STEPS = mostly(st.integers(1, 12), st.sampled_from([0, 1, 23, 41]))
LENGTHS = mostly(choice(PATTERNS), choice(SELDOM))
FORMS = mostly(choice(("int32", "int64")), choice(("list", "tuple")))


def wide_frames(*, batch: Any = BATCH, steps: Any = STEPS, pattern: Any = LENGTHS, given: Any = None) -> Any:
    """Frames; ``given`` says whether the initial state is, and is drawn where it is None."""
    return st.builds(
        Wide,
        batch=batch,
        steps=steps,
        pattern=pattern,
        raw=st.integers(0, 63),
        length_form=FORMS,
        time_major=st.booleans(),
        given=st.booleans() if given is None else given,
        positional=choice((2, 0, 4)),
        seed=st.integers(0, 7),
    )


PARALLEL = mostly(st.integers(1, MOST_CHUNKS), choice((None, 1, 2, 3)))


def with_parallel(case: Case, number: int | None, swap: bool = False) -> Case:
    """The case with that parallel_iterations and swap_memory; what is None or False is left out."""
    changes = {name: value for name, value in (("parallel_iterations", number), ("swap_memory", swap)) if value}
    return derive.with_arguments(case, **changes) if changes else case


def labels(case: Case, pattern: str | None = None) -> Sequence[str]:
    """What a case of one call covers, in words: its dtype, layout, lengths, chunks."""
    batch, steps = derive.frame_sizes(case)
    counts = derive.steps_of_rows(case)
    chunk = derive.argument(case, "parallel_iterations") or 32
    found = {
        "no rows": batch == 0,
        "no steps": steps == 0,
        "time-major": derive.is_time_major(case),
        "state given": derive.argument(case, "initial_state") is not None,
        "several chunks": steps > chunk,
        "no lengths": derive.argument(case, "sequence_length") is None,
        "rows of all lengths": len(set(counts)) > 2,
        "all rows alike, below max_time": len(set(counts)) == 1 and 0 < counts[0] < steps,
        "a row of length 0": 0 in counts,
        "one long row": len(counts) > 2 and sorted(counts)[-2] <= 2 < steps == max(counts),
        "all rows end early": bool(counts) and 0 < max(counts) < steps,
        "more than 16 rows": batch > 16,
    }
    return [name for name, holds in found.items() if holds]
