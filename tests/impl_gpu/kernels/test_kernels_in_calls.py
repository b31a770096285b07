"""Tests that whole calls give the same bits by the entry points for vectors and by the plain ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import VariableStore, use_store
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as
from impl_gpu import BasicRNNCell, GRUCell, LSTMCell, dynamic_rnn, dynamic_rnn_vjp, launch_log
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice

B, T, N = 5, 6, 16
CELLS: dict[str, Callable[[], Any]] = {
    "basic_rnn": lambda: BasicRNNCell(N),
    "lstm": lambda: LSTMCell(N, use_peepholes=True, cell_clip=0.3),
    "lstm with a projection": lambda: LSTMCell(N, num_proj=8, proj_clip=0.2),
    "gru": lambda: GRUCell(N),
}


def call(cell: Callable[[], Any], x: Any, lengths: Any) -> tuple[list[bytes], set[str]]:
    """The bits of outputs and final state, and the entry points that were launched."""
    device = HostDevice()
    with use_device(device), use_store(VariableStore(seed=3)), launch_log() as log:
        outputs, state = dynamic_rnn(cell(), x, sequence_length=lengths, dtype=x.dtype)
        arrays = [device.to_numpy(leaf) for leaf in [outputs, *flatten(state)]]
    return [array.tobytes() for array in arrays], {entry.detail for entry in log.executed() if entry.kind == "kernel"}


@pytest.mark.parametrize("lengths", [None, [6, 0, 3, 1, 6]], ids=["dense", "ragged"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("cell", list(CELLS))
def test_vectors_change_no_bit(force_vectors: Callable[[bool], Any], cell: str, dtype: Any, lengths: Any) -> None:
    x = np.random.default_rng(0).standard_normal((B, T, 8)).astype(dtype)
    with force_vectors(True):
        by_vectors, wide = call(CELLS[cell], x, lengths)
    with force_vectors(False):
        plainly, narrow = call(CELLS[cell], x, lengths)
    assert by_vectors == plainly
    assert {name for name in wide if name.endswith("_vec")} != set()
    assert {name for name in narrow if name.endswith("_vec")} == set()


def pull_back(cell: Callable[[], Any], x: Any, lengths: Any) -> tuple[list[bytes], set[str]]:
    """The bits of all gradients, and the entry points that were launched."""
    device, rng = HostDevice(), np.random.default_rng(1)
    with use_device(device), use_store(VariableStore(seed=3)), launch_log() as log:
        (outputs, state), vjp = dynamic_rnn_vjp(cell(), x, sequence_length=lengths, dtype=x.dtype)
        d_outputs = rng.standard_normal(outputs.shape).astype(x.dtype)
        d_state = [rng.standard_normal(leaf.shape).astype(x.dtype) for leaf in flatten(state)]
        gradients = vjp(d_outputs, pack_sequence_as(state, d_state))
        arrays = [device.to_numpy(leaf) for leaf in [gradients.inputs, *gradients.variables.values()]]
    return [array.tobytes() for array in arrays], {entry.detail for entry in log.executed() if entry.kind == "kernel"}


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("cell", list(CELLS))
def test_vectors_change_no_bit_of_a_gradient(force_vectors: Callable[[bool], Any], cell: str, dtype: Any) -> None:
    x = np.random.default_rng(0).standard_normal((B, T, 8)).astype(dtype)
    with force_vectors(True):
        by_vectors, wide = pull_back(CELLS[cell], x, [6, 0, 3, 1, 6])
    with force_vectors(False):
        plainly, narrow = pull_back(CELLS[cell], x, [6, 0, 3, 1, 6])
    assert by_vectors == plainly
    assert {name.removesuffix("_vec") for name in wide} == {name.removesuffix("_vec") for name in narrow}
    assert {name for name in wide if name.endswith("_back_vec")} != set()
    assert {name for name in narrow if name.endswith("_vec")} == set()
