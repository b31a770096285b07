"""Draws calls that ask for gradients: cotangents for what a case's cell returns, and cells that pull back exactly.

A cotangent has the structure and shapes of what it belongs to, None in place of an array that has no gradient.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.strategies import arrays
from conformance.strategies import lengths as patterns
from conformance.strategies.builtin import KINDS, LINEAR, builtin_case, output_width, state_sizes
from conformance.strategies.derive import argument, cotangents, frame_sizes, is_time_major, with_cotangents
from conformance.strategies.frame import Frame, case_of, choice, frames, knob
from conformance.strategies.probes import echo_case, last_input_case, members, state_rows
from conformance.strategies.structures import map_leaves, nests
from dynamic_rnn_spec.case import Case, CellSpec, DType
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure, pack_sequence_as
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape, dims_of

FORMS = ("both", "outputs", "state")
"""Which of the two cotangents are given."""
ABSENT = (*FORMS[1:], "in part", "neither")
"""What may be absent: one of them, the first array of the state's, both."""
FILLS: dict[str, Callable[..., arrays.Array]] = {
    "small": arrays.small,
    "fractions": arrays.fractions,
    "wild": arrays.wild,
    "zeros": lambda shape, dtype, seed: np.zeros(shape, dtype),
}

_SEED, _WIDTHS, _FORMS = st.integers(0, 7), st.integers(1, 2), choice(FORMS)
_BATCH, _TIME = st.integers(1, 3), st.integers(1, 4)
_LENGTHS = choice((patterns.RAGGED, patterns.ZERO, patterns.NONE, patterns.FULL, patterns.EARLY, patterns.ALL_ZERO))
_KINDS, _LAYOUTS, _FLOATS = choice(tuple(KINDS)), st.booleans(), choice(arrays.FLOATS)


def has_gradient(dtype: Any) -> bool:
    """Whether an array of the dtype has a gradient [GRAD-2]."""
    return np.dtype(dtype).kind in "fc"


def result_sizes(case: Case) -> tuple[Any, Any]:
    """(output_size, state_size) of the one cell."""
    (spec,) = case.cells.values()
    if spec.kind == "probe:Echo":
        return spec.options["sizes"], TensorShape([1])
    if spec.kind == "probe:LastInput":
        return spec.options["size"], spec.options["size"]
    return output_width(spec), state_sizes(spec)


def result_dtypes(case: Case) -> tuple[list[Any], list[Any]]:
    """The dtypes of the leaves of its outputs and of its state."""
    output_size, state_size = result_sizes(case)
    given, named = argument(case, "initial_state"), argument(case, "dtype")
    made = np.dtype(named.name if isinstance(named, DType) else named)
    held = [made] * len(flatten(state_size)) if given is None else [leaf.dtype for leaf in flatten(given)]
    return [made] * len(flatten(output_size)), held


def asking(case: Case, form: str = "both", content: str = "small", seed: int = 0) -> Case:
    """The case with cotangents of that content (see FILLS), those that ``form`` leaves out being None."""
    (batch, steps), fill = frame_sizes(case), FILLS[content]
    output_size, state_size = result_sizes(case)
    emitted, held = result_dtypes(case)

    def array(leading: tuple[int, ...], size: Any, dtype: Any, place: int) -> Any:
        return fill((*leading, *dims_of(size)), dtype.name, seed + 211 + place) if has_gradient(dtype) else None

    leading = (steps, batch) if is_time_major(case) else (batch, steps)
    outputs = map_leaves(lambda n, size: array(leading, size, emitted[n], 17 * n), output_size)
    state = map_leaves(lambda n, size: array((batch,), size, held[n], 1009 + 17 * n), state_size)
    if form == "in part":
        state = map_leaves(lambda n, leaf: leaf if n else None, state)
    without_outputs, without_state = form in ("state", "neither"), form in ("outputs", "neither")
    return with_cotangents(case, None if without_outputs else outputs, None if without_state else state)


def with_zeros(case: Case) -> Case:
    """The case with zeros in place of every cotangent that is None and could be an array."""
    zeros, given = cotangents(asking(case, content="zeros")), cotangents(case)
    return with_cotangents(case, *map(_merged, given, zeros))


def _merged(given: Any, zeros: Any) -> Any:
    if given is None:
        return zeros
    pairs = zip(flatten(given), flatten(zeros), strict=True)
    return pack_sequence_as(given, [zero if leaf is None else leaf for leaf, zero in pairs])


