"""Holds implementations to GRAD-20 and 21 by the errors for cells that can't pull gradients back, and for cotangents of
another form than what they belong to."""

from typing import NamedTuple

from conformance.law.laws import Check, law
from conformance.strategies.derive import without_cotangents
from conformance.strategies.wrong_cotangents import WRONG, WrongCotangent, without_gradients
from dynamic_rnn_spec.case import Case, CellSpec


@law("GRAD-20", cases=without_gradients)
def test_a_cell_without_gradients_is_refused(check: Check, case: Case) -> None:
    """TypeError before the cell is called, which names what is missing; without cotangents the call works."""
    error = check.raised(case, "TypeError")
    check.that(error.phase in (None, "before"), "the cell was called first", "before", error.phase)
    (cell, *_) = [spec for spec in case.cells.values() if isinstance(spec, CellSpec)]
    missing = "call_vjp" if cell.kind.startswith("probe:") else "vjp"
    check.that(missing in error.message, f"expected an error that names {missing}, got: {error.message}")
    check.returned(without_cotangents(case))
    check.reach("a method" if missing == "call_vjp" else "a function")


class Refusal(NamedTuple):
    """A wrong cotangent and the call that has it."""

    case: Case
    wrong: WrongCotangent


@law("GRAD-21", cases=[Refusal(wrong.case, wrong) for wrong in WRONG])
def test_a_cotangent_of_another_form_is_refused(check: Check, item: Refusal) -> None:
    """TypeError or ValueError, as it is wrong, and the error says of which; with the right one the call works."""
    error = check.raised(item.case, item.wrong.kind)
    named = None if error.argument is None else error.argument.split("[")[0].split(".")[0]
    check.that(named in (None, item.wrong.parameter), f"the error is about {named}", item.wrong.parameter, named)
    check.gradients(item.wrong.right)
    check.reach(item.wrong.parameter)
