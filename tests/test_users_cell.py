"""The cell of docs/examples runs on both implementations as it is, and gives the same; knows no other cell."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import impl_gpu
import impl_ref
from dynamic_rnn_spec import VariableStore, use_store
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "users_cell.py"
ULPS = 8  # of the summands, between two libraries' exp, tanh and orders of adding


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("users_cell", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_users_cell_gives_the_same_on_both(example: ModuleType) -> None:
    with use_store(VariableStore()) as store:
        outputs, state = example.run(impl_ref)
        weights = {name: variable.value for name, variable in store.variables.items()}
    device = HostDevice()
    with use_device(device), use_store(VariableStore(weights)):
        gpu_outputs, gpu_state = example.run(impl_gpu)
        got = {"outputs": device.to_numpy(gpu_outputs), "state": device.to_numpy(gpu_state)}

    assert sorted(weights) == [
        f"rnn/minimal_gated_cell/{part}/{name}" for part in ("candidate", "gate") for name in ("bias", "kernel")
    ]
    assert got["outputs"].dtype == np.float32
    assert not got["outputs"][1, 2:].any()
    assert (got["state"][1] == got["outputs"][1, 1]).all()
    close(got["outputs"], outputs)
    close(got["state"], state)


def close(got: Any, expected: Any) -> None:
    """Every value is of order 1, and steps add their errors."""
    np.testing.assert_allclose(got, expected, rtol=0, atol=4 * ULPS * float(np.finfo("float32").eps))


def test_it_imports_no_implementation() -> None:
    assert "import impl_" not in EXAMPLE.read_text(encoding="utf-8")
