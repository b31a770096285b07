"""Defines the vectors of gradients of probe cells, which are whole numbers and so exact."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.strategies.builtin import output_width, state_sizes, weight_shapes
from conformance.vectors.cases.builtin import BATCH, DEPTH, stack
from conformance.vectors.cases.making import Array, Definition, call, echo, last_input, rng_of, vector
from conformance.vectors.cases.wrappers import dropped
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec, Cotangents
from dynamic_rnn_spec.vocabulary.structure import map_structure


def linear(units: int = 2) -> CellSpec:
    """The probe whose gradients are whole numbers."""
    return CellSpec("probe:Linear", {"units": units})


def definitions() -> Iterator[Definition]:
    """All of this part."""
    lengths = np.array([2, 0, 3, -1], np.int32)
    for dtype in ("float16", "float32", "float64"):
        yield _exact(f"linear/ragged-{dtype}", "GRAD-5 GRAD-7 GRAD-9 GRAD-10", linear(), dtype, sequence_length=lengths)
    yield _exact("linear/all", "GRAD-5", linear())
    yield _exact("linear/no-state", "GRAD-5 GRAD-2", linear(), state=False, sequence_length=lengths)
    yield _exact("linear/d_outputs", "GRAD-5 GRAD-6", linear(), wanted="d_outputs", sequence_length=lengths)
    yield _exact("linear/d_state", "GRAD-5 GRAD-6", linear(), wanted="d_state", sequence_length=lengths)
    yield _exact("linear/time-major", "GRAD-5 GRAD-13", linear(), sequence_length=lengths, time_major=True)
    yield _exact("linear/parallel-1", "GRAD-5 GRAD-15", linear(), sequence_length=lengths, parallel_iterations=1)
    yield _exact("linear/none", "GRAD-5 GRAD-10", linear(), sequence_length=np.zeros(BATCH, np.int64))
    yield _exact("linear/one-unit", "GRAD-5", linear(1), "float64", sequence_length=lengths)
    layers = stack(linear(2), linear(3))  # one step at a time, else a layer may be ahead of the next in the trace
    yield _exact("linear/stack", "GRAD-5", layers, "float64", sequence_length=lengths, parallel_iterations=1)
    scaled = {"input_keep_prob": 0.5, "output_keep_prob": 0.5, "state_keep_prob": 0.5}
    dropout = dropped(rng_of("linear"), linear(), "float64", scaled)
    yield _exact("linear/dropout", "GRAD-5 GRAD-17", dropout, "float64", sequence_length=lengths)
    yield from _copying(lengths)


def _copying(lengths: Array) -> Iterator[Definition]:
    """Probes without weights, on inputs of rank 4 and on whole numbers, which have no gradient."""
    rng = rng_of("gradients/copying")
    inputs, d_outputs, d_state = (_small(rng, shape, "float32") for shape in ((4, 3, 2, 2), (4, 3, 2, 2), (4, 1)))
    one = call(inputs, dtype="float32", sequence_length=lengths)
    asked = Cotangents(d_outputs, d_state)
    yield vector("copying/echo", "GRAD-5 GRAD-7", Case({"cell": echo(2, 2)}, [one.replace(cotangents=asked)]))
    for dtype in ("float64", "int32"):
        inputs, state, d_outputs, d_state = (_small(rng, s, dtype) for s in ((4, 3, 2), (4, 2), (4, 3, 2), (4, 2)))
        one = call(inputs, initial_state=state, sequence_length=lengths)
        asked = Cotangents(d_outputs, d_state) if dtype == "float64" else Cotangents(None, None)
        clauses = "GRAD-5 GRAD-10" if dtype == "float64" else "GRAD-5 GRAD-2"
        case = Case({"cell": last_input(2)}, [one.replace(cotangents=asked)])
        yield vector(f"copying/last-input-{dtype}", clauses, case)


def _exact(
    name: str,
    clauses: str,
    spec: CellSpec,
    dtype: str = "float32",
    state: bool = True,
    wanted: str = "d_outputs d_state",
    **arguments: Any,
) -> Definition:
    rng, steps = rng_of(f"gradients/{name}"), 3
    shape = (steps, BATCH) if arguments.get("time_major") else (BATCH, steps)
    sizes = state_sizes(spec)

    def a_state() -> Any:
        return map_structure(lambda size: _small(rng, (BATCH, size), dtype), sizes)

    given = {"dtype": dtype, "inputs": _small(rng, (*shape, DEPTH), dtype), **arguments}
    if state:
        given["initial_state"] = a_state()
    weights = {n: _small(rng, s, dtype) for n, s in weight_shapes(spec, DEPTH).items()}
    outputs = _small(rng, (*shape, output_width(spec)), dtype)
    asked = Cotangents(outputs if "d_outputs" in wanted else None, a_state() if "d_state" in wanted else None)
    call = Call({"cell": CellRef("cell"), **given}, cotangents=asked)
    return vector(name, clauses, Case({"cell": spec}, [call], weights))


def _small(rng: np.random.RandomState, shape: Any, dtype: str) -> Array:
    """Whole numbers from -2 to 2."""
    return rng.randint(-2, 3, tuple(shape)).astype(dtype)
