"""Holds implementations to GRAD-4, 5, 11, 16 and 17 (the numbers) by central differences of the subject's own outputs,
the definitions of the probe cells, the cell without the option and a second implementation."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model import derivatives
from conformance.model.agreement import input_dtype
from conformance.model.expected_gradients import expected_gradients, stays_whole
from conformance.model.gradient_agreement import same_gradients
from conformance.properties.pulled import kind_of, pulled
from conformance.strategies.builtin import KINDS, spec_case
from conformance.strategies.cotangents import (
    asking,
    asking_cases,
    copied_cases,
    linear_cases,
    linear_spec,
    uneven,
)
from conformance.strategies.derive import (
    argument,
    cotangents,
    frame_sizes,
    is_time_major,
    the_call,
    with_arguments,
    with_cotangents,
    with_options,
)
from conformance.strategies.frame import Frame, choice, frames
from dynamic_rnn_spec.case import Case, CellRef, CellSpec
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple

COUNTING: Any = {"lengths": choice(("ragged", "none", "zero", "full")), "batch": choice((2, 1, 3))}
"""Frames in which hardly a case has no step."""
SEEDS = st.integers(0, 7)


@law("GRAD-4", cases=st.builds(uneven, asking_cases(dtype="float64", **COUNTING), SEEDS))
def test_gradients_are_derivatives(check: Check, case: Case) -> None:
    """In a direction of inputs, state and variables, the central difference of what the call itself returns."""
    towards = derivatives.direction(case)
    found = pulled(check, case)
    if derivatives.crosses_a_kink(case, towards):
        return
    slope = derivatives.slope(case, towards, check.returned)
    size = derivatives.size(found, towards)
    off = abs(derivatives.along(found, towards) - slope)
    check.that(
        bool(off <= derivatives.PROMISED * max(size, derivatives.NEXT_TO_NOTHING)),
        f"the gradients give a slope of {derivatives.along(found, towards)!r}, a central difference {slope!r}",
        slope,
        derivatives.along(found, towards),
        "slope",
    )
    if size > derivatives.NEXT_TO_NOTHING:
        check.reach(kind_of(case))


@law("GRAD-4", cases=asking_cases(**COUNTING), oracle=True)
def test_gradients_as_the_oracle(check: Check, case: Case) -> None:
    """Those of the second implementation, each being off by the tolerance at most."""
    got, wanted = pulled(check, case), check.oracle(case).answers[0].gradients
    assert wanted is not None, "the oracle has gradients"
    same_gradients(check, case, got, wanted, sides=2)
    check.reach(str(input_dtype(case)))


@law("GRAD-5", cases=linear_cases(**COUNTING) | copied_cases(**COUNTING))
def test_exact_cells_have_exact_gradients(check: Check, case: Case) -> None:
    """What the definition of the cell gives, row by row and step by step."""
    if not stays_whole(case):
        return  # the numbers grew beyond what the dtype holds
    same_gradients(check, case, pulled(check, case, own=True), expected_gradients(case))
    check.reach(kind_of(case))


CLIPPED = asking_cases(
    kinds=choice(("LSTMCell cell_clip", "LSTMCell proj_clip")),
    max_time=1,
    lengths="none",
    units=choice((2, 3)),
    batch=choice((3, 2)),
    dtype=choice(("float64", "float32")),
    form="state",
)


@law("GRAD-11", cases=CLIPPED)
def test_a_clipped_number_has_no_gradient(check: Check, case: Case) -> None:
    """From what was clipped no gradient comes, and from the others that which comes without the clip.

    One step, and the cotangent of nothing but what is clipped: it meets no other use of the number.
    """
    options = case.cells["cell"].options
    option, part = ("cell_clip", 0) if "cell_clip" in options else ("proj_clip", 1)
    d = cotangents(case)[1][part]
    free = np.abs(check.returned(case).state[part]) < options[option]

    def only(d: Any) -> LSTMStateTuple:
        return LSTMStateTuple(d, None) if part == 0 else LSTMStateTuple(None, d)

    without = with_options(with_cotangents(case, None, only(np.where(free, d, 0).astype(d.dtype))), **{option: None})
    got = pulled(check, with_cotangents(case, None, only(d)), own=True)
    same_gradients(check, case, got, pulled(check, without))
    if np.any(d[~free] != 0):
        check.reach(option)


def shared(frame: Frame, units: int, kind: str, form: str) -> Case:
    """A stack in which one cell stands twice; the weights are those of its first place."""
    spec = linear_spec(units) if kind == "Linear" else KINDS[kind](units, units)
    stack = CellSpec("MultiRNNCell", {}, [spec, spec])
    apart = asking(spec_case(frame, stack, units, "float64"), form, "fractions", frame.seed)
    second = {name.replace("cell_0", "cell_1"): value for name, value in apart.weights.items() if "cell_0" in name}
    return Case({"cell": stack}, apart.calls, {**apart.weights, **second})


@law(
    "GRAD-16",
    cases=st.builds(
        shared,
        frames(max_time=choice((2, 1, 3)), **COUNTING),
        choice((2, 1)),
        choice(("Linear", "LSTMCell", "GRUCell", "BasicRNNCell")),
        choice(("both", "outputs", "state")),
    ),
)
def test_a_variable_used_twice_gets_the_sum(check: Check, case: Case) -> None:
    """A cell that stands twice has the sum of the gradients of two cells with its weights."""
    apart = pulled(check, case)
    (inner, _) = case.cells["cell"].children
    stack = CellSpec("MultiRNNCell", {}, [CellRef("inner"), CellRef("inner")])
    weights = {name: value for name, value in case.weights.items() if "cell_0" in name}
    call = the_call(case).replace(arguments={**the_call(case).arguments, "cell": CellRef("stack")})
    got = pulled(check, Case({"inner": inner, "stack": stack}, [call], weights), own=True)
    sums = {name: apart.variables[name] + apart.variables[name.replace("cell_0", "cell_1")] for name in weights}
    same_gradients(check, case, got, apart._replace(variables=sums))
    check.reach(inner.kind)


def dropping(frame: Frame, kind: str, keeps: tuple[float, float, float], form: str) -> Case:
    """A DropoutWrapper with its noise; it drops state only where all rows have one step."""
    names = ("input_keep_prob", "output_keep_prob", "state_keep_prob")
    options = dict(zip(names, keeps, strict=True))
    if frame.steps > 1:
        options["state_keep_prob"] = 1.0
    else:
        frame = frame._replace(pattern="none")
    inner = linear_spec(2) if kind == "Linear" else CellSpec(kind, {"num_units": 2})
    case = spec_case(frame, CellSpec("DropoutWrapper", options, [inner]), 3, "float64")
    return asking(case, form, "fractions", frame.seed)


def scale(case: Case, purpose: str) -> Any:
    """What the wrapper multiplies by, in the layout of the case: 0 where it drops, else 1 over the keep probability."""
    options = case.cells["cell"].options
    keep, drawn = options[f"{purpose}_keep_prob"], options["noise"][purpose][-1]  # of an LSTM's state: h
    if purpose == "state":
        return np.floor(keep + drawn[0]) / keep
    return np.floor(keep + (drawn if is_time_major(case) else np.swapaxes(drawn, 0, 1))) / keep


def scaled_state(case: Case, d_state: Any) -> Any:
    """The cotangent of the state as the wrapper hands it to its cell; the c of an LSTM is not dropped."""
    if d_state is None or frame_sizes(case)[1] > 1:
        return d_state
    if isinstance(d_state, LSTMStateTuple):
        return LSTMStateTuple(d_state.c, d_state.h * scale(case, "state"))
    return d_state * scale(case, "state")


KEEPS = choice((0.5, 0.25, 1.0))


@law(
    "GRAD-17",
    cases=st.builds(
        dropping,
        frames(max_time=choice((1, 3, 2)), time_major=st.booleans(), **COUNTING),
        choice(("Linear", "GRUCell", "LSTMCell")),
        st.tuples(KEEPS, KEEPS, KEEPS),
        choice(("both", "outputs", "state")),
    ),
)
def test_dropout_scales_gradients_as_it_scales_values(check: Check, case: Case) -> None:
    """The gradients of the bare cell on what was kept, each multiplied as the value that it belongs to was."""
    (inner,) = case.cells["cell"].children
    d_outputs, d_state = cotangents(case)
    bare = with_arguments(Case({"cell": inner}, case.calls, case.weights), inputs=kept_inputs(case))
    d_outputs = None if d_outputs is None else d_outputs * scale(case, "output")
    wanted = pulled(check, with_cotangents(bare, d_outputs, scaled_state(case, d_state)))
    wanted = wanted._replace(inputs=wanted.inputs * scale(case, "input"))
    same_gradients(check, case, pulled(check, case, own=True), wanted)
    for purpose in ("input", "output", "state"):
        if np.any(scale(case, purpose) == 0):
            check.reach(purpose)


def kept_inputs(case: Case) -> Any:
    """The inputs as the wrapper hands them to its cell."""
    return argument(case, "inputs") * scale(case, "input")
