"""Tests weights in and out by name, and their copies on the device: one upload for each value and stream."""

import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import VariableStore, get_variable, use_store, variable_scope
from dynamic_rnn_spec.initializers import Ones
from impl_gpu import BasicRNNCell, RNNCell, clear_caches, dynamic_rnn, launch_log, load_weights, options, save_weights
from impl_gpu.copies import COPIES
from impl_gpu.device import use_device

X = np.ones((2, 3, 4), "float32")


def test_a_variable_is_uploaded_once_for_each_value(device: Any) -> None:
    like = device.enter(np.zeros(1, "float32"))
    variable = get_variable("w", [2], initializer=Ones())
    with launch_log() as log:
        first = variable.read(like)
        assert variable.read(like) is first
        variable.assign(np.array([2, 3], np.float32))
        assert variable.read(like).get().tolist() == [2, 3]
        assert first.get().tolist() == [1, 1]
    assert log.count("put") == 2
    clear_caches()
    with launch_log() as log:
        variable.read(like)
    assert log.count("put") == 1


def test_each_stream_has_a_copy_of_its_own(device: Any) -> None:
    like = device.enter(np.zeros(1, "float32"))
    variable = get_variable("w", [2], initializer=Ones())
    first = variable.read(like)
    with device.stream(device.new_stream()), launch_log() as log:
        second = variable.read(like)
        assert second is not first
        assert second.get().tolist() == [1, 1]
    assert log.count("put") == 1
    assert log.count("wait") == 0


def test_few_streams_have_copies(device: Any) -> None:
    """A caller may take a new stream for every call."""
    like = device.enter(np.zeros(1, "float32"))
    variable = get_variable("w", [1000], initializer=Ones())
    streams = [device.new_stream() for _ in range(3 * COPIES)]
    for stream in streams:
        with device.stream(stream):
            assert (variable.read(like) + 1).get().tolist() == [2] * 1000
    device.finish()
    assert sum(nbytes >= 4000 for _, nbytes in device.live()) == COPIES
    with device.stream(streams[-1]), launch_log() as log:
        variable.read(like)
    assert not log.count("put")


