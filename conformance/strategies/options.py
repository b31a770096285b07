"""Draws built-in cells with their options: activations, clips, projections, keep probabilities, stacks.

A maker is a function (units, depth) -> CellSpec, as in ``builtin.KINDS``; ``spec_cases`` puts what it makes into calls.
"""

from typing import Any

from hypothesis import strategies as st

from conformance.strategies import arrays
from conformance.strategies import lengths as patterns
from conformance.strategies.builtin import Maker, output_width, spec_case
from conformance.strategies.frame import Frame, choice, frames, knob
from dynamic_rnn_spec.case import Case, CellSpec, Function

LSTMS = ("LSTMCell", "BasicLSTMCell")
WEIGHTED = ("BasicRNNCell", "GRUCell", *LSTMS)
"""The built-in cells that have weights of their own."""
ACTIVATIONS = ("relu", "identity", "sigmoid", "softsign")
"""Every activation but the default."""
CLIPS = (0.125, 0.0625, 0.25)
PROJECTIONS = (2, 1, 3)
FORGET_BIASES = (0.0, -1.0, 0.5, 2.0)
KEEPS = (0.5, 0.75, 0.25)

_WIDTHS, _FLOATS = st.integers(1, 3), choice(arrays.FLOATS)
_LENGTHS = choice((patterns.RAGGED, patterns.NONE, patterns.ZERO))


def leaf(kind: Any, **options: Any) -> st.SearchStrategy[Maker]:
    """A cell without children; an option whose value is None is left out."""

    def make(kind: str, options: dict[str, Any]) -> Maker:
        present = {name: value for name, value in options.items() if value is not None}
        return lambda units, depth: CellSpec(kind, {"num_units": units, **present})

    return st.builds(make, knob(kind), st.fixed_dictionaries({name: knob(value) for name, value in options.items()}))


def wrapped(kind: str, inner: st.SearchStrategy[Maker], **options: Any) -> st.SearchStrategy[Maker]:
    """A wrapper of that kind around a cell; a ResidualWrapper's cell is as wide as the inputs."""

    def make(maker: Maker, options: dict[str, Any]) -> Maker:
        present = {name: value for name, value in options.items() if value is not None}
        square = kind == "ResidualWrapper"
        return lambda units, depth: CellSpec(kind, present, [maker(depth if square else units, depth)])

    return st.builds(make, inner, st.fixed_dictionaries({name: knob(value) for name, value in options.items()}))


def stacks(inner: st.SearchStrategy[Maker], most: int = 3, **options: Any) -> st.SearchStrategy[Maker]:
    """A MultiRNNCell of one to ``most`` cells, each a unit wider than the one before."""

    def make(makers: list[Maker]) -> Maker:
        def stack(units: int, depth: int) -> CellSpec:
            children = []
            for number, maker in enumerate(makers):
                children.append(maker(units + number, depth))
                depth = output_width(children[-1])
            return CellSpec("MultiRNNCell", options, children)

        return stack

    return st.lists(inner, min_size=1, max_size=most).map(make)


def functions(names: Any) -> st.SearchStrategy[Function]:
    """Functions of these names."""
    return choice(names).map(Function)


def spec_cases(
    makers: st.SearchStrategy[Maker],
    *,
    units: Any = _WIDTHS,
    depth: Any = _WIDTHS,
    dtype: Any = _FLOATS,
    scope: Any = "rnn",
    lengths: Any = _LENGTHS,
    **knobs: Any,
) -> st.SearchStrategy[Case]:
    """Cases of the cells that the makers make, mostly with steps that count; ``knobs`` are those of ``frames``."""

    def case(frame: Frame, maker: Maker, units: int, depth: int, dtype: str, scope: str) -> Case:
        return spec_case(frame, maker(units, depth), depth, dtype, scope)

    return st.builds(case, frames(lengths=lengths, **knobs), makers, knob(units), knob(depth), knob(dtype), knob(scope))


def quieter(case: Case, factor: float = 0.25) -> Case:
    """The case with smaller weights: without a squashing activation a state then stays of the size of the inputs."""
    weights = {name: (value * factor).astype(value.dtype) for name, value in case.weights.items()}
    return Case(case.cells, case.calls, weights)
