"""Holds implementations to EQ-8 to 12, 19 and 20 (stacks and wrappers) by the suite's own float64 model, a second
implementation and the bare cell."""

from typing import Any

import numpy as np

from conformance.law.laws import Check, law
from conformance.model.agreement import (
    agrees_with_oracle,
    allowed,
    expected_pair,
    follows_equations,
    input_dtype,
    reach,
    same_bits,
)
from conformance.strategies import options
from conformance.strategies.derive import argument, batch_major, steps_of_rows, with_arguments
from conformance.strategies.frame import choice
from conformance.strategies.options import leaf, spec_cases, stacks, wrapped
from dynamic_rnn_spec.case import Case, CellSpec, Function

ANY = leaf(choice(options.WEIGHTED))
FLAT = leaf(choice(("GRUCell", "BasicRNNCell"))) | leaf(choice(options.LSTMS), state_is_tuple=False)
STACKS = spec_cases(stacks(ANY))
KEEP = choice((None, *options.KEEPS))
DROPOUT = {"input_keep_prob": KEEP, "output_keep_prob": KEEP, "state_keep_prob": KEEP}
LONG: Any = {
    "units": choice((3, 2)),
    "depth": choice((3, 2)),
    "batch": choice((2, 3)),
    "max_time": choice((4, 3, 5)),
    "lengths": choice(("ragged", "none", "full")),
}
DROPPED = spec_cases(
    wrapped("DropoutWrapper", ANY, input_keep_prob=0.5, output_keep_prob=KEEP, state_keep_prob=KEEP)
    | wrapped("DropoutWrapper", ANY, output_keep_prob=0.5, state_keep_prob=KEEP)
    | wrapped("DropoutWrapper", ANY, state_keep_prob=choice(options.KEEPS)),
    **LONG,
)
VARIATIONAL = spec_cases(
    wrapped(
        "DropoutWrapper", ANY, variational_recurrent=True, **{**DROPOUT, "output_keep_prob": choice(options.KEEPS)}
    ),
    **LONG,
)
ONLY_OUTPUT = wrapped(
    "DropoutWrapper", leaf(choice(options.LSTMS)), variational_recurrent=True, output_keep_prob=choice((0.5, 0.25))
)
RESIDUAL = spec_cases(wrapped("ResidualWrapper", ANY, residual_fn=choice((None, Function("add_twice")))))
BARE = spec_cases(ANY | leaf("LSTMCell", use_peepholes=True, num_proj=2) | stacks(ANY, most=2))
STATES = spec_cases(
    wrapped(
        "DropoutWrapper",
        ANY | stacks(ANY, most=2),
        state_keep_prob=choice(options.KEEPS),
        dropout_state_filter_visitor=choice((None, Function("drop_all"), Function("drop_none"))),
    ),
    **LONG,
)


def in_wrapper(case: Case, kind: str, **given: Any) -> Case:
    """The case with its cell in a wrapper."""
    (spec,) = case.cells.values()
    return Case({"cell": CellSpec(kind, given, [spec])}, case.calls, case.weights)


@law("EQ-8", cases=STACKS)
def test_a_stack_follows_its_equations(check: Check, case: Case) -> None:
    follows_equations(check, case)
    check.reach(f"{len(case.cells['cell'].children)} cells")


@law("EQ-8", cases=spec_cases(stacks(ANY), initial_state=False))
def test_a_stack_is_each_cell_on_the_outputs_of_the_one_before(check: Check, case: Case) -> None:
    answer, near = check.returned(case), 2 * allowed(case, input_dtype(case))
    inputs, states = argument(case, "inputs"), []
    for number, spec in enumerate(case.cells["cell"].children):
        place = f"multi_rnn_cell/cell_{number}/"
        weights = {name.replace(place, ""): value for name, value in case.weights.items() if place in name}
        alone = with_arguments(Case({"cell": spec}, case.calls, weights), inputs=inputs)
        inputs, state = check.returned(alone).result
        states.append(state)
    check.close(answer.outputs, inputs, near, where="outputs")
    check.close(answer.state, tuple(states), near, where="state")
    reach(check, case)


