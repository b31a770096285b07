"""Lists the strata that the three commands try, and makes a law of each.

A stratum is a kind of cell in one dtype, in one of three groups: outputs and states, gradients, and schedules. Each
gets its share of the cases, so that nothing is missing by chance.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

from conformance.differential import cells, comparing, concurrent, frames
from conformance.law.laws import Check, Law
from conformance.model import derivatives, tolerance
from conformance.strategies import arrays, lengths, wrong
from conformance.strategies.builtin import LINEAR
from conformance.strategies.cotangents import FORMS, asking, linear_cases
from conformance.strategies.frame import choice
from conformance.strategies.probes import (
    affine_cases,
    echo_cases,
    last_input_cases,
    scalar_counter_cases,
    tally_cases,
)
from dynamic_rnn_spec.case import Case

DIFFERENTIAL, GRADIENTS, SCHEDULES = "differential", "gradients", "schedules"
PREFIX = "conformance.differential"
CLAUSES = {
    "BasicRNNCell": "EQ-1",
    "GRUCell": "EQ-2",
    "BasicLSTMCell": "EQ-3",
    "LSTMCell": "EQ-4",
    "MultiRNNCell": "EQ-8",
    "DropoutWrapper": "EQ-9",
    "ResidualWrapper": "EQ-11",
    "DeviceWrapper": "EQ-12",
    "wrappers": "EQ-9",
    "probe": "CELL-5",
    "wrong": "ERR-1",
}
"""The clause that a counterexample is filed under, by the first word of the kind."""

_LENGTHS: dict[str, Any] = {
    "batch": choice((3, 1, 2, 5, 9, 17)),
    "max_time": choice((4, 1, 6, 7)),
    "time_major": choice((False, True)),
    "lengths": choice(lengths.EVERY),
    "length_form": frames.FORMS,
}
_MIXED = ("int32", "float16", "bool")
PROBES: dict[str, tuple[Callable[..., Any], tuple[str, ...], dict[str, Any]]] = {
    "probe Tally": (tally_cases, arrays.DTYPES, _LENGTHS),
    "probe Tally, mixed state": (tally_cases, arrays.DTYPES, {"state_dtypes": _MIXED, **_LENGTHS}),
    "probe Echo": (echo_cases, arrays.DTYPES, {"content": choice(("wild", "small")), **_LENGTHS}),
    "probe LastInput": (last_input_cases, arrays.DTYPES, {"content": choice(("wild", "small")), **_LENGTHS}),
    "probe ScalarCounter": (scalar_counter_cases, ("float32", "int32", "float64"), _LENGTHS),
    "probe Affine": (affine_cases, arrays.FLOATS, _LENGTHS),
}
"""For each probe its strategy, dtypes and knobs."""
REFUSED = "wrong arguments"
LEAST = 8
"""Cases of a stratum: its clause asks for five that are about it."""


class Stratum(NamedTuple):
    """A kind of cell in a dtype ("" where it has none), in one of the three groups."""

    group: str
    kind: str
    dtype: str

    @property
    def name(self) -> str:
        """The name of its law, which a counterexample keeps."""
        return f"{PREFIX}.{self.group}::{self.kind} {self.dtype}".strip()


def strata(group: str) -> list[Stratum]:
    """All of a group."""
    if group == SCHEDULES:
        return [Stratum(group, kind, dtype) for kind in concurrent.KINDS for dtype in arrays.FLOATS]
    built_in = [Stratum(group, kind, dtype) for kind in cells.KINDS for dtype in arrays.FLOATS]
    if group == GRADIENTS:
        return [*built_in, *(Stratum(group, LINEAR, dtype) for dtype in arrays.FLOATS)]
    probes = [Stratum(group, kind, dtype) for kind, (_, dtypes, _) in PROBES.items() for dtype in dtypes]
    return [*built_in, *probes, Stratum(group, REFUSED, "")]


def shares(group: str, count: int) -> dict[Stratum, int]:
    """How many cases each stratum gets of ``count``: probes half as many as cells, none fewer than LEAST.

    The refused calls are a list and all tried.
    """
    every = [one for one in strata(group) if one.kind != REFUSED]
    weights = [1 if one.kind in PROBES else 2 for one in every]
    listed = len(wrong.WRONG) if group == DIFFERENTIAL else 0
    left, total = max(count - listed, 0), sum(weights)
    sums = [sum(weights[:place]) * left // total for place in range(len(every) + 1)]
    return {one: max(LEAST, sums[place + 1] - sums[place]) for place, one in enumerate(every)}


def law(stratum: Stratum, schedules: int) -> Law:
    """The stratum as a law; with ``schedules`` each case is run under so many, with the same bits under all."""
    body = functools.partial(_compared, schedules=schedules)
    clause = "GRAD-4" if stratum.group == GRADIENTS else CLAUSES[stratum.kind.replace(",", "").split()[0]]
    return Law(clause, stratum.name, body, _cases(stratum), True, "agrees with the second implementation")


def find(name: str) -> Law | None:
    """The law of that name, with as many schedules as are usual; None where it is no stratum's."""
    for group, schedules in ((DIFFERENTIAL, 0), (GRADIENTS, 0), (SCHEDULES, 20)):
        for stratum in strata(group) if name.startswith(f"{PREFIX}.{group}::") else ():
            if stratum.name == name:
                return law(stratum, schedules)
    return None


def _cases(stratum: Stratum) -> Any:
    if stratum.group == SCHEDULES:
        return concurrent.cases(stratum.kind, stratum.dtype)
    if stratum.kind == REFUSED:
        return [one.case() for one in wrong.WRONG]
    if stratum.group == GRADIENTS:
        return _with_cotangents(stratum.kind, stratum.dtype)
    if stratum.kind in cells.KINDS:
        return cells.cases(stratum.kind, stratum.dtype)
    strategy, _, knobs = PROBES[stratum.kind]
    made = strategy(dtype=stratum.dtype, **knobs)
    return st.builds(frames.with_parallel, made, frames.PARALLEL, choice((False, True)))


def _with_cotangents(kind: str, dtype: str) -> Any:
    if kind == LINEAR:
        made = linear_cases(dtype=st.just(dtype), **_LENGTHS)
        return st.builds(frames.with_parallel, made, frames.PARALLEL, choice((False, True)))
    made = st.builds(asking, cells.cases(kind, dtype), choice(FORMS), st.just("small"), st.integers(0, 7))
    # Rounding alone would decide on which side of a kink a number lies.
    return made.filter(lambda case: not derivatives.is_next_to_a_kink(case, tolerance.unit_roundoff(dtype)))


def _compared(check: Check, case: Case, schedules: int) -> None:
    """The first answer is the second implementation's; under every other schedule it has the same bits."""
    expected = check.oracle(case)
    got = check.run(case, 0 if schedules else None)
    comparing.agree(check, case, got, expected)
    for number in range(1, schedules):
        comparing.same_bits(check, check.run(case, number), got, number)
    if len(case.calls) == 1 and all(answer.kind == "returned" for answer in got.answers):
        for label in frames.labels(case):
            check.reach(label)
    check.reach(f"{len(case.calls)} calls" if len(case.calls) > 1 else got.answers[0].kind)
