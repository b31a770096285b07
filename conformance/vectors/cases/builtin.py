"""Defines the vectors of the built-in cells: every cell, option and precision, on whole and ragged batches."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.vectors.cases.making import (
    FLOATS,
    Definition,
    Refused,
    fractions,
    left_behind,
    one,
    overruled,
    rng_of,
    start_of,
    vector,
    weights_of,
    whole,
)
from dynamic_rnn_spec.case import CellSpec, Function

KINDS = ("BasicRNNCell", "GRUCell", "BasicLSTMCell", "LSTMCell")
UNITS, DEPTH, BATCH, STEPS = 3, 2, 4, 5


def cell(kind: str, **options: Any) -> CellSpec:
    """A built-in cell of UNITS units."""
    return CellSpec(kind, {"num_units": UNITS, **options})


def stack(*children: Any, **options: Any) -> CellSpec:
    """A MultiRNNCell."""
    return CellSpec("MultiRNNCell", options, children)


LSTM, BASIC_LSTM, GRU, BASIC = (cell(kind) for kind in ("LSTMCell", "BasicLSTMCell", "GRUCell", "BasicRNNCell"))
EVERYTHING = cell("LSTMCell", use_peepholes=True, cell_clip=0.5, num_proj=2, proj_clip=0.25, forget_bias=0.5)

CELLS: dict[str, tuple[str, CellSpec]] = {
    "basic": ("EQ-1 VAR-1", BASIC),
    "gru": ("EQ-2 VAR-2", GRU),
    "basic-lstm": ("EQ-3 EQ-14 VAR-3 STATE-5", BASIC_LSTM),
    "lstm": ("EQ-4 EQ-14 VAR-4 STATE-5", LSTM),
    "lstm-peepholes": ("EQ-5 VAR-4", cell("LSTMCell", use_peepholes=True)),
    "lstm-cell-clip": ("EQ-6", cell("LSTMCell", cell_clip=0.25)),
    "lstm-peepholes-clip": ("EQ-5 EQ-6", cell("LSTMCell", use_peepholes=True, cell_clip=0.25)),
    "lstm-projection": ("EQ-7 VAR-4", cell("LSTMCell", num_proj=2)),
    "lstm-wide-projection": ("EQ-7", cell("LSTMCell", num_proj=5)),
    "lstm-proj-clip": ("EQ-7", cell("LSTMCell", num_proj=2, proj_clip=0.125)),
    "lstm-everything": ("EQ-5 EQ-6 EQ-7 EQ-14 VAR-4", EVERYTHING),
    "lstm-proj-clip-alone": ("EQ-17", cell("LSTMCell", proj_clip=0.125)),
    "lstm-forget-0": ("EQ-14", cell("LSTMCell", forget_bias=0.0)),
    "basic-lstm-forget-2.5": ("EQ-14", cell("BasicLSTMCell", forget_bias=2.5)),
    "lstm-array": ("EQ-15 STATE-6", cell("LSTMCell", state_is_tuple=False)),
    "basic-lstm-array": ("EQ-15 STATE-6", cell("BasicLSTMCell", state_is_tuple=False)),
    "lstm-array-projection": ("EQ-15", cell("LSTMCell", state_is_tuple=False, num_proj=2, use_peepholes=True)),
    "lstm-shards": ("VAR-15", cell("LSTMCell", num_unit_shards=3)),
    "lstm-proj-shards": ("VAR-15 EQ-7", cell("LSTMCell", num_unit_shards=2, num_proj=2, num_proj_shards=2)),
    "stack-of-lstm": ("EQ-8 VAR-5 STATE-4", stack(LSTM, BASIC_LSTM)),
    "stack-of-one": ("EQ-8 VAR-5 STATE-4", stack(LSTM)),
    "stack-of-gru": ("EQ-8 VAR-5", stack(GRU, CellSpec("GRUCell", {"num_units": 1}), GRU)),
    "stack-of-all": ("EQ-8 VAR-5", stack(BASIC, GRU, BASIC_LSTM, EVERYTHING)),
    "stack-in-a-stack": ("EQ-8 VAR-5", stack(stack(LSTM, GRU), BASIC)),
    "stack-array": ("EQ-8", stack(BASIC, GRU, state_is_tuple=False)),
    "stack-array-lstm": ("EQ-8 EQ-15", stack(cell("LSTMCell", state_is_tuple=False), GRU, state_is_tuple=False)),
}
ACTIVATIONS = ("relu", "identity", "sigmoid", "softsign")


def definitions() -> Iterator[Definition]:
    """All of this section."""
    for name, (clauses, spec) in CELLS.items():
        yield from _computed(name, clauses, spec)
    for kind, name in zip(KINDS, ("basic", "gru", "basic-lstm", "lstm"), strict=True):
        for activation in ACTIVATIONS:
            spec = cell(kind, activation=Function(activation))
            yield _case(f"{name}-{activation}", "EQ-13", spec, "float32", True)
    peepholes = cell("LSTMCell", activation=Function("softsign"), use_peepholes=True, num_proj=2)
    yield _case("lstm-peepholes-softsign", "EQ-13 EQ-5 EQ-7", peepholes, "float64", True)
    yield from _long()
    yield from _unequal()


def _case(name: str, clauses: str, spec: CellSpec, dtype: str, ragged: bool, major: bool = False) -> Definition:
    text = f"{name}/{dtype}-{'ragged' if ragged else 'all'}"
    rng = rng_of(text)
    inputs = fractions(rng, (STEPS, BATCH, DEPTH) if major else (BATCH, STEPS, DEPTH), dtype)
    weights = weights_of(rng, spec, DEPTH, dtype)
    arguments: dict[str, Any] = {"dtype": dtype}
    if ragged:
        arguments = {
            "sequence_length": np.array([3, 0, 5, 1], np.int32),
            "initial_state": start_of(rng, spec, BATCH, dtype),
        }
    if major:
        arguments.update(time_major=True)
    return vector(text, f"{clauses} EQ-16 VAR-13", one(spec, inputs, weights, **arguments))


def _computed(name: str, clauses: str, spec: CellSpec) -> Iterator[Definition]:
    for dtype in FLOATS:
        for ragged in (False, True):
            yield _case(name, clauses, spec, dtype, ragged, major=ragged and dtype == "float64")


def _long() -> Iterator[Definition]:
    for name, spec in (("basic", BASIC), ("gru", GRU), ("lstm", LSTM)):
        rng = rng_of(f"long/{name}")
        inputs, weights = fractions(rng, (2, 40, DEPTH), "float64"), weights_of(rng, spec, DEPTH, "float64")
        clauses = {"basic": "EQ-1", "gru": "EQ-2", "lstm": "EQ-4"}[name]
        case = one(spec, inputs, weights, dtype="float64", sequence_length=[40, 17])
        yield vector(f"long/{name}", f"{clauses} SEQ-4 SEQ-5", case)
    rng = rng_of("example-1")
    inputs, weights = fractions(rng, (BATCH, STEPS, DEPTH)), weights_of(rng, BASIC, DEPTH)
    case = one(BASIC, inputs, weights, initial_state=np.zeros((BATCH, UNITS), np.float32), dtype="float32")
    yield vector("example-1", "EX-1", case)


def _unequal() -> Iterator[Definition]:
    for kind in KINDS:
        spec = cell(kind)
        for x, h in (("float32", "float64"), ("float64", "float32"), ("float16", "float32")):
            name = f"unequal/{kind}-{x}-{h}"
            rng = rng_of(name)
            state = start_of(rng, spec, BATCH, h)
            case = one(spec, fractions(rng, (BATCH, STEPS, DEPTH), x), initial_state=state, dtype=h)
            yield vector(name, "EQ-21 ERR-3", case, overruled=left_behind("TypeError"))
        for x in ("int32", "int64"):
            case = one(spec, whole(rng_of("integers"), (BATCH, STEPS, DEPTH), x), dtype="float32")
            reason = "TensorFlow raises a ValueError about an initializer inside a loop"
            other = overruled("EQ-22", reason, Refused("TypeError"))
            yield vector(f"integers/{kind}-{x}", "EQ-22", case, overruled=other)
