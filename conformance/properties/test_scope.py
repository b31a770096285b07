"""Holds implementations to SCOPE-1 to 14 (where variables live, and when they are shared) by the names after each call
and the values that the calls give."""

from typing import Any

import numpy as np

from conformance.law.laws import Check, law
from conformance.model.agreement import allowed, follows_equations, input_dtype
from conformance.model.variables import expected_shapes, names_after, variables
from conformance.properties.test_variables import ANY
from conformance.strategies import options
from conformance.strategies.derive import argument, frame_sizes, the_call, time_slice
from conformance.strategies.frame import choice
from conformance.strategies.options import leaf, spec_cases
from conformance.strategies.scopes import (
    LEFT_OUT,
    NAMES,
    OUTER,
    cells,
    depth_of,
    full_name,
    in_scope,
    other_cell,
    same_cell,
    scoped,
    second_cell,
    with_weights_under,
)
from conformance.strategies.wrong import wrong_arguments
from dynamic_rnn_spec.case import Case, CellRef, CellSpec, Scope

REUSE = (True, "AUTO_REUSE")
SCOPES = [Scope(name) for name in NAMES]


def names_under(case: Case, scope: str, cell: str = "cell") -> list[str]:
    """The names that the variables of a cell must have under a scope."""
    spec = case.cells[cell]
    if spec.kind == "probe:Affine":
        return [f"{scope}/affine/{name}" for name in ("kernel", "recurrent", "bias")]
    return [name for name, _ in expected_shapes(spec, depth_of(case), scope)]


def lives_under(check: Check, case: Case, label: str) -> None:
    """The variables of the one call are under its scope."""
    check.returned(case, own=argument(case, "scope") is not None)
    wanted = names_under(case, full_name(the_call(case)))
    found = [variable.name for variable in variables(check, case)]
    check.that(found == wanted, f"expected the variables {wanted}, got {found}", wanted, found, "variables")
    check.reach(label)


def names_stay(check: Check, case: Case, wanted: list[str]) -> None:
    """After the last call there are these variables and no other."""
    found = names_after(check, case, len(case.calls) - 1)
    check.that(found == wanted, f"expected the variables {wanted}, got {found}", wanted, found, "variables")


def same_answers(check: Check, case: Case) -> None:
    """The second call gives what the first gave, bit for bit."""
    first, second = check.returned(case, 0), check.returned(case, 1, own=True)
    check.equal(second.outputs, first.outputs, where="answers[1].outputs")
    check.equal(second.state, first.state, where="answers[1].state")


@law("SCOPE-1", cases=scoped(choice((LEFT_OUT, None))))
def test_the_default_scope_is_rnn(check: Check, case: Case) -> None:
    lives_under(check, case, "left out" if "scope" not in the_call(case).arguments else "None")


@law("SCOPE-2", cases=scoped(choice(SCOPES)))
def test_a_variable_scope_is_accepted(check: Check, case: Case) -> None:
    lives_under(check, case, argument(case, "scope").name)


@law("SCOPE-3", cases=scoped(choice((*NAMES, LEFT_OUT)), choice(((), *OUTER))))
def test_a_name_goes_on_from_the_open_scope(check: Check, case: Case) -> None:
    lives_under(check, case, f"{len(the_call(case).outer_scopes)} open")


@law("SCOPE-4", cases=scoped(choice(SCOPES), choice(OUTER)))
def test_a_variable_scope_keeps_its_full_name(check: Check, case: Case) -> None:
    lives_under(check, case, f"{len(the_call(case).outer_scopes)} open")


@law("SCOPE-5", cases=cells())
def test_a_cell_uses_its_variables_again(check: Check, case: Case) -> None:
    twice = same_cell(case)
    same_answers(check, twice)
    names_stay(check, twice, names_under(case, "rnn"))
    check.reach(case.cells["cell"].kind)


@law("SCOPE-5", cases=cells().map(lambda case: case.replace(weights={})))
def test_a_cell_shares_its_own_initial_values(check: Check, case: Case) -> None:
    same_answers(check, same_cell(case))
    check.reach(case.cells["cell"].kind)


@law("SCOPE-5", cases=cells(lengths="none"))
def test_a_later_call_of_other_length_shares_too(check: Check, case: Case) -> None:
    shorter = time_slice(case, 0, max(1, frame_sizes(case)[1] - 1))
    both = Case(case.cells, [*case.calls, *shorter.calls], case.weights)
    alone = check.returned(shorter)
    check.equal(check.returned(both, 1).outputs, alone.outputs, where="answers[1].outputs")
    names_stay(check, both, names_under(case, "rnn"))
    check.reach(case.cells["cell"].kind)


@law("SCOPE-6", cases=cells())
def test_a_second_cell_of_the_same_names_is_refused(check: Check, case: Case) -> None:
    for given in (LEFT_OUT, "mine", Scope("mine", False)):
        both = second_cell(in_scope(case, given))
        check.returned(both, 0)
        check.raised(both, "ValueError", index=1)
        names_stay(check, both, names_after(check, both, 0))
        check.reach("the default" if given == LEFT_OUT else type(given).__name__)


@law("SCOPE-7", cases=cells().map(lambda case: case.replace(weights={})))
def test_a_second_cell_shares_in_a_scope_that_reuses(check: Check, case: Case) -> None:
    for reuse in REUSE:
        both = second_cell(case, scope=Scope("rnn", reuse))
        same_answers(check, both)
        names_stay(check, both, names_under(case, "rnn"))
        check.reach(str(reuse))


