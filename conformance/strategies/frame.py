"""Draws the frame of a case: rows, steps, lengths, layout, and how the arguments are given.

Every knob of a strategy in this package is a plain value or a strategy of such values.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from conformance.strategies import lengths as patterns
from dynamic_rnn_spec.case import PARAMETERS, Call, Case, CellRef, CellSpec, Cotangents
from dynamic_rnn_spec.vocabulary.structure import map_structure

CELL = "cell"
"""The name of the one cell in every case that the strategies make."""


class Frame(NamedTuple):
    """What the cases of all cells share; ``given`` says whether initial_state is, ``seed`` makes the content of all
    arrays.
    """

    batch: int = 2
    steps: int = 3
    pattern: str = patterns.NONE
    raw: int = 0
    length_form: str = "int32"
    time_major: bool = False
    given: bool = False
    positional: int = 2
    seed: int = 0

    @property
    def lengths(self) -> list[int] | None:
        """The length of each row, None where there are none."""
        digits = [self.raw // 6**place % 6 for place in range(4)]
        return patterns.lengths_of(self.pattern, digits, self.batch, self.steps)

    def member(self, array: Any) -> Any:
        """A batch-major array [B, T, ...] in the layout of the frame."""
        return np.ascontiguousarray(np.swapaxes(array, 0, 1)) if self.time_major else array


def knob(value: Any) -> st.SearchStrategy[Any]:
    """A strategy as it is, a plain value as the strategy of that value."""
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def choice(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    """One of the values, the first being the simplest."""
    return st.sampled_from(list(values))


_BATCH, _TIME, _SEED, _EITHER = st.integers(1, 4), st.integers(1, 5), st.integers(0, 7), st.booleans()
_LENGTHS = choice(patterns.VALID)


def frames(
    *,
    batch: Any = _BATCH,
    max_time: Any = _TIME,
    lengths: Any = _LENGTHS,
    length_form: Any = "int32",
    time_major: Any = False,
    initial_state: Any = _EITHER,
    positional: Any = 2,
    seed: Any = _SEED,
) -> st.SearchStrategy[Frame]:
    """Frames: ``lengths`` is a pattern (see ``lengths.py``), ``initial_state`` whether it is given, the others as
    their names say.
    """
    return st.builds(
        Frame,
        batch=knob(batch),
        steps=knob(max_time),
        pattern=knob(lengths),
        raw=st.integers(0, 6**4 - 1),
        length_form=knob(length_form),
        time_major=knob(time_major),
        given=knob(initial_state),
        positional=knob(positional),
        seed=knob(seed),
    )


def case_of(
    frame: Frame,
    spec: CellSpec,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    weights: Mapping[str, Any] | None = None,
) -> Case:
    """A case of one call of one cell; ``inputs`` are batch-major; what is None (for time_major: False) is left out."""
    arguments = {
        "cell": CellRef(CELL),
        "inputs": map_structure(frame.member, inputs),
        "sequence_length": patterns.as_argument(frame.lengths, frame.length_form),
        "initial_state": initial_state,
        "dtype": dtype,
        "time_major": frame.time_major or None,
    }
    present = {name: value for name, value in arguments.items() if value is not None}
    return Case({CELL: spec}, [call_of(present, frame.positional)], weights)


def call_of(
    arguments: Mapping[str, Any],
    positional: int = 2,
    outer_scopes: Sequence[Any] = (),
    cotangents: Cotangents | None = None,
) -> Call:
    """A call with at most ``positional`` arguments by position: fewer where one of the first is left out."""
    prefix = next((place for place, name in enumerate(PARAMETERS) if name not in arguments), len(PARAMETERS))
    return Call(arguments, min(positional, prefix), outer_scopes, cotangents)
