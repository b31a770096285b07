"""Defines the vectors of the wrappers: dropout with its noise, residuals and devices."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from conformance.strategies.builtin import output_width, state_sizes
from conformance.vectors.cases.builtin import BASIC, BASIC_LSTM, BATCH, DEPTH, EVERYTHING, GRU, LSTM, STEPS, cell, stack
from conformance.vectors.cases.making import Definition, fractions, one, rng_of, start_of, vector, weights_of
from dynamic_rnn_spec.case import CellSpec, DType, Function
from dynamic_rnn_spec.vocabulary.structure import flatten

INPUT, STATE, OUTPUT = "input_keep_prob", "state_keep_prob", "output_keep_prob"
TWO = stack(LSTM, GRU)
DROPPED: dict[str, tuple[str, CellSpec, dict[str, Any]]] = {
    "input": ("EQ-9", LSTM, {INPUT: 0.5}),
    "output": ("EQ-9", GRU, {OUTPUT: 0.5}),
    "state": ("EQ-9", BASIC, {STATE: 0.5}),
    "state-lstm": ("EQ-9 EQ-20", LSTM, {STATE: 0.5}),
    "state-stack": ("EQ-9 EQ-20", TWO, {STATE: 0.5}),
    "state-gru": ("EQ-20", GRU, {STATE: 0.25}),
    "all": ("EQ-9 EQ-20", BASIC_LSTM, {INPUT: 0.75, OUTPUT: 0.5, STATE: 0.25}),
    "everything": ("EQ-9 EQ-20", EVERYTHING, {INPUT: 0.75, OUTPUT: 0.5, STATE: 0.25}),
    "drop-all": ("EQ-20", LSTM, {STATE: 0.5, "dropout_state_filter_visitor": Function("drop_all")}),
    "drop-all-stack": ("EQ-20", TWO, {STATE: 0.5, "dropout_state_filter_visitor": Function("drop_all")}),
    "drop-none": ("EQ-20", LSTM, {STATE: 0.5, "dropout_state_filter_visitor": Function("drop_none")}),
    "keep-1": ("EQ-19", LSTM, {INPUT: 1.0, OUTPUT: 1.0, STATE: 1.0}),
    "keep-1-but-output": ("EQ-19 EQ-9", BASIC, {INPUT: 1.0, OUTPUT: 0.5, STATE: 1.0}),
    "defaults": ("EQ-19", GRU, {}),
    "variational-all": ("EQ-10", GRU, {INPUT: 0.5, OUTPUT: 0.5, STATE: 0.75, "variational_recurrent": True}),
    "variational-output": ("EQ-10", BASIC, {OUTPUT: 0.5, "variational_recurrent": True}),
    "variational-state": ("EQ-10 EQ-20", LSTM, {STATE: 0.5, "variational_recurrent": True}),
}


def definitions() -> Iterator[Definition]:
    """All of this section."""
    for name, (clauses, inner, options) in DROPPED.items():
        for dtype, ragged in (("float32", False), ("float32", True), ("float64", True), ("float16", False)):
            text = f"dropout/{name}-{dtype}-{'ragged' if ragged else 'all'}"
            spec = dropped(rng_of(text + "/noise"), inner, dtype, options)
            yield _case(text, f"{clauses} VAR-6", spec, inner, dtype, ragged)
    yield from _probabilities()
    yield from _residuals()
    yield from _devices()
    yield from _nested()


def dropped(
    rng: np.random.RandomState, inner: CellSpec, dtype: str, options: Mapping[str, Any], depth: int = DEPTH
) -> CellSpec:
    """``inner`` in a DropoutWrapper, with the noise for every step, or for all of them."""
    variational = bool(options.get("variational_recurrent"))
    leading = (1,) if variational else (STEPS, BATCH)
    widths = {"input": [depth], "state": flatten(state_sizes(inner)), "output": [output_width(inner)]}
    noise = {what: [rng.random_sample((*leading, size)) for size in sizes] for what, sizes in widths.items()}
    told: dict[str, Any] = {}
    if variational:
        told["dtype"] = DType(dtype)
        if options.get(INPUT, 1.0) < 1:
            told["input_size"] = depth
    return CellSpec("DropoutWrapper", {**options, **told, "noise": noise}, [inner])


def _case(
    name: str, clauses: str, spec: CellSpec, inner: CellSpec, dtype: str, ragged: bool, depth: int = DEPTH
) -> Definition:
    rng = rng_of(name)
    inputs, weights = fractions(rng, (BATCH, STEPS, depth), dtype), weights_of(rng, inner, depth, dtype)
    arguments: dict[str, Any] = {"dtype": dtype}
    if ragged:
        arguments = {
            "sequence_length": np.array([3, 0, 5, 1], np.int32),
            "initial_state": start_of(rng, inner, BATCH, dtype),
        }
    return vector(name, clauses, one(spec, inputs, weights, **arguments))


def _probabilities() -> Iterator[Definition]:
    inputs = fractions(rng_of("probabilities"), (BATCH, STEPS, DEPTH))
    for option in (INPUT, STATE, OUTPUT):
        for value in (-0.1, 1.5):
            spec = CellSpec("DropoutWrapper", {option: value}, [LSTM])
            yield vector(f"keep/{option}-{value}", "EQ-18", one(spec, inputs, dtype="float32"))


def _residuals() -> Iterator[Definition]:
    for name, inner in (("basic", BASIC), ("gru", GRU), ("lstm", LSTM), ("stack", TWO)):
        depth = output_width(inner)
        for function in (None, "add_twice"):
            for ragged in (False, True):
                dtype = "float64" if ragged else "float32"
                options = {} if function is None else {"residual_fn": Function(function)}
                text = f"residual/{name}-{function or 'default'}-{dtype}"
                spec = CellSpec("ResidualWrapper", options, [inner])
                yield _case(text, "EQ-11 VAR-6", spec, inner, dtype, ragged, depth)


def _devices() -> Iterator[Definition]:
    for name, inner in (("basic", BASIC), ("lstm", LSTM), ("stack", TWO)):
        for ragged in (False, True):
            dtype = "float32" if ragged else "float64"
            spec = CellSpec("DeviceWrapper", {"device": "/cpu:0"}, [inner])
            yield _case(f"device/{name}-{dtype}", "EQ-12 VAR-6", spec, inner, dtype, ragged)


def _nested() -> Iterator[Definition]:
    square = cell("LSTMCell", num_proj=2)
    rng = rng_of("nested")
    both = dropped(rng, square, "float32", {OUTPUT: 0.5, INPUT: 0.5})
    residual = CellSpec("ResidualWrapper", {}, [both])
    device = CellSpec("DeviceWrapper", {"device": "/cpu:0"}, [residual])
    yield _case("nested/device-residual-dropout", "EQ-9 EQ-11 EQ-12 VAR-6", device, square, "float32", True)
    layers = [dropped(rng, LSTM, "float32", {OUTPUT: 0.5}), CellSpec("ResidualWrapper", {}, [GRU])]
    yield _case("nested/layers", "EQ-8 EQ-9 EQ-11 VAR-5 VAR-6", stack(*layers), stack(LSTM, GRU), "float32", True)
