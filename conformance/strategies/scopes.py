"""Draws cells in scopes: calls under open scopes, with a name or a VariableScope as ``scope``, and two calls of one or
two cells."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from conformance.strategies.derive import the_call, with_arguments, with_scopes
from conformance.strategies.frame import call_of, choice, knob
from conformance.strategies.options import WEIGHTED, leaf, spec_cases
from conformance.strategies.probes import affine_cases
from dynamic_rnn_spec.case import Call, Case, CellRef, Scope

NAMES = ("mine", "a/b", "Enc.1", "x-y_z", "rnn")
OUTER: tuple[tuple[str, ...], ...] = (("outer",), ("o1", "o2"), ("deep/er",))

LEFT_OUT = "left out"
"""For ``given``: no argument ``scope``."""

_KNOBS: dict[str, Any] = {"batch": choice((2, 1)), "max_time": choice((2, 1, 3))}


def cells(**knobs: Any) -> st.SearchStrategy[Case]:
    """A cell with weights: an Affine, or a built-in one; the weights have names under rnn."""
    return affine_cases(**_KNOBS, **knobs) | spec_cases(leaf(choice(WEIGHTED)), **_KNOBS, **knobs)


def in_scope(case: Case, given: Any, outer: Sequence[str] = ()) -> Case:
    """The case with ``given`` as its scope (LEFT_OUT: none) and these scopes open around it."""
    scoped = case if given == LEFT_OUT else with_arguments(case, scope=given)
    return with_scopes(scoped, *map(Scope, outer))


def scoped(given: Any, outer: Any = (), **knobs: Any) -> st.SearchStrategy[Case]:
    """Calls in scopes, without weights."""
    bare = cells(**knobs).map(lambda case: case.replace(weights={}))
    return st.builds(in_scope, bare, knob(given), knob(outer))


def full_name(call: Call) -> str:
    """The scope of a call in full: a name goes on from the scopes that are open, a VariableScope has its own."""
    given = call.arguments.get("scope")
    if isinstance(given, Scope):
        return given.name
    return "/".join([*(scope.name for scope in call.outer_scopes), "rnn" if given is None else given])


def with_weights_under(case: Case, weights: Any, scope: str) -> Case:
    """The case with these weights, whose names are under rnn, under another scope."""
    moved = {scope + name[len("rnn") :]: value for name, value in weights.items()}
    return Case(case.cells, case.calls, moved)


def second_cell(case: Case, **changes: Any) -> Case:
    """A second call, of another cell of the same kind, with other arguments."""
    return other_cell(case, case.cells["cell"], **changes)


def other_cell(case: Case, spec: Any, **changes: Any) -> Case:
    """A second call, of a second cell."""
    return _second(case, {**case.cells, "other": spec}, {"cell": CellRef("other"), **changes})


def same_cell(case: Case, **changes: Any) -> Case:
    """A second call of the same cell, with other arguments."""
    return _second(case, case.cells, changes)


def _second(case: Case, cells: Any, changes: Any) -> Case:
    call = the_call(case)
    outer = [Scope(name, reuse) for name, reuse in changes.pop("outer")] if "outer" in changes else call.outer_scopes
    changed = {**call.arguments, **changes}
    arguments = {name: value for name, value in changed.items() if not (isinstance(value, str) and value == LEFT_OUT)}
    return Case(cells, [call, call_of(arguments, call.positional, outer)], case.weights)


def depth_of(case: Case) -> int:
    """The depth of the inputs."""
    return int(case.calls[0].arguments["inputs"].shape[-1])