@law("SCOPE-7", cases=cells().map(lambda case: case.replace(weights={})))
def test_a_second_cell_shares_under_an_open_scope_that_reuses(check: Check, case: Case) -> None:
    for reuse in REUSE:
        both = second_cell(in_scope(case, LEFT_OUT, ["outer"]), outer=[("outer", reuse)])
        same_answers(check, both)
        names_stay(check, both, names_under(case, "outer/rnn"))
        check.reach(str(reuse))


@law("SCOPE-7", cases=cells().map(lambda case: case.replace(weights={})))
def test_auto_reuse_makes_and_then_shares(check: Check, case: Case) -> None:
    both = second_cell(in_scope(case, Scope("mine", "AUTO_REUSE")))
    check.returned(both, 0, own=True)
    same_answers(check, both)
    names_stay(check, both, names_under(case, "mine"))
    check.reach(case.cells["cell"].kind)


@law("SCOPE-8", cases=cells())
def test_a_scope_never_changes_a_value(check: Check, case: Case) -> None:
    reference = check.returned(case)
    for given, outer in (("mine", ()), (Scope("a/b"), ("outer",)), (LEFT_OUT, ("o1", "o2")), (None, ())):
        elsewhere = in_scope(case, given, outer)
        answer = check.returned(with_weights_under(elsewhere, case.weights, full_name(the_call(elsewhere))))
        check.equal(answer.outputs, reference.outputs, where="outputs")
        check.equal(answer.state, reference.state, where="state")
    check.reach(case.cells["cell"].kind)


# TensorFlow takes 0, as every falsy value, for the default, so only our own ERR-1 asks for it.
@law("SCOPE-9", cases=[wrong.case() for wrong in wrong_arguments("SCOPE-9") if wrong.changes["scope"] != 0])
def test_what_is_no_scope_is_refused(check: Check, case: Case) -> None:
    check.raised(case, "TypeError")
    check.reach(type(argument(case, "scope")).__name__)


@law("SCOPE-10", cases=[wrong.case() for wrong in wrong_arguments("SCOPE-10")])
def test_an_invalid_name_is_refused(check: Check, case: Case) -> None:
    check.raised(case, "ValueError")
    check.reach(repr(argument(case, "scope")))


@law("SCOPE-11", cases=cells())
def test_a_built_cell_keeps_its_variables(check: Check, case: Case) -> None:
    for given in ("second", Scope("second", True)):
        both = same_cell(case, scope=given)
        same_answers(check, both)
        names_stay(check, both, names_under(case, "rnn"))
        check.reach(type(given).__name__)


@law("SCOPE-12", cases=cells())
def test_nothing_to_share_is_refused(check: Check, case: Case) -> None:
    check.raised(in_scope(case, Scope("mine", True)), "ValueError")
    elsewhere = second_cell(in_scope(case, "mine"), scope=Scope("yours", True))
    check.returned(elsewhere, 0)
    check.raised(elsewhere, "ValueError", index=1)
    check.reach(case.cells["cell"].kind)


@law("SCOPE-13", cases=spec_cases(ANY))
def test_cells_of_different_classes_coexist(check: Check, case: Case) -> None:
    kinds = list(options.WEIGHTED)
    kind = kinds[(kinds.index(case.cells["cell"].kind) + 1) % len(kinds)]
    other = CellSpec(kind, {"num_units": case.cells["cell"].options["num_units"]})
    both = other_cell(case, other, initial_state=LEFT_OUT)
    check.returned(both, 0)
    check.returned(both, 1, own=True)
    names_stay(check, both, names_under(both, "rnn") + names_under(both, "rnn", "other"))
    check.reach(f"{case.cells['cell'].kind}, {kind}")


def stacked_twice(case: Case) -> Case:
    """The same instance at both levels of a stack, with its weights at the first."""
    stack = CellSpec("MultiRNNCell", {}, [CellRef("inner"), CellRef("inner")])
    weights = {name.replace("rnn/", "rnn/multi_rnn_cell/cell_0/", 1): value for name, value in case.weights.items()}
    return Case({"inner": case.cells["cell"], "cell": stack}, case.calls, weights)


SQUARE: Any = {"units": 2, "depth": 2, "initial_state": False}


@law("SCOPE-14", cases=spec_cases(leaf(choice(options.WEIGHTED)), **SQUARE).map(stacked_twice))
def test_an_instance_twice_in_a_stack_has_one_set(check: Check, case: Case) -> None:
    follows_equations(check, case)
    wanted = [name for name, _ in expected_shapes(case.cells["inner"], 2, "rnn/multi_rnn_cell/cell_0")]
    names_stay(check, case, wanted)


@law("SCOPE-14", cases=spec_cases(leaf(choice(options.WEIGHTED)), **SQUARE).map(stacked_twice))
def test_both_levels_use_the_same_values(check: Check, case: Case) -> None:
    inner = case.cells["inner"]
    copied = {name.replace("cell_0", "cell_1"): value for name, value in case.weights.items()}
    apart = Case({"cell": CellSpec("MultiRNNCell", {}, [inner, inner])}, case.calls, {**case.weights, **copied})
    answer, reference, near = check.returned(case), check.returned(apart), 2 * allowed(case, input_dtype(case))
    check.close(answer.outputs, reference.outputs, near, where="outputs")
    check.close(answer.state, reference.state, near, where="state")
    if np.any(np.asarray(answer.outputs) != 0):
        check.reach(inner.kind)
