"""Compares gradients: bit for bit for cells that pull back exactly, otherwise within the derived tolerance."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.law.laws import Check
from conformance.model.agreement import gradient_allowed, is_exact
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import map_structure


def same_gradients(
    check: Check, case: Case, got: Gradients, wanted: Gradients, *, sides: int = 1, where: str = ""
) -> None:
    """The same names of variables, and the same gradients, part by part as ``alike`` has it.

    Each of ``sides`` may be off by the tolerance: 2 where ``wanted`` is another implementation's. ``where`` stands
    before the places that are told.
    """
    _same_names(check, got, wanted, where)
    for (place, one), (_, other) in zip(parts(got), parts(wanted), strict=True):
        alike(check, case, one, other, where + place, sides)


def alike(check: Check, case: Case, got: Any, wanted: Any, where: str, sides: int = 1) -> None:
    """One part of two gradients: the same bits where the case's cells pull back exactly, but for the sign of a zero,
    which a sum with another zero loses; else within tolerance."""
    if is_exact(case):
        check.equal(positive_zeros(got), positive_zeros(wanted), where=where)
    else:
        check.close(got, wanted, lambda dtype: sides * gradient_allowed(case, dtype), where=where, whole=True)


def same_bits(check: Check, got: Gradients, wanted: Gradients) -> None:
    """The same names of variables, and the same gradients bit for bit."""
    _same_names(check, got, wanted)
    for (place, one), (_, other) in zip(parts(got), parts(wanted), strict=True):
        check.equal(one, other, where=place)


def _same_names(check: Check, got: Gradients, wanted: Gradients, where: str = "") -> None:
    check.equal(sorted(got.variables), sorted(wanted.variables), where=f"{where}gradients.variables")


def parts(gradients: Gradients, but: str = "") -> Iterator[tuple[str, Any]]:
    """The gradients of inputs, initial state and each variable, with their places; ``but`` leaves out a part."""
    for name in ("inputs", "initial_state"):
        if name != but:
            yield f"gradients.{name}", getattr(gradients, name)
    if but != "variables":
        for name, value in sorted(gradients.variables.items()):
            yield f"gradients.variables[{name!r}]", value


def positive_zeros(value: Any) -> Any:
    """-0.0 as +0.0: the sign of a product or sum of zeros depends on the library's order."""

    def positive(leaf: Any) -> Any:
        return np.where(leaf == 0, np.zeros_like(leaf), leaf) if isinstance(leaf, np.ndarray) else leaf

    return map_structure(positive, value)
