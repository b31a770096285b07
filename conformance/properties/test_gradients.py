"""Holds implementations to GRAD-1, 2, 3, 6, 18 and 19 (the form of gradients, and that asking for them changes nothing
else) by comparing it with the form of the arguments, and calls with cotangents with the same calls without."""

from typing import Any

import numpy as np

from conformance.law.laws import Check, Unsupported, law
from conformance.model.agreement import allowed, is_exact
from conformance.model.gradient_agreement import same_gradients
from conformance.model.traces import changed_arguments
from conformance.model.variables import variables
from conformance.properties.pulled import kind_of
from conformance.strategies.arrays import DTYPES, STRING
from conformance.strategies.cotangents import (
    ABSENT,
    asking_cases,
    copied_cases,
    has_gradient,
    linear_cases,
    with_zeros,
)
from conformance.strategies.derive import (
    argument,
    cotangents,
    frame_sizes,
    steps_of_rows,
    with_state,
    without_cotangents,
)
from conformance.strategies.frame import choice
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure

GIVEN: Any = {"form": "both", "initial_state": True}
ANY = linear_cases() | copied_cases() | asking_cases()
FEW: Any = {"max_time": choice((2, 0, 3, 1))}
STACKS = choice(("LSTMCell", "MultiRNNCell of LSTM", "BasicLSTMCell array", "wrappers in a stack", "GRUCell"))


def in_form(given: Any) -> Any:
    """Zeros in the structure, shapes and dtypes of what was given, None in place of what has no gradient."""
    return map_structure(lambda leaf: np.zeros_like(leaf) if has_gradient(leaf.dtype) else None, given)


def form_of(found: Any) -> Any:
    """The same of what came."""
    return map_structure(lambda leaf: np.zeros_like(leaf) if isinstance(leaf, np.ndarray) else leaf, found)


def with_plain_tuples(case: Case) -> Case:
    """The case with plain tuples in place of the named ones of its initial state."""

    def plain(state: Any) -> Any:
        if isinstance(state, LSTMStateTuple):
            return tuple(state)
        return tuple(map(plain, state)) if isinstance(state, tuple) else state

    return with_state(case, plain(argument(case, "initial_state")))


@law(
    "GRAD-1",
    cases=copied_cases(**GIVEN)
    | asking_cases(kinds=STACKS, **GIVEN)
    | asking_cases(kinds=STACKS, **GIVEN).map(with_plain_tuples),
)
def test_gradients_have_the_form_of_what_was_given(check: Check, case: Case) -> None:
    """Containers, shapes and dtypes are those of inputs and initial state, in any nesting."""
    if check.run(without_cotangents(case)).answers[0].error is not None:
        return  # a call that is not valid even without gradients is for another clause to judge
    found = check.gradients(case, own=True)
    for name in ("inputs", "initial_state"):
        wanted = in_form(argument(case, name))
        check.equal(form_of(getattr(found, name)), wanted, where=f"gradients.{name}")
    check.reach(kind_of(case))


@law("GRAD-2", cases=copied_cases(form="both", dtype=choice(("int32", "float32", "bool", *DTYPES, STRING))))
def test_what_has_no_gradient_has_none(check: Check, case: Case) -> None:
    """None for integers, bools and strings, and for an initial state that was not given."""
    found, given = check.gradients(case, own=True), argument(case, "initial_state")
    check.equal(form_of(found.inputs), in_form(argument(case, "inputs")), where="gradients.inputs")
    wanted = None if given is None else in_form(given)
    check.equal(form_of(found.initial_state), wanted, where="gradients.initial_state")
    if not any(has_gradient(leaf.dtype) for leaf in flatten(argument(case, "inputs"))):
        check.reach("no gradient of inputs")
    if given is None:
        check.reach("no initial state")


@law("GRAD-3", cases=asking_cases() | linear_cases(dtype="float64"))
def test_every_variable_has_a_gradient(check: Check, case: Case) -> None:
    """By its name, of its shape and dtype; zeros where no row has a step."""
    found = check.gradients(case, own=True).variables
    wanted = {one.name: np.zeros_like(one.value) for one in variables(check, case)}
    check.equal({name: form_of(value) for name, value in found.items()}, wanted, where="gradients.variables")
    if not any(count > 0 for count in steps_of_rows(case)):
        for name, value in found.items():
            zero = bool(np.all(value == 0))
            check.that(zero, f"{name}: expected zeros", wanted[name], value, f"gradients.variables[{name!r}]")
        check.reach("no step counts")
    check.reach(kind_of(case))


IN_PART: Any = {"kinds": choice(("LSTMCell", "BasicLSTMCell", "MultiRNNCell of GRU")), "form": "in part"}
"""Cells whose state has several arrays."""


@law("GRAD-6", cases=linear_cases(form=choice(ABSENT)) | asking_cases(form=choice(ABSENT)) | asking_cases(**IN_PART))
def test_an_absent_cotangent_is_zeros(check: Check, case: Case) -> None:
    """None, for a whole cotangent or one array of it, gives the gradients that zeros give."""
    same_gradients(check, case, check.gradients(case, own=True), check.gradients(with_zeros(case)))
    if all(part is None for part in cotangents(case)):
        check.reach("both absent")
    else:
        absent = [leaf is None for leaf in flatten(cotangents(case)[1])]
        check.reach("in part" if any(absent) and not all(absent) else kind_of(case))


@law("GRAD-18", cases=ANY)
def test_the_pair_is_that_without_cotangents(check: Check, case: Case) -> None:
    """Outputs, state and variables; bit by bit from probe cells, within tolerance from built-in ones."""
    alone = without_cotangents(case)
    answer, reference = check.returned(case, own=True), check.returned(alone)
    for where, got, wanted in (
        ("outputs", answer.outputs, reference.outputs),
        ("state", answer.state, reference.state),
    ):
        if is_exact(case):
            check.equal(got, wanted, where=where)
        else:
            check.close(got, wanted, lambda dtype: allowed(case, dtype), where=where)
    check.equal(_names(check, case), _names(check, alone), where="variables")
    check.reach(kind_of(case))


def _names(check: Check, case: Case) -> list[str]:
    return [one.name for one in variables(check, case)]


@law("GRAD-19", cases=linear_cases(**FEW) | copied_cases(**FEW) | asking_cases(**FEW))
def test_pulling_back_again_gives_the_same_and_changes_nothing(check: Check, case: Case) -> None:
    """The same bits a second time; no argument and no earlier gradient changed, no memory shared."""
    if frame_sizes(case)[1] == 0 and check.run(case).answers[0].error is not None:
        return  # for GRAD-22 to judge
    answer = check.returned(case, own=True)
    changed = list(changed_arguments(answer))
    check.that("gradients" not in changed, "pulling back again gave other gradients, or changed those given before")
    check.that(not changed, f"expected nothing to be changed, got {', '.join(changed)}", [], changed)
    if answer.aliased is None:
        raise Unsupported("aliasing", "the implementation does not tell what shares memory")
    aliased = list(answer.aliased)
    check.that(not aliased, f"expected no memory to be shared, got that of {', '.join(aliased)}", [], aliased)
    check.reach(kind_of(case))
