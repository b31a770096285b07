"""Holds implementations to ERR-1 to 4 (what an error says, when it comes and what it leaves behind) by wrong calls,
alone, with several faults at once, and with a right call after them."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from conformance.law.laws import Check, Unsupported, law
from conformance.model.variables import names_after, variables
from conformance.properties.test_variables import ANY
from conformance.strategies.builtin import spec_case
from conformance.strategies.derive import argument, the_call, with_arguments, without
from conformance.strategies.frame import Frame, choice
from conformance.strategies.lengths import RAGGED
from conformance.strategies.options import spec_cases
from conformance.strategies.probes import affine_case
from conformance.strategies.scopes import cells
from conformance.strategies.wrong import WRONG, WrongArgument
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec, Raised
from dynamic_rnn_spec.page import clauses


class Refusal(NamedTuple):
    """A wrong argument, and the call that has it."""

    case: Case
    wrong: WrongArgument


REFUSALS = [Refusal(wrong.case(), wrong) for wrong in WRONG]


def told(error: Raised) -> dict[str, str]:
    """What the error says about itself."""
    fields = {name: getattr(error, name) for name in ("argument", "wanted", "got", "clause")}
    return {name: value for name, value in fields.items() if value}


@law("ERR-1", cases=REFUSALS)
def test_an_error_says_what_is_wrong(check: Check, item: Refusal) -> None:
    error, wrong = check.raised(item.case, item.wrong.kind), item.wrong
    fields = told(error)
    missing = sorted({"argument", "wanted", "got", "clause"} - set(fields))
    check.that(not missing, f"the error has no {', '.join(missing)}: {error.message}")
    absent = [name for name, value in fields.items() if value not in error.message]
    check.that(not absent, f"the message does not have the {', '.join(absent)}: {error.message}", got=fields)
    named = fields["argument"].split("[")[0]
    check.that(
        named == wrong.parameter, f"expected the argument {wrong.parameter}, got {named}", wrong.parameter, named
    )
    clause = fields["clause"]
    check.that(clause in clauses.load(), f"{clause} is no clause", got=clause)
    check.that(clause == wrong.clause, f"expected the clause {wrong.clause}, got {clause}", wrong.clause, clause)
    check.reach(wrong.parameter)


@law("ERR-2", cases=REFUSALS)
def test_an_argument_is_refused_before_the_cell_runs(check: Check, item: Refusal) -> None:
    error = check.raised(item.case, item.wrong.kind)
    if error.phase is None:
        raise Unsupported("phase", "the implementation does not tell when its errors come")
    check.that(error.phase == "before", "the cell was called first", "before", error.phase)
    check.reach(item.wrong.parameter)


def fails_and_goes_on(check: Check, failing: Call, case: Case, label: str) -> None:
    """After the failing call there is nothing, and the same cell then gives what it gives in a fresh case.

    A call that does not fail is for another clause to judge, and does not reach this one.
    """
    both = Case(case.cells, [failing, *case.calls], case.weights)
    if check.run(both).answers[0].error is None:
        return
    left = names_after(check, both, 0)
    check.that(left == [], f"the failed call left the variables {left}", [], left, "answers[0].variables")
    works_as_fresh(check, both, case)
    check.reach(label)


def works_as_fresh(check: Check, both: Case, case: Case) -> None:
    """The last call of ``both`` gives what the call of ``case`` alone gives, with the same variables."""
    last = len(both.calls) - 1
    answer, fresh = check.returned(both, last, own=True), check.returned(case)
    check.equal(answer.outputs, fresh.outputs, where=f"answers[{last}].outputs")
    check.equal(answer.state, fresh.state, where=f"answers[{last}].state")
    check.equal([v.name for v in variables(check, both)], [v.name for v in variables(check, case)], where="variables")


def right_case(wrong: WrongArgument) -> Case:
    """The valid call that ``wrong`` spoils: of a cell with variables where the state's structure allows."""
    if wrong.state_size != 2:
        return wrong._replace(changes={}, omit=()).case()
    return affine_case(Frame(batch=2, steps=3, pattern=RAGGED, raw=9))


@law("ERR-3", cases=REFUSALS)
def test_a_refused_argument_leaves_nothing_behind(check: Check, item: Refusal) -> None:
    case, wrong = right_case(item.wrong), item.wrong
    fails_and_goes_on(
        check, the_call(with_arguments(without(case, *wrong.omit), **wrong.changes)), case, wrong.parameter
    )


