"""Holds implementations to EQ-18, 21 and 22 (what the built-in cells refuse) by the errors for wrong options, states
and inputs."""

import numpy as np

from conformance.law.laws import Check, law
from conformance.model.agreement import input_dtype
from conformance.properties.test_equations_wrappers import ANY, KEEP_NAMES
from conformance.strategies import options
from conformance.strategies.derive import argument, with_arguments, with_state, without
from conformance.strategies.frame import choice
from conformance.strategies.options import leaf, spec_cases
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.structure import map_structure

OUTSIDE = (-0.25, 1.25, 2.0, -1.0, 1.0009765625)


def _dropout(**given: float) -> Case:
    spec = CellSpec("DropoutWrapper", given, [CellSpec("GRUCell", {"num_units": 2})])
    call = Call({"cell": CellRef("cell"), "inputs": np.ones((2, 3, 2), "float32"), "dtype": "float32"})
    return Case({"cell": spec}, [call])


@law("EQ-18", cases=[_dropout(**{name: value}) for name in KEEP_NAMES for value in OUTSIDE])
def test_a_keep_probability_outside_0_to_1(check: Check, case: Case) -> None:
    check.raised(case, "ValueError")
    check.reach(next(iter(case.cells["cell"].options)))


@law("EQ-21", cases=spec_cases(ANY, initial_state=True))
def test_input_and_state_of_unequal_dtype(check: Check, case: Case) -> None:
    dtype, state = input_dtype(case).name, argument(case, "initial_state")
    for other in sorted({"float16", "float32", "float64"} - {dtype}):
        unequal = with_state(case, map_structure(lambda leaf, to=other: leaf.astype(to), state))
        check.raised(unequal, "TypeError")
        check.raised(without(unequal, "dtype"), "TypeError")
    check.reach(f"{dtype}, {case.cells['cell'].kind}")


@law("EQ-21", cases=spec_cases(leaf(choice(options.LSTMS)), initial_state=True))
def test_a_c_of_another_dtype_is_not_cast(check: Check, case: Case) -> None:
    dtype, state = input_dtype(case).name, argument(case, "initial_state")
    mixed = LSTMStateTuple(state.c.astype("float16" if dtype != "float16" else "float32"), state.h)
    # TensorFlow meets it after the product with the kernel, where its own conversion raises ValueError.
    check.raised(with_state(case, mixed), ("TypeError", "ValueError"))
    check.reach(dtype)


@law("EQ-22", cases=spec_cases(ANY, dtype=choice(("float32", "float64"))))
def test_integer_inputs(check: Check, case: Case) -> None:
    numbers = np.asarray(argument(case, "inputs") * 4)
    for dtype in ("int32", "int64"):
        check.raised(with_arguments(case, inputs=numbers.astype(dtype)), "TypeError")
        check.reach(f"{dtype}, {case.cells['cell'].kind}")
