"""Compares gradients of every built-in cell, option, wrapper and nesting with central differences, in float64."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple, VariableStore, use_store
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure, pack_sequence_as
from impl_ref import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
    RNNCell,
    dynamic_rnn,
    dynamic_rnn_vjp,
    load_weights,
    zero_state,
)
from impl_ref.arrays import Array

B, T, D = 4, 5, 3
LENGTHS = [5, 0, 3, 1]
STEP = 1e-5
"""Of the differences: their error is some 1e-10 by its square, and 1e-11 by rounding."""


def softsign(x: Any) -> Any:
    return x / (1 + abs(x))


def twice_and_product(inputs: Any, outputs: Any) -> Any:
    return inputs + inputs + inputs * outputs


def _softsign_vjp(x: Any) -> Any:
    return softsign(x), lambda d: d / (1 + abs(x)) ** 2


def _twice_and_product_vjp(inputs: Any, outputs: Any) -> Any:
    return twice_and_product(inputs, outputs), lambda d: (d + d + d * outputs, d * inputs)


softsign.vjp = _softsign_vjp  # type: ignore[attr-defined]  # a function has no such attribute
twice_and_product.vjp = _twice_and_product_vjp  # type: ignore[attr-defined]  # a function has no such attribute


class Gated(RNNCell):
    """A user's cell of a weight of its own, split in two variables, and a built-in cell: ``h' = gru(x * (h W))``."""

    def __init__(self) -> None:
        super().__init__()
        self._inner = GRUCell(D)

    state_size = D
    output_size = D

    @property
    def variables(self) -> Any:
        return (*super().variables, *self._inner.variables)

    def build(self, inputs_shape: Any) -> None:
        self._weight = self.add_variable("weight", [D, D], partitions=2)

    def call(self, inputs: Any, state: Any) -> Any:
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        W = self._weight.read(inputs)
        gate = state @ W
        result, pull_inner = self._inner.vjp(inputs * gate, state)

        def pull(d_output: Any, d_new_state: Any) -> Any:
            d_product, d_state, d_variables = pull_inner(d_output, d_new_state)
            d_gate = d_product * inputs
            d_weights = {self._weight: state.T @ d_gate, **d_variables}
            return d_product * gate, d_state + d_gate @ W.T, d_weights

        return result, pull

    def without_vjp(self) -> Any:
        return super().without_vjp() or self._inner.without_vjp()


class Pair(RNNCell):
    """A user's cell of two inputs, in a dict, whose state counts its steps in whole numbers beside what it sums."""

    @property
    def state_size(self) -> Any:
        return D, 1

    @property
    def output_size(self) -> Any:
        return {"sum": D, "twice": D}

    def call(self, inputs: Any, state: Any) -> Any:
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        total, count = state
        new = total * 0.5 + inputs["a"] * inputs["b"]

        def pull(d_output: Any, d_new_state: Any) -> Any:
            d_new = d_new_state[0] + d_output["sum"] + 2 * d_output["twice"]
            return {"a": d_new * inputs["b"], "b": d_new * inputs["a"]}, (d_new * 0.5, None), {}

        return ({"sum": new, "twice": new + new}, (new, count + 1)), pull


def shared() -> MultiRNNCell:
    """A stack of one instance twice, and of another of the same name beneath."""
    cell = GRUCell(D)
    return MultiRNNCell([cell, BasicRNNCell(D), cell])


def dropped(cell: Any, keep: float = 0.6, **options: Any) -> DropoutWrapper:
    """All three drops, with the noise of a seed."""
    return DropoutWrapper(cell, keep, keep, keep, seed=3, **options)


def variational(cell: Any) -> DropoutWrapper:
    return dropped(cell, variational_recurrent=True, input_size=D, dtype=np.float64)


CELLS: Mapping[str, Callable[[], Any]] = {
    "BasicRNNCell": lambda: BasicRNNCell(4),
    "BasicRNNCell activation": lambda: BasicRNNCell(4, activation=softsign),
    "GRUCell": lambda: GRUCell(4),
    "GRUCell activation": lambda: GRUCell(4, activation=softsign),
    "BasicLSTMCell": lambda: BasicLSTMCell(4),
    "BasicLSTMCell forget_bias": lambda: BasicLSTMCell(4, forget_bias=-0.5),
    "BasicLSTMCell one array": lambda: BasicLSTMCell(4, state_is_tuple=False),
    "BasicLSTMCell activation": lambda: BasicLSTMCell(4, activation=softsign),
    "LSTMCell": lambda: LSTMCell(4),
    "LSTMCell forget_bias": lambda: LSTMCell(4, forget_bias=0.3),
    "LSTMCell peepholes": lambda: LSTMCell(4, use_peepholes=True),
    "LSTMCell cell_clip": lambda: LSTMCell(4, cell_clip=0.4),
    "LSTMCell peepholes and cell_clip": lambda: LSTMCell(4, use_peepholes=True, cell_clip=0.4),
    "LSTMCell projection": lambda: LSTMCell(4, num_proj=2),
    "LSTMCell proj_clip": lambda: LSTMCell(4, num_proj=2, proj_clip=0.2),
    "LSTMCell shards": lambda: LSTMCell(4, num_proj=2, num_unit_shards=2, num_proj_shards=3),
    "LSTMCell one array": lambda: LSTMCell(4, num_proj=2, state_is_tuple=False),
    "LSTMCell activation": lambda: LSTMCell(4, use_peepholes=True, activation=softsign),
    "LSTMCell everything": lambda: LSTMCell(
        4, True, 0.5, None, 3, 0.25, 3, 2, forget_bias=0.5, state_is_tuple=False, activation=softsign
    ),
    "MultiRNNCell": lambda: MultiRNNCell([BasicRNNCell(2), LSTMCell(4, num_proj=2), GRUCell(3)]),
    "MultiRNNCell one array": lambda: MultiRNNCell([GRUCell(2), BasicRNNCell(4)], state_is_tuple=False),
    "MultiRNNCell shared": shared,
    "MultiRNNCell nested": lambda: MultiRNNCell([MultiRNNCell([BasicLSTMCell(2), GRUCell(2)]), BasicRNNCell(3)]),
    "DropoutWrapper": lambda: dropped(BasicLSTMCell(4)),
    "DropoutWrapper all of the state": lambda: dropped(LSTMCell(4), dropout_state_filter_visitor=lambda part: True),
    "DropoutWrapper variational": lambda: variational(GRUCell(4)),
    "DropoutWrapper in a stack": lambda: MultiRNNCell([dropped(GRUCell(3)), dropped(LSTMCell(2), 0.8)]),
    "ResidualWrapper": lambda: ResidualWrapper(GRUCell(D)),
    "ResidualWrapper residual_fn": lambda: ResidualWrapper(LSTMCell(D), twice_and_product),
    "ResidualWrapper of a stack": lambda: ResidualWrapper(MultiRNNCell([BasicRNNCell(2), BasicLSTMCell(D)])),
    "DeviceWrapper": lambda: DeviceWrapper(LSTMCell(4), "cpu"),
    "wrappers in wrappers": lambda: dropped(ResidualWrapper(dropped(DeviceWrapper(LSTMCell(D), None)))),
    "a user's cell": Gated,
    "a user's cell in a stack": lambda: MultiRNNCell([ResidualWrapper(Gated()), LSTMCell(2)]),
    "a user's cell of structures": Pair,
}


