"""Gives the tests of training a call and a pull by impl_gpu, and the same by impl_ref in float64.

The judge, impl_ref's dynamic_rnn_vjp, shares no code with impl_gpu but the vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import impl_gpu
import impl_ref
from dynamic_rnn_spec import VariableStore, default_store, use_store, variable_scope
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as
from impl_gpu import training
from impl_gpu.abstract import Abstract
from impl_gpu.arguments import check_arguments
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice
from impl_gpu.device.log import LaunchLog
from impl_gpu.sequence import new_sequence

Array = np.ndarray[Any, Any]
Make = Callable[[Any], Any]
"""Makes a cell of a module of cells, so that both sides have one."""

EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


@dataclass
class Answer:
    """Arrays of the host: outputs, the leaves of the final state, and gradients of inputs, initial state, variables."""

    outputs: Array
    state: list[Array]
    d_inputs: Array
    d_initial: list[Array] | None
    d_variables: dict[str, Array]

    def arrays(self) -> dict[str, Array]:
        """All of them by name."""
        found = {"outputs": self.outputs, "d_inputs": self.d_inputs}
        found |= {f"state {index}": leaf for index, leaf in enumerate(self.state)}
        found |= {f"d_initial {index}": leaf for index, leaf in enumerate(self.d_initial or [])}
        return found | self.d_variables

    def same_bits(self, other: "Answer") -> bool:
        mine, others = self.arrays(), other.arrays()
        return mine.keys() == others.keys() and all(mine[name].tobytes() == others[name].tobytes() for name in mine)


class Noise:
    """Draws that depend on nothing but the question and how often it was asked; multiples of 1/256."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, purpose: str, leaf: int, shape: tuple[int, ...], dtype: Any) -> Array:
        self.asked += 1
        rng = np.random.default_rng([self.asked, leaf, *purpose.encode()])
        return (rng.integers(0, 256, shape) / 256).astype(dtype)


