"""Draws cases heavy with concurrency: several calls in a row over two cells of the same sizes, whose lengths, shapes
and weights change from call to call, in many small chunks, now and then with gradients.

Whatever an implementation keeps between calls (workspaces, weights on a device, recorded graphs) is used again by the
next call, and must not be overtaken by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from conformance.differential import cells
from conformance.differential.frames import Wide, mostly, wide_frames
from conformance.model.derivatives import has_kinks
from conformance.strategies import arrays, lengths
from conformance.strategies.builtin import Maker, spec_case, weight_shapes
from conformance.strategies.cotangents import asking
from conformance.strategies.frame import call_of, choice
from conformance.strategies.options import stacks
from dynamic_rnn_spec.case import Call, Case, CellRef

KINDS = (
    "LSTMCell",
    "LSTMCell everything",
    "BasicLSTMCell",
    "GRUCell",
    "BasicRNNCell",
    "MultiRNNCell",
    "MultiRNNCell of LSTM",
    "MultiRNNCell of GRU",
    "ResidualWrapper",
    "MultiRNNCell, nested without noise",
)
"""What is fused or stacked; the noise of a DropoutWrapper would tie a case to one shape."""
CELLS = ("one", "other")
"""Two cells with weights of their own, each under a scope of its name."""
RUN, TRAIN, SWAP = "run", "train", "swap"
"""What a call does: outputs and state alone; gradients too; and those with swap_memory."""

_NESTED = stacks(stacks(cells.PLAIN_LEAVES, 2), 2)
_PATTERNS = mostly(choice((lengths.RAGGED, lengths.ONE_LONG, lengths.ZERO)), choice((lengths.NONE, lengths.EARLY)))
_DOES = choice((*[RUN] * 14, TRAIN, SWAP))
_FRAMES = wide_frames(batch=st.integers(2, 9), steps=st.integers(4, 13), pattern=_PATTERNS)


class Step(NamedTuple):
    """One call: its frame, which of the cells, parallel_iterations, whether it has the shape of the one before, and
    what it does.
    """

    frame: Wide
    cell: str
    parallel: int
    same_shape: bool
    does: str = RUN


def cases(kind: str, dtype: str) -> Any:
    """Cases of two to four calls."""
    makers = _NESTED if kind == KINDS[-1] else cells.makers(kind)
    step = st.builds(Step, _FRAMES, choice(CELLS), st.integers(1, 4), st.booleans(), _DOES)
    return st.builds(case, makers, st.integers(1, 9), st.integers(1, 6), st.just(dtype), _two_to_four(step))


def _two_to_four(step: Any) -> Any:
    return st.lists(step, min_size=2, max_size=4)


def case(maker: Maker, units: int, depth: int, dtype: str, steps: Sequence[Step]) -> Case:
    """The calls of ``steps`` in a row; one that takes the shape of the call before keeps lengths and contents of its
    own.
    """
    spec = maker(units, depth)
    weights = {
        name: arrays.fractions(shape, dtype, 41 + 13 * place + number)
        for place, cell in enumerate(CELLS)
        for number, (name, shape) in enumerate(weight_shapes(spec, depth, cell).items())
    }
    calls: list[Call] = []
    before = steps[0].frame
    for place, step in enumerate(steps):
        frame = step.frame._replace(seed=step.frame.seed + 17 * place)
        if step.same_shape:
            frame = frame._replace(batch=before.batch, steps=before.steps, time_major=before.time_major)
        before = frame
        # Next to a kink of a clip, rounding decides what a gradient is.
        does = RUN if has_kinks(spec) else step.does
        made = spec_case(frame, spec, depth, dtype)
        (call,) = (made if does == RUN else asking(made, seed=frame.seed)).calls
        changes: dict[str, Any] = {"cell": CellRef(step.cell), "parallel_iterations": step.parallel}
        changes |= {"scope": step.cell, **({"swap_memory": True} if does == SWAP else {})}
        calls.append(call_of({**call.arguments, **changes}, 2, cotangents=call.cotangents))
    return cells.damped(Case(dict.fromkeys(CELLS, spec), calls, weights))
