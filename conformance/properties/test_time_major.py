"""Holds implementations to TIME-1 to 6 (which of the first two axes is time, in inputs and outputs) by the definitions
of the probe cells, and by the same call in the other layout."""

from typing import Any

import numpy as np

from conformance.law.laws import Check, law
from conformance.model.expected import expected
from conformance.properties import rows
from conformance.strategies.arrays import DTYPES
from conformance.strategies.builtin import PLAIN, builtin_cases
from conformance.strategies.derive import frame_sizes, other_layout, with_arguments, without
from conformance.strategies.frame import choice
from conformance.strategies.lengths import EARLY, NONE, RAGGED, SHORTENING, VALID
from conformance.strategies.probes import echo_cases, last_input_cases, tally_cases
from conformance.strategies.structures import nests, structures
from conformance.strategies.wrong import wrong_cases
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import map_structure

SEVERAL: dict[str, Any] = {"batch": choice((2, 1, 3, 4)), "max_time": choice((3, 1, 2, 4, 5))}


def _as_defined(check: Check, case: Case) -> None:
    """The case works and gives what the probe's definition says, in the layout of the case."""
    answer = check.returned(case, own=True)
    outputs, state = expected(case)
    check.equal(answer.outputs, outputs, where="outputs")
    check.equal(answer.state, state, where="state")


def _square_or_not(case: Case) -> str:
    batch, steps = frame_sizes(case)
    return "B is T" if batch == steps else "B is not T"


@law("TIME-1", cases=tally_cases(lengths=choice(VALID)))
def test_left_out_is_false(check: Check, case: Case) -> None:
    """Leaving time_major out gives what False, of Python or of NumPy, gives."""
    left_out = check.returned(case, own=True)
    for flag in (False, np.False_):
        given = check.returned(with_arguments(case, time_major=flag), own=True)
        check.equal(given.outputs, left_out.outputs, where="outputs")
        check.equal(given.state, left_out.state, where="state")
    check.reach("left out")


@law("TIME-1", cases=last_input_cases(lengths=NONE, **SEVERAL))
def test_batch_major_in_and_out(check: Check, case: Case) -> None:
    """Left out, a LastInput's outputs [B, T, ...] are its inputs [B, T, ...] one step later."""
    _as_defined(check, case)
    check.reach(_square_or_not(case))


@law("TIME-2", cases=last_input_cases(lengths=NONE, time_major=True, **SEVERAL))
def test_step_t_sees_x_t(check: Check, case: Case) -> None:
    """A LastInput's final state is x[T - 1], and its output at step t is x[t - 1]."""
    _as_defined(check, case)
    check.reach(_square_or_not(case))


@law("TIME-2", cases=tally_cases(inputs=nests((2, 1)), time_major=choice((True,)), lengths=NONE, **SEVERAL))
def test_every_member_is_time_major(check: Check, case: Case) -> None:
    """A Tally of several members sees x[t] of each of them at step t."""
    _as_defined(check, case)
    check.reach(_square_or_not(case))


@law("TIME-3", cases=echo_cases(time_major=True, lengths=choice((NONE, *SHORTENING)), **SEVERAL))
def test_every_output_is_time_major(check: Check, case: Case) -> None:
    """Every output of an Echo is [T, B, ...], of any structure, rank and dtype."""
    outputs = check.returned(case, own=True).outputs
    check.equal(outputs, expected(case)[0], where="outputs")
    check.reach(_square_or_not(case))


@law("TIME-3", cases=tally_cases(output_size=structures(), dtype=choice(DTYPES), time_major=True, **SEVERAL))
def test_outputs_of_every_size_are_time_major(check: Check, case: Case) -> None:
    """Every output of a Tally is [T, B] and its size, also where that is a TensorShape of any rank."""
    outputs = check.returned(case, own=True).outputs
    check.equal(outputs, expected(case)[0], where="outputs")
    check.reach(_square_or_not(case))


@law("TIME-4", cases=tally_cases(output_size=structures(most=3), lengths=choice(VALID), **SEVERAL))
def test_the_layouts_differ_by_their_axes(check: Check, case: Case) -> None:
    """The time-major call of the same numbers gives the same outputs with their axes exchanged, and the same state."""
    batch_first, time_first = check.returned(case, own=True), check.returned(other_layout(case), own=True)
    swapped = map_structure(_swapped, batch_first.outputs)
    check.equal(time_first.outputs, swapped, where="outputs")
    check.equal(time_first.state, batch_first.state, where="state")
    check.reach(_square_or_not(case))


@law("TIME-4", cases=builtin_cases(kinds=choice(PLAIN), lengths=choice(VALID)))
def test_the_layouts_of_built_in_cells(check: Check, case: Case) -> None:
    """The same on the built-in cells, within tolerance: a library's products may sum in another order."""
    batch_first, time_first = check.returned(case, own=True), check.returned(other_layout(case), own=True)
    swapped = map_structure(_swapped, batch_first.outputs)
    check.close(time_first.outputs, swapped, rows.allowed(case), where="outputs")
    check.close(time_first.state, batch_first.state, rows.allowed(case), where="state")
    check.reach("built-in cell")


def _swapped(leaf: Any) -> Any:
    return np.swapaxes(leaf, 0, 1) if np.ndim(leaf) > 1 else leaf


@law(
    "TIME-5",
    cases=last_input_cases(time_major=True, initial_state=True, lengths=choice((RAGGED, EARLY)), **SEVERAL),
)
def test_state_and_lengths_have_the_batch_first(check: Check, case: Case) -> None:
    """In the time-major call, entry b of the lengths and row b of the state belong to column b of the inputs."""
    answer = check.returned(case, own=True)
    check.equal(answer.state, expected(case)[1], where="state")
    check.equal(answer.outputs, expected(case)[0], where="outputs")
    check.reach(_square_or_not(case))


@law("TIME-5", cases=tally_cases(time_major=True, state_size=structures(), lengths=choice(VALID), **SEVERAL))
def test_the_final_state_has_the_batch_first(check: Check, case: Case) -> None:
    """In the time-major call, the final state is [B] and its size in every leaf."""
    check.equal(check.returned(case).state, expected(case)[1], where="state")
    check.reach(_square_or_not(case))


@law("TIME-6", cases=wrong_cases("TIME-6"))
def test_what_is_no_bool(check: Check, case: Case) -> None:
    """Numbers, None, strings, arrays: TypeError."""
    check.raised(case, "TypeError")
    check.returned(without(case, "time_major"))
    check.reach("refused")