@law("EQ-8", cases=spec_cases(stacks(FLAT, state_is_tuple=False)))
def test_the_states_of_a_joined_stack_stand_side_by_side(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-8", cases=STACKS, oracle=True)
def test_a_stack_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-9", cases=DROPPED)
def test_what_is_dropped_and_how(check: Check, case: Case) -> None:
    follows_equations(check, case, "dropped", "kept")


@law("EQ-9", cases=DROPPED, oracle=True)
def test_dropout_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-10", cases=VARIATIONAL)
def test_one_noise_for_all_steps_and_rows(check: Check, case: Case) -> None:
    follows_equations(check, case, "dropped")


def without_noise(case: Case) -> Case:
    """The case with random weights, noise that the implementation draws, and inputs that are nowhere 0."""
    (spec,) = case.cells.values()
    kept = {name: value for name, value in spec.options.items() if name != "noise"}
    inputs = argument(case, "inputs")
    return with_arguments(Case({"cell": spec.replace(options=kept)}, case.calls), inputs=inputs + inputs.dtype.type(2))


@law(
    "EQ-10", cases=spec_cases(ONLY_OUTPUT, **{**LONG, "units": choice((6, 5))}, initial_state=False).map(without_noise)
)
def test_drawn_noise_drops_the_same_columns_everywhere(check: Check, case: Case) -> None:
    outputs = batch_major(case, check.returned(case).outputs)
    counts = steps_of_rows(case)
    kept = np.array([outputs[row, step] != 0 for row, count in enumerate(counts) for step in range(count)])
    if len(kept) > 1:
        check.equal(kept, np.repeat(kept[:1], len(kept), axis=0), where="outputs != 0")
        check.reach("some dropped" if not kept[0].all() else "none dropped")


@law("EQ-10", cases=VARIATIONAL, oracle=True)
def test_variational_dropout_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-11", cases=RESIDUAL)
def test_a_residual_adds_the_inputs(check: Check, case: Case) -> None:
    follows_equations(check, case)
    check.reach("residual_fn" if "residual_fn" in case.cells["cell"].options else "sum")


@law("EQ-11", cases=RESIDUAL)
def test_a_residual_leaves_the_state(check: Check, case: Case) -> None:
    bare = Case({"cell": case.cells["cell"].children[0]}, case.calls, case.weights)
    near = 2 * allowed(case, input_dtype(case))
    check.close(check.returned(case).state, check.returned(bare).state, near, where="state")
    reach(check, case)


@law("EQ-11", cases=RESIDUAL, oracle=True)
def test_a_residual_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-12", cases=BARE)
def test_a_device_changes_no_bit(check: Check, case: Case) -> None:
    same_bits(check, in_wrapper(case, "DeviceWrapper", device="/cpu:0"), case)
    reach(check, case)


KEEP_NAMES = ("input_keep_prob", "output_keep_prob", "state_keep_prob")


@law("EQ-19", cases=BARE)
def test_keep_probabilities_of_1_change_no_bit(check: Check, case: Case) -> None:
    ones = dict.fromkeys(KEEP_NAMES, 1.0)
    for given in (ones, {}):
        same_bits(check, in_wrapper(case, "DropoutWrapper", **given, noise={}), case, own=True)
    reach(check, case)


@law("EQ-19", cases=spec_cases(wrapped("DropoutWrapper", ANY, output_keep_prob=0.5, input_keep_prob=1.0)))
def test_what_is_kept_passes_beside_what_is_dropped(check: Check, case: Case) -> None:
    (spec,) = case.cells.values()
    noise = {"output": spec.options["noise"]["output"]}
    dropping = Case({"cell": spec.replace(options={**spec.options, "noise": noise})}, case.calls, case.weights)
    bare = Case({"cell": spec.children[0]}, case.calls, case.weights)
    check.equal(check.returned(dropping).state, check.returned(bare).state, where="state")
    reach(check, case)


@law("EQ-20", cases=STATES)
def test_which_parts_of_the_state_are_dropped(check: Check, case: Case) -> None:
    follows_equations(check, case)
    visitor = case.cells["cell"].options.get("dropout_state_filter_visitor")
    if "dropped" in expected_pair(case)[0].seen or (visitor is not None and visitor.name == "drop_none"):
        check.reach("the default" if visitor is None else visitor.name)


@law("EQ-20", cases=STATES, oracle=True)
def test_the_dropped_parts_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)
