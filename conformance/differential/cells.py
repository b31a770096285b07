"""Draws the built-in cells for generated cases: every kind of `builtin.KINDS`, options at random, wrappers and stacks
within one another, wide and narrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from conformance.differential.frames import PARALLEL, mostly, wide_frames, with_parallel
from conformance.strategies import builtin, options
from conformance.strategies.builtin import Maker
from conformance.strategies.frame import Frame, choice
from conformance.strategies.options import functions, leaf, stacks, wrapped
from dynamic_rnn_spec.case import Case, CellSpec, Function

ACTIVATIONS = functions(options.ACTIVATIONS) | st.none()
CLIPS, FORGET_BIASES = choice((None, *options.CLIPS)), choice((None, *options.FORGET_BIASES))
UNITS = mostly(st.integers(1, 9), st.sampled_from([12, 16, 33]))
DEPTH = mostly(st.integers(1, 6), st.sampled_from([8, 16, 19]))



def _whole(maker: Maker) -> Maker:
    """The same without ``num_proj_shards`` where a projection of one row has none to give away."""

    def make(units: int, depth: int) -> CellSpec:
        spec = maker(units, depth)
        options = {name: value for name, value in spec.options.items() if units > 1 or name != "num_proj_shards"}
        return CellSpec(spec.kind, options, spec.children)

    return make


BASIC = leaf("BasicRNNCell", activation=ACTIVATIONS)
GRU = leaf("GRUCell", activation=ACTIVATIONS)
BASIC_LSTM = leaf("BasicLSTMCell", activation=ACTIVATIONS, forget_bias=FORGET_BIASES, state_is_tuple=st.booleans())
LSTM = leaf(
    "LSTMCell",
    activation=mostly(st.none(), ACTIVATIONS),
    use_peepholes=st.booleans(),
    cell_clip=CLIPS,
    num_proj=choice((None, 1, 2, 3, 8)),
    proj_clip=CLIPS,
    forget_bias=FORGET_BIASES,
    num_unit_shards=choice((None, 2)),
    num_proj_shards=choice((None, 2)),
    state_is_tuple=mostly(st.just(True), st.just(False)),
).map(_whole)
LEAVES = st.one_of(LSTM, GRU, BASIC_LSTM, BASIC)
"""Any cell with weights, its options at random."""
PLAIN_LEAVES = st.one_of(*(leaf(kind) for kind in ("LSTMCell", "GRUCell", "BasicLSTMCell", "BasicRNNCell")))


def _dropout(inner: Any) -> Any:
    keep = choice((None, *options.KEEPS))
    return wrapped(
        "DropoutWrapper",
        inner,
        input_keep_prob=keep,
        output_keep_prob=keep,
        state_keep_prob=keep,
        variational_recurrent=choice((None, True)),
    )


def _residual(inner: Any) -> Any:
    return wrapped("ResidualWrapper", inner, residual_fn=choice((None, None, Function("add_twice"))))


def _square(inner: Any) -> Any:
    """Wrapped in what needs an output as wide as the input: only cells without a projection are."""
    return _residual(inner).map(lambda maker: lambda units, depth: maker(depth, depth))


WIDE_LEAVES = st.one_of(GRU, BASIC_LSTM, BASIC, leaf("LSTMCell", use_peepholes=st.booleans(), cell_clip=CLIPS))
WRAPPED = st.one_of(
    _dropout(LEAVES),
    _square(WIDE_LEAVES),
    wrapped("DeviceWrapper", LEAVES, device="/gpu:0"),
    _dropout(_square(WIDE_LEAVES)),
    _square(_dropout(WIDE_LEAVES)),
    wrapped("DeviceWrapper", _dropout(LEAVES), device="/cpu:0"),
)
NESTED = st.one_of(
    stacks(stacks(PLAIN_LEAVES, 2), 2),
    stacks(WRAPPED, 2),
    _dropout(stacks(PLAIN_LEAVES, 2)),
    wrapped("DeviceWrapper", stacks(LEAVES, 2), device="/cpu:0"),
)
DRAWN: Mapping[str, Any] = {
    "BasicRNNCell, any options": BASIC,
    "GRUCell, any options": GRU,
    "BasicLSTMCell, any options": BASIC_LSTM,
    "LSTMCell, any options": LSTM,
    "wrappers, any": WRAPPED,
    "MultiRNNCell, any cells": stacks(LEAVES),
    "MultiRNNCell, nested": NESTED,
}
KINDS: tuple[str, ...] = (*builtin.KINDS, *DRAWN)
"""What is counted apart: each variant by its name in `builtin.KINDS`, then the drawn families."""


def makers(kind: str) -> Any:
    """A strategy of makers of that kind."""
    return st.just(builtin.KINDS[kind]) if kind in builtin.KINDS else DRAWN[kind]


def cases(kind: str, dtype: str) -> Any:
    """Cases of one call of a cell of that kind and dtype."""
    return st.builds(
        case, wide_frames(), makers(kind), UNITS, DEPTH, st.just(dtype), PARALLEL, choice((False, False, True))
    )


def case(
    frame: Frame, maker: Maker, units: int, depth: int, dtype: str, parallel: int | None, swap: bool = False
) -> Case:
    """One case of a call of the cell that the maker makes."""
    made = builtin.spec_case(frame, maker(units, depth), depth, dtype)
    return with_parallel(damped(made), parallel, swap)


def damped(case: Case) -> Case:
    """The case with kernels so small that a step hands on no error enlarged, exact in every dtype.

    Quarters from -1 to 1 have a norm of about 1.3 times the root of their rows; what squashes nothing hands on more.
    """
    steep = any(isinstance(spec, CellSpec) and _is_steep(spec) for spec in case.cells.values())
    weights = {}
    for name, value in case.weights.items():
        rows = value.shape[0] if value.ndim == 2 else 1
        halvings = max(0, round(0.38 + _log2(rows) / 2)) + (2 if steep else 0)
        weights[name] = (value * 2.0**-halvings).astype(value.dtype)
    return Case(case.cells, case.calls, weights)


def _log2(number: int) -> float:
    return float(number.bit_length() - 1)


def _is_steep(spec: CellSpec) -> bool:
    own = isinstance(spec.options.get("activation"), Function) or spec.kind == "DropoutWrapper"
    return own or any(isinstance(child, CellSpec) and _is_steep(child) for child in spec.children)
