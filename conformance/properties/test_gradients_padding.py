"""Holds implementations to GRAD-7 to 10, 12 and 22 (rows that end early, rows without a step, calls without one) by
calls with other padding, with rows cut off and with other cotangents."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.gradient_agreement import alike, parts, positive_zeros, same_bits, same_gradients
from conformance.properties.pulled import kind_of, pulled
from conformance.properties.rows import past_lengths, picked, zeros_like
from conformance.strategies.arrays import wild
from conformance.strategies.builtin import KINDS
from conformance.strategies.cotangents import asking_cases, copied_cases, linear_cases
from conformance.strategies.derive import (
    argument,
    batch_major,
    cotangents,
    one_row,
    steps_of_rows,
    take_rows,
    time_slice,
    with_arguments,
    with_cotangents,
    with_padding,
    without,
)
from conformance.strategies.frame import choice
from conformance.strategies.lengths import EARLY, NEGATIVE, RAGGED, ZERO
from conformance.strategies.structures import map_leaves
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure

SHORT: Any = {"lengths": choice((RAGGED, EARLY, ZERO)), "max_time": choice((3, 2, 4)), "batch": choice((2, 1, 3))}
EMPTY: Any = {"lengths": choice((ZERO, NEGATIVE)), "batch": choice((2, 3, 1)), "initial_state": True}
OUTPUTS: Any = {"form": choice(("both", "outputs"))}
STATE: Any = {"form": choice(("both", "state"))}


@law("GRAD-7", cases=linear_cases(**SHORT) | copied_cases(**SHORT) | asking_cases(**SHORT))
def test_the_padding_gets_zeros(check: Check, case: Case) -> None:
    """The gradient of every input is +0 at every step past its row's length."""
    found = pulled(check, case, own=True).inputs
    check.equal(found, past_lengths(case, found, zeros_like(argument(case, "inputs"))), where="gradients.inputs")
    check.reach(kind_of(case))


@law(
    "GRAD-8",
    cases=linear_cases(**SHORT, **OUTPUTS) | copied_cases(**SHORT, **OUTPUTS) | asking_cases(**SHORT, **OUTPUTS),
)
def test_cotangents_of_zeroed_outputs_are_lost(check: Check, case: Case) -> None:
    """NaN, infinities or anything in d_outputs past the lengths gives the bits that zeros there give."""
    d_outputs, d_state = cotangents(case)
    clean = past_lengths(case, d_outputs, map_structure(np.zeros_like, d_outputs))
    odd = past_lengths(case, d_outputs, _wild(d_outputs))
    got = pulled(check, with_cotangents(case, odd, d_state), own=True)
    same_bits(check, got, pulled(check, with_cotangents(case, clean, d_state)))
    check.reach(kind_of(case))


@law("GRAD-9", cases=linear_cases(dtype="float64", **SHORT, **STATE) | asking_cases(dtype="float64", **SHORT, **STATE))
def test_a_row_s_gradients_are_those_of_a_call_that_ends_there(check: Check, case: Case) -> None:
    """Each row alone, without what lies past its length: the same gradients, and for variables their sum."""
    whole, counts = pulled(check, case, own=True), steps_of_rows(case)
    d_inputs, d_start = batch_major(case, whole.inputs), whole.initial_state
    sums = {name: np.zeros_like(value) for name, value in whole.variables.items()}
    for row, count in enumerate(counts):
        if count == 0:
            continue  # for GRAD-10 to judge
        alone = pulled(check, without(time_slice(one_row(case, row), 0, count), "sequence_length"))
        alike(check, case, d_inputs[row : row + 1, :count], batch_major(case, alone.inputs), f"gradients.inputs[{row}]")
        if d_start is not None:
            mine = picked(d_start, [row])
            alike(check, case, mine, alone.initial_state, f"gradients.initial_state, row {row}")
        sums = {name: value + alone.variables[name] for name, value in sums.items()}
    same_gradients(check, case, whole, whole._replace(variables=sums))
    if any(counts):
        check.reach(kind_of(case))


@law("GRAD-10", cases=linear_cases(**EMPTY) | copied_cases(**EMPTY) | asking_cases(**EMPTY))
def test_a_row_without_steps_hands_d_state_on(check: Check, case: Case) -> None:
    """Whatever d_state holds for the row, NaN too, is its gradient of the initial state, and adds to nothing else."""
    case, empty = odd_where_empty(case), without_steps(case)
    got = pulled(check, case, own=True)
    wanted = handed_on(case, got)
    check.equal(positive_zeros(got.initial_state), positive_zeros(wanted), where="gradients.initial_state")
    if not empty.all():
        others = pulled(check, take_rows(case, [int(row) for row in np.flatnonzero(~empty)]))
        rest, wanted = (one._replace(inputs=None, initial_state=None) for one in (got, others))
        same_gradients(check, case, rest, wanted)
    else:
        for where, value in parts(got, but="initial_state"):
            check.that(_all_zero(value), f"{where}: expected zeros", None, value, where)
    check.reach(f"{kind_of(case)}, {'a length below 0' if min(argument(case, 'sequence_length')) < 0 else 'length 0'}")


