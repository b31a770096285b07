"""Tests dropout on the fused path: the values, and the order in which wrappers are asked for noise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import impl_gpu
from impl_gpu import (
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
)

SCHEDULES = 10
T, B, D = 5, 11, 3
LENGTHS = [3, 0, 5, 1, 9, 2, 5, -4, 4, 1, 2]
KEEP = {"input_keep_prob": 0.5, "output_keep_prob": 0.75, "state_keep_prob": 0.625}
LONG = {"variational_recurrent": True, "dtype": "float32", "input_size": D}

CELLS: dict[str, Callable[[], Any]] = {
    "input": lambda: DropoutWrapper(GRUCell(4), input_keep_prob=0.5),
    "output": lambda: DropoutWrapper(LSTMCell(4, num_proj=2), output_keep_prob=0.5),
    "state": lambda: DropoutWrapper(LSTMCell(4), state_keep_prob=0.5),
    "state in one array": lambda: DropoutWrapper(LSTMCell(4, num_proj=3, state_is_tuple=False), state_keep_prob=0.5),
    "all of it": lambda: DropoutWrapper(LSTMCell(4), **KEEP),
    "for a sequence": lambda: DropoutWrapper(LSTMCell(4), **KEEP, **LONG),
    "inputs for a sequence": lambda: DropoutWrapper(BasicRNNCell(4), input_keep_prob=0.5, **LONG),
    "of a stack": lambda: DropoutWrapper(MultiRNNCell([LSTMCell(4), GRUCell(2)]), **KEEP),
    "of a stack in one array": lambda: DropoutWrapper(
        MultiRNNCell([GRUCell(4), GRUCell(2)], state_is_tuple=False), **KEEP
    ),
    "in a stack": lambda: MultiRNNCell(
        [GRUCell(D), DropoutWrapper(ResidualWrapper(GRUCell(D)), **KEEP), DropoutWrapper(LSTMCell(2), **KEEP)]
    ),
    "in each other": lambda: ResidualWrapper(
        DropoutWrapper(DeviceWrapper(DropoutWrapper(GRUCell(D), **KEEP), "gpu"), **KEEP)
    ),
}


def with_noise(cell: Any, noise: Any) -> Any:
    """Let every DropoutWrapper within ``cell`` draw from ``noise``; give the cell."""
    if isinstance(cell, DropoutWrapper):
        cell.uniform = noise
    for inner in getattr(cell, "_cells", [cell._cell] if hasattr(cell, "_cell") else []):
        with_noise(inner, noise)
    return cell


def in_float64(noise: Any) -> Any:
    """The same draws for float64: one for all steps and rows where the wrapper keeps it for the sequence."""
    kept: dict[Any, Any] = {}

    def draw(wrapper: Any, purpose: str, leaf: int, v: Any) -> Any:
        if not wrapper._variational:
            return noise(purpose, leaf, v.shape, "float32")
        key = (id(wrapper), purpose, leaf)
        if key not in kept:
            kept[key] = noise(purpose, leaf, (1, *v.shape[1:]), "float32")
        return kept[key]

    return draw


@pytest.mark.parametrize("lengths", [None, LENGTHS, [0] * B])
@pytest.mark.parametrize("name", CELLS)
def test_what_is_dropped_is_right_and_asked_for_in_order(
    bench: Any, noise_source: Any, name: str, lengths: Any
) -> None:
    """A source that answers by how often it was asked: any other order gives other noise, and other values."""
    cell = bench.built(CELLS[name](), D)
    x = np.random.default_rng(5).normal(size=(B, T, D)).astype("float32")
    by_hand = noise_source()
    wanted = bench.expected(cell, x, sequence_length=lengths, noise=in_float64(by_hand))
    for seed in range(SCHEDULES):
        bench.restart(seed)
        asked = noise_source()
        with_noise(cell, asked)
        with impl_gpu.options(graph=bool(seed % 2)):
            got = bench.call(cell, x, sequence_length=lengths, parallel_iterations=(1, 2, 32)[seed % 3])
        assert got.log.notes == []
        assert asked.asked == by_hand.asked
        bench.check(got, wanted, T)


def test_the_same_seed_drops_the_same_on_both_paths(bench: Any) -> None:
    x = np.random.default_rng(5).normal(size=(B, T, D)).astype("float32")
    results = {}
    for path in ("auto", "cell"):
        cell = bench.built(DropoutWrapper(GRUCell(4), **KEEP, seed=7), D)
        with impl_gpu.options(path=path):
            results[path] = [bench.call(cell, x, sequence_length=LENGTHS) for _ in range(2)]
    for fused, by_hand in zip(results["auto"], results["cell"], strict=True):
        assert fused.log.notes != by_hand.log.notes
        np.testing.assert_allclose(fused.outputs, by_hand.outputs, rtol=0, atol=1e-5)
        np.testing.assert_allclose(fused.state[0], by_hand.state[0], rtol=0, atol=1e-5)
    assert not results["auto"][0].same_bits(results["auto"][1])


def test_the_callers_inputs_are_left_alone(bench: Any) -> None:
    cell = bench.built(ResidualWrapper(DropoutWrapper(GRUCell(D), **KEEP)), D)
    x = np.random.default_rng(5).normal(size=(T, B, D)).astype("float32")
    with impl_gpu.device.use_device(bench.device):
        on_device = bench.device.enter(x)
        impl_gpu.dynamic_rnn(cell, on_device, dtype="float32", time_major=True)
        assert bench.device.to_numpy(on_device).tobytes() == x.tobytes()


@pytest.mark.parametrize(
    ("noise", "error", "message"),
    [
        (
            lambda purpose, leaf, shape, dtype: np.zeros(shape),
            TypeError,
            r"uniform: expected noise of dtype float32, got float64 \[EQ-9\]",
        ),
        (
            lambda purpose, leaf, shape, dtype: np.zeros(shape[1:], dtype),
            ValueError,
            r"uniform: expected noise of shape \(11, 3\), got \(3,\) \[EQ-9\]",
        ),
    ],
)
def test_noise_of_another_form_is_refused(bench: Any, noise: Any, error: type[Exception], message: str) -> None:
    cell = with_noise(bench.built(DropoutWrapper(GRUCell(4), input_keep_prob=0.5), D), noise)
    with pytest.raises(error, match=message):
        bench.call(cell, np.zeros((B, T, D), "float32"))
    bench.clear()


def test_noise_may_be_an_array_of_the_device_in_any_stride(bench: Any) -> None:
    cell = bench.built(DropoutWrapper(GRUCell(4), input_keep_prob=0.5), D)
    x = np.random.default_rng(5).normal(size=(B, T, D)).astype("float32")
    draws = np.random.default_rng(1).random((D, B)).astype("float32")
    with_noise(cell, lambda *asked: bench.device.enter(draws).T)
    wanted = bench.expected(cell, x, noise=lambda *asked: draws.T)
    for seed in range(SCHEDULES):
        bench.restart(seed)
        bench.check(bench.call(cell, x), wanted, T)