@law("ERR-3", cases=cells(dtype=choice(("float32", "float64")), initial_state=True))
def test_a_cell_that_failed_after_building_is_unbuilt(check: Check, case: Case) -> None:
    other = "float64" if argument(case, "dtype") == "float32" else "float32"
    fails_and_goes_on(check, the_call(with_arguments(case, dtype=other)), case, case.cells["cell"].kind)


@law("ERR-3", cases=spec_cases(ANY, units=2, depth=2, initial_state=False))
def test_a_stack_that_failed_half_way_is_unbuilt(check: Check, case: Case) -> None:
    inner = case.cells["cell"]
    wider = CellSpec(inner.kind, {**inner.options, "num_units": 3})
    # The cell is made at the first level, and at the third finds another depth than it was made for.
    stack = CellSpec("MultiRNNCell", {}, [CellRef("cell"), wider, CellRef("cell")])
    failing = the_call(with_arguments(case, cell=CellRef("stack")))
    fails_and_goes_on(check, failing, Case({"cell": inner, "stack": stack}, case.calls, case.weights), inner.kind)


@law("ERR-3", cases=cells(lengths="full"))
def test_variables_from_before_a_failed_call_stay(check: Check, case: Case) -> None:
    failing = the_call(with_arguments(case, sequence_length=np.ones((2, 2), "int32")))
    both = Case(case.cells, [*case.calls, failing, *case.calls], case.weights)
    check.returned(both, 0)
    check.raised(both, ("TypeError", "ValueError"), index=1)
    check.equal(names_after(check, both, 1), names_after(check, both, 0), where="answers[1].variables")
    works_as_fresh(check, both, case)
    found = {variable.name: variable.value for variable in variables(check, both)}
    check.equal(found, dict(case.weights), where="variables")
    check.reach(case.cells["cell"].kind)


class Fault(NamedTuple):
    """One of the faults that ERR-4 puts in order."""

    parameter: str
    changes: dict[str, Any]
    omit: Sequence[str] = ()


IN_ORDER: tuple[tuple[Fault, ...], ...] = (
    (Fault("cell", {"cell": 3}), Fault("cell", {"cell": None})),
    (Fault("inputs", {"inputs": None}),),
    (
        Fault("sequence_length", {"sequence_length": np.array([[2], [1]], "int32")}),
        Fault("sequence_length", {"sequence_length": np.array(2, "int32")}),
    ),
    (Fault("scope", {"scope": 1}), Fault("scope", {"scope": ["rnn"]})),
    (Fault("dtype", {}, ("dtype",)), Fault("dtype", {"dtype": None})),
    (
        Fault("parallel_iterations", {"parallel_iterations": "4"}),
        Fault("parallel_iterations", {"parallel_iterations": 4.0}),
    ),
)
"""The faults that ERR-4 names, first things first."""


def spoilt(*faults: Fault) -> Case:
    """A valid call with these faults."""
    case = spec_case(Frame(batch=2, steps=3, pattern=RAGGED, raw=9), CellSpec("GRUCell", {"num_units": 2}))
    for fault in faults:
        case = with_arguments(without(case, *fault.omit), **fault.changes)
    return case


class Several(NamedTuple):
    """A call with several faults, the first of them alone, and their names."""

    case: Case
    first: Case
    label: str


def _several() -> list[Several]:
    found = []
    for size in (2, 3, 6):
        for number, groups in enumerate(itertools.combinations(IN_ORDER, size)):
            for turn in range(2 if size == 2 else 1):
                faults = [group[(number + turn + place) % len(group)] for place, group in enumerate(groups)]
                label = ", ".join(fault.parameter for fault in faults)
                found.append(Several(spoilt(*faults), spoilt(faults[0]), label))
    return found


@law("ERR-4", cases=_several)
def test_the_first_fault_decides_the_error(check: Check, item: Several) -> None:
    alone = check.run(item.first).answers[0].error
    if alone is None:
        raise Unsupported(item.label.split(",")[0], "the first of the faults alone is no error here")
    error = check.raised(item.case, alone.kind)
    check.that(error.message == alone.message, f"expected {alone.message!r}, got {error.message!r}", alone, error)
    check.reach(item.label.split(",")[0])
