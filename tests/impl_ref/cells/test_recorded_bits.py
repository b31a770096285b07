"""Compares what every cell computes, gradients too, with what commit 671c3eb computed, bit for bit.

Every machine has these bits, for nothing is ever rounded. Inputs, states, weights and cotangents are small multiples of
1/2; the activation and what stands in for the sigmoid are stairs in steps of 1/8; keep probabilities are 1/2. So no
number needs more than the 53 bits of a float64, and a sum is the same in any order. A wider type then gives the same
numbers: a test holds that, and says nothing where NumPy has no wider one. Only the sign of a zero may differ between
machines, by how a matrix product begins its sum, so it is not compared.

``RECORDED.write_text(recording())`` in that commit wrote the file.
"""

import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import VariableStore, use_store
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure
from impl_ref import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
    dynamic_rnn,
    dynamic_rnn_vjp,
    load_weights,
    zero_state,
)
from impl_ref.arrays import Array

RECORDED = Path(__file__).with_name("recorded_bits.json")
B, T, D = 4, 2, 2
LENGTHS = [2, 0, 1, 2]


def stairs(x: Array) -> Array:
    """An activation, from -1 to 1 in steps of 1/8."""
    return np.asarray(np.clip(np.floor(x * 4) / 8, -1, 1))


def _stairs_vjp(x: Array) -> Any:
    """Its slope is none that stairs have: what counts is that the cells use it."""
    return stairs(x), lambda d: np.where(x < 0, d / 2, d)


def twice_and_product(inputs: Array, outputs: Array) -> Any:
    return inputs + inputs + inputs * outputs


def _twice_and_product_vjp(inputs: Array, outputs: Array) -> Any:
    return twice_and_product(inputs, outputs), lambda d: (d + d + d * outputs, d * inputs)


stairs.vjp = _stairs_vjp  # type: ignore[attr-defined]  # a function has no such attribute
twice_and_product.vjp = _twice_and_product_vjp  # type: ignore[attr-defined]  # a function has no such attribute


def sigmoid_stairs(x: Array) -> Array:
    """From 0 to 1 in steps of 1/8."""
    return np.clip(np.floor(x) / 8 + 0.5, 0, 1)


@pytest.fixture(autouse=True)
def exact_sigmoid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("basic_lstm", "gru", "lstm"):
        monkeypatch.setattr(importlib.import_module(f"impl_ref.cells.{name}"), "sigmoid", sigmoid_stairs)


def rnn(n: int = 3) -> Any:
    return BasicRNNCell(n, activation=stairs)


def gru(n: int = 3) -> Any:
    return GRUCell(n, activation=stairs)


def basic_lstm(n: int = 3, **options: Any) -> Any:
    return BasicLSTMCell(n, activation=stairs, **options)


def lstm(n: int = 3, **options: Any) -> Any:
    return LSTMCell(n, activation=stairs, **options)


def dropped(cell: Any, **options: Any) -> Any:
    """All three drops, with noise of multiples of 1/8."""
    wrapper, draws = DropoutWrapper(cell, 0.5, 0.5, 0.5, **options), np.random.RandomState(1)
    wrapper.uniform = lambda purpose, leaf, shape, dtype: (draws.randint(0, 8, shape) / 8).astype(dtype)
    return wrapper


