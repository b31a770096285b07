"""Tests loading and saving weights by name."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import VariableStore, use_store
from impl_ref import LSTMCell, dynamic_rnn, get_variable, load_weights, save_weights
from impl_ref.arrays import Array

KERNEL, BIAS = "rnn/lstm_cell/kernel", "rnn/lstm_cell/bias"
X: Array = np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 2, 3)


def run() -> Array:
    outputs: Array = dynamic_rnn(LSTMCell(2, reuse="AUTO_REUSE"), X, dtype=np.float32)[0]
    return outputs


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_what_is_saved_can_be_loaded_before_and_after(suffix: str, tmp_path: Path) -> None:
    expected = run()
    assert save_weights(tmp_path / f"weights{suffix}") == [KERNEL, BIAS]
    with use_store(VariableStore()) as fresh:
        loaded = load_weights(tmp_path / f"weights{suffix}")
        assert (loaded.assigned, sorted(loaded.waiting)) == ([], [BIAS, KERNEL])
        np.testing.assert_array_equal(run(), expected)
        assert fresh.waiting() == []
    with use_store(VariableStore()):
        assert (run() != expected).any()
        loaded = load_weights(str(tmp_path / f"weights{suffix}"), strict=True)
        assert (sorted(loaded.assigned), loaded.waiting) == ([BIAS, KERNEL], [])
        np.testing.assert_array_equal(run(), expected)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_every_name_can_be_saved(suffix: str, tmp_path: Path) -> None:
    with use_store(VariableStore()) as store:
        variables = [
            get_variable(name, shape) for name, shape in [("file", [2]), ("allow_pickle", []), ("a/b", [0, 3])]
        ]
        save_weights(tmp_path / f"weights{suffix}")
        before = {variable.name: variable.value for variable in variables}
        for variable in variables:
            variable.assign(variable.value + 1)
        assert load_weights(tmp_path / f"weights{suffix}", strict=True).waiting == []
        for name, value in before.items():
            np.testing.assert_array_equal(store.variables[name].value, value)


def test_tensorflow_s_suffix_is_tolerated_and_unknown_names_are_told(store: VariableStore) -> None:
    run()
    loaded = load_weights({KERNEL + ":0": np.zeros((5, 8), np.float32), "rnn/other": np.zeros(1)})
    assert loaded == ([KERNEL], ["rnn/other"])
    assert not store.variables[KERNEL].value.any()
    assert store.waiting() == ["rnn/other"]


def test_another_store_may_be_named() -> None:
    other = VariableStore()
    assert load_weights({"a": np.zeros(1)}, other).waiting == ["a"]
    assert other.waiting() == ["a"]


def test_a_value_of_another_shape_or_dtype_is_refused_and_nothing_changes(store: VariableStore, refused: Any) -> None:
    with refused(ValueError, KERNEL, "shape (5, 8)", "(5, 4)", "VAR-14"), use_store(VariableStore()):
        load_weights({KERNEL: np.zeros((5, 4), np.float32)})
        run()
    run()
    before = store.variables[BIAS].value.tobytes()
    with refused(TypeError, KERNEL, "dtype float32", "float64", "VAR-14"):
        load_weights({BIAS: np.ones(8, np.float32), KERNEL: np.zeros((5, 8))})
    assert store.variables[BIAS].value.tobytes() == before


def test_strict_wants_exactly_the_variables_that_exist(refused: Any) -> None:
    run()
    with refused(ValueError, "source", "exactly the variables that exist", f"unknown a; missing {BIAS}", "VAR-14"):
        load_weights({KERNEL: np.zeros((5, 8), np.float32), "a": np.zeros(1)}, strict=True)


def test_other_sources_and_targets_are_refused(tmp_path: Path, refused: Any) -> None:
    wanted = "a mapping, or a path that ends in .npz or .safetensors"
    with refused(TypeError, "source", wanted, "3", "VAR-14"):
        load_weights(3)  # type: ignore[arg-type]  # wrong on purpose
    with refused(ValueError, "source", wanted, "'weights.h5'", "VAR-14"):
        load_weights(tmp_path / "weights.h5")
    with refused(ValueError, "target", wanted, "'weights'", "VAR-14"):
        save_weights(tmp_path / "weights")
    with refused(TypeError, "source", "arrays by variable name", "'a': 1.0", "VAR-14"):
        load_weights({"a": 1.0})
    with refused(ValueError, "source", "each variable once", "'a' twice", "VAR-14"):
        load_weights({"a": np.zeros(1), "a:0": np.zeros(1)})


def test_without_safetensors_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"pip install 'tancarflow\[safetensors\]'") as caught:
        save_weights(tmp_path / "weights.safetensors")
    assert caught.value.name == "safetensors"
