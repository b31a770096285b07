"""Takes derivatives by central differences: how much the sum of cotangents times outputs and states changes when
everything that a call is given moves in one direction.

The direction moves inputs, initial state and variables at once, so that one number judges every gradient. In float64
the difference is off by about STEP**2 times the third derivative, and by the rounding of the sum over STEP: both are
below 1e-9 for the cases here, a thousandth of what is promised [GRAD-4]. Between the two points no number may cross a
kink, of a clip or of relu: `equations` tells on which side of them each lies.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from conformance.model import equations
from conformance.strategies import arrays
from conformance.strategies.derive import argument, cotangents, frame_sizes
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Answer, Case, CellSpec, Function
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

Array = np.ndarray[Any, Any]
STEP = 2.0**-15
PROMISED = 1e-6
"""The normwise relative error that a gradient may have against the difference [GRAD-4]."""
ROUNDINGS, WAYS = 32, 3
"""By how many roundings a number may be off when it comes to a kink, and in how many directions that is tried."""
NEXT_TO_NOTHING = 1e-3
"""Where norms multiply to less, the difference itself is not known to a millionth."""


def direction(case: Case, seed: int = 0) -> Gradients:
    """A direction for everything that a gradient is given of: numbers from -1 to 1, in the structures of the case."""

    def drawn(leaf: Any, place: int) -> Array:
        some = arrays.scatter(np.size(leaf), seed + 5003 + 19 * place).reshape(np.shape(leaf)) % 2001
        return np.asarray((some - 1000) / 1000.0)

    def packed(value: Any, first: int) -> Any:
        return pack_sequence_as(value, [drawn(leaf, first + n) for n, leaf in enumerate(flatten(value))])

    given = argument(case, "initial_state")
    state = None if given is None else packed(given, 30)
    weights = {name: drawn(value, 60 + n) for n, (name, value) in enumerate(case.weights.items())}
    return Gradients(packed(argument(case, "inputs"), 1), state, weights)


def moved(case: Case, towards: Gradients, far: float) -> Case:
    """The case with all that it gives moved ``far`` in that direction, and without its cotangents."""

    def shift(value: Any, by: Any) -> Any:
        pairs = zip(flatten(value), flatten(by), strict=True)
        return pack_sequence_as(value, [leaf + far * way for leaf, way in pairs])

    (call,) = case.calls
    arguments = {**call.arguments, "inputs": shift(call.arguments["inputs"], towards.inputs)}
    if towards.initial_state is not None:
        arguments["initial_state"] = shift(call.arguments["initial_state"], towards.initial_state)
    weights = {name: value + far * towards.variables[name] for name, value in case.weights.items()}
    return Case(case.cells, [call.replace(arguments=arguments, cotangents=None)], weights)


def weighed(case: Case, answer: Answer) -> float:
    """The sum of each cotangent of the case times its output or final state."""
    d_outputs, d_state = cotangents(case)
    return _dot(d_outputs, answer.outputs) + _dot(d_state, answer.state)


def slope(case: Case, towards: Gradients, outcome: Callable[[Case], Answer]) -> float:
    """The derivative of the weighed sum in that direction, by a central difference of what ``outcome`` gives."""
    ahead, behind = (weighed(case, outcome(moved(case, towards, far))) for far in (STEP, -STEP))
    return (ahead - behind) / (2 * STEP)


def along(gradients: Gradients, towards: Gradients) -> float:
    """The derivative in that direction by the gradients."""
    return sum(_dot(got, way) for got, way in _pairs(gradients, towards))


def size(gradients: Gradients, towards: Gradients) -> float:
    """The norm of the gradients times that of the direction: what an error is measured against."""
    pairs = list(_pairs(gradients, towards))
    norms = [np.sqrt(sum(_dot(one[side], one[side]) for one in pairs)) for side in (0, 1)]
    return float(norms[0] * norms[1])


def crosses_a_kink(case: Case, towards: Gradients) -> bool:
    """Whether some number that is clipped or rectified lies on different sides at the two points."""
    if not any(map(has_kinks, case.cells.values())):
        return False
    ahead, behind = (equations.expected(moved(case, towards, far)).sides for far in (STEP, -STEP))
    return ahead != behind


def is_next_to_a_kink(case: Case, roundoff: float) -> bool:
    """Whether two right implementations that round so may find a number on different sides of a kink."""
    if 0 in frame_sizes(case) or not any(map(has_kinks, case.cells.values())):
        return False
    seen = [
        equations.expected(moved(case, direction(case, seed), far)).sides
        for seed in range(WAYS)
        for far in (-ROUNDINGS * roundoff, ROUNDINGS * roundoff)
    ]
    return any(sides != seen[0] for sides in seen)


def has_kinks(spec: Any) -> bool:
    """Whether a cell, or one inside it, clips or rectifies."""
    if not isinstance(spec, CellSpec):
        return False
    clipped = {"cell_clip", "proj_clip"} & set(spec.options)
    rectified = spec.options.get("activation") == Function("relu")
    return bool(clipped) or rectified or any(map(has_kinks, spec.children))


def _pairs(gradients: Gradients, towards: Gradients) -> Iterator[tuple[Any, Any]]:
    """Every array of the gradients beside the direction's."""
    yield gradients.inputs, towards.inputs
    if towards.initial_state is not None:
        yield gradients.initial_state, towards.initial_state
    for name, way in towards.variables.items():
        yield gradients.variables[name], way


def _dot(ones: Any, others: Any) -> float:
    if ones is None:
        return 0.0
    pairs = zip(flatten(ones), flatten(others), strict=True)
    return float(sum(np.sum(one * other) for one, other in pairs if one is not None))