def test_the_default_stream_of_each_thread_has_a_copy_of_its_own(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have one pointer, and so are equal in CuPy; only the device tells them apart."""
    monkeypatch.setattr(device, "queue_of", lambda stream: (stream, threading.get_ident()))
    like = device.enter(np.zeros(1, "float32"))
    variable = get_variable("w", [2], initializer=Ones())

    def read_here() -> Any:
        with use_device(device):
            return variable.read(like)

    mine = variable.read(like)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(read_here).result() is not mine
    assert variable.read(like) is mine


def test_copies_end_with_the_streams_of_a_device(device: Any) -> None:
    variable = get_variable("w", [2], initializer=Ones())
    variable.read(device.enter(np.zeros(1, "float32")))
    device.restart(3)
    with launch_log() as log:
        assert variable.read(device.enter(np.zeros(1, "float32"))).get().tolist() == [1, 1]
    assert log.count("put") == 2


def test_a_copy_lives_no_longer_than_its_variable(device: Any) -> None:
    like = device.enter(np.zeros(1, "float32"))
    with use_store(VariableStore()):
        get_variable("w", [1000], initializer=Ones()).read(like)
    gc.collect()
    device.finish()
    assert device.live() == [("upload", 4)]


def test_a_value_that_is_taken_back_is_the_one_that_is_read(device: Any, store: VariableStore) -> None:
    like = device.enter(np.zeros(1, "float32"))
    first, second = get_variable("a", [1], initializer=Ones()), get_variable("b", [1], initializer=Ones())
    first.read(like)
    with pytest.raises(ValueError, match="VAR-14"):
        load_weights({"a": np.full(1, 5, "float32"), "b": np.zeros(2, "float32")})
    assert first.read(like).get().tolist() == second.read(like).get().tolist() == [1]


class Weighted(RNNCell):
    """A user's cell with a weight in parts."""

    state_size = output_size = 3

    def build(self, inputs_shape: Any) -> None:
        self.kernel = self.add_variable("kernel", [inputs_shape[1], 3], initializer=Ones(), partitions=2)

    def call(self, inputs: Any, state: Any) -> Any:
        state = state + inputs @ self.kernel.read(inputs)
        return state, state


def test_a_users_cell_uploads_its_weights_once_in_a_call(device: Any) -> None:
    cell = Weighted()
    with launch_log() as log:
        _, state = dynamic_rnn(cell, device.enter(X), dtype="float32")
    assert log.count("put") == 3  # the inputs, and two parts
    assert state.get().tolist() == [[12, 12, 12]] * 2
    with launch_log() as log:
        dynamic_rnn(cell, device.enter(X), dtype="float32")
    assert log.count("put") == 1


@pytest.mark.parametrize("path", ["auto", "cell"])
def test_new_weights_are_seen_by_the_next_call(path: str) -> None:
    with options(path=path):
        cell = BasicRNNCell(3)
        dynamic_rnn(cell, X, dtype="float32")
        loaded = load_weights({"rnn/basic_rnn_cell/kernel:0": np.zeros((7, 3), "f4")})
        assert loaded == (["rnn/basic_rnn_cell/kernel"], [])
        outputs, _ = dynamic_rnn(cell, X, dtype="float32")
        assert not outputs.get().any()


def test_values_may_come_from_the_device_and_wait_for_their_variable(device: Any, store: VariableStore) -> None:
    kernel = np.arange(21, dtype="f4").reshape(7, 3)
    loaded = load_weights({"rnn/basic_rnn_cell/kernel": device.enter(kernel), "rnn/none": np.zeros(1)})
    assert loaded.waiting == ["rnn/basic_rnn_cell/kernel", "rnn/none"]
    cell = BasicRNNCell(3)
    dynamic_rnn(cell, X, dtype="float32")
    assert cell.variables[0].value.tolist() == kernel.tolist()
    assert store.waiting() == ["rnn/none"]


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_weights_go_through_a_file(suffix: str, tmp_path: Path, store: VariableStore) -> None:
    with variable_scope("file"):
        variable = get_variable("w", [2, 3])
    value, path = variable.value, tmp_path / f"weights{suffix}"
    assert save_weights(path) == ["file/w"]
    variable.assign(np.zeros((2, 3), "f4"))
    assert load_weights(str(path), strict=True).assigned == ["file/w"]
    assert variable.value.tolist() == value.tolist()


@pytest.mark.parametrize(
    ("source", "kind", "got"),
    [
        (3, TypeError, "3"),
        ("weights.txt", ValueError, "'weights.txt'"),
        ({3: np.zeros(1)}, TypeError, "3: an object of type ndarray"),
        ({"w": [1.0]}, TypeError, "'w': an object of type list"),
        ({"w": np.zeros(1), "w:0": np.zeros(1)}, ValueError, "'w' twice"),
    ],
)
def test_other_sources_are_refused(source: Any, kind: Any, got: str) -> None:
    with pytest.raises(kind) as caught:
        load_weights(source)
    assert (caught.value.argument, caught.value.got, caught.value.clause) == ("source", got, "VAR-14")


def test_strict_wants_every_name_and_no_other() -> None:
    get_variable("a", [1]), get_variable("b", [1])
    with pytest.raises(ValueError, match=r"got unknown c; missing b \[VAR-14\]"):
        load_weights({"a": np.zeros(1, "f4"), "c": np.zeros(1, "f4")}, strict=True)
    with pytest.raises(TypeError, match=r"target: expected .*, got 3 \[VAR-14\]"):
        save_weights(3)  # type: ignore[arg-type]


def test_safetensors_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"tancarflow\[safetensors\]"):
        save_weights(tmp_path / "w.safetensors")
