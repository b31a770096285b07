"""Holds implementations to CELL-1 and CELL-4 to 9 (what a cell may be and how it is called) by traces of probe cells,
and by comparing one call with others of the same cell."""

import itertools
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model import tolerance
from conformance.model.expected import judge, same_pair
from conformance.model.traces import cell_calls, inputs_at, zero_states
from conformance.strategies import arrays
from conformance.strategies.builtin import KINDS, builtin_case, builtin_cases, output_width, state_sizes
from conformance.strategies.derive import (
    argument,
    frame_sizes,
    is_time_major,
    repeated,
    steps_of_rows,
    the_call,
    time_slice,
    with_arguments,
    with_options,
)
from conformance.strategies.frame import Frame, choice
from conformance.strategies.lengths import ANY, FULL, NONE, RAGGED
from conformance.strategies.probes import affine_cases, scalar_counter_cases, tally_cases
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure, pack_sequence_as
from dynamic_rnn_spec.vocabulary.tensor_shape import dims_of

LAYOUTS = st.booleans()
RAGGED_OR_NOT = choice(ANY)


EVERY_KIND = [
    builtin_case(Frame(2, 3, (NONE, FULL, RAGGED)[number % 3], 9, given=number % 2 == 1, seed=number), kind)
    for number, kind in enumerate(KINDS)
]


@law("CELL-1", cases=EVERY_KIND)
def test_every_built_in_cell_works(check: Check, case: Case) -> None:
    """Every built-in cell and wrapper is accepted and gives outputs and a state of its sizes."""
    answer = check.returned(case, own=True)
    spec, dtype = case.cells["cell"], np.dtype(argument(case, "dtype"))
    batch, steps = frame_sizes(case)
    shape = (batch, steps, output_width(spec))
    check.that(np.shape(answer.outputs) == shape, f"expected outputs {shape}, got {np.shape(answer.outputs)}")
    wanted = [(batch, size) for size in flatten(state_sizes(spec))]
    got = [np.shape(leaf) for leaf in flatten(answer.state)]
    check.that(got == wanted, f"expected a state of shapes {wanted}, got {got}", where="state")
    check.that(answer.outputs.dtype == dtype, f"expected {dtype.name} outputs, got {answer.outputs.dtype.name}")
    check.reach(spec.kind)


@law("CELL-1", cases=st.one_of(tally_cases(lengths=RAGGED_OR_NOT), affine_cases(class_name="Mine")))
def test_a_users_class_works(check: Check, case: Case) -> None:
    """A cell whose class a user derives from RNNCell, of any sizes, with weights or without."""
    answer = check.returned(case, own=True)
    check.reach(case.cells["cell"].kind)
    judge(check, answer, case)


def _twice_as_long(case: Case) -> Case:
    axis = 0 if is_time_major(case) else 1
    doubled = map_structure(lambda leaf: np.concatenate([leaf, leaf], axis=axis), argument(case, "inputs"))
    return with_arguments(case, inputs=doubled)


@law("CELL-4", cases=st.one_of(tally_cases(time_major=LAYOUTS), affine_cases(time_major=LAYOUTS)))
def test_one_cell_serves_any_number_of_steps(check: Check, case: Case) -> None:
    """One instance, called with T steps, then one step, then 2 T: each call is as if it were alone."""
    alone = [case, time_slice(case, 0, 1), _twice_as_long(case)]
    together = repeated(case, *[the_call(other) for other in alone[1:]])
    for index, single in enumerate(alone):
        answer = check.returned(together, index, own=True)
        judge(check, answer, single, f"answers[{index}]")
    check.reach("T, 1, 2 T")


def _chained(check: Check, case: Case, cuts: list[int]) -> tuple[Any, Any]:
    """Outputs and final state of the calls between one cut and the next, chained through initial_state."""
    pieces, state = [], argument(case, "initial_state")
    for start, stop in itertools.pairwise(cuts):
        answer = check.returned(time_slice(case, start, stop, state), own=True)
        pieces.append(answer.outputs)
        state = answer.state
    axis = 0 if is_time_major(case) else 1
    columns = zip(*[flatten(piece) for piece in pieces], strict=True)
    return pack_sequence_as(pieces[0], [np.concatenate(column, axis=axis) for column in columns]), state


@law("CELL-5", cases=tally_cases(lengths=RAGGED_OR_NOT, max_time=st.integers(2, 4), time_major=LAYOUTS))
def test_steps_one_by_one_give_the_same(check: Check, case: Case) -> None:
    """T calls of one step, each begun from the state that the one before ended with, against one call of T."""
    whole = check.returned(case, own=True)
    same_pair(check, whole.result, _chained(check, case, list(range(frame_sizes(case)[1] + 1))))
    check.reach("one by one")


@law("CELL-5", cases=tally_cases(max_time=st.integers(1, 5), time_major=LAYOUTS, lengths=RAGGED_OR_NOT))
def test_the_cell_is_applied_step_after_step(check: Check, case: Case) -> None:
    """A Tally, whose every number depends on all steps before and their order."""
    answer = check.returned(case, own=True)
    judge(check, answer, case)
    check.reach("several steps" if max(steps_of_rows(case)) > 1 else "at most one step")


