"""Holds implementations to GRAD-13 to 15 (time_major, swap_memory, parallel_iterations and scope change no gradient) by
comparing the same call with and without each of them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.gradient_agreement import same_gradients
from conformance.properties.pulled import kind_of, pulled, renamed
from conformance.strategies.cotangents import asking_cases, copied_cases, linear_cases
from conformance.strategies.derive import other_layout, with_arguments
from conformance.strategies.frame import choice
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import map_structure

ANY = linear_cases(dtype="float64") | asking_cases() | copied_cases()
LONGER: Any = {"max_time": choice((4, 2, 5))}
IN_CHUNKS = st.builds(
    lambda case, number: with_arguments(case, parallel_iterations=number),
    asking_cases(**LONGER) | linear_cases(dtype="float64", **LONGER),
    choice((1, 2, 3, 40)),
)
"""What is kept for the backward pass is several chunks, most of the time."""


@law("GRAD-13", cases=ANY)
def test_the_layouts_have_the_same_gradients(check: Check, case: Case) -> None:
    """The gradient of the inputs with batch and time exchanged, the others the same."""
    got, wanted = pulled(check, other_layout(case), own=True), pulled(check, case)
    swapped = map_structure(lambda leaf: None if leaf is None else np.swapaxes(leaf, 0, 1), wanted.inputs)
    same_gradients(check, case, got, wanted._replace(inputs=swapped))
    check.reach(kind_of(case))


@law("GRAD-14", cases=IN_CHUNKS)
def test_swap_memory_changes_no_gradient(check: Check, case: Case) -> None:
    """True, of Python or of NumPy, gives the gradients of False."""
    wanted = pulled(check, with_arguments(case, swap_memory=False))
    same_gradients(check, case, pulled(check, with_arguments(case, swap_memory=True), own=True), wanted)
    check.reach(kind_of(case))


@law("GRAD-15", cases=IN_CHUNKS)
def test_parallel_iterations_change_no_gradient(check: Check, case: Case) -> None:
    """Any number gives the gradients of the default."""
    wanted = pulled(check, with_arguments(case, parallel_iterations=None))
    same_gradients(check, case, pulled(check, case, own=True), wanted)
    check.reach(kind_of(case))


@law("GRAD-15", cases=asking_cases() | linear_cases(dtype="float64"))
def test_the_scope_changes_only_names(check: Check, case: Case) -> None:
    """Under another scope the same gradients belong to the variables there."""
    here = {"elsewhere" + name[len("rnn") :]: value for name, value in case.weights.items()}
    elsewhere = Case(case.cells, with_arguments(case, scope="elsewhere").calls, here)
    wanted = renamed(pulled(check, case), lambda name: "elsewhere" + name[len("rnn") :])
    same_gradients(check, elsewhere, pulled(check, elsewhere, own=True), wanted)
    check.reach(kind_of(case))
