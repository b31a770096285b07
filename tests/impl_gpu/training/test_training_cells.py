"""Tests gradients of every built-in cell, option and wrapper, fused and host-executed, against impl_ref in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec import VariableStore, use_store
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as
from impl_gpu.kernels import geometry

T, B, D = 7, 11, 3
LENGTHS = [7, 0, 3, 1, -1, 5, 7, 2, 9, 3, 6]


def shared_stack(m: Any) -> Any:
    one = m.LSTMCell(3, use_peepholes=True)
    return m.MultiRNNCell([one, one, m.GRUCell(3)])


def dropped_stack(m: Any) -> Any:
    """Drops of inputs whose values others read too, and drops of drops."""
    lower = m.DropoutWrapper(m.ResidualWrapper(m.GRUCell(3)), input_keep_prob=0.5, output_keep_prob=0.5)
    twice = m.DropoutWrapper(m.LSTMCell(3), output_keep_prob=0.5)
    upper = m.DropoutWrapper(twice, input_keep_prob=0.5, output_keep_prob=0.75)
    return m.ResidualWrapper(m.MultiRNNCell([lower, upper]))


def one_mask(m: Any) -> Any:
    options = {"input_keep_prob": 0.5, "output_keep_prob": 0.5, "input_size": D, "dtype": "float64"}
    return m.DropoutWrapper(m.GRUCell(4), variational_recurrent=True, **options)


CELLS: dict[str, Callable[[Any], Any]] = {
    "basic rnn": lambda m: m.BasicRNNCell(4),
    "basic lstm": lambda m: m.BasicLSTMCell(4, forget_bias=0.3, state_is_tuple=False),
    "lstm": lambda m: m.LSTMCell(5),
    "lstm with all": lambda m: m.LSTMCell(
        5, use_peepholes=True, cell_clip=0.7, num_proj=3, proj_clip=0.2, num_unit_shards=2, num_proj_shards=3
    ),
    "lstm with peepholes": lambda m: m.LSTMCell(5, use_peepholes=True),
    "clipped lstm": lambda m: m.LSTMCell(5, cell_clip=0.5),
    "projected lstm": lambda m: m.LSTMCell(5, num_proj=2, state_is_tuple=False),
    "gru": lambda m: m.GRUCell(4),
    "stack": lambda m: m.MultiRNNCell([m.LSTMCell(4), m.GRUCell(3), m.BasicRNNCell(5)]),
    "stack in one array": lambda m: m.MultiRNNCell(
        [m.LSTMCell(4, state_is_tuple=False), m.GRUCell(3)], state_is_tuple=False
    ),
    "residual": lambda m: m.ResidualWrapper(m.GRUCell(D)),
    "residual of residuals": lambda m: m.ResidualWrapper(
        m.MultiRNNCell([m.GRUCell(4), m.ResidualWrapper(m.ResidualWrapper(m.BasicRNNCell(4))), m.LSTMCell(D)])
    ),
    "dropout": lambda m: m.DropoutWrapper(m.LSTMCell(4), input_keep_prob=0.5, output_keep_prob=0.75),
    "dropout of a stack": dropped_stack,
    "dropout by one mask": one_mask,
    "device": lambda m: m.DeviceWrapper(m.GRUCell(2), "/gpu:0"),
    "shared": shared_stack,
}


def inputs(dtype: Any = "float64", time_major: bool = False, lengths: Any = None, depth: int = D) -> Any:
    """Normal numbers, NaN past the lengths."""
    x = np.random.default_rng(3).normal(size=(B, T, depth)).astype(dtype)
    for row, length in enumerate(lengths or ()):
        x[row, max(0, length) :] = np.nan
    return np.ascontiguousarray(x.swapaxes(0, 1)) if time_major else x


def states(make: Callable[[Any], Any], dtype: Any, lengths: Any = None) -> Any:
    """Normal numbers, NaN in the rows that no step reaches."""
    size = make(impl_gpu).state_size
    leaves = [np.random.default_rng(n).normal(size=(B, n)).astype(dtype) for n in flatten(size)]
    for row, length in enumerate(lengths or ()):
        for leaf in leaves:
            leaf[row] = np.nan if length <= 0 else leaf[row]
    return pack_sequence_as(size, leaves)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_every_cell(trainer: Any, name: str, ragged: bool) -> None:
    """Chunks of 3, 3 and 1 steps; with lengths in batch-major, which is packed, and without in time-major."""
    lengths, make = LENGTHS if ragged else None, CELLS[name]
    found, _ = trainer.check(
        make,
        inputs(time_major=not ragged, lengths=lengths),
        sequence_length=lengths,
        time_major=not ragged,
        initial_state=states(make, "float64", lengths),
    )
    for row, length in enumerate(lengths or ()):  # GRAD-7
        assert found.d_inputs[row, max(0, length) :].tobytes() == bytes(8 * D * (T - min(T, max(0, length))))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", ["basic rnn", "lstm with all", "gru", "dropout of a stack"])
def test_every_dtype(trainer: Any, name: str, dtype: str) -> None:
    """The gradients of the inputs are wanted, and time is the first axis, and there are lengths."""
    found, _ = trainer.check(
        CELLS[name], inputs(dtype, True, LENGTHS), sequence_length=LENGTHS, time_major=True, parallel_iterations=4
    )
    assert found.d_initial is None


def test_nothing_of_what_is_past_the_end_is_read(trainer: Any) -> None:
    """Cotangents may be NaN in the padding [GRAD-8] and, to be handed on, of states that no step changes [GRAD-10];
    rows end in the midst of chunks and long before the last."""
    make, lengths = CELLS["stack"], [2, 0, 3, 1, -1, 4, 4, 2, 2, 3, 1]
    x = inputs(lengths=lengths)
    with use_store(VariableStore()):
        d_outputs, d_state = trainer.cotangents(make(impl_gpu), x)
    clean, clean_state = d_outputs.copy(), [leaf.copy() for leaf in d_state]
    for row, length in enumerate(lengths):
        d_outputs[row, max(0, length) :] = np.nan
        clean[row, max(0, length) :] = 0
    for leaf in d_state:
        leaf[[1, 4]] = np.nan
    given = {"sequence_length": lengths, "initial_state": states(make, "float64", lengths), "parallel_iterations": 2}
    found, _ = trainer.check(make, x, (clean, clean_state), **given)
    spoilt, _ = trainer.answer(make, x, (d_outputs, d_state), **given)
    for leaf, cotangent, other in zip(spoilt.d_initial, d_state, found.d_initial, strict=True):
        assert leaf[[1, 4]].tobytes() == cotangent[[1, 4]].tobytes()
        leaf[[1, 4]] = other[[1, 4]]
    assert spoilt.same_bits(found)


def test_a_last_h_that_overflows_spoils_no_other_gradient(trainer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A product may make Inf of a row's last h; the steps that the row no longer takes, in the chunk that it shares
    with longer rows, must not make NaN of it [GRAD-12]."""

    def reassign(cell: Any, _: int) -> None:
        kernel, bias, projection = cell.variables
        values = np.zeros(kernel.shape)
        values[0] = 30.0  # the first input opens all gates, or shuts them
        kernel.assign(values)
        bias.assign(np.zeros(bias.shape))
        projection.assign(np.full(projection.shape, 1e308))

    monkeypatch.setattr(trainer, "reassign", reassign)
    make, lengths = CELLS["projected lstm"], [7, 4, 2, 1]
    x = np.random.default_rng(3).normal(size=(4, T, D))
    x[:, :, 0] = -1.0
    for row, length in enumerate(lengths):
        x[row, length - 1, 0] = 1.0
    tiny = 1e-308
    cotangents = np.full((4, T, 2), tiny), [np.full((4, 7), tiny)]
    found, _ = trainer.check(make, x, cotangents, sequence_length=lengths)
    assert np.isinf(found.state[0]).any()
    assert all(np.isfinite(gradient).all() for gradient in found.d_variables.values())


