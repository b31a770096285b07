"""Tests dynamic_rnn as a whole: which path a call takes, that both give the same, and what a call costs in all."""

import gc
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec import VariableStore, use_store
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure
from impl_gpu import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    LSTMStateTuple,
    MultiRNNCell,
    ResidualWrapper,
    clear_caches,
    dynamic_rnn,
    launch_log,
    options,
)
from impl_gpu.dtypes import as_dtype

B, T, D, N = 4, 7, 3, 5
LENGTHS = [3, 0, 9, 7]


def numbers(*shape: int, dtype: Any = "float32") -> Any:
    return np.random.RandomState(len(shape)).uniform(-1, 1, shape).astype(dtype)


CELLS: dict[str, Any] = {
    "basic rnn": lambda: BasicRNNCell(N),
    "gru": lambda: GRUCell(N),
    "basic lstm": lambda: BasicLSTMCell(N, state_is_tuple=False),
    "lstm": lambda: LSTMCell(N, use_peepholes=True, cell_clip=0.3, num_unit_shards=2),
    "projected": lambda: LSTMCell(N, num_proj=2, proj_clip=0.05, forget_bias=0.0),
    "stack": lambda: MultiRNNCell([LSTMCell(N), DeviceWrapper(GRUCell(2), None)]),
    "wrapped": lambda: ResidualWrapper(DropoutWrapper(GRUCell(D), 0.7, 0.7, 0.7, seed=4)),
    "variational": lambda: DropoutWrapper(
        LSTMCell(N), 0.7, 0.7, 0.7, variational_recurrent=True, input_size=D, dtype="float32", seed=4
    ),
}


def run(make: Any, path: str, **arguments: Any) -> tuple[list[Any], Any, Any]:
    """The leaves of the result, its structure and the log of a call in a fresh store."""
    with use_store(VariableStore(seed=2)), options(path=path), launch_log() as log:
        outputs, state = dynamic_rnn(make(), **{"inputs": numbers(B, T, D), "dtype": "float32", **arguments})
    leaves = flatten((outputs, state))
    return [leaf.get() for leaf in leaves], map_structure(lambda leaf: leaf.shape, (outputs, state)), log


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("name", CELLS)
def test_both_paths_give_the_same(name: str, lengths: Any) -> None:
    fused, fused_structure, fused_log = run(CELLS[name], "auto", sequence_length=lengths)
    step_by_step, structure, log = run(CELLS[name], "cell", sequence_length=lengths)
    assert fused_structure == structure
    assert type(fused_structure[1]) is type(structure[1])
    for one, other in zip(fused, step_by_step, strict=True):
        assert one.dtype == other.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6)
        assert (one == 0).tolist() == (other == 0).tolist()
    assert log.count("kernel") == log.count("kernel", "masked copy") > 0
    assert fused_log.count("kernel", "masked copy") == 0
    assert fused_log.notes == []
    assert log.notes == ["any-cell path: the switch path says so"]


@pytest.mark.parametrize(("dtype", "ulp"), [("float16", 2**-10), ("bfloat16", 2**-7), ("float64", 2**-50)])
@pytest.mark.parametrize("name", ["basic rnn", "gru", "lstm", "projected", "stack"])
def test_both_paths_compute_in_the_dtype_of_the_inputs(name: str, dtype: str, ulp: float) -> None:
    x = numbers(B, T, D, dtype=as_dtype(dtype))
    fused, _, _ = run(CELLS[name], "auto", inputs=x, dtype=dtype, sequence_length=LENGTHS)
    step_by_step, _, _ = run(CELLS[name], "cell", inputs=x, dtype=dtype, sequence_length=LENGTHS)
    for one, other in zip(fused, step_by_step, strict=True):
        assert one.dtype == other.dtype == x.dtype
        np.testing.assert_allclose(one.astype("f8"), other.astype("f8"), rtol=0, atol=16 * ulp)


@pytest.mark.parametrize("path", ["auto", "cell"])
def test_time_major_and_batch_major_are_the_same_call(path: str) -> None:
    x = numbers(B, T, D)
    batch_major, _, _ = run(CELLS["stack"], path, inputs=x, sequence_length=LENGTHS)
    time_major, _, _ = run(CELLS["stack"], path, inputs=x.swapaxes(0, 1), sequence_length=LENGTHS, time_major=True)
    np.testing.assert_allclose(batch_major[0], time_major[0].swapaxes(0, 1), rtol=0, atol=1e-6)
    for one, other in zip(batch_major[1:], time_major[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("path", ["auto", "cell"])
@pytest.mark.parametrize("shape", [(0, T, D), (B, 0, D), (B, T, 0), (0, 0, 0)])
def test_empty_calls_have_their_shapes(shape: Any, path: str) -> None:
    (outputs, c, h), structure, log = run(lambda: LSTMCell(N), path, inputs=np.ones(shape, "f4"))
    assert structure == ((*shape[:2], N), LSTMStateTuple((shape[0], N), (shape[0], N)))
    if shape[1] == 0:
        assert not c.any()
        assert not h.any()
        assert log.count("gemm") == 0
    assert outputs.dtype == np.float32


def test_without_steps_no_variable_is_made(store: VariableStore) -> None:
    dynamic_rnn(LSTMCell(N), np.ones((B, 0, D), "f4"), dtype="float32")
    assert not store.variables


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (BasicRNNCell(N, activation=lambda x: x), "a BasicRNNCell with an activation of its own"),
        (ResidualWrapper(GRUCell(D), lambda i, o: o), "a ResidualWrapper with a residual_fn"),
        (type("Mine", (GRUCell,), {})(N), "a cell of type Mine"),
    ],
)
def test_what_can_not_run_fused_runs_step_by_step_and_says_why(cell: Any, reason: str) -> None:
    with launch_log() as log:
        dynamic_rnn(cell, numbers(B, T, D), dtype="float32")
    assert log.notes == [f"any-cell path: {reason}"]
    assert impl_gpu.explain(cell) == log.notes[0]
    assert log.count("kernel", "masked copy") > 0