@law("CELL-5", cases=builtin_cases(max_time=st.integers(2, 5)))
def test_two_halves_give_the_same_with_a_built_in_cell(check: Check, case: Case) -> None:
    """The first half of the steps and then the second, within the tolerance of the arithmetic."""
    whole, steps = check.returned(case, own=True), frame_sizes(case)[1]
    allowed = tolerance.for_cell(argument(case, "dtype"), steps, 8, 3)
    outputs, state = _chained(check, case, [0, steps // 2, steps])
    check.close(whole.outputs, outputs, allowed, where="outputs")
    check.close(whole.state, state, allowed, where="state")
    check.reach("halves")


@law("CELL-6", cases=tally_cases(lengths=RAGGED_OR_NOT, time_major=LAYOUTS))
def test_the_cell_runs_once_for_each_step_on_all_rows(check: Check, case: Case) -> None:
    """T calls in the order of time, each with the whole batch as it stands at that step, padded rows as well."""
    calls = cell_calls(check.returned(case))
    steps = frame_sizes(case)[1]
    check.that(len(calls) == steps, f"expected {steps} calls of the cell, got {len(calls)}", steps, len(calls))
    for step, call in enumerate(calls):
        check.equal(call["inputs"], inputs_at(case, step), where=f"trace[{step}].inputs")
    check.reach("past every length" if max(steps_of_rows(case)) < steps else "to the end of a row")


@law("CELL-6", cases=scalar_counter_cases(lengths=RAGGED_OR_NOT, max_time=st.integers(1, 9)))
def test_a_counter_that_no_length_stops_counts_all_steps(check: Check, case: Case) -> None:
    """A rank-0 counter in the state has counted T steps at the end, whatever the lengths."""
    state, steps = check.returned(case).state, frame_sizes(case)[1]
    count = np.array(steps, argument(case, "dtype"))
    check.equal(state[0], count, where="state[0]")
    check.reach("past every length" if max(steps_of_rows(case)) < steps else "to the end of a row")


@law("CELL-7", cases=tally_cases(time_major=LAYOUTS))
def test_the_cell_is_called_with_two_positional_arguments(check: Check, case: Case) -> None:
    """The input of the step and the state, nothing by name; the first state is the initial one."""
    calls = cell_calls(check.returned(case))
    check.that(bool(calls), "expected a call of the cell, got none")
    for call in calls:
        got = (call["positional"], list(call["keywords"]))
        check.that(
            got == (2, []), f"expected two positional arguments, got {got[0]} and by name {got[1]}", (2, []), got
        )
    check.reach("called")


@law("CELL-8", cases=tally_cases(max_time=0, lengths=choice((NONE, FULL)), time_major=LAYOUTS))
def test_no_steps_give_empty_outputs_and_the_initial_state(check: Check, case: Case) -> None:
    """T = 0: a time axis of length 0 in every output, the state as it was at the start."""
    answer = check.returned(case, own=True)
    judge(check, answer, case)
    check.reach("given" if argument(case, "initial_state") is not None else "made")


def _overriding(case: Case, dtype: str | None) -> Case:
    """The Tally with a zero_state of its own: not zeros, and of ``dtype`` where that is not None."""
    spec = case.cells["cell"]
    kind, seed = dtype or argument(case, "dtype"), frame_sizes(case)[0]
    row = _row_of_state(spec.options["state_size"], kind, seed)
    return with_options(case, zero_state=row, output_dtype=argument(case, "dtype"))


def _row_of_state(sizes: Any, dtype: str, seed: int) -> Any:
    """One row of state for each size, filled with small numbers."""
    leaves = [arrays.small(dims_of(size), dtype, seed + number) for number, size in enumerate(flatten(sizes))]
    return pack_sequence_as(sizes, leaves)


MISSING_STATE = tally_cases(initial_state=False, lengths=RAGGED_OR_NOT, dtype=choice(arrays.NUMBERS))


@law("CELL-9", cases=st.builds(_overriding, MISSING_STATE, st.none()))
def test_an_overridden_zero_state_is_used(check: Check, case: Case) -> None:
    """The rows that the cell's own zero_state makes are where it starts."""
    answer = check.returned(case, own=True)
    judge(check, answer, case)
    check.reach("overridden")


@law("CELL-9", cases=st.builds(_overriding, MISSING_STATE, choice(("int32", "float64", "int8"))))
def test_an_overridden_zero_state_keeps_its_dtype(check: Check, case: Case) -> None:
    """What it makes is used as it is, though its dtype is another than the one asked for."""
    answer = check.returned(case, own=True)
    judge(check, answer, case)
    check.reach("another dtype")


@law("CELL-9", cases=tally_cases(initial_state=False, dtype=choice(arrays.NUMBERS), time_major=LAYOUTS))
def test_the_cell_is_asked_for_a_missing_state(check: Check, case: Case) -> None:
    """zero_state is called once, with B and the dtype."""
    asked = [(event["batch_size"], event["dtype"]) for event in zero_states(check.returned(case))]
    wanted = [(frame_sizes(case)[0], argument(case, "dtype"))]
    check.that(asked == wanted, f"expected zero_state to be asked for {wanted}, got {asked}", wanted, asked)
    check.reach("asked")


@law("CELL-9", cases=st.builds(_overriding, tally_cases(initial_state=True), st.none()))
def test_a_given_state_is_preferred(check: Check, case: Case) -> None:
    """A cell that overrides zero_state is not asked where initial_state is given."""
    answer = check.returned(case)
    judge(check, answer, case)
    check.reach("given")