CELLS: Mapping[str, Callable[[Any], Any]] = {
    "BasicRNNCell": lambda dtype: rnn(),
    "GRUCell": lambda dtype: gru(),
    "BasicLSTMCell": lambda dtype: basic_lstm(),
    "BasicLSTMCell forget_bias": lambda dtype: basic_lstm(forget_bias=-0.5),
    "BasicLSTMCell one array": lambda dtype: basic_lstm(state_is_tuple=False),
    "LSTMCell": lambda dtype: lstm(),
    "LSTMCell forget_bias": lambda dtype: lstm(forget_bias=0.5),
    "LSTMCell peepholes": lambda dtype: lstm(use_peepholes=True),
    "LSTMCell cell_clip": lambda dtype: lstm(cell_clip=0.5),
    "LSTMCell peepholes and cell_clip": lambda dtype: lstm(use_peepholes=True, cell_clip=0.5),
    "LSTMCell projection": lambda dtype: lstm(num_proj=2),
    "LSTMCell proj_clip": lambda dtype: lstm(num_proj=2, proj_clip=0.125),
    "LSTMCell proj_clip without projection": lambda dtype: lstm(proj_clip=0.125),
    "LSTMCell shards": lambda dtype: lstm(num_proj=2, num_unit_shards=2, num_proj_shards=3),
    "LSTMCell one array": lambda dtype: lstm(num_proj=2, state_is_tuple=False),
    "LSTMCell everything": lambda dtype: lstm(
        use_peepholes=True, cell_clip=0.5, num_proj=2, proj_clip=0.125, forget_bias=0.5, state_is_tuple=False
    ),
    "MultiRNNCell": lambda dtype: MultiRNNCell([gru(1), basic_lstm(2)]),
    "MultiRNNCell one array": lambda dtype: MultiRNNCell([rnn(2), gru(2)], state_is_tuple=False),
    "MultiRNNCell shared": lambda dtype: MultiRNNCell([rnn(D)] * 2),
    "DropoutWrapper": lambda dtype: dropped(basic_lstm()),
    "DropoutWrapper all of the state": lambda dtype: dropped(lstm(), dropout_state_filter_visitor=lambda part: True),
    "DropoutWrapper variational": lambda dtype: dropped(gru(), variational_recurrent=True, input_size=D, dtype=dtype),
    "ResidualWrapper": lambda dtype: ResidualWrapper(gru(D)),
    "ResidualWrapper residual_fn": lambda dtype: ResidualWrapper(lstm(D), twice_and_product),
    "DeviceWrapper": lambda dtype: DeviceWrapper(gru(), "cpu"),
    "wrappers in wrappers": lambda dtype: dropped(ResidualWrapper(dropped(DeviceWrapper(rnn(D), None)))),
}


def computed(name: str, dtype: Any) -> dict[str, Array]:
    """What a call of that cell gives, array by array."""
    draws, make = np.random.RandomState(0), CELLS[name]

    def halves(like: Array) -> Array:
        return (draws.randint(-3, 4, np.shape(like)) / 2).astype(dtype)

    x, start = halves(np.zeros((B, T, D))), map_structure(halves, zero_state(make(dtype), B, dtype))
    with use_store(VariableStore(seed=0)) as store:
        dynamic_rnn(make(dtype), x, dtype=dtype)
        weights = {name: halves(variable.value) for name, variable in sorted(store.variables.items())}
    results = []
    for function in (dynamic_rnn, dynamic_rnn_vjp):
        with use_store(VariableStore()):
            load_weights(weights)
            results.append(function(make(dtype), x, LENGTHS, start))
    returned, ((outputs, state), vjp) = results
    for one, other in zip(flatten(returned), flatten((outputs, state)), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
    d = vjp(map_structure(halves, outputs), map_structure(halves, state))
    found = {"outputs": outputs, "state": state, "d_inputs": d.inputs, "d_initial_state": d.initial_state}
    arrays = {f"{what}[{place}]": leaf for what, whole in found.items() for place, leaf in enumerate(flatten(whole))}
    return {**arrays, **{f"d {variable}": value for variable, value in d.variables.items()}}


def recording() -> str:
    """JSON of what all cells compute, an array a line, zeros without their sign."""
    lines = {
        name: ",\n".join(
            f'    "{what}": {json.dumps((array + 0.0).tolist())}' for what, array in computed(name, np.float64).items()
        )
        for name in CELLS
    }
    return "{\n" + ",\n".join(f'  "{name}": {{\n{arrays}\n  }}' for name, arrays in lines.items()) + "\n}\n"


def recorded(name: str) -> dict[str, Array]:
    """What the file has of a cell."""
    arrays: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))[name]
    return {what: np.array(array, np.float64) for what, array in arrays.items()}


@pytest.mark.parametrize("name", CELLS)
def test_every_value_is_as_recorded(name: str) -> None:
    found, wanted = computed(name, np.float64), recorded(name)
    assert list(found) == list(wanted)
    for what, array in found.items():
        np.testing.assert_array_equal(array, wanted[what], err_msg=what, strict=True)


@pytest.mark.parametrize("name", CELLS)
def test_no_number_was_rounded(name: str) -> None:
    longer = computed(name, np.longdouble)
    for what, array in computed(name, np.float64).items():
        np.testing.assert_array_equal(array.astype(np.longdouble), longer[what], err_msg=what)


@pytest.mark.parametrize("name", CELLS)
def test_no_array_is_all_zeros(name: str) -> None:
    assert [what for what, array in recorded(name).items() if not array.any()] == []