class Trainer:
    """Calls on a host device, each in a store of its own."""

    def __init__(self) -> None:
        self.device = HostDevice(0)

    def restart(self, seed: int) -> None:
        """Another schedule; what calls have kept is gone."""
        self.device.restart(seed)

    def forget(self) -> None:
        """Another device, after an error on this one."""
        self.device = HostDevice(0)

    def built(self, make: Make, depth: int, dtype: Any, seed: int = 0) -> Any:
        """The cell with all its variables set to normal numbers, biases too, in the scope "rnn"."""
        cell = noisy(make(impl_gpu))
        state = pack_sequence_as(cell.state_size, [Abstract((1, n), dtype) for n in flatten(cell.state_size)])
        with variable_scope("rnn"):
            cell(Abstract((1, depth), dtype), state)
        self.reassign(cell, seed)
        return cell

    def reassign(self, cell: Any, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        for variable in cell.variables:
            variable.assign(rng.normal(0, 0.5, variable.shape).astype(variable.dtype))

    def cotangents(self, cell: Any, x: Array, time_major: bool = False, seed: int = 0) -> tuple[Array, list[Array]]:
        """Normal numbers in the shapes of the outputs and of the leaves of the state."""
        rng = np.random.default_rng([seed, 2])
        rows = x.shape[1 if time_major else 0]
        d_outputs = rng.normal(size=(*x.shape[:2], cell.output_size)).astype(x.dtype)
        return d_outputs, [rng.normal(size=(rows, n)).astype(x.dtype) for n in flatten(cell.state_size)]

    def forward(
        self,
        cell: Any,
        x: Any,
        sequence_length: Any = None,
        initial_state: Any = None,
        *,
        parallel_iterations: int = 3,
        swap_memory: bool = False,
        time_major: bool = False,
    ) -> tuple[Any, Any, Any]:
        """The outputs, the state and what pulls back, on the device."""
        given = check_arguments(
            cell, x, sequence_length, initial_state, x.dtype, parallel_iterations, swap_memory, time_major, None
        )
        with use_device(self.device), default_store().transaction(), variable_scope(given.scope), new_sequence():
            assert training.refusal(cell, given) is None
            given.enter(self.device)
            (outputs,), state, pulled = training.run(cell, given, self.device)
        return outputs, state, pulled

    def pull(self, pulled: Any, d_outputs: Any, d_state: Sequence[Any]) -> tuple[Any, Any, dict[str, Any]]:
        """One pull, on the device; cotangents are arrays of the host or the device."""
        enter = self.device.enter
        d_y = None if d_outputs is None else enter(d_outputs)
        (d_x,), d_initial, d_variables = pulled.pull([d_y], [None if d is None else enter(d) for d in d_state])
        return d_x, d_initial, d_variables

    def fetched(self, outputs: Any, state: Any, pulled: tuple[Any, Any, dict[str, Any]]) -> Answer:
        """Everything as arrays of the host, which waits for the current stream."""
        host, (d_x, d_initial, d_variables) = self.device.to_numpy, pulled
        return Answer(
            host(outputs),
            [host(leaf) for leaf in flatten(state)],
            host(d_x),
            None if d_initial is None else [host(leaf) for leaf in d_initial],
            {name: host(value) for name, value in d_variables.items()},
        )

    def answer(
        self, make: Make, x: Array, cotangents: Any = None, *, seed: int = 0, clear: bool = True, **arguments: Any
    ) -> tuple[Answer, LaunchLog]:
        """One call and one pull; with ``clear`` nothing may be left on the device afterwards.

        ``cotangents`` are of the outputs and of the leaves of the state, None where there are zeros; none: drawn.
        """
        with use_store(VariableStore(seed=0)):
            cell = self.built(make, x.shape[2], x.dtype, seed)
            if cotangents is None:
                cotangents = self.cotangents(cell, x, arguments.get("time_major", False), seed)
            with impl_gpu.launch_log() as log:
                outputs, state, pulled = self.forward(cell, x, **arguments)
                gradients = self.pull(pulled, *cotangents)
            found = self.fetched(outputs, state, gradients)
            del outputs, state, pulled, gradients
            if clear:
                self.clear()
        return found, log

    def expected(
        self, make: Make, x: Array, cotangents: Any = None, *, seed: int = 0, initial_state: Any = None,
        sequence_length: Any = None, time_major: bool = False, **_: Any,
    ) -> Answer:  # fmt: skip
        """The same by impl_ref in float64."""
        with use_store(VariableStore(seed=0)):
            cell = self.built(make, x.shape[2], x.dtype, seed)
            values = {variable.name: wide(variable.value) for variable in cell.variables}
            d_outputs, d_state = cotangents or self.cotangents(cell, x, time_major, seed)
        with use_store(store := VariableStore(seed=0)):
            store.load(values)
            judge = noisy(make(impl_ref))
            given = None if initial_state is None else pack_sequence_as(
                judge.state_size, [wide(leaf) for leaf in flatten(initial_state)]
            )  # fmt: skip
            (outputs, state), vjp = impl_ref.dynamic_rnn_vjp(
                judge, wide(x), sequence_length, given, np.float64, time_major=time_major
            )
            cotangent = pack_sequence_as(judge.state_size, [None if d is None else wide(d) for d in d_state])
            gradients = vjp(None if d_outputs is None else wide(d_outputs), cotangent)
        d_initial = None if given is None else flatten(gradients.initial_state)
        return Answer(outputs, flatten(state), gradients.inputs, d_initial, dict(gradients.variables))

    def check(
        self, make: Make, x: Array, cotangents: Any = None, *, slack: float = 1.0, **arguments: Any
    ) -> tuple[Answer, LaunchLog]:
        """One call and one pull, held to impl_ref's."""
        found, log = self.answer(make, x, cotangents, **arguments)
        self.agree(found, self.expected(make, x, cotangents, **arguments), x.dtype.name, x.shape, slack)
        return found, log

    def agree(self, found: Answer, wanted: Answer, dtype: str, shape: tuple[int, ...], slack: float = 1.0) -> None:
        """Each array within a few roundings for each step and row of the largest of its finite numbers."""
        mine, right = found.arrays(), wanted.arrays()
        assert mine.keys() == right.keys()
        bound = slack * 16 * EPSILON[dtype] * (shape[0] + shape[1] + 2)
        for name in right:
            assert mine[name].dtype.name == dtype
            assert mine[name].shape == right[name].shape, name
            scale = max(1.0, float(np.abs(right[name]).max(initial=0, where=np.isfinite(right[name]))))
            np.testing.assert_allclose(wide(mine[name]), right[name], rtol=0, atol=bound * scale, err_msg=name)

    def clear(self) -> None:
        """Give all back while work may be under way, and again when it is done; then nothing is left."""
        for _ in range(2):
            with use_device(self.device):
                impl_gpu.clear_caches()
            self.device.finish()
        left = self.device.live()
        assert left == [], left


def wide(values: Any) -> Array:
    """An array in float64."""
    return np.asarray(values).astype(np.float64)


def noisy(cell: Any) -> Any:
    """The cell, with one source of noise for all its DropoutWrappers."""
    source = Noise()
    for wrapper in _wrappers(cell):
        wrapper.uniform = source
    return cell


def _wrappers(cell: Any) -> Iterator[Any]:
    if hasattr(cell, "uniform"):
        yield cell
    for inner in getattr(cell, "_cells", [cell._cell] if hasattr(cell, "_cell") else []):
        yield from _wrappers(inner)


@pytest.fixture
def trainer() -> Iterator[Trainer]:
    """A trainer with nothing kept from test to test."""
    made = Trainer()
    yield made
    with use_device(made.device):
        impl_gpu.clear_caches()
