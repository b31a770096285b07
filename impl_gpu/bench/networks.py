"""Makes impl_gpu's side of the bench: one network with its weights, and random inputs that take turns."""

from collections.abc import Callable
from typing import Any

import numpy as np

import impl_gpu

from .points import Point, Shape

CELLS = {"LSTM": impl_gpu.LSTMCell, "GRU": impl_gpu.GRUCell}
ROTATED_BYTES = 256 * 2**20  # of inputs in turn: several times what the caches of a GPU hold
MOST_SETS, FEWEST_SETS = 8, 2


class Inputs:
    """Arrays [T, B, H] on the device, taken in turn: a single one would stay in the caches."""

    def __init__(self, sets: list[Any]) -> None:
        self.sets = sets
        self._next = 0

    @classmethod
    def drawn(cls, shape: Shape, dtype: str, device: Any, seed: int) -> "Inputs":
        """Several sets of random values; zeros would run faster."""
        size = shape.T * shape.B * shape.H * np.dtype(dtype).itemsize
        count = max(FEWEST_SETS, min(MOST_SETS, -(-ROTATED_BYTES // size)))
        rng = np.random.default_rng(seed)
        drawn = (rng.standard_normal((shape.T, shape.B, shape.H), dtype=np.float32).astype(dtype) for _ in range(count))
        return cls([device.enter(values) for values in drawn])

    def __next__(self) -> Any:
        self._next += 1
        return self.sets[self._next % len(self.sets)]


class Network:
    """A cell of its own store, so that one network's variables are gone when the next one comes."""

    def __init__(self, point: Point, parallel_iterations: int) -> None:
        self.store = impl_gpu.VariableStore()
        self.cell = CELLS[point.cell](point.shape.H)
        self._dtype = point.dtype
        self._parallel_iterations = parallel_iterations

    def build(self, x: Any) -> None:
        """Make the variables, whose random values would else be drawn in the first timed call."""
        self(x[:1], None)
        rng = np.random.default_rng(1)
        for variable in self.cell.variables:
            if variable.name.endswith("bias"):
                # Zeros and ones would hide a bias that is added to the wrong gate.
                variable.assign((variable.value + rng.uniform(-0.1, 0.1, variable.value.shape)).astype(self._dtype))

    def weights(self) -> dict[str, np.ndarray[Any, Any]]:
        """NumPy values by the end of TensorFlow's name: kernel, gates/bias ..."""
        return {variable.name.split("_cell/", 1)[1]: variable.value for variable in self.cell.variables}

    def __call__(self, x: Any, lengths: list[int] | None) -> tuple[Any, Any]:
        """One call of dynamic_rnn, time-major."""
        with impl_gpu.use_store(self.store):
            result: tuple[Any, Any] = impl_gpu.dynamic_rnn(
                self.cell,
                x,
                sequence_length=lengths,
                dtype=self._dtype,
                parallel_iterations=self._parallel_iterations,
                time_major=True,
            )
        return result

    def work(self, inputs: Inputs, lengths: list[int] | None, tf32: bool, graph: bool) -> Callable[[], Any]:
        """What is timed: one call with the next inputs."""

        def call() -> Any:
            with impl_gpu.options(tf32=tf32, graph=graph):
                return self(next(inputs), lengths)

        return call


def results(returned: tuple[Any, Any]) -> dict[str, Any]:
    """Outputs and final states by the oracle's names."""
    outputs, state = returned
    return {"outputs": outputs, **(state._asdict() if hasattr(state, "_asdict") else {"h": state})}
