"""Holds implementations to VAR-8 to 14 (how the built-in cells' variables start, their dtype, and weights given by
name) by the values that variables have after a call, and by what is computed with them."""

import math
from typing import Any

import numpy as np

from conformance.law.laws import Check, law
from conformance.model.agreement import allowed, expected_pair, input_dtype
from conformance.model.variables import expected_shapes, variables
from conformance.properties.test_variables import ANY, depth_of, fresh
from conformance.strategies.builtin import spec_case
from conformance.strategies.derive import argument, with_arguments, with_scopes
from conformance.strategies.frame import Frame, choice
from conformance.strategies.options import leaf, spec_cases, stacks
from dynamic_rnn_spec.case import Case, CellSpec, Function, Scope

EVERY = ANY | leaf("LSTMCell", use_peepholes=True, num_proj=2, forget_bias=choice((1.0, 0.5))) | stacks(ANY, most=2)
HALF, TWO = Function("constant", {"value": 0.5}), Function("constant", {"value": 2.0})
KS = 4.0
"""Kolmogorov and Smirnov: n independent uniform draws exceed KS / sqrt(n) with probability 2 exp(-2 KS**2) < 3e-14."""


def start_of_bias(name: str) -> float:
    """Where a bias starts: 1 for the gates of a GRU, else 0."""
    return 1.0 if name.endswith("gates/bias") else 0.0


def all_are(check: Check, variable: Any, value: float) -> None:
    """Every element of the variable is the value."""
    check.equal(variable.value, np.full_like(variable.value, value), where=variable.name)


def limit_of(shape: tuple[int, ...]) -> float:
    """The limit of glorot uniform: a vector counts as many inputs as outputs."""
    return math.sqrt(6 / (shape[0] + shape[-1]))


@law("VAR-8", cases=spec_cases(EVERY).map(fresh))
def test_biases_start_at_0_and_gates_of_a_gru_at_1(check: Check, case: Case) -> None:
    check.returned(case)
    for variable in variables(check, case):
        if variable.name.endswith("/bias"):
            all_are(check, variable, start_of_bias(variable.name))
            check.reach("gates" if variable.name.endswith("gates/bias") else "bias")


@law("VAR-8", cases=spec_cases(leaf("GRUCell") | stacks(leaf("GRUCell"), most=2)).map(fresh))
def test_only_the_gates_of_a_gru_start_at_1(check: Check, case: Case) -> None:
    check.returned(case)
    for variable in variables(check, case):
        if variable.name.endswith("/bias"):
            all_are(check, variable, start_of_bias(variable.name))
            check.reach(variable.name.split("/")[-2])


@law("VAR-9", cases=spec_cases(EVERY).map(fresh))
def test_kernels_start_within_the_limit(check: Check, case: Case) -> None:
    check.returned(case)
    for variable in variables(check, case):
        if variable.name.endswith("/bias"):
            continue
        shape, size = variable.value.shape, np.abs(variable.value.astype(np.float64))
        limit = limit_of(shape) * (1 + 2 * float(np.finfo(variable.value.dtype).eps))
        check.that(bool(np.all(size <= limit)), f"beyond {limit}", limit, variable.value, variable.name)
        check.reach("vector" if len(shape) == 1 else "matrix")


def _large(kind: str, dtype: str, depth: int, units: int, **given: Any) -> Case:
    spec = CellSpec(kind, {"num_units": units, **given})
    return fresh(spec_case(Frame(batch=1, steps=1), spec, depth, dtype))


LARGE = [
    _large("BasicRNNCell", "float32", 96, 96),
    _large("GRUCell", "float64", 30, 80),
    _large("BasicLSTMCell", "float32", 40, 50),
    _large("LSTMCell", "float64", 8, 96, use_peepholes=True, num_proj=64),
    _large("LSTMCell", "float32", 1, 128, use_peepholes=True),
]


@law("VAR-9", cases=LARGE)
def test_kernels_start_uniform(check: Check, case: Case) -> None:
    check.returned(case)
    for variable in variables(check, case):
        if variable.name.endswith("/bias"):
            continue
        limit, count = limit_of(variable.value.shape), variable.value.size
        places = (np.sort(variable.value.astype(np.float64), axis=None) / limit + 1) / 2
        steps = np.arange(count + 1) / count
        distance = max(np.max(steps[1:] - places), np.max(places - steps[:-1]))
        allowed_distance = KS / math.sqrt(count)
        message = (
            f"{count} numbers are {distance:.3f} away from uniform in ±{limit:.4f}, allowed is {allowed_distance:.3f}"
        )
        check.that(bool(distance <= allowed_distance), message, got=variable.value, where=variable.name)
        check.reach("vector" if variable.value.ndim == 1 else "matrix")


