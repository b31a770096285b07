"""Turns a cell into a plan for the fused path: its layers, drops and sums in a row.

``plan(cell)`` walks wrappers and stacks down to the cells with weights. Each of these becomes a ``Layer``, each drop
of inputs or outputs a ``Drop``, each residual sum an ``Add``; they hand values on by number, 0 being the inputs of the
call. A cell is known by its exact type: a subclass may do anything, so it goes the any-cell path.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import cupy
import numpy as np

from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

from ..cells import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
)
from ..cells.shapes import why_not_on_shapes

LAYERS: dict[type[Any], str] = {BasicRNNCell: "basic rnn", BasicLSTMCell: "lstm", LSTMCell: "lstm", GRUCell: "gru"}
_TANH = (None, np.tanh, cupy.tanh)


class Refusal(NamedTuple):
    """Why a cell can't run fused."""

    reason: str


@dataclass(frozen=True)
class Columns:
    """Some columns of the whole state: ``width`` ones of its leaf number ``leaf``, from ``start`` on."""

    leaf: int
    start: int
    width: int

    def part(self, start: int, width: int) -> "Columns":
        return Columns(self.leaf, self.start + start, width)

    def holds(self, other: "Columns") -> bool:
        inside = self.start <= other.start and other.start + other.width <= self.start + self.width
        return self.leaf == other.leaf and inside


class Draw(NamedTuple):
    """Noise that a DropoutWrapper is asked for: at each step, or (``per_sequence``) once for all steps and rows.

    It stands for leaf number ``leaf`` of the wrapper's "input", "state" or "output", which is value number ``value``
    or, of the state, ``width`` columns wide.
    """

    wrapper: Any
    purpose: str
    leaf: int
    keep: float
    per_sequence: bool
    value: int | None
    width: int | None


class StateDrop(NamedTuple):
    """A state of a layer that is dropped after each step: by which draw, and from which of its columns on."""

    name: str  # of the layer's state, "c" or "h"
    draw: int
    start: int


class Layer(NamedTuple):
    """A cell with weights: the kind says its equations, ``states`` which columns of the whole each of its states is."""

    kind: str  # one of the values of LAYERS
    cell: Any
    source: int
    units: int
    outputs: int  # columns of h: p of a projected LSTM, else ``units``
    states: dict[str, Columns]
    state_drops: list[StateDrop]


class Drop(NamedTuple):
    """A value thinned by noise."""

    source: int
    draw: int
    in_place: bool  # whether nothing else reads the value


class Add(NamedTuple):
    """The sum of two values, which may take the place of the right one."""

    left: int
    right: int


Stage = Layer | Drop | Add


class Plan(NamedTuple):
    """Stage k makes value k + 1 of values before it; the last value is the output."""

    stages: tuple[Stage, ...]
    draws: tuple[Draw, ...]  # in the order in which one step asks for them

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(stage for stage in self.stages if isinstance(stage, Layer))

    def widths(self, depth: int) -> list[int]:
        """The columns of every value, ``depth`` being those of the inputs."""
        widths = [depth]
        for stage in self.stages:
            if isinstance(stage, Layer):
                widths.append(stage.outputs)
            elif isinstance(stage, Drop):
                widths.append(widths[stage.source])
            else:
                widths.append(widths[stage.right])
        return widths


def plan(cell: Any) -> Plan | Refusal:
    """The stages of ``cell``, or why there are none. Sizes and options are read; variables need not exist yet."""
    reason = why_not_on_shapes(cell)
    if reason is not None:
        return Refusal(reason)
    walk = _Walk()
    walk.enter(cell, 0, None)
    for layer in (stage.cell for stage in walk.stages if isinstance(stage, Layer)):
        if not any(layer._activation is tanh for tanh in _TANH):  # EQ-13: kernels know no other
            return Refusal(f"a {type(layer).__name__} with an activation of its own")
    return Plan(tuple(walk.stages), tuple(walk.draws))


class _Walk:
    """The stages so far; ``enter`` adds those of one more cell and gives the number of its output."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.draws: list[Draw] = []

    def enter(self, cell: Any, source: int, state: Any) -> int:
        """``state`` has Columns for the leaves of the cell's state_size; None: the cell is the whole."""
        if state is None:
            leaves = [Columns(leaf, 0, int(width)) for leaf, width in enumerate(flatten(cell.state_size))]
            state = pack_sequence_as(cell.state_size, leaves)
        return _ENTER[type(cell)](self, cell, source, state)

    def _add_stage(self, stage: Stage) -> int:
        self.stages.append(stage)
        return len(self.stages)

    def _layer(self, cell: Any, source: int, state: Any) -> int:
        units, outputs = cell._num_units, cell.output_size
        kind = LAYERS[type(cell)]
        if kind != "lstm":
            states = {"h": state}
        elif isinstance(state, Columns):  # state_is_tuple=False: c to the left
            states = {"c": state.part(0, units), "h": state.part(units, outputs)}
        else:
            states = {"c": state[0], "h": state[1]}
        return self._add_stage(Layer(kind, cell, source, units, outputs, states, []))

    def _device(self, cell: Any, source: int, state: Any) -> int:
        return self.enter(cell._cell, source, state)

    def _residual(self, cell: Any, source: int, state: Any) -> int:
        output = self.enter(cell._cell, source, state)
        return self._add_stage(Add(source, output))

    def _stack(self, cell: Any, source: int, state: Any) -> int:
        states = list(state) if not isinstance(state, Columns) else []
        if isinstance(state, Columns):  # state_is_tuple=False: the lowest to the left
            start = 0
            for inner in cell._cells:
                states.append(state.part(start, inner.state_size))
                start += inner.state_size
        value = source
        for inner, own in zip(cell._cells, states, strict=True):
            value = self.enter(inner, value, own)
        return value

    def _dropout(self, cell: Any, source: int, state: Any) -> int:
        keep = cell._keep
        if keep["input"] < 1:  # EQ-19: no drop and no draw at 1, here and below
            draw = self._draw(cell, "input", 0, value=source)
            source = self._add_stage(Drop(source, draw, in_place=False))
        first = len(self.stages)
        output = self.enter(cell._cell, source, state)
        if keep["state"] < 1:
            for leaf, (columns, chosen) in enumerate(zip(flatten(state), cell.chosen("state", state), strict=True)):
                if chosen:
                    self._drop_state(self._draw(cell, "state", leaf, width=columns.width), columns, first)
        if keep["output"] < 1:
            draw = self._draw(cell, "output", 0, value=output)
            output = self._add_stage(Drop(output, draw, in_place=True))
        return output

    def _draw(self, cell: Any, purpose: str, leaf: int, value: int | None = None, width: int | None = None) -> int:
        self.draws.append(Draw(cell, purpose, leaf, cell._keep[purpose], cell._variational, value, width))
        return len(self.draws) - 1

    def _drop_state(self, draw: int, dropped: Columns, first_stage: int) -> None:
        """Have every layer from ``first_stage`` on drop those of its states that lie within these columns."""
        for stage in self.stages[first_stage:]:
            if isinstance(stage, Layer):
                for name, columns in stage.states.items():
                    if dropped.holds(columns):
                        stage.state_drops.append(StateDrop(name, draw, columns.start - dropped.start))


_ENTER: dict[type[Any], Callable[..., int]] = {
    **dict.fromkeys(LAYERS, _Walk._layer),
    DeviceWrapper: _Walk._device,
    ResidualWrapper: _Walk._residual,
    MultiRNNCell: _Walk._stack,
    DropoutWrapper: _Walk._dropout,
}
