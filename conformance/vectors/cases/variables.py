"""Defines the vectors of variables: names, shapes, order, dtypes, and initial values wherever they are not random."""

from collections.abc import Iterator
from typing import Any

from conformance.vectors.cases.builtin import BASIC, BASIC_LSTM, BATCH, CELLS, DEPTH, GRU, LSTM, STEPS, cell, stack
from conformance.vectors.cases.making import (
    FLOATS,
    Definition,
    affine,
    call,
    fractions,
    left_behind,
    one,
    rng_of,
    vector,
    weights_of,
    whole,
)
from dynamic_rnn_spec.case import Case, CellSpec, Function, Scope

CONSTANT = Function("constant", {"value": 0.25})
ONES, ZEROS = Function("ones"), Function("zeros")


def definitions() -> Iterator[Definition]:
    """All of this section."""
    inputs = fractions(rng_of("names"), (BATCH, STEPS, DEPTH))
    for name, (clauses, spec) in CELLS.items():
        named = " ".join(clause for clause in clauses.split() if clause.startswith("VAR")) or "VAR-4"
        yield vector(f"names/{name}", f"{named} VAR-9", one(spec, inputs, dtype="float32"), "shapes")
        scopes = [Scope("outer", initializer=CONSTANT)]
        case = Case({"cell": spec}, [call(inputs, scopes=scopes, dtype="float32")])
        yield vector(f"constant/{name}", f"{named} VAR-8 VAR-10", case)
    yield from _wrappers(inputs)
    yield from _classes()
    yield from _initializers(inputs)
    yield from _dtypes()
    yield from _weights(inputs)
    yield from _depth()


def _wrappers(inputs: Any) -> Iterator[Definition]:
    square = cell("LSTMCell", num_proj=DEPTH)
    for kind, options in (("DropoutWrapper", {}), ("ResidualWrapper", {}), ("DeviceWrapper", {"device": "/cpu:0"})):
        for name, inner in (("lstm", square), ("stack", stack(GRU, square))):
            case = one(CellSpec(kind, options, [inner]), inputs, dtype="float32")
            yield vector(f"wrappers/{kind}-{name}", "VAR-6", case, "shapes")


def _classes() -> Iterator[Definition]:
    inputs = whole(rng_of("classes"), (2, 3, 2))
    snakes = ("MyCellTwo", "Affine", "LSTMLikeCell", "cell", "HTTPCell2", "A1B2", "_Hidden", "Already_Snake")
    for name in snakes:
        case = one(affine(class_name=name), inputs, dtype="float32")
        yield vector(f"classes/{name}", "VAR-7", case, "shapes")


def _initializers(inputs: Any) -> Iterator[Definition]:
    everything = {"use_peepholes": True, "num_proj": 2}
    cells: dict[str, tuple[str, CellSpec]] = {
        "lstm-own": ("VAR-11", cell("LSTMCell", initializer=CONSTANT)),
        "lstm-own-everything": ("VAR-11", cell("LSTMCell", initializer=ONES, **everything)),
        "gru-kernel": ("VAR-12 VAR-8", cell("GRUCell", kernel_initializer=CONSTANT)),
        "gru-both": ("VAR-12", cell("GRUCell", kernel_initializer=CONSTANT, bias_initializer=ZEROS)),
        "gru-both-ones": ("VAR-12", cell("GRUCell", kernel_initializer=ZEROS, bias_initializer=CONSTANT)),
    }
    for name, (clauses, spec) in cells.items():
        yield vector(f"initializers/{name}", clauses, one(spec, inputs, dtype="float32"))
        scopes = [Scope("outer", initializer=Function("constant", {"value": -0.5}))]
        case = Case({"cell": spec}, [call(inputs, scopes=scopes, dtype="float32")])
        yield vector(f"initializers/{name}-in-a-scope", f"{clauses} VAR-10", case)
    bias = cell("GRUCell", bias_initializer=CONSTANT)
    yield vector("initializers/gru-bias", "VAR-12", one(bias, inputs, dtype="float32"), "shapes")
    scope = Scope("here", initializer=CONSTANT)
    yield vector("initializers/scope-argument", "VAR-10 SCOPE-2", one(LSTM, inputs, dtype="float32", scope=scope))


def _dtypes() -> Iterator[Definition]:
    for dtype in FLOATS:
        for name, spec in (("basic", BASIC), ("gru", GRU), ("lstm", cell("LSTMCell", use_peepholes=True, num_proj=2))):
            inputs = fractions(rng_of("dtypes"), (2, 2, DEPTH), dtype)
            yield vector(f"dtypes/{name}-{dtype}", "VAR-13", one(spec, inputs, dtype=dtype), "shapes")


def _weights(inputs: Any) -> Iterator[Definition]:
    for name, spec in (("basic", BASIC), ("gru", GRU), ("basic-lstm", BASIC_LSTM), ("lstm", LSTM)):
        rng = rng_of(f"weights/{name}")
        weights = weights_of(rng, spec, DEPTH)
        yield vector(f"weights/{name}", "VAR-14", one(spec, inputs, weights, dtype="float32"))
        first = next(iter(weights))
        wrong = {**weights, first: weights[first][:-1]}
        case = one(spec, inputs, wrong, dtype="float32")
        yield vector(f"weights/{name}-wrong-shape", "VAR-14 ERR-3", case, overruled=left_behind("ValueError"))


def _depth() -> Iterator[Definition]:
    for name, spec in (("basic", BASIC), ("gru", GRU), ("lstm", LSTM), ("stack", stack(GRU, LSTM))):
        rng = rng_of(f"depth/{name}")
        calls = [call(fractions(rng, (2, 3, depth)), dtype="float32") for depth in (DEPTH, DEPTH + 1)]
        yield vector(f"depth/{name}", "VAR-16", Case({"cell": spec}, calls, weights_of(rng, spec, DEPTH)))