def kernels_are(check: Check, case: Case, value: float) -> None:
    """Everything but the biases starts at the value, and the biases where they always do."""
    check.returned(case)
    for variable in variables(check, case):
        bias = variable.name.endswith("/bias")
        all_are(check, variable, start_of_bias(variable.name) if bias else value)
        if not bias:
            check.reach(variable.name.split("/")[-1])


@law("VAR-10", cases=spec_cases(EVERY).map(fresh))
def test_the_initializer_of_an_open_scope(check: Check, case: Case) -> None:
    kernels_are(check, with_scopes(case, Scope("outer", initializer=HALF)), 0.5)


@law("VAR-10", cases=spec_cases(EVERY).map(fresh))
def test_the_initializer_of_the_scope_argument(check: Check, case: Case) -> None:
    kernels_are(check, with_arguments(case, scope=Scope("mine", initializer=TWO)), 2.0)


LSTM_WITH_INITIALIZER = leaf(
    "LSTMCell", initializer=choice((HALF, TWO)), use_peepholes=choice((False, True)), num_proj=choice((None, 2))
)


@law("VAR-11", cases=spec_cases(LSTM_WITH_INITIALIZER).map(fresh))
def test_the_initializer_of_an_lstm(check: Check, case: Case) -> None:
    value = case.cells["cell"].options["initializer"].options["value"]
    kernels_are(check, case, value)
    kernels_are(check, with_scopes(case, Scope("outer", initializer=Function("ones"))), value)


GRU_INITIALIZERS = leaf("GRUCell", kernel_initializer=choice((HALF, None)), bias_initializer=choice((TWO, None)))


@law("VAR-12", cases=spec_cases(GRU_INITIALIZERS).map(fresh))
def test_the_initializers_of_a_gru(check: Check, case: Case) -> None:
    check.returned(case)
    given = case.cells["cell"].options
    for variable in variables(check, case):
        bias = variable.name.endswith("/bias")
        if bias and "bias_initializer" in given:
            all_are(check, variable, 2.0)
            check.reach("bias_initializer")
        elif bias:
            all_are(check, variable, start_of_bias(variable.name))
        elif "kernel_initializer" in given:
            all_are(check, variable, 0.5)
            check.reach("kernel_initializer")


@law("VAR-13", cases=spec_cases(EVERY).map(fresh))
def test_variables_take_the_dtype_of_the_input(check: Check, case: Case) -> None:
    check.returned(case)
    wanted = input_dtype(case).name
    for variable in variables(check, case):
        found = variable.value.dtype.name
        check.that(found == wanted, f"expected {wanted}, got {found}", wanted, found, variable.name)
        check.reach(wanted)


@law("VAR-14", cases=spec_cases(EVERY))
def test_weights_given_by_name_are_the_variables(check: Check, case: Case) -> None:
    check.returned(case)
    found = {variable.name: variable.value for variable in variables(check, case)}
    check.equal(found, dict(case.weights), where="variables")
    check.reach(f"{len(found)} variables")


@law("VAR-14", cases=spec_cases(EVERY))
def test_weights_given_by_name_are_computed_with(check: Check, case: Case) -> None:
    answer, (_, (outputs, state)), near = check.returned(case), expected_pair(case), allowed(case, input_dtype(case))
    check.close(answer.outputs, outputs, near, where="outputs")
    check.close(answer.state, state, near, where="state")
    check.reach(case.cells["cell"].kind)


def _misfits(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Other shapes than a variable's."""
    found = {"a row more": (shape[0] + 1, *shape[1:]), "an axis more": (1, *shape), "a number": ()}
    if len(shape) == 2 and shape[0] != shape[1]:
        found["transposed"] = (shape[1], shape[0])
    return found


@law("VAR-14", cases=spec_cases(EVERY, dtype=choice(("float32", "float64"))))
def test_a_weight_of_another_shape_is_refused(check: Check, case: Case) -> None:
    shapes = expected_shapes(case.cells["cell"], depth_of(case))
    name, shape = shapes[int(argument(case, "inputs").size) % len(shapes)]
    for label, other in _misfits(shape).items():
        weights = {**case.weights, name: np.zeros(other, input_dtype(case))}
        check.raised(Case(case.cells, case.calls, weights), "ValueError")
        check.reach(label)
