"""Draws cases of probe cells: Tally, Echo, LastInput, ScalarCounter, Affine and Rogue.

``<name>_case`` makes one case from a Frame and plain values, ``<name>_cases`` is the strategy with the same knobs and
the frame's.
"""

from typing import Any

from hypothesis import strategies as st

from conformance.strategies import arrays, structures
from conformance.strategies.frame import Frame, case_of, choice, frames, knob
from dynamic_rnn_spec.case import Case, CellSpec, DType
from dynamic_rnn_spec.vocabulary.structure import flatten
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape, dims_of

COUNTABLE = (*arrays.FLOATS, "int32", "int64", "int8", "int16", "uint8", *arrays.COMPLEX)
"""The dtypes that an Echo can count its steps in."""

PAIR = TensorShape([2])
_INPUTS, _SIZES = structures.structures(structures.INPUT_SHAPES), structures.structures()
_SHAPES, _WIDTHS = choice(structures.INPUT_SHAPES), st.integers(1, 3)
_DTYPES, _FLOATS, _COUNTERS = choice(arrays.DTYPES), choice(arrays.FLOATS), choice(("float32", "int32", "float64"))


def named(dtype: str) -> Any:
    """A dtype as the argument: its name, but for strings, whose name no two libraries share, the object."""
    return DType(dtype) if dtype == arrays.STRING else dtype


def members(frame: Frame, shapes: Any, dtypes: Any, seed: int = 0, content: str = "small") -> Any:
    """Batch-major inputs: an array [B, T] + shape for each leaf; ``dtypes`` is a name, or a sequence taken in turn."""
    return _filled(shapes, (frame.batch, frame.steps), dtypes, frame.seed + 11 * seed, content)


def state_rows(frame: Frame, sizes: Any, dtypes: Any, seed: int = 1, content: str = "small") -> Any:
    """A state: an array [B] + size for each leaf of ``sizes``; dtypes as in ``members``."""
    return _filled(sizes, (frame.batch,), dtypes, frame.seed + 11 * seed, content)


def _filled(sizes: Any, leading: tuple[int, ...], dtypes: Any, seed: int, content: str) -> Any:
    names = (dtypes,) if isinstance(dtypes, str) else tuple(dtypes)
    fill = {"small": arrays.small, "wild": arrays.wild, "fractions": arrays.fractions}[content]
    return structures.map_leaves(
        lambda number, size: fill((*leading, *dims_of(size)), names[number % len(names)], seed + 101 * number), sizes
    )


def tally_case(
    frame: Frame,
    inputs: Any = PAIR,
    state_size: Any = 1,
    output_size: Any = 1,
    dtype: str = "float32",
    input_dtypes: Any = None,
    state_dtypes: Any = None,
    dtype_given: bool = True,
) -> Case:
    """A Tally: ``dtype`` is that of the outputs and the state.

    ``state_dtypes``, a sequence taken in turn, is that of the state alone, which is then given. ``dtype_given=False``
    leaves the argument dtype out where the page allows it: beside a given state of that one dtype.
    """
    given = frame.given or state_dtypes is not None
    held = dtype if state_dtypes is None else state_dtypes
    leaves = flatten(state_size)
    options = {"state_size": state_size, "output_size": output_size}
    if not leaves or state_dtypes is not None:
        options["output_dtype"] = dtype
    state = state_rows(frame, state_size, held) if given else None
    needed = dtype_given or not given or not leaves or state_dtypes is not None
    x = members(frame, inputs, input_dtypes or dtype)
    return case_of(frame, CellSpec("probe:Tally", options), x, state, dtype if needed else None)


def tally_cases(
    *,
    inputs: Any = _INPUTS,
    state_size: Any = _SIZES,
    output_size: Any = _SIZES,
    dtype: Any = _DTYPES,
    input_dtypes: Any = None,
    state_dtypes: Any = None,
    dtype_given: Any = True,
    **knobs: Any,
) -> st.SearchStrategy[Case]:
    """Cases of a Tally in any structure and dtype; ``knobs`` are those of ``frames``."""
    return st.builds(
        tally_case,
        frames(**knobs),
        knob(inputs),
        knob(state_size),
        knob(output_size),
        knob(dtype),
        knob(input_dtypes),
        knob(state_dtypes),
        knob(dtype_given),
    )


