"""How gradients are held against one another: bit by bit for cells that pull back exactly, else within the derived
tolerance; it knows the case and no clause."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from conformance.agreement import gradient_allowed
from conformance.laws import Check
from conformance.strategies import argument
from conformance.strategies.cotangents import has_gradient
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Case, CellSpec
from dynamic_rnn_spec.structure import flatten, map_structure, pack_sequence_as


def pulled(check: Check, case: Case, own: bool = False) -> Gradients:
    """The gradients of the case; zeros where an array could have one and has None.

    A library that finds no way from an array to a cotangent gives None for it: that is GRAD-6's affair alone.
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


def parts(gradients: Gradients, but: str = "") -> Iterator[tuple[str, Any]]:
    """The gradients of inputs, initial state and each variable, with their places; ``but`` leaves out a part."""
    for name in ("inputs", "initial_state"):
        if name != but:
            yield f"gradients.{name}", getattr(gradients, name)
    if but != "variables":
        for name, value in sorted(gradients.variables.items()):
            yield f"gradients.variables[{name!r}]", value


def same(check: Check, case: Case, got: Gradients, wanted: Gradients, but: str = "") -> None:
    """The same names of variables, and the same gradients: as near as the arithmetic of the case allows."""
    check.equal(sorted(got.variables), sorted(wanted.variables), where="gradients.variables")
    wanted_parts = dict(parts(wanted, but))
    for where, value in parts(got, but):
        alike(check, case, value, wanted_parts[where], where)


def alike(check: Check, case: Case, got: Any, wanted: Any, where: str) -> None:
    """One part of two gradients: the same bits where the case's cells pull back exactly, but for the sign of a zero,
    which a sum with another zero loses; else within tolerance."""
    if is_exact_kind(case):
        check.equal(positive_zeros(got), positive_zeros(wanted), where=where)
    else:
        check.close(got, wanted, lambda dtype: gradient_allowed(case, dtype), where=where, whole=True)


def same_bits(check: Check, got: Gradients, wanted: Gradients, but: str = "") -> None:
    """The same names of variables, and the same gradients bit for bit."""
    check.equal(sorted(got.variables), sorted(wanted.variables), where="gradients.variables")
    wanted_parts = dict(parts(wanted, but))
    for where, value in parts(got, but):
        check.equal(value, wanted_parts[where], where=where)


def is_exact_kind(case: Case) -> bool:
    """Whether all cells of the case are probes, which pull back exactly."""
    return all(_is_probe(spec) for spec in case.cells.values())


def _is_probe(spec: Any) -> bool:
    if not isinstance(spec, CellSpec):
        return True
    return all(map(_is_probe, spec.children)) if spec.children else spec.kind.startswith("probe:")


def positive_zeros(value: Any) -> Any:
    """-0.0 as +0.0: the sign of a product or sum of zeros hangs on the library's order."""

    def positive(leaf: Any) -> Any:
        return np.where(leaf == 0, np.zeros_like(leaf), leaf) if isinstance(leaf, np.ndarray) else leaf

    return map_structure(positive, value)


def renamed(gradients: Gradients, rename: Callable[[str], str]) -> Gradients:
    """The gradients with other names of the variables."""
    return gradients._replace(variables={rename(name): value for name, value in gradients.variables.items()})


def kind_of(case: Case) -> str:
    """A label for the case's cell."""
    (spec,) = case.cells.values()
    inner = spec.children[0] if isinstance(spec, CellSpec) and spec.children else spec
    return str(spec.kind if inner is spec else f"{spec.kind} of {getattr(inner, 'kind', inner)}")
