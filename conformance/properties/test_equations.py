"""EQ-1 to EQ-7 and EQ-13 to EQ-17: the equations of the built-in cells and their options, against the suite's own
float64 model and a second implementation; it knows no implementation."""

from typing import Any

import numpy as np

from conformance.agreement import (
    agrees_with_oracle,
    allowed,
    expected_pair,
    follows_equations,
    input_dtype,
    reach,
    same_bits,
)
from conformance.laws import Check, law
from conformance.strategies import argument, choice, options, steps_of_rows, with_options, with_state
from conformance.strategies.options import leaf, quieter, spec_cases
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.structure import flatten

LONG: Any = {
    "units": choice((3, 2)),
    "batch": choice((2, 3)),
    "max_time": choice((4, 3, 5)),
    "lengths": choice(("none", "full", "ragged")),
}
"""Frames where what is limited or dropped is hardly ever missed."""
BASIC = spec_cases(leaf("BasicRNNCell"))
GRU = spec_cases(leaf("GRUCell"))
BASIC_LSTM = spec_cases(leaf("BasicLSTMCell"))
LSTM = spec_cases(leaf("LSTMCell"))
PEEPHOLES = spec_cases(
    leaf(
        "LSTMCell",
        use_peepholes=True,
        cell_clip=choice((None, 0.25)),
        num_proj=choice((None, 2)),
        forget_bias=choice((1.0, -0.5)),
    )
)
CELL_CLIP = spec_cases(leaf("LSTMCell", cell_clip=choice(options.CLIPS), use_peepholes=choice((False, True))), **LONG)
NUM_PROJ = spec_cases(
    leaf("LSTMCell", num_proj=choice(options.PROJECTIONS), use_peepholes=choice((False, True)), cell_clip=None)
)
PROJ_CLIP = spec_cases(
    leaf("LSTMCell", num_proj=choice(options.PROJECTIONS), proj_clip=choice((0.0625, 0.03125, 0.125))), **LONG
)
ACTIVATIONS = spec_cases(leaf(choice(options.WEIGHTED), activation=options.functions(options.ACTIVATIONS))).map(quieter)
FORGET_BIAS = spec_cases(leaf(choice(options.LSTMS), forget_bias=choice((None, *options.FORGET_BIASES))))
JOINED = spec_cases(leaf(choice(options.LSTMS), state_is_tuple=False, forget_bias=choice((None, 0.5)))) | spec_cases(
    leaf("LSTMCell", state_is_tuple=False, num_proj=choice(options.PROJECTIONS))
)
EVERY_LEAF = leaf(choice(options.WEIGHTED))
PROJ_CLIP_ALONE = spec_cases(leaf("LSTMCell", proj_clip=choice((0.03125, 0.015625))), lengths=choice(("none", "full")))


