"""Tests what is kept of a chunk, where gradients between layers lie, and noise from a caller's own function."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import VariableStore, use_store
from impl_gpu import DropoutWrapper, GRUCell, LSTMCell, MultiRNNCell, ResidualWrapper
from impl_gpu.arguments import check_arguments
from impl_gpu.fused.plan import Plan, plan
from impl_gpu.fused.precision import PRECISIONS
from impl_gpu.fused.ragged import Chunk
from impl_gpu.training import refusal
from impl_gpu.training.tape import read_values, tape_layout, unread_values
from impl_gpu.training.values import gradient_places, place_of_gradient

D = 3


def planned(cell: Any) -> Plan:
    found = plan(cell)
    assert isinstance(found, Plan)
    return found


def test_states_stand_in_front_and_gates_behind() -> None:
    stages = planned(MultiRNNCell([LSTMCell(4, num_proj=2, proj_clip=1.0), ResidualWrapper(GRUCell(2)), LSTMCell(5)]))
    found = tape_layout(stages, stages.widths(D), PRECISIONS["float16"], Chunk(first=6, length=3, active=8, base=0))
    rows, more = 3 * 8, 4 * 8  # a state is kept before each step and after the last
    states = (
        *(("c 0", 2 * more * 4), ("h 0", 2 * more * 2)),
        ("h 1", 2 * more * 2),
        *(("c 2", 2 * more * 5), ("h 2", 2 * more * 5)),
    )
    assert found.kept.regions == (*states, ("value 3", 2 * rows * 2), ("projected 0", 4 * rows * 2))
    assert found.again.regions == tuple(
        (f"gates {layer}", 4 * rows * columns) for layer, columns in enumerate((4 * 4, 3 * 2, 4 * 5))
    )
    addresses = found.addresses(0)
    assert addresses["value 3"] == found.states_bytes
    assert addresses["gates 0"] == found.kept.nbytes
    assert found.nbytes == found.kept.nbytes + found.again.nbytes


def test_only_what_a_layer_reads_is_kept() -> None:
    dropped = DropoutWrapper(GRUCell(D), input_keep_prob=0.5, output_keep_prob=0.5)
    stages = planned(MultiRNNCell([ResidualWrapper(dropped), GRUCell(D)]))
    # Values: 0 the inputs, 1 them thinned, 2 h, 3 that thinned, 4 the sum with 0, 5 the h on top.
    assert read_values(stages) == [1, 4]
    assert unread_values(stages) == [3]


def test_a_gradient_has_memory_of_its_own_only_where_it_must() -> None:
    dropped = DropoutWrapper(GRUCell(D), input_keep_prob=0.5, output_keep_prob=0.5)
    stages = planned(MultiRNNCell([ResidualWrapper(dropped), GRUCell(D)]))
    # The sum's gradient is also that of the thinned h, and thinned in place that of h; the inputs are read twice.
    assert [place_of_gradient(stages, value) for value in range(6)] == [0, 1, 4, 4, 4, 5]
    assert gradient_places(stages) == [0, 1, 4, 5]
    thinned = planned(DropoutWrapper(GRUCell(D), input_keep_prob=0.5))
    assert gradient_places(thinned) == [1, 2]  # what is thinned has no other reader


def test_dropout_of_states_is_refused_in_words() -> None:
    x = np.zeros((2, 5, D), "float32")

    def said(cell: Any) -> str | None:
        return refusal(cell, check_arguments(cell, x, None, None, "float32", None, False, False, None))

    assert said(DropoutWrapper(GRUCell(4), state_keep_prob=0.5)) == "gradients through dropout of states"
    assert said(GRUCell(4, activation=abs)) == "a GRUCell with an activation of its own"
    assert said(DropoutWrapper(GRUCell(4), input_keep_prob=0.5)) is None


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize("variational", [False, True])
def test_noise_of_a_caller_s_function_is_that_of_the_forward_pass(
    trainer: Any, variational: bool, on_device: bool
) -> None:
    """Drawn into one array again and again on the host, or given on the device; asked for in the forward pass only."""
    T, B = 6, 5
    asked, memory = [], np.empty((B, D))

    def draw(purpose: str, leaf: int, shape: tuple[int, ...], dtype: Any) -> Any:
        asked.append(shape)
        draws = memory[: shape[0]]
        draws[...] = np.random.default_rng(len(asked)).integers(0, 2, shape) / 2
        return trainer.device.enter(draws.copy()) if on_device else draws

    def make(m: Any) -> Any:
        options = {"variational_recurrent": True, "input_size": D, "dtype": "float64"} if variational else {}
        return m.DropoutWrapper(m.BasicRNNCell(4), input_keep_prob=0.5, **options)

    x = np.random.default_rng(0).normal(size=(B, T, D))
    with use_store(VariableStore(seed=0)):
        cell = trainer.built(make, D, "float64")
        cell.uniform = draw
        outputs, state, pulled = trainer.forward(cell, x, parallel_iterations=4)
        d_x = trainer.pull(pulled, *trainer.cotangents(cell, x))[0]
        got = trainer.device.to_numpy(d_x)
    count = 1 if variational else T
    assert asked == [(1 if variational else B, D)] * count
    kept = np.array([np.random.default_rng(1 + t).integers(0, 2, (1 if variational else B, D)) for t in range(count)])
    kept = np.broadcast_to(kept, (T, B, D)).swapaxes(0, 1)
    np.testing.assert_array_equal(got != 0, kept == 1)
    del outputs, state, pulled, d_x, cell
    trainer.clear()
