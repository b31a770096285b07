"""Holds implementations to CELL-2, 3 and 10 to 13 (what is refused as a cell, and what a cell may not do) by the error
that each wrong cell raises."""

import re

from conformance.law.laws import Check, law
from conformance.strategies.frame import choice
from conformance.strategies.lengths import ANY
from conformance.strategies.probes import rogue_cases
from conformance.strategies.wrong import around, wrong_cases
from dynamic_rnn_spec.case import Case

RAGGED_OR_NOT = choice(ANY)


@law("CELL-2", cases=lambda: [variant for case in wrong_cases("CELL-2") for variant in around(case)])
def test_what_is_no_cell_is_refused(check: Check, case: Case) -> None:
    """TypeError for an int, None, a string, a class, a list of cells, a function; one that is about the cell."""
    error = check.raised(case, "TypeError")
    message = f"a TypeError by accident, which does not speak of the cell: {error.message!r}"
    check.that(re.search(r"\bcell\b", error.message) is not None, message, "a message about the cell", error.message)
    check.reach("no cell")


@law("CELL-3", cases=lambda: [variant for case in wrong_cases("CELL-3") for variant in around(case)])
def test_a_look_alike_is_refused(check: Check, case: Case) -> None:
    """TypeError for an object with all of the protocol that is no RNNCell."""
    check.raised(case, "TypeError")
    check.reach("look-alike")


@law("CELL-10", cases=rogue_cases("state_list", lengths=RAGGED_OR_NOT))
def test_a_state_of_another_container_is_refused(check: Check, case: Case) -> None:
    """A list where the state is a tuple: TypeError."""
    check.raised(case, "TypeError")
    check.reach("a list")


@law("CELL-10", cases=rogue_cases(choice(("state_missing", "state_extra")), lengths=RAGGED_OR_NOT))
def test_a_state_of_another_count_is_refused(check: Check, case: Case) -> None:
    """A part too few or too many: ValueError."""
    check.raised(case, "ValueError")
    check.reach(case.cells["cell"].options["fault"])


@law("CELL-11", cases=rogue_cases(choice(("state_shape", "state_dtype")), lengths=RAGGED_OR_NOT))
def test_a_state_of_another_shape_or_dtype_is_refused(check: Check, case: Case) -> None:
    """An error of any kind, and nothing is returned."""
    check.raised(case, ("TypeError", "ValueError", "other"))
    check.reach(case.cells["cell"].options["fault"])


@law("CELL-12", cases=rogue_cases(choice(("output_missing", "output_extra")), lengths=RAGGED_OR_NOT))
def test_surplus_or_missing_outputs_are_refused(check: Check, case: Case) -> None:
    """ValueError, and no output is dropped or made up."""
    check.raised(case, "ValueError")
    check.reach(case.cells["cell"].options["fault"])


@law("CELL-13", cases=rogue_cases("raises", lengths=RAGGED_OR_NOT))
def test_an_exception_of_the_cell_reaches_the_caller(check: Check, case: Case) -> None:
    """Its own class and message, not those of a wrapper."""
    error = check.raised(case, "other")
    name, message = error.native.rsplit(".", 1)[-1], "the probe cell raises on purpose"
    check.that(name == "ProbeError", f"expected ProbeError, got {error.native}", "ProbeError", error.native)
    check.that(error.message == message, f"expected {message!r}, got {error.message!r}", message, error.message)
    check.reach("raises")
