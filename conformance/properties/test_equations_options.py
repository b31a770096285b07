"""Holds implementations to EQ-13 to 17 (activation, forget_bias, the joined state, precision, proj_clip alone) by the
suite's own float64 model, a second implementation and the cell without the option."""

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
from conformance.strategies.builtin import spec_case
from conformance.strategies.derive import argument, with_options, with_state
from conformance.strategies.frame import Frame, choice
from conformance.strategies.options import leaf, quieter, spec_cases
from dynamic_rnn_spec.case import Case, CellSpec, Function
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.structure import flatten

ACTIVATIONS = spec_cases(leaf(choice(options.WEIGHTED), activation=options.functions(options.ACTIVATIONS))).map(quieter)
FORGET_BIAS = spec_cases(leaf(choice(options.LSTMS), forget_bias=choice((None, *options.FORGET_BIASES))))
JOINED = spec_cases(leaf(choice(options.LSTMS), state_is_tuple=False, forget_bias=choice((None, 0.5)))) | spec_cases(
    leaf("LSTMCell", state_is_tuple=False, num_proj=choice(options.PROJECTIONS))
)
EVERY_LEAF = leaf(choice(options.WEIGHTED))
PROJ_CLIP_ALONE = spec_cases(leaf("LSTMCell", proj_clip=choice((0.03125, 0.015625))), lengths=choice(("none", "full")))


@law("EQ-13", cases=ACTIVATIONS)
def test_an_activation_stands_for_tanh(check: Check, case: Case) -> None:
    follows_equations(check, case)
    check.reach(case.cells["cell"].options["activation"].name)


EVERY_ACTIVATION = [
    quieter(spec_case(frame, CellSpec(kind, {"num_units": 3, "activation": Function(name)}), 2, "float64"))
    for kind in options.WEIGHTED
    for name in options.ACTIVATIONS
    for frame in [Frame(batch=2, steps=3, pattern="ragged", raw=9, given=True)]
]


@law("EQ-13", cases=EVERY_ACTIVATION)
def test_every_cell_takes_every_activation(check: Check, case: Case) -> None:
    follows_equations(check, case)
    check.reach(f"{case.cells['cell'].kind}, {case.cells['cell'].options['activation'].name}")


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