def linear_spec(units: int) -> CellSpec:
    """A Linear, which pulls whole numbers back to whole numbers."""
    return CellSpec(LINEAR, {"units": units})


def linear_case(frame: Frame, depth: int = 2, units: int = 2, dtype: str = "float32", form: str = "both") -> Case:
    """A Linear with weights from -1 to 1, and cotangents of small whole numbers."""
    shapes = {"kernel": (depth, units), "recurrent": (units, units), "bias": (units,)}
    weights = {
        f"rnn/linear/{name}": np.sign(arrays.small(shape, dtype, frame.seed + number))
        for number, (name, shape) in enumerate(shapes.items(), 31)
    }
    state = state_rows(frame, units, dtype) if frame.given else None
    x = members(frame, TensorShape([depth]), dtype)
    return asking(case_of(frame, linear_spec(units), x, state, dtype, weights), form, seed=frame.seed)


def linear_cases(
    *, depth: Any = _WIDTHS, units: Any = _WIDTHS, dtype: Any = _FLOATS, form: Any = _FORMS, **knobs: Any
) -> st.SearchStrategy[Case]:
    """Cases of a Linear with cotangents; ``knobs`` are those of ``frames``."""
    return st.builds(linear_case, _frames(knobs), knob(depth), knob(units), knob(dtype), knob(form))


def copied_case(frame: Frame, sizes: Any, dtype: str, form: str, content: str) -> Case:
    """An Echo of a nest, or a LastInput of a lone array: cells that hand cotangents on bit by bit.

    Strings are an Echo's: a LastInput would need a zero state of strings of their length.
    """
    alone = isinstance(sizes, TensorShape) and dtype != arrays.STRING
    case = last_input_case(frame, sizes, dtype) if alone else echo_case(frame, sizes, dtype)
    return asking(case, form, content, frame.seed)


def copied_cases(
    *,
    sizes: Any = None,
    dtype: Any = _FLOATS,
    form: Any = _FORMS,
    content: Any = "wild",
    **knobs: Any,
) -> st.SearchStrategy[Case]:
    """Cases of an Echo in any nesting or of a LastInput, with cotangents that only an exact copy keeps."""
    shapes = (TensorShape([2]), TensorShape([1]), TensorShape([1, 2]))
    any_sizes = choice(shapes) | nests(shapes, ("tuple", "list", "dict", "namedtuple"), most=3)
    return st.builds(
        copied_case, _frames(knobs), any_sizes if sizes is None else sizes, knob(dtype), knob(form), knob(content)
    )


def asking_cases(
    *,
    kinds: Any = _KINDS,
    units: Any = _WIDTHS,
    depth: Any = _WIDTHS,
    dtype: Any = _FLOATS,
    form: Any = _FORMS,
    **knobs: Any,
) -> st.SearchStrategy[Case]:
    """Cases of the built-in cells (``kinds``: keys of KINDS) with cotangents of quarters from -1 to 1."""

    def make(frame: Frame, kind: str, units: int, depth: int, dtype: str, form: str) -> Case:
        return asking(builtin_case(frame, kind, units, depth, dtype), form, "fractions", frame.seed)

    return st.builds(make, _frames(knobs), knob(kinds), knob(units), knob(depth), knob(dtype), knob(form))


def _frames(knobs: dict[str, Any]) -> st.SearchStrategy[Frame]:
    return frames(**{"batch": _BATCH, "max_time": _TIME, "lengths": _LENGTHS, "time_major": _LAYOUTS, **knobs})


def uneven(case: Case, seed: int = 0) -> Case:
    """The case with everything that counts moved off the round numbers, where slopes jump: by up to a sixteenth.

    Only cases of floating-point arrays; each keeps its dtype.
    """

    def moved(leaf: Any, place: int) -> Any:
        some = arrays.scatter(leaf.size, seed + 7 * place).reshape(leaf.shape) % 1009
        return (leaf + (some - 504) / 8064).astype(leaf.dtype)

    weights = {name: moved(value, 3 + n) for n, (name, value) in enumerate(case.weights.items())}
    changes = {"inputs": map_structure(lambda leaf: moved(leaf, 1), argument(case, "inputs"))}
    if argument(case, "initial_state") is not None:
        changes["initial_state"] = map_structure(lambda leaf: moved(leaf, 2), argument(case, "initial_state"))
    call = case.calls[0]
    return Case(case.cells, [call.replace(arguments={**call.arguments, **changes})], weights)