@law("GRAD-22", cases=linear_cases(**EMPTY) | copied_cases(**EMPTY) | asking_cases(**EMPTY))
def test_a_row_without_steps_hands_every_bit_on(check: Check, case: Case) -> None:
    """The same bit for bit: -0.0 stays -0.0, and a NaN the same NaN."""
    case = odd_where_empty(case)
    got = pulled(check, case, own=True)
    check.equal(got.initial_state, handed_on(case, got), where="gradients.initial_state")
    check.reach(kind_of(case))


def without_steps(case: Case) -> Any:
    """Which rows have no step that counts."""
    return np.array([count == 0 for count in steps_of_rows(case)])


def odd_where_empty(case: Case) -> Case:
    """The case with what only an exact copy keeps in the d_state of rows without a step."""
    d_outputs, d_state = cotangents(case)
    if d_state is None:
        return case
    rows = without_steps(case)
    odd = map_structure(lambda leaf, other: _in_rows(rows, leaf, other), d_state, _wild(d_state))
    return with_cotangents(case, d_outputs, odd)


def handed_on(case: Case, got: Gradients) -> Any:
    """The gradient of the initial state that came, but with d_state in the rows without a step."""
    rows, d_state = without_steps(case), cotangents(case)[1]
    handed = map_structure(np.zeros_like, argument(case, "initial_state")) if d_state is None else d_state
    return map_structure(lambda leaf, other: _in_rows(rows, leaf, other), got.initial_state, handed)


SHIELDED = choice(tuple(kind for kind in KINDS if "residual_fn" not in kind))
"""A residual_fn is the user's own, and sees what it always sees."""


@law(
    "GRAD-12",
    cases=st.tuples(asking_cases(kinds=SHIELDED, **SHORT), choice((np.nan, np.inf, -np.inf))).map(
        lambda drawn: with_padding(drawn[0], float(drawn[1]))
    ),
)
def test_nan_in_the_padding_reaches_no_gradient(check: Check, case: Case) -> None:
    """NaN or infinities past the lengths, and in the state of a row without steps, give the bits that zeros give."""
    clean, given = with_padding(case, 0.0), argument(case, "initial_state")
    wanted = pulled(check, clean)
    if given is not None:
        rows = without_steps(case)
        case = with_arguments(case, initial_state=map_structure(lambda leaf: _in_rows(rows, leaf, np.nan), given))
    same_bits(check, pulled(check, case, own=True), wanted)
    check.reach(kind_of(case))


NO_TIME: Any = {"max_time": 0, "lengths": choice(("none", "full")), "initial_state": True, "form": "both"}


@law("GRAD-22", cases=linear_cases(**NO_TIME) | copied_cases(**NO_TIME) | asking_cases(**NO_TIME))
def test_without_steps_d_state_is_handed_on(check: Check, case: Case) -> None:
    """The gradient of the initial state is d_state, that of the inputs as empty as they are; variables get nothing."""
    d_outputs, d_state = cotangents(case)
    odd = _wild(d_state)
    got = pulled(check, with_cotangents(case, d_outputs, odd), own=True)
    check.equal(got.initial_state, odd, where="gradients.initial_state")
    check.equal(got.inputs, argument(case, "inputs"), where="gradients.inputs")
    for name, value in got.variables.items():
        check.that(_all_zero(value), f"{name}: expected zeros", None, value, f"gradients.variables[{name!r}]")
    check.reach(kind_of(case))


def _in_rows(chosen: Any, leaf: Any, other: Any) -> Any:
    """The array with the other's rows where ``chosen`` says so; None stays None."""
    if leaf is None:
        return None
    mixed = np.array(leaf)
    mixed[chosen] = other[chosen] if isinstance(other, np.ndarray) else other
    return mixed


def _wild(cotangent: Any) -> Any:
    """What only an exact copy keeps, in the form of a cotangent."""
    return map_leaves(lambda n, leaf: None if leaf is None else wild(leaf.shape, leaf.dtype.name, n), cotangent)


def _variables(gradients: Any) -> Any:
    return gradients._replace(inputs=None, initial_state=None)


def _all_zero(value: Any) -> bool:
    return all(bool(np.all(leaf == 0)) for leaf in flatten(value) if leaf is not None)
