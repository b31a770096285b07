"""Defines the vectors of gradients with NaN, infinities and huge numbers where no step counts."""

from collections.abc import Iterator

import numpy as np

from conformance.vectors.cases.builtin import BASIC, EVERYTHING, GRU, LSTM, STEPS
from conformance.vectors.cases.gradients_making import LENGTHS, asked_of, asking, pulled_case
from conformance.vectors.cases.making import Array, Definition, Like, overruled, rng_of, vector
from conformance.vectors.cases.wrappers import TWO, dropped
from dynamic_rnn_spec.case import Case, CellSpec, Cotangents

NAN, INF = float("nan"), float("inf")
PADDED = np.arange(STEPS) >= LENGTHS[:, None]
POISONED: dict[str, tuple[CellSpec, CellSpec]] = {
    "basic": (BASIC, BASIC),
    "gru": (GRU, GRU),
    "lstm": (LSTM, LSTM),
    "everything": (EVERYTHING, EVERYTHING),
    "stack": (TWO, TWO),
    "dropout": (dropped(rng_of("poison"), LSTM, "float32", {"input_keep_prob": 0.5, "output_keep_prob": 0.5}), LSTM),
    "device": (CellSpec("DeviceWrapper", {"device": "/cpu:0"}, [GRU]), GRU),
}
REASON = "the gradients of steps past the end are dropped only after they have met what the padding holds"


def definitions() -> Iterator[Definition]:
    """All of this part."""
    yield from _inputs()
    yield from _outputs()


def _inputs() -> Iterator[Definition]:
    for name, (spec, inner) in POISONED.items():
        for text, value in (("nan", NAN), ("inf", INF), ("huge", 1e30)):
            if text == "nan" or name in ("basic", "gru", "lstm"):
                yield _poisoned(f"padding/{name}-{text}", spec, inner, value)


def _poisoned(name: str, spec: CellSpec, inner: CellSpec, value: float) -> Definition:
    case = pulled_case(name, spec, inner=inner)
    (call,) = case.calls
    inputs = call.arguments["inputs"].copy()
    inputs[PADDED] = value
    poisoned = _inputs_replaced(case, inputs)
    if np.isfinite(value):
        return vector(name, "GRAD-4 GRAD-7 GRAD-12", poisoned)
    clean = inputs.copy()
    clean[PADDED] = 0
    other = overruled("GRAD-12", REASON, Like(_inputs_replaced(case, clean)))
    return vector(name, "GRAD-12", poisoned, overruled=other)


def _inputs_replaced(case: Case, inputs: Array) -> Case:
    (call,) = case.calls
    return Case(case.cells, [call.replace(arguments={**call.arguments, "inputs": inputs})], case.weights)


def _outputs() -> Iterator[Definition]:
    """Whatever d_outputs holds past the end belongs to no step."""
    for name in ("basic", "gru", "lstm", "everything", "stack"):
        spec, inner = POISONED[name]
        for text, value in (("nan", NAN), ("inf", -INF)):
            if text == "nan" or name in ("gru", "lstm"):
                case = pulled_case(f"padding/{name}-cotangent-{text}", spec, inner=inner)
                asked = asked_of(case)
                outputs = asked.outputs.copy()
                outputs[PADDED] = value
                poisoned = asking(case, Cotangents(outputs, asked.state))
                yield vector(f"padding/{name}-cotangent-{text}", "GRAD-4 GRAD-8", poisoned)