def echo_case(frame: Frame, sizes: Any = PAIR, dtype: str = "float32", content: str = "small") -> Case:
    """An Echo: the outputs are the inputs; it counts in int32 from a given state where its own dtype can't count."""
    state = state_rows(frame, 1, "int32") if frame.given or dtype not in COUNTABLE else None
    x = members(frame, sizes, dtype, content=content)
    return case_of(frame, CellSpec("probe:Echo", {"sizes": sizes}), x, state, named(dtype))


def echo_cases(
    *,
    sizes: Any = _INPUTS,
    dtype: Any = _DTYPES,
    content: Any = "small",
    **knobs: Any,
) -> st.SearchStrategy[Case]:
    """Cases of an Echo; ``content`` is "small" or "wild"."""
    return st.builds(echo_case, frames(**knobs), knob(sizes), knob(dtype), knob(content))


def last_input_case(frame: Frame, size: TensorShape = PAIR, dtype: str = "float32", content: str = "small") -> Case:
    """A LastInput: the state is the last input, the output the state before."""
    state = state_rows(frame, size, dtype, content=content) if frame.given else None
    x = members(frame, size, dtype, content=content)
    return case_of(frame, CellSpec("probe:LastInput", {"size": size}), x, state, named(dtype))


def last_input_cases(
    *,
    size: Any = _SHAPES,
    dtype: Any = _DTYPES,
    content: Any = "small",
    **knobs: Any,
) -> st.SearchStrategy[Case]:
    """Cases of a LastInput; ``content`` is "small" or "wild"."""
    return st.builds(last_input_case, frames(**knobs), knob(size), knob(dtype), knob(content))


def scalar_counter_case(frame: Frame, dtype: str = "float32") -> Case:
    """A ScalarCounter: a rank-0 leaf of state, which its own zero_state makes."""
    x = members(frame, TensorShape([1]), dtype)
    return case_of(frame, CellSpec("probe:ScalarCounter"), x, None, dtype)


def scalar_counter_cases(*, dtype: Any = _COUNTERS, **knobs: Any) -> Any:
    """Cases of a ScalarCounter; initial_state is always left out."""
    return st.builds(scalar_counter_case, frames(**{**knobs, "initial_state": False}), knob(dtype))


def affine_case(
    frame: Frame, depth: int = 2, units: int = 2, dtype: str = "float32", scope: str = "rnn", class_name: str = "Affine"
) -> Case:
    """An Affine with weights of -2 to 2 under ``scope``; ``class_name`` is in upper camel case and of one word."""
    shapes = {"kernel": (depth, units), "recurrent": (units, units), "bias": (units,)}
    weights = {
        f"{scope}/{class_name.lower()}/{name}": arrays.small(shape, dtype, frame.seed + number) // 2
        for number, (name, shape) in enumerate(shapes.items(), 31)
    }
    options = {"units": units} if class_name == "Affine" else {"units": units, "class_name": class_name}
    state = state_rows(frame, units, dtype) if frame.given else None
    x = members(frame, TensorShape([depth]), dtype)
    return case_of(frame, CellSpec("probe:Affine", options), x, state, dtype, weights)


def affine_cases(
    *,
    depth: Any = _WIDTHS,
    units: Any = _WIDTHS,
    dtype: Any = _FLOATS,
    scope: Any = "rnn",
    class_name: Any = "Affine",
    **knobs: Any,
) -> st.SearchStrategy[Case]:
    """Cases of an Affine."""
    return st.builds(affine_case, frames(**knobs), knob(depth), knob(units), knob(dtype), knob(scope), knob(class_name))


def rogue_case(frame: Frame, fault: str, units: int = 2, dtype: str = "float32") -> Case:
    """A Rogue, which breaks its own contract in its first step."""
    state = state_rows(frame, (units, units), dtype) if frame.given else None
    x = members(frame, TensorShape([2]), dtype)
    return case_of(frame, CellSpec("probe:Rogue", {"fault": fault, "units": units}), x, state, dtype)


def rogue_cases(fault: Any, *, units: Any = _WIDTHS, dtype: Any = _COUNTERS, **knobs: Any) -> st.SearchStrategy[Case]:
    """Cases of a Rogue with that fault (a value of ``probes.FAULTS`` or a strategy of them)."""
    return st.builds(rogue_case, frames(**knobs), knob(fault), knob(units), knob(dtype))
