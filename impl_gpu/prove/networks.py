"""Makes small whole calls of dynamic_rnn: every cell, dense and ragged, both layouts.

Every network is made anew for each run from its name, its weights and inputs drawn from it, so that runs with other
switches, and on other machines, are the same call.
"""

import contextlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import impl_gpu
from dynamic_rnn_spec.vocabulary.array_module import array_module
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as

from ..device import use_device
from ..device.seam import Device
from .desk import Numbers

DTYPES = ("float16", "bfloat16", "float32", "float64")


class Network(NamedTuple):
    """One call. ``lengths`` None: dense. ``make(units, depth)`` gives the cell."""

    name: str
    make: Callable[[int, int], Any]
    dtype: str
    B: int
    T: int
    depth: int
    units: int
    lengths: list[int] | None
    time_major: bool
    parallel_iterations: int


class Counter(impl_gpu.RNNCell):
    """A user's cell of integers: bit for bit on every machine."""

    @property
    def state_size(self) -> int:
        return 1

    @property
    def output_size(self) -> int:
        return 1

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        xp = array_module(inputs)
        signs = xp.where(inputs > 0, 1, -1).astype(inputs.dtype)
        counted = state + signs[:, :1]
        return counted * 2, counted


class Leaky(impl_gpu.RNNCell):
    """A user's cell with a weight, written against arrays of any module."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self._units = units

    @property
    def state_size(self) -> int:
        return self._units

    @property
    def output_size(self) -> int:
        return self._units

    def build(self, inputs_shape: Any) -> None:
        depth = int(inputs_shape[1])
        self._kernel = self.add_variable("kernel", (depth, self._units))
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        xp = array_module(inputs)
        mixed = (0.5 * state + xp.dot(inputs, self._kernel.read(inputs))).astype(inputs.dtype)
        return xp.tanh(mixed).astype(inputs.dtype), mixed


CELLS: dict[str, Callable[[int, int], Any]] = {
    "BasicRNNCell": lambda units, depth: impl_gpu.BasicRNNCell(units),
    "GRUCell": lambda units, depth: impl_gpu.GRUCell(units),
    "BasicLSTMCell": lambda units, depth: impl_gpu.BasicLSTMCell(units, forget_bias=0.5),
    "LSTMCell": lambda units, depth: impl_gpu.LSTMCell(units),
    "LSTMCell, all options": lambda units, depth: impl_gpu.LSTMCell(
        units, use_peepholes=True, cell_clip=0.6, num_proj=max(1, units // 2), proj_clip=0.5
    ),
    "MultiRNNCell": lambda units, depth: impl_gpu.MultiRNNCell([impl_gpu.GRUCell(units), impl_gpu.LSTMCell(units)]),
    "ResidualWrapper": lambda units, depth: impl_gpu.ResidualWrapper(impl_gpu.GRUCell(depth)),
    "DropoutWrapper": lambda units, depth: impl_gpu.DropoutWrapper(
        impl_gpu.LSTMCell(units), input_keep_prob=0.8, output_keep_prob=0.7, state_keep_prob=0.9, seed=5
    ),
    "a user's cell": lambda units, depth: Leaky(units),
}
LENGTHS = [7, 0, 3, 7, 1]


def fixed() -> Iterator[Network]:
    """Every cell in float32: dense, ragged, and ragged in the other layout; and a cell of integers."""
    ways = (("dense", None, False), ("ragged", LENGTHS, False), ("ragged, time-major", LENGTHS, True))
    for name, make in CELLS.items():
        for way, lengths, time_major in ways:
            yield Network(f"{name}, {way}", make, "float32", 5, 7, 6, 8, lengths, time_major, 3)
    yield Network("a user's cell of integers", lambda units, depth: Counter(), "int32", 5, 7, 6, 1, LENGTHS, False, 3)


def drawn(seed: int, count: int) -> Iterator[Network]:
    """Networks of all cells and floating types with sizes at random, none and one among them."""
    rng = np.random.RandomState(seed)
    names = list(CELLS)
    for number in range(count):
        name, dtype = names[number % len(names)], DTYPES[number // len(names) % len(DTYPES)]
        if name == "a user's cell" and dtype == "bfloat16":
            dtype = "float32"  # what CuPy's own functions do with bfloat16 is not our concern
        B, T = int(rng.choice((0, 1, 2, 5, 9, 16))), int(rng.choice((0, 1, 2, 5, 8, 11)))
        depth, units = int(rng.choice((1, 3, 8))), int(rng.choice((1, 2, 7, 8, 16)))
        lengths = [int(one) for one in rng.randint(0, T + 1, B)] if rng.rand() < 0.7 else None
        time_major, parallel = bool(rng.rand() < 0.5), int(rng.choice((1, 2, 3, 32)))
        way = f"{dtype} B={B} T={T} depth={depth} units={units}"
        yield Network(f"{number}: {name}, {way}", CELLS[name], dtype, B, T, depth, units, lengths, time_major, parallel)


def run(network: Network, device: Device, times: int = 1, **options: Any) -> dict[str, Numbers]:
    """Outputs and state leaves of the last of ``times`` equal calls, in NumPy; bfloat16 as its bits."""
    with _prepared(network, device, options) as (cell, _, x):
        outputs, state = [impl_gpu.dynamic_rnn(cell, x, **_arguments(network)) for _ in range(times)][-1]
        leaves = {"outputs": outputs, **{f"state {number}": leaf for number, leaf in enumerate(flatten(state))}}
        found = {name: np.asarray(device.to_numpy(leaf)) for name, leaf in leaves.items()}
    return {name: one.view(np.uint16) if network.dtype == "bfloat16" else one for name, one in found.items()}


def train(
    network: Network, device: Device, swap_memory: bool = False, **options: Any
) -> tuple[dict[str, Numbers], impl_gpu.MemoryReport]:
    """Gradients of one call with cotangents drawn from its name, in NumPy, and what it says of its memory."""
    with _prepared(network, device, options) as (cell, rng, x):
        (outputs, state), vjp = impl_gpu.dynamic_rnn_vjp(cell, x, swap_memory=swap_memory, **_arguments(network))
        d_outputs = rng.standard_normal(outputs.shape).astype(x.dtype)
        d_leaves = [rng.standard_normal(leaf.shape).astype(x.dtype) for leaf in flatten(state)]
        gradients = vjp(d_outputs, pack_sequence_as(state, d_leaves))
        leaves = {"d_inputs": gradients.inputs, **{f"d {name}": d for name, d in gradients.variables.items()}}
        found = {name: np.asarray(device.to_numpy(leaf)) for name, leaf in leaves.items()}
    return found, vjp.memory


def _arguments(network: Network) -> dict[str, Any]:
    return {
        "sequence_length": network.lengths,
        "dtype": np.dtype(network.dtype),
        "parallel_iterations": network.parallel_iterations,
        "time_major": network.time_major,
    }


@contextlib.contextmanager
def _prepared(network: Network, device: Device, options: dict[str, Any]) -> Iterator[tuple[Any, Any, Numbers]]:
    """The cell with its variables, what draws further numbers, and the inputs, under these switches."""
    rng = np.random.RandomState(zlib.crc32(network.name.encode()))
    shape = (network.T, network.B) if network.time_major else (network.B, network.T)
    x = (2 * rng.standard_normal((*shape, network.depth))).astype(np.dtype(network.dtype))
    cell, store = network.make(network.units, network.depth), impl_gpu.VariableStore()
    with use_device(device), impl_gpu.options(**options), impl_gpu.use_store(store):
        impl_gpu.dynamic_rnn(cell, x, **_arguments(network))  # makes the variables
        for _, variable in sorted(store.variables.items()):
            values = rng.uniform(-0.7, 0.7, variable.value.shape)
            variable.assign(values.astype(variable.value.dtype))
        yield cell, rng, x