@pytest.mark.parametrize("path", ["auto", "cell"])
def test_the_host_waits_for_lengths_on_the_device_and_for_nothing_else(path: str, device: Any) -> None:
    x, on_device = device.enter(numbers(B, T, D)), device.enter(np.array(LENGTHS, np.int64))
    with options(path=path):
        for lengths, waits in ((None, 0), (LENGTHS, 0), (np.array(LENGTHS), 0), (on_device, 1)):
            with use_store(VariableStore(seed=2)), launch_log() as log:
                dynamic_rnn(GRUCell(N), x, lengths, dtype="float32")
            assert log.count("synchronize") == waits
            assert log.count("get") == 0


@pytest.mark.parametrize("path", ["auto", "cell"])
def test_arguments_are_left_as_they_are_and_results_are_new(path: str, device: Any) -> None:
    x, state = device.enter(numbers(B, T, D)), device.enter(numbers(B, N))
    before = x.get(), state.get()
    with options(path=path):
        outputs, final = dynamic_rnn(GRUCell(N), x, LENGTHS, state)
    assert [x.get().tolist(), state.get().tolist()] == [array.tolist() for array in before]
    assert len({array.data.ptr for array in (x, state, outputs, final)}) == 4
    assert final.get()[1].tolist() == before[1][1].tolist()


@pytest.mark.parametrize("path", ["auto", "cell"])
def test_a_failed_call_leaves_nothing_and_the_cell_can_be_called_again(path: str, store: VariableStore) -> None:
    cell = MultiRNNCell([GRUCell(N), ResidualWrapper(GRUCell(N + 1))])
    with options(path=path):
        with pytest.raises(ValueError, match=r"EQ-11"):
            dynamic_rnn(cell, numbers(B, T, D), dtype="float32")
        assert not store.variables
        assert not cell.built
        dynamic_rnn(MultiRNNCell([cell._cells[0]]), numbers(B, T, D), dtype="float32")
        assert len(store.variables) == 4


@pytest.mark.parametrize("path", ["auto", "cell"])
def test_a_call_leaves_its_results_and_caches_and_nothing_else(path: str, device: Any) -> None:
    with options(path=path):
        results = dynamic_rnn(CELLS["stack"](), numbers(B, T, D), LENGTHS, dtype="float32")
    sizes = sorted(leaf.nbytes for leaf in flatten(results))
    device.finish()
    clear_caches()
    gc.collect()
    device.finish()
    assert sorted(nbytes for _, nbytes in device.live()) == sizes
    del results
    device.finish()
    assert device.live() == []


def test_another_stream_is_used_where_it_is_the_current_one(device: Any) -> None:
    wanted, _, _ = run(CELLS["stack"], "auto", sequence_length=LENGTHS)
    for seed in range(10):
        clear_caches()
        device.restart(seed)
        with device.stream(device.new_stream()):
            leaves, _, _ = run(CELLS["stack"], "auto", sequence_length=LENGTHS)
        for one, other in zip(wanted, leaves, strict=True):
            assert one.tolist() == other.tolist()


def python(code: str, **environment: str) -> Any:
    """What a fresh interpreter says to it, with no GPU to be seen."""
    command = [sys.executable, "-c", code]
    path = ":".join(entry for entry in sys.path if entry)
    variables = {"PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "", **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_without_cupy_the_extra_to_install_is_named() -> None:
    hidden = "import sys, importlib.util as u; find = u.find_spec; "
    hidden += "u.find_spec = lambda name, *more: None if name == 'cupy' else find(name, *more); import impl_gpu"
    ran = python(hidden)
    assert ran.returncode == 1
    assert "ImportError: impl_gpu needs CuPy: pip install 'tancarflow[cuda13]'" in ran.stderr
    assert "tancarflow[cuda12]" in ran.stderr


def test_without_a_device_importing_works_and_calling_says_what_is_missing() -> None:
    call = "import numpy, impl_gpu; print('imported'); "
    call += "impl_gpu.dynamic_rnn(impl_gpu.GRUCell(2), numpy.ones((2, 3, 4), 'f4'), dtype='f4')"
    ran = python(call)
    assert ran.stdout == "imported\n"
    assert "RuntimeError: impl_gpu: no CUDA device" in ran.stderr
    assert "IMPL_GPU_DEVICE=host" in ran.stderr


def test_every_exported_name_is_there() -> None:
    assert sorted(impl_gpu.__all__) == list(impl_gpu.__all__)
    assert all(hasattr(impl_gpu, name) for name in impl_gpu.__all__)
