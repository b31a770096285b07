"""Tests that the cell of docs/examples runs and pulls back unchanged on both implementations, with the same results."""

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
        outputs, state = example.run(impl_ref, example.MinimalGatedCell(3), example.some_inputs())
        weights = {name: variable.value for name, variable in store.variables.items()}
    device = HostDevice()
    with use_device(device), use_store(VariableStore(weights)):
        gpu_outputs, gpu_state = example.run(impl_gpu, example.MinimalGatedCell(3), example.some_inputs())
        got = {"outputs": device.to_numpy(gpu_outputs), "state": device.to_numpy(gpu_state)}

    assert sorted(weights) == [
        f"rnn/minimal_gated_cell/{part}/{name}" for part in ("candidate", "gate") for name in ("bias", "kernel")
    ]
    assert got["outputs"].dtype == np.float32
    assert not got["outputs"][1, 2:].any()
    assert (got["state"][1] == got["outputs"][1, 1]).all()
    close(got["outputs"], outputs)
    close(got["state"], state)


def test_its_gradients_are_those_of_central_differences(example: ModuleType) -> None:
    """Each array of gradients in a direction of its own, in float64: a step of 1e-5 errs by its square."""
    x, draw = example.some_inputs("float64"), np.random.default_rng(1).standard_normal

    def loss(x: Any, weights: Any) -> float:
        with use_store(VariableStore(weights)):
            return float((example.run(impl_ref, example.MinimalGatedCell(3), x)[0] ** 2).sum())

    with use_store(VariableStore(seed=0)) as store:
        gradients = example.pull_back(impl_ref, example.MinimalGatedCell(3), x)
        weights = {name: variable.value for name, variable in store.variables.items()}
    assert sorted(gradients.variables) == sorted(weights)
    for name in ["inputs", *weights]:
        value = x if name == "inputs" else weights[name]
        direction = draw(value.shape)
        ends = []
        for step in (1e-5, -1e-5):
            moved = value + step * direction
            ends.append(loss(moved, weights) if name == "inputs" else loss(x, {**weights, name: moved}))
        d = gradients.inputs if name == "inputs" else gradients.variables[name]
        difference = (ends[0] - ends[1]) / 2e-5
        assert abs(difference) > 1e-3, name
        assert abs(np.vdot(d, direction) - difference) < 1e-7 * max(1, abs(difference)), name


def test_its_gradients_are_the_same_on_both(example: ModuleType) -> None:
    with use_store(VariableStore(seed=0)) as store:
        wanted = example.pull_back(impl_ref, example.MinimalGatedCell(3), example.some_inputs())
        weights = {name: variable.value for name, variable in store.variables.items()}
    device = HostDevice()
    with use_device(device), use_store(VariableStore(weights)):
        gradients = example.pull_back(impl_gpu, example.MinimalGatedCell(3), example.some_inputs())
        got = {name: device.to_numpy(d) for name, d in gradients.variables.items()}
        d_inputs = device.to_numpy(gradients.inputs)

    assert d_inputs.dtype == np.float32
    assert not d_inputs[1, 2:].any()
    close(d_inputs, wanted.inputs)
    assert sorted(got) == sorted(wanted.variables)
    for name, d in got.items():
        close(d, wanted.variables[name])


@pytest.mark.parametrize("package", [impl_ref, impl_gpu])
def test_it_is_trained(example: ModuleType, package: ModuleType) -> None:
    """The loss falls along its gradients."""
    cell, x, losses = example.MinimalGatedCell(3), example.some_inputs(), []
    device = HostDevice()
    with use_device(device), use_store(VariableStore(seed=0)) as store:
        for _ in range(10):
            outputs, _ = example.run(package, cell, x)
            losses.append(float((outputs**2).sum()))
            for name, d in example.pull_back(package, cell, x).variables.items():
                variable = store.variables[name]
                variable.assign(variable.value - np.float32(0.05) * (device.to_numpy(d) if package is impl_gpu else d))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 2


def close(got: Any, expected: Any) -> None:
    """Compares within the error that the steps add up; every value and every summand is of order 1."""
    np.testing.assert_allclose(got, expected, rtol=0, atol=4 * ULPS * float(np.finfo("float32").eps))


def test_it_imports_no_implementation() -> None:
    assert "import impl_" not in EXAMPLE.read_text(encoding="utf-8")