def inputs_of(cell: Any, draw: Callable[..., Array]) -> Any:
    return {"b": draw(B, T, D), "a": draw(B, T, D)} if isinstance(cell, Pair) else draw(B, T, D)


def state_of(cell: Any, draw: Callable[..., Array]) -> Any:
    if isinstance(cell, Pair):
        return draw(B, D), np.arange(B)[:, None]
    return map_structure(lambda zeros: draw(*zeros.shape), zero_state(cell, B, np.float64))


def dot(cotangents: Any, arrays: Any) -> float:
    pairs = zip(flatten(cotangents), flatten(arrays), strict=True)
    return sum(float(np.vdot(d, array)) for d, array in pairs if d is not None)


DENSE = ["LSTMCell everything", "wrappers in wrappers", "a user's cell in a stack"]


@pytest.mark.parametrize(("name", "lengths"), [(name, LENGTHS) for name in CELLS] + [(name, None) for name in DENSE])
def test_gradients_are_those_of_central_differences(name: str, lengths: Any) -> None:
    make, draw = CELLS[name], np.random.default_rng(7).standard_normal

    def fresh(array: Any) -> Any:
        return None if array.dtype.kind != "f" else draw(array.shape)

    x, start = inputs_of(make(), lambda *shape: draw(shape)), state_of(make(), lambda *shape: draw(shape))
    with use_store(VariableStore(seed=1)) as store:
        (outputs, state), vjp = dynamic_rnn_vjp(make(), x, lengths, start, np.float64)
        weights = {variable: draw(found.shape) * 0.7 for variable, found in store.variables.items()}

    def run(function: Any, x: Any, start: Any, weights: Mapping[str, Array]) -> Any:
        with use_store(VariableStore()):
            load_weights(weights)
            return function(make(), x, lengths, start, np.float64)

    (outputs, state), vjp = run(dynamic_rnn_vjp, x, start, weights)
    d_outputs, d_state = map_structure(fresh, outputs), map_structure(fresh, state)
    gradients = vjp(d_outputs, d_state)
    assert set(gradients.variables) == set(weights)

    given = [x, start, weights]
    found = [gradients.inputs, gradients.initial_state, gradients.variables]
    by_hand, by_difference = [], []
    for place, whole in enumerate(given):
        for index, leaf in enumerate(flatten(whole)):  # each array alone, in a direction of its own
            if (direction := fresh(leaf)) is None:
                assert flatten(found[place])[index] is None
                continue
            by_hand.append(float(np.vdot(flatten(found[place])[index], direction)))
            ends = []
            for step in (STEP, -STEP):
                leaves = flatten(whole)
                leaves[index] = leaf + step * direction
                moved = [*given[:place], pack_sequence_as(whole, leaves), *given[place + 1 :]]
                y, s = run(dynamic_rnn, *moved)
                ends.append(dot(d_outputs, y) + dot(d_state, s))
            by_difference.append((ends[0] - ends[1]) / (2 * STEP))
    error = np.linalg.norm(np.subtract(by_hand, by_difference)) / np.linalg.norm(by_difference)
    assert error < 1e-6, f"{name}: {by_hand} and by differences {by_difference}"


def test_the_clips_of_these_cells_change_numbers() -> None:
    """What the differences say of clipping is no empty word: some numbers are clipped, and some are not."""
    x = np.random.default_rng(7).standard_normal((B, T, D))
    for name, clip in (("LSTMCell cell_clip", 0.4), ("LSTMCell proj_clip", 0.2)):
        with use_store(VariableStore(seed=1)):
            outputs, state = dynamic_rnn(CELLS[name](), x, dtype=np.float64)
        assert isinstance(state, LSTMStateTuple)
        clipped = np.abs(state.c if name == "LSTMCell cell_clip" else outputs) == clip
        assert clipped.any(), name
        assert not clipped.all(), name