@pytest.mark.parametrize("name", ["lstm with all", "gru"])
def test_no_row_counts(trainer: Any, name: str) -> None:
    found, log = trainer.check(
        CELLS[name], inputs(lengths=[0] * B), sequence_length=[0] * B, initial_state=states(CELLS[name], "float64")
    )
    assert not any(value.any() for value in found.d_variables.values())
    assert log.count("gemm") == 0


@pytest.mark.parametrize("shape", [(0, 5, D), (4, 3, 0), (1, 1, 1)])
@pytest.mark.parametrize("name", ["basic rnn", "lstm with all", "gru"])
def test_sizes_at_the_edge(trainer: Any, name: str, shape: tuple[int, int, int]) -> None:
    trainer.check(CELLS[name], np.ones(shape), parallel_iterations=2)


@pytest.mark.parametrize("units", [8, 12, 5])
@pytest.mark.parametrize("name", ["basic rnn", "lstm", "gru"])
def test_vectors_of_columns(trainer: Any, name: str, units: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entries of wide accesses, at sizes that a test can afford, and where units are none of their multiples."""
    monkeypatch.setattr(geometry, "LEAST_VECTOR_THREADS", 1)
    makes: dict[str, Callable[[Any], Any]] = {
        "basic rnn": lambda m: m.BasicRNNCell(units),
        "lstm": lambda m: m.LSTMCell(units, use_peepholes=True, num_proj=8, proj_clip=0.5),
        "gru": lambda m: m.GRUCell(units),
    }
    trainer.check(makes[name], inputs("float32", lengths=LENGTHS, depth=8), sequence_length=LENGTHS)


def test_central_differences(trainer: Any) -> None:
    """The gradients are derivatives of what the fused forward pass returns, in a few directions in float64 [GRAD-4]."""
    make, x = CELLS["lstm with peepholes"], inputs(lengths=None)
    arguments = {"sequence_length": LENGTHS, "parallel_iterations": 2}
    found, _ = trainer.answer(make, x, **arguments)
    with use_store(VariableStore()):
        d_outputs, d_state = trainer.cotangents(make(impl_gpu), x)

    def loss(moved: Any) -> float:
        answer, _ = trainer.answer(make, moved, (d_outputs, d_state), **arguments)
        pairs = [(answer.outputs, d_outputs), *zip(answer.state, d_state, strict=True)]
        return float(sum((value * d).sum() for value, d in pairs))

    for seed in range(3):
        direction = np.random.default_rng(seed).normal(size=x.shape)
        step = 1e-5
        slope = (loss(x + step * direction) - loss(x - step * direction)) / (2 * step)
        np.testing.assert_allclose((found.d_inputs * direction).sum(), slope, rtol=1e-6)
