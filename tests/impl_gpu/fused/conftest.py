"""Gives the tests of the fused path cells in float64 by NumPy, and calls on a host device of many schedules.

The equations here are written from the page's clauses, with loops over rows and steps; nothing of impl_gpu computes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec import LSTMStateTuple, VariableStore, use_store, variable_scope
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as
from impl_gpu import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
)
from impl_gpu.abstract import Abstract
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice
from impl_gpu.device.log import LaunchLog

Array = np.ndarray[Any, Any]


# --- the cells in float64 -------------------------------------------------------------------------------------------


def wide(weight: Any) -> Array:
    """The value of a weight in float64."""
    return np.asarray(weight.read(), np.float64)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def step_of(cell: Any, x: Array, state: Any, noise: Any) -> tuple[Array, Any]:
    """One step of all rows: (output, new state). ``noise(wrapper, purpose, leaf, v)`` gives U for a drop."""
    kind = type(cell)
    if kind is BasicRNNCell:
        h = np.tanh(np.hstack([x, state]) @ wide(cell._kernel) + wide(cell._bias))
        return h, h
    if kind is GRUCell:
        h, n = state, cell.output_size
        gates = sigmoid(np.hstack([x, h]) @ wide(cell._gates_kernel) + wide(cell._gates_bias))
        r, u = gates[:, :n], gates[:, n:]
        c = np.tanh(np.hstack([x, r * h]) @ wide(cell._candidate_kernel) + wide(cell._candidate_bias))
        h = u * h + (1 - u) * c
        return h, h
    if kind in (BasicLSTMCell, LSTMCell):
        return lstm_step(cell, x, state)
    if kind is DeviceWrapper:
        return step_of(cell._cell, x, state, noise)
    if kind is ResidualWrapper:
        output, new_state = step_of(cell._cell, x, state, noise)
        return x + output, new_state
    if kind is MultiRNNCell:
        return stack_step(cell, x, state, noise)
    assert kind is DropoutWrapper
    keep = cell._keep
    x = dropped(x, keep["input"], lambda: noise(cell, "input", 0, x))
    output, new_state = step_of(cell._cell, x, state, noise)
    leaves = []
    for leaf, (v, is_c) in enumerate(marked(new_state)):
        leaves.append(v if is_c else dropped(v, keep["state"], lambda v=v, leaf=leaf: noise(cell, "state", leaf, v)))
    new_state = pack_sequence_as(new_state, leaves)
    return dropped(output, keep["output"], lambda: noise(cell, "output", 0, output)), new_state


def lstm_step(cell: Any, x: Array, state: Any) -> tuple[Array, Any]:
    n = cell._num_units
    as_tuple = isinstance(state, tuple)
    c, h = state if as_tuple else (state[:, :n], state[:, n:])
    i, j, f, o = np.split(np.hstack([x, h]) @ wide(cell._kernel) + wide(cell._bias), 4, axis=1)
    full = type(cell) is LSTMCell
    if full and cell._use_peepholes:
        i, f = i + wide(cell._w_i) * c, f + wide(cell._w_f) * c
    c = sigmoid(f + cell._forget_bias) * c + sigmoid(i) * np.tanh(j)
    if full and cell._cell_clip is not None:
        c = np.clip(c, -cell._cell_clip, cell._cell_clip)
    if full and cell._use_peepholes:
        o = o + wide(cell._w_o) * c
    h = sigmoid(o) * np.tanh(c)
    if full and cell._num_proj is not None:
        h = h @ wide(cell._projection)
        if cell._proj_clip is not None:
            h = np.clip(h, -cell._proj_clip, cell._proj_clip)
    return h, LSTMStateTuple(c, h) if as_tuple else np.hstack([c, h])


def stack_step(cell: Any, x: Array, state: Any, noise: Any) -> tuple[Array, Any]:
    as_tuple = isinstance(state, tuple)
    states, new_states, start = state, [], 0
    if not as_tuple:
        states = []
        for inner in cell._cells:
            states.append(state[:, start : start + inner.state_size])
            start += inner.state_size
    for inner, own in zip(cell._cells, states, strict=True):
        x, new = step_of(inner, x, own, noise)
        new_states.append(new)
    return x, tuple(new_states) if as_tuple else np.hstack(new_states)


def dropped(v: Array, keep: float, draw: Any) -> Array:
    return v if keep == 1 else v / keep * np.floor(keep + draw())


def marked(state: Any) -> list[tuple[Array, bool]]:
    """Each leaf, and whether it is the c of an LSTMStateTuple."""
    if isinstance(state, LSTMStateTuple):
        return [(state.c, True), (state.h, False)]
    if isinstance(state, tuple):
        return [leaf for part in state for leaf in marked(part)]
    return [(state, False)]


class Noise:
    """Draws that depend on nothing but the question and how often it was asked: for a device and for float64 alike."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, tuple[int, ...]]] = []

    def __call__(self, purpose: str, leaf: int, shape: tuple[int, ...], dtype: Any) -> Array:
        self.asked.append((purpose, leaf, shape))
        rng = np.random.default_rng([len(self.asked), leaf, *purpose.encode()])
        return (rng.integers(0, 256, shape) / 256).astype(dtype)


