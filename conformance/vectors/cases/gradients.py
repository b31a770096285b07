"""Defines the vectors of gradients: cotangents pulled back through every cell and option, and through what a call is
given besides its cell."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from conformance.strategies.builtin import output_width
from conformance.vectors.cases import gradients_exact, gradients_padding
from conformance.vectors.cases.builtin import (
    ACTIVATIONS,
    BASIC,
    CELLS,
    DEPTH,
    EVERYTHING,
    GRU,
    KINDS,
    LSTM,
    cell,
    stack,
)
from conformance.vectors.cases.gradients_making import LENGTHS, asked_of, asking, pulled, pulled_case
from conformance.vectors.cases.making import (
    Definition,
    Like,
    overruled,
    rng_of,
    start_of,
    vector,
    weights_of,
)
from conformance.vectors.cases.wrappers import DROPPED, TWO, dropped
from dynamic_rnn_spec.case import Case, CellRef, CellSpec, Cotangents, Function, Scope

BOTH = {"basic": BASIC, "gru": GRU, "lstm": LSTM}


def definitions() -> Iterator[Definition]:
    """All of this section."""
    yield from _cells()
    yield from _activations()
    yield from _clipped()
    yield from _lengths()
    yield from _cotangents()
    yield from _calls()
    yield from _wrappers()
    yield from _shared()
    yield from _again()
    yield from gradients_padding.definitions()
    yield from gradients_exact.definitions()


def _cells() -> Iterator[Definition]:
    for name, (_, spec) in CELLS.items():
        clipped = " GRAD-11" if "clip" in name or "everything" in name else ""
        yield pulled(f"cells/{name}-ragged", f"GRAD-1 GRAD-3 GRAD-9{clipped}", spec)
        yield pulled(f"cells/{name}-all", f"GRAD-2 GRAD-3{clipped}", spec, "float64", ragged=False)
    for name, spec in {**BOTH, "everything": EVERYTHING, "stack": TWO}.items():
        yield pulled(f"cells/{name}-float16", "GRAD-1 GRAD-9", spec, "float16")
    for name, spec in BOTH.items():
        yield pulled(f"long/{name}", "GRAD-9", spec, "float64", sequence_length=[20, 9], steps=20, batch=2)


def _activations() -> Iterator[Definition]:
    for kind, name in zip(KINDS, ("basic", "gru", "basic-lstm", "lstm"), strict=True):
        for activation in ACTIVATIONS:
            yield pulled(f"activations/{name}-{activation}", "GRAD-9", cell(kind, activation=Function(activation)))
    peepholes = cell("LSTMCell", activation=Function("softsign"), use_peepholes=True, num_proj=2)
    yield pulled("activations/lstm-peepholes-softsign", "GRAD-9", peepholes, "float64")


def _clipped() -> Iterator[Definition]:
    """At a clip and at the kink of relu themselves: with open gates and no input the state stays what it was."""
    at = np.array([[0.5, -0.5, 0.75], [0.25, -0.75, 0.0]], np.float32)
    open_gates = np.repeat(np.array([-100.0, 0.0, 100.0, 100.0], np.float32), 3)  # i, j, f, o
    several: dict[str, dict[str, Any]] = {
        "cell": {"cell_clip": 0.5},
        "proj": {"num_proj": 3, "proj_clip": 0.5, "activation": Function("identity")},
        "both": {"num_proj": 3, "proj_clip": 0.25, "cell_clip": 0.5, "activation": Function("identity")},
    }
    for name, options in several.items():
        spec = cell("LSTMCell", **options)
        weights = weights_of(rng_of(f"clip/at-the-{name}-clip"), spec, DEPTH)
        base = "rnn/lstm_cell/"
        weights[base + "kernel"] = np.zeros_like(weights[base + "kernel"])
        weights[base + "bias"] = open_gates
        if "num_proj" in options:
            weights[base + "projection/kernel"] = np.eye(3, dtype=np.float32)
        state = start_of(rng_of(name), spec, 2)._replace(c=at)
        arguments = {"initial_state": state, "sequence_length": [2, 3], "steps": 3, "batch": 2}
        yield pulled(f"clip/at-the-{name}-clip", "GRAD-11", spec, weights=weights, **arguments)
    relu = cell("BasicRNNCell", activation=Function("relu"))
    zeros = {name: np.zeros_like(value) for name, value in weights_of(rng_of("relu"), relu, DEPTH).items()}
    yield pulled("clip/at-the-kink-of-relu", "GRAD-11", relu, weights=zeros)


def _lengths() -> Iterator[Definition]:
    several: dict[str, tuple[str, Any]] = {
        "none": ("GRAD-3 GRAD-7 GRAD-10", np.array([0, 0, 0, 0], np.int32)),
        "negative": ("GRAD-7 GRAD-10", np.array([-1, 4, 0, -7], np.int64)),
        "beyond": ("GRAD-9", np.array([9, 5, 6, 2], np.int32)),
        "same": ("GRAD-9", np.array([3, 3, 3, 3], np.int64)),
    }
    for name, spec in {**BOTH, "stack": TWO}.items():
        for text, (clauses, lengths) in several.items():
            if name != "stack" or text == "none":
                yield pulled(f"lengths/{name}-{text}", clauses, spec, sequence_length=lengths)
        yield pulled(f"lengths/{name}-no-state", "GRAD-2 GRAD-7 GRAD-9", spec, sequence_length=LENGTHS, ragged=False)


def _cotangents() -> Iterator[Definition]:
    for name, spec in {**BOTH, "everything": EVERYTHING, "stack": TWO}.items():
        for text in ("d_outputs", "d_state"):
            yield pulled(f"cotangents/{name}-{text}", "GRAD-6", spec, wanted=text)
        case = pulled_case(f"cotangents/{name}-neither", spec)
        zeros = asking(case, Cotangents(np.zeros_like(asked_of(case).outputs), None))
        other = overruled("GRAD-6", "tf.gradients of nothing gives nothing", Like(zeros))
        yield vector(f"cotangents/{name}-neither", "GRAD-6", asking(case, Cotangents(None, None)), overruled=other)
    case = pulled_case("cotangents/lstm-leaf", LSTM)
    state = asked_of(case).state
    for text, part in {"c": state._replace(h=None), "h": state._replace(c=None)}.items():
        yield vector(f"cotangents/lstm-leaf-{text}", "GRAD-4 GRAD-6", asking(case, Cotangents(None, part)))
    case = pulled_case("cotangents/stack-leaf", TWO)
    (lower, upper), outputs = asked_of(case).state, asked_of(case).outputs
    for text, asked in {
        "lower-c": Cotangents(outputs, (lower._replace(h=None), None)),
        "upper": Cotangents(None, (lower._replace(c=None, h=None), upper)),
    }.items():
        yield vector(f"cotangents/stack-leaf-{text}", "GRAD-4 GRAD-6", asking(case, asked))


def _calls() -> Iterator[Definition]:
    for name, spec in {"everything": EVERYTHING, "stack": TWO}.items():
        for text, clause, arguments in (
            ("time-major", "GRAD-13", {"time_major": True}),
            ("swap", "GRAD-14", {"swap_memory": True}),
            ("no-swap", "GRAD-14", {"swap_memory": False}),
            ("parallel-1", "GRAD-15", {"parallel_iterations": 1}),
            ("parallel-100", "GRAD-15", {"parallel_iterations": 100}),
        ):
            yield pulled(f"calls/{name}-{text}", clause, spec, **arguments)
    for text, scope in (("name", "here"), ("scope", Scope("here")), ("initializer", Scope("here", None, _constant()))):
        yield pulled(f"calls/scope-{text}", "GRAD-15", LSTM, scope=scope, under="here")
    yield pulled("calls/own-initial-values", "GRAD-15 GRAD-3", GRU, scope=Scope("here", None, _constant()), weights={})
    whole = {"time_major": True, "swap_memory": True, "parallel_iterations": 3, "scope": "here", "under": "here"}
    yield pulled("calls/everything-at-once", "GRAD-13 GRAD-14 GRAD-15", TWO, "float64", **whole)


def _wrappers() -> Iterator[Definition]:
    for name, (_, inner, options) in DROPPED.items():
        dtype = "float64" if name in ("all", "state-stack", "variational-all") else "float32"
        spec = dropped(rng_of(f"gradients/{name}/noise"), inner, dtype, options)
        yield pulled(f"dropout/{name}", "GRAD-17", spec, dtype, inner=inner)
    for name, inner in {**BOTH, "stack": TWO}.items():
        for function in (None, "add_twice"):
            options = {} if function is None else {"residual_fn": Function(function)}
            spec = CellSpec("ResidualWrapper", options, [inner])
            text = f"residual/{name}-{function or 'default'}"
            yield pulled(text, "GRAD-9", spec, inner=inner, depth=output_width(inner))
    for name, inner in (("basic", BASIC), ("stack", TWO)):
        spec = CellSpec("DeviceWrapper", {"device": "/cpu:0"}, [inner])
        yield pulled(f"device/{name}", "GRAD-9", spec, inner=inner)
    square = cell("LSTMCell", num_proj=2)
    both = dropped(rng_of("gradients/nested"), square, "float32", {"output_keep_prob": 0.5, "input_keep_prob": 0.5})
    spec = CellSpec("DeviceWrapper", {"device": "/cpu:0"}, [CellSpec("ResidualWrapper", {}, [both])])
    yield pulled("nested/device-residual-dropout", "GRAD-17", spec, inner=square)
    lower = dropped(rng_of("layers"), LSTM, "float32", {"state_keep_prob": 0.5})
    yield pulled("nested/layers", "GRAD-17", stack(lower, CellSpec("ResidualWrapper", {}, [GRU])), inner=TWO)


def _shared() -> Iterator[Definition]:
    """One instance in every layer: its variables are those of the first."""
    for name, spec in {**BOTH, "projected": cell("LSTMCell", num_proj=2, use_peepholes=True)}.items():
        depth = output_width(spec)
        for layers in (2, 3) if name == "gru" else (2,):
            like = stack(*[spec] * layers)
            first = "rnn/multi_rnn_cell/cell_0"
            weights = weights_of(rng_of(f"shared/{name}"), spec, depth, scope=first)
            shared = stack(*[CellRef("inner")] * layers)
            cells: Mapping[str, CellSpec] = {"cell": shared, "inner": spec}
            text = f"shared/{name}-{layers}"
            yield pulled(text, "GRAD-16", shared, inner=like, cells=cells, depth=depth, weights=weights)


def _again() -> Iterator[Definition]:
    """The same cell in two calls, each with gradients of its own."""
    for name, spec in BOTH.items():
        text = f"again/{name}"
        one, other = pulled_case(text, spec), pulled_case(f"{text}/other", spec, ragged=False)
        case = Case(one.cells, [*one.calls, *other.calls], one.weights)
        yield vector(text, "GRAD-4", case)


def _constant() -> Function:
    return Function("constant", {"value": 0.25})
