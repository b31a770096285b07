"""Gives the gradients of a case in a form that can be compared: zeros for None, or other names for the variables."""

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.law.laws import Check
from conformance.strategies.cotangents import has_gradient
from conformance.strategies.derive import argument
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Case, CellSpec
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as


def pulled(check: Check, case: Case, own: bool = False) -> Gradients:
    """The gradients of the case; zeros where an array could have one and has None.

    A library that finds no path from an array to a cotangent gives None for it; whether it may is for GRAD-6 alone.
    """
    found, given = check.gradients(case, own=own), argument(case, "initial_state")
    return Gradients(
        _filled(found.inputs, argument(case, "inputs")),
        None if given is None else _filled(found.initial_state, given),
        {name: _or_zeros(value, case.weights.get(name)) for name, value in found.variables.items()},
    )


def _filled(found: Any, given: Any) -> Any:
    if len(flatten(found)) != len(flatten(given)):
        return found  # of another structure, which a comparison tells
    pairs = zip(flatten(found), flatten(given), strict=True)
    return pack_sequence_as(found, [_or_zeros(one, other) for one, other in pairs])


def _or_zeros(found: Any, given: Any) -> Any:
    missing = found is None and given is not None and has_gradient(given.dtype)
    return np.zeros_like(given) if missing else found


def renamed(gradients: Gradients, rename: Callable[[str], str]) -> Gradients:
    """The gradients with other names of the variables."""
    return gradients._replace(variables={rename(name): value for name, value in gradients.variables.items()})


def kind_of(case: Case) -> str:
    """A label for the case's cell."""
    (spec,) = case.cells.values()
    inner = spec.children[0] if isinstance(spec, CellSpec) and spec.children else spec
    return str(spec.kind if inner is spec else f"{spec.kind} of {getattr(inner, 'kind', inner)}")