@dataclass
class Result:
    """Outputs as the caller has them, and the leaves of the state."""

    outputs: Array
    state: list[Array]
    log: LaunchLog = field(default_factory=LaunchLog)

    def same_bits(self, other: "Result") -> bool:
        mine, others = [self.outputs, *self.state], [other.outputs, *other.state]
        return all(a.tobytes() == b.tobytes() and a.shape == b.shape for a, b in zip(mine, others, strict=True))


class Bench:
    """Built cells, inputs, calls and what should come out of them."""

    def __init__(self) -> None:
        self.device = HostDevice(0)
        self._built = 0

    def built(self, cell: Any, depth: int, dtype: Any = "float32", seed: int = 0) -> Any:
        """The cell with all its variables set to normal numbers, biases too."""
        x = Abstract((1, depth), dtype)
        state = pack_sequence_as(cell.state_size, [Abstract((1, n), dtype) for n in flatten(cell.state_size)])
        self._built += 1
        with variable_scope(f"cell_{self._built}"):
            cell(x, state)
        self.reassign(cell, seed)
        return cell

    def reassign(self, cell: Any, seed: int) -> None:
        rng = np.random.default_rng(seed)
        for variable in cell.variables:
            variable.assign(rng.normal(0, 0.6, variable.shape).astype(variable.dtype))

    def call(self, cell: Any, x: Array, *, clear: bool = True, **arguments: Any) -> Result:
        """The call on the device as it is, read back; with ``clear`` nothing may be left on it afterwards."""
        with use_device(self.device), impl_gpu.launch_log() as log:
            outputs, state = impl_gpu.dynamic_rnn(cell, x, dtype=x.dtype, **arguments)
        result = replace(self.result(outputs, state), log=log)
        if clear:
            del outputs, state
            self.clear()
        return result

    def result(self, outputs: Any, state: Any) -> Result:
        """Read back; the host waits for the current stream."""
        return Result(self.device.to_numpy(outputs), [self.device.to_numpy(leaf) for leaf in flatten(state)])

    def clear(self) -> None:
        """Give all back while work may be under way, and again when it is done; then nothing is left."""
        for _ in range(2):
            with use_device(self.device):
                impl_gpu.clear_caches()
            self.device.finish()
        left = self.device.live()
        assert left == [], left

    def restart(self, seed: int) -> None:
        """Another schedule; what calls have kept is gone."""
        self.device.restart(seed)

    def forget(self) -> None:
        """Another device, after an error on this one."""
        self.device = HostDevice(0)

    def expected(
        self,
        cell: Any,
        x: Array,
        *,
        sequence_length: Any = None,
        initial_state: Any = None,
        time_major: bool = False,
        noise: Any = None,
        **_: Any,
    ) -> Result:
        """The same call in float64, row by row and step by step."""
        x = np.asarray(x if time_major else x.swapaxes(0, 1), np.float64)
        T, B = x.shape[:2]
        lengths = np.full(B, T) if sequence_length is None else np.clip(sequence_length, 0, T)
        sizes = flatten(cell.state_size)
        leaves = [np.zeros((B, n)) for n in sizes] if initial_state is None else flatten(initial_state)
        leaves = [np.asarray(leaf, np.float64) for leaf in leaves]
        outputs = np.zeros((T, B, cell.output_size))
        for t in range(T):
            output, new = step_of(cell, x[t], pack_sequence_as(cell.state_size, leaves), noise)
            counts = t < lengths
            outputs[t, counts] = output[counts]
            leaves = [np.where(counts[:, None], one, old) for one, old in zip(flatten(new), leaves, strict=True)]
        return Result(outputs if time_major else outputs.swapaxes(0, 1), leaves)

    def check(self, got: Result, wanted: Result, steps: int, counts: Any = None) -> None:
        """Agreement within the rounding of the dtype at each step; zeros exactly where they are wanted."""
        for mine, right in zip([got.outputs, *got.state], [wanted.outputs, *wanted.state], strict=True):
            assert mine.shape == right.shape
            eps = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}[mine.dtype.name]
            np.testing.assert_allclose(mine.astype(np.float64), right, rtol=0, atol=16 * eps * (steps + 2))


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A bench in a store of its own, with nothing kept from call to call."""
    with use_store(VariableStore(seed=0)):
        made = Bench()
        yield made
        with use_device(made.device):
            impl_gpu.clear_caches()


@pytest.fixture
def noise_source() -> type[Noise]:
    """The class of a source of draws that can be asked twice."""
    return Noise
