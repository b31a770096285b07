"""Holds implementations to INIT-8 and 9 by the errors for given states of another shape or structure."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.strategies.derive import argument, frame_sizes, time_slice, with_state, without
from conformance.strategies.frame import choice
from conformance.strategies.probes import tally_cases
from conformance.strategies.structures import structures
from conformance.strategies.wrong import wrong_arguments, wrong_cases
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import map_structure


@law("INIT-8", cases=wrong_cases("INIT-8"))
def test_a_state_of_another_shape(check: Check, case: Case) -> None:
    """Another batch or width, 1 included, or another rank: ValueError."""
    check.raised(case, "ValueError")
    check.returned(without(case, "initial_state"))
    check.reach("refused")


def _in_other_shapes(case: Case, change: str) -> Case:
    """The case with every array of its state in another shape."""
    changes: dict[str, Callable[[Any], Any]] = {
        "one row more": lambda leaf: np.concatenate([leaf, leaf[:1]]),
        "one row less": lambda leaf: leaf[1:],
        "a further axis": lambda leaf: leaf[..., None],
        "no axis": lambda leaf: np.array(leaf.ravel()[0]),
        "no batch": lambda leaf: np.array(leaf[0]),
    }
    return with_state(case, map_structure(changes[change], argument(case, "initial_state")))


@law(
    "INIT-8",
    cases=st.builds(
        _in_other_shapes,
        tally_cases(state_size=structures(), initial_state=True, max_time=choice((0, 2, 1))),
        choice(("one row more", "one row less", "a further axis", "no axis", "no batch")),
    ),
)
def test_a_nested_state_of_other_shapes(check: Check, case: Case) -> None:
    """The same in any structure, and without a step too, so that no later mishap stands for the refusal: ValueError."""
    check.raised(case, "ValueError")
    check.returned(without(case, "initial_state"))
    check.reach("no step" if frame_sizes(case)[1] == 0 else "steps")


def _refused(kind: str) -> list[Case]:
    """The wrong arguments of that kind of error, each in a call of three steps and in one of none."""
    cases = [wrong.case() for wrong in wrong_arguments("INIT-9") if wrong.kind == kind]
    return [*cases, *[time_slice(case, 0, 0) for case in cases]]


@law("INIT-9", cases=_refused("TypeError"))
def test_a_state_of_other_containers_or_no_arrays(check: Check, case: Case) -> None:
    """A list or a dict for a tuple, a tuple for an array, a number or None for an array: TypeError."""
    check.raised(case, "TypeError")
    check.returned(without(case, "initial_state"))
    check.reach("refused")


@law("INIT-9", cases=_refused("ValueError"))
def test_a_state_of_another_number_of_parts(check: Check, case: Case) -> None:
    """Too few, too many, none: ValueError."""
    check.raised(case, "ValueError")
    check.returned(without(case, "initial_state"))
    check.reach("refused")