@law("EQ-1", cases=BASIC)
def test_basic_rnn_follows_its_equation(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-1", cases=BASIC, oracle=True)
def test_basic_rnn_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-2", cases=GRU)
def test_gru_follows_its_equations(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-2", cases=GRU, oracle=True)
def test_gru_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-3", cases=BASIC_LSTM)
def test_basic_lstm_follows_its_equations(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-3", cases=BASIC_LSTM, oracle=True)
def test_basic_lstm_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-4", cases=LSTM)
def test_lstm_follows_its_equations(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-4", cases=LSTM, oracle=True)
def test_lstm_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-5", cases=PEEPHOLES)
def test_peepholes_follow_their_equations(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-5", cases=PEEPHOLES, oracle=True)
def test_peepholes_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-6", cases=CELL_CLIP)
def test_cell_clip_limits_c(check: Check, case: Case) -> None:
    follows_equations(check, case, "clipped")


@law("EQ-6", cases=CELL_CLIP)
def test_no_c_is_beyond_cell_clip(check: Check, case: Case) -> None:
    limit = case.cells["cell"].options["cell_clip"]
    stepped = [row for row, count in enumerate(steps_of_rows(case)) if count > 0]
    got = check.returned(case).state.c[stepped]
    check.that(bool(np.all(np.abs(got) <= limit)), f"c is beyond cell_clip = {limit}", got=got, where="state.c")
    if "clipped" in expected_pair(case)[0].seen:
        reach(check, case, "clipped")


@law("EQ-6", cases=CELL_CLIP, oracle=True)
def test_cell_clip_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-7", cases=NUM_PROJ)
def test_projection_follows_its_equation(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-7", cases=PROJ_CLIP)
def test_proj_clip_limits_the_projection(check: Check, case: Case) -> None:
    follows_equations(check, case, "projection clipped")


@law("EQ-7", cases=NUM_PROJ, oracle=True)
def test_projection_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-13", cases=ACTIVATIONS)
def test_an_activation_stands_for_tanh(check: Check, case: Case) -> None:
    follows_equations(check, case)
    check.reach(case.cells["cell"].options["activation"].name)


@law("EQ-13", cases=ACTIVATIONS, oracle=True)
def test_activations_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-14", cases=FORGET_BIAS)
def test_forget_bias_is_added_at_each_step(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-14", cases=FORGET_BIAS)
def test_forget_bias_is_no_part_of_the_stored_bias(check: Check, case: Case) -> None:
    check.returned(case)
    for variable in check.run(case).variables or ():
        if variable.name.endswith("/bias"):
            check.equal(variable.value, case.weights[variable.name], where=variable.name)
            reach(check, case)


@law("EQ-14", cases=FORGET_BIAS)
def test_forget_bias_is_a_bias_of_f(check: Check, case: Case) -> None:
    bias, spec = case.cells["cell"].options.get("forget_bias", 1.0), case.cells["cell"]
    units, dtype = spec.options["num_units"], input_dtype(case)
    moved = {
        name: value + np.repeat([0, 0, bias, 0], units).astype(dtype) if name.endswith("/bias") else value
        for name, value in case.weights.items()
    }
    other = with_options(Case(case.cells, case.calls, moved), forget_bias=0.0)
    answer, reference, near = check.returned(case), check.returned(other), 2 * allowed(case, dtype)
    check.close(answer.outputs, reference.outputs, near, where="outputs")
    check.close(answer.state, reference.state, near, where="state")
    reach(check, case)


@law("EQ-15", cases=JOINED)
def test_a_joined_state_computes_the_same(check: Check, case: Case) -> None:
    tupled, given = with_options(case, state_is_tuple=True), argument(case, "initial_state")
    if given is not None:
        units = case.cells["cell"].options["num_units"]
        tupled = with_state(tupled, LSTMStateTuple(given[:, :units], given[:, units:]))
    answer, reference, near = check.returned(case), check.returned(tupled), 2 * allowed(case, input_dtype(case))
    check.close(answer.outputs, reference.outputs, near, where="outputs")
    check.close(answer.state, np.concatenate(flatten(reference.state), axis=1), near, where="state")
    reach(check, case)


@law("EQ-15", cases=JOINED, oracle=True)
def test_a_joined_state_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-16", cases=spec_cases(EVERY_LEAF, units=choice((2, 3))))
def test_each_precision_is_its_own(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-16", cases=spec_cases(EVERY_LEAF, dtype=choice(("float64", "float32")), lengths=choice(("none", "full"))))
def test_no_wider_dtype_passes_through_a_narrower_one(check: Check, case: Case) -> None:
    dtype = input_dtype(case)
    narrower = {"float64": "float32", "float32": "float16"}[dtype.name]
    outputs = check.returned(case).outputs
    _, (expected, _) = expected_pair(case)
    near = allowed(case, dtype)
    check.close(outputs, expected, near, where="outputs")
    if np.any(np.abs(expected - expected.astype(narrower)) > 2 * near * np.maximum(1, np.abs(expected))):
        reach(check, case, f"finer than {narrower}")


@law("EQ-16", cases=spec_cases(EVERY_LEAF), oracle=True)
def test_each_precision_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-17", cases=PROJ_CLIP_ALONE)
def test_proj_clip_alone_changes_no_bit(check: Check, case: Case) -> None:
    plain = with_options(case, proj_clip=None)
    same_bits(check, case, plain)
    _, (outputs, _) = expected_pair(case)
    if np.any(np.abs(outputs) > case.cells["cell"].options["proj_clip"]):
        reach(check, case, "would be clipped")
