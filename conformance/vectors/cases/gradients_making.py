"""Makes what the vectors of gradients are built from: calls of built-in cells with cotangents."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.strategies.builtin import output_width
from conformance.vectors.cases.builtin import BATCH, DEPTH, STEPS
from conformance.vectors.cases.making import (
    Array,
    Definition,
    call,
    fractions,
    rng_of,
    start_of,
    vector,
    weights_of,
)
from dynamic_rnn_spec.case import Case, CellSpec, Cotangents

LENGTHS = np.array([3, 0, 5, 1], np.int32)


def pulled(name: str, clauses: str, spec: CellSpec, dtype: str = "float32", **told: Any) -> Definition:
    """A vector of ``pulled_case`` that witnesses GRAD-4 and ``clauses``."""
    return vector(name, f"GRAD-4 {clauses}", pulled_case(name, spec, dtype, **told))


def pulled_case(
    name: str,
    spec: CellSpec,
    dtype: str = "float32",
    *,
    ragged: bool = True,
    inner: CellSpec | None = None,
    cells: Mapping[str, CellSpec] | None = None,
    depth: int = DEPTH,
    weights: Mapping[str, Array] | None = None,
    steps: int = STEPS,
    batch: int = BATCH,
    under: str = "rnn",
    wanted: str = "d_outputs d_state",
    **arguments: Any,
) -> Case:
    """One call with cotangents.

    Args:
        name: what the arrays are drawn by.
        spec, dtype: the cell, and the dtype of all arrays.
        ragged: with LENGTHS and an initial state, unless ``arguments`` have others; else with ``dtype``.
        inner: the cell whose sizes ``spec`` has, where ``spec`` is a wrapper or has shared cells.
        cells: the cells by name, if not ``spec`` alone.
        depth, steps, batch: sizes of the inputs.
        weights: if not drawn; ``under`` is the scope of those that are.
        wanted: which cotangents are given.
    """
    rng, like = rng_of(f"gradients/{name}"), inner or spec
    given: dict[str, Any] = {"dtype": dtype}
    if ragged:
        given = {"sequence_length": LENGTHS, "initial_state": start_of(rng, like, batch, dtype)}
    given.update(arguments)
    major = bool(given.get("time_major"))
    shape = (steps, batch) if major else (batch, steps)
    inputs = fractions(rng, (*shape, depth), dtype)
    if weights is None:
        weights = weights_of(rng, like, depth, dtype, under)
    outputs = fractions(rng, (*shape, output_width(like)), dtype)
    state = start_of(rng, like, batch, dtype)
    asked = Cotangents(outputs if "d_outputs" in wanted else None, state if "d_state" in wanted else None)
    one = call(inputs, **given).replace(cotangents=asked)
    return Case(cells or {"cell": spec}, [one], weights)


def asked_of(case: Case) -> Cotangents:
    """The cotangents of a case's one call."""
    (one,) = case.calls
    assert one.cotangents is not None, "a case of pulled_case asks for gradients"
    return one.cotangents


def asking(case: Case, cotangents: Cotangents) -> Case:
    """The case with other cotangents."""
    (one,) = case.calls
    return Case(case.cells, [one.replace(cotangents=cotangents)], case.weights)
