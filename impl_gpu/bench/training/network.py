"""Makes impl_gpu's side of training: a network, its inputs, and the names of its gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np

import impl_gpu

from ..networks import Inputs, Network
from ..points import Point, Shape
from .points import Way

STATES = {"LSTM": ("c", "h"), "GRU": ("h",)}


class Cotangents:
    """The gradients of a loss with respect to outputs [T, B, H] and final states [B, H], on the device."""

    def __init__(self, shape: Shape, cell: str, dtype: str, device: Any, seed: int) -> None:
        rng = np.random.default_rng(seed)

        def drawn(*sizes: int) -> Any:
            return device.enter(rng.standard_normal(sizes, dtype=np.float32).astype(dtype))

        self.outputs = drawn(shape.T, shape.B, shape.H)
        self.state = {name: drawn(shape.B, shape.H) for name in STATES[cell]}

    def packed(self) -> Any:
        """The gradient of the state, in the form that the cell's state has."""
        return impl_gpu.LSTMStateTuple(**self.state) if len(self.state) == 2 else self.state["h"]


class TrainedNetwork(Network):
    """A network that is pulled back through."""

    def __init__(self, point: Point, parallel_iterations: int) -> None:
        super().__init__(point, parallel_iterations)
        self._point = point

    def forward(
        self, x: Any, lengths: list[int] | None, way: Way, budget: int | None, tf32: bool
    ) -> tuple[tuple[Any, Any], Any]:
        """One call of dynamic_rnn_vjp, time-major."""
        with impl_gpu.options(tf32=tf32, swap=way.swap, memory_budget=budget), impl_gpu.use_store(self.store):
            result: tuple[tuple[Any, Any], Any] = impl_gpu.dynamic_rnn_vjp(
                self.cell,
                x,
                sequence_length=lengths,
                dtype=self._dtype,
                parallel_iterations=self._parallel_iterations,
                swap_memory=way.swap_memory,
                time_major=True,
            )
        return result

    def training(
        self, inputs: Inputs, cotangents: Cotangents, lengths: list[int] | None, way: Way, tf32: bool
    ) -> Callable[[], Any]:
        """What is timed: one forward and one backward pass with the next inputs."""
        budget = self.budget(lengths, way)
        d_state = cotangents.packed()

        def call() -> Any:
            outputs, vjp = self.forward(next(inputs), lengths, way, budget, tf32)
            with impl_gpu.options(tf32=tf32):
                gradients = vjp(cotangents.outputs, d_state)
            del outputs  # the caller's until here
            return gradients, vjp.memory

        return call

    def budget(self, lengths: list[int] | None, way: Way) -> int | None:
        """Bytes for what is saved, where the way leaves the choice to the cost model and gives it little room."""
        if not way.swap_memory or way.swap != "auto" or way.budget == 1.0:
            return None
        return max(1, int(way.budget * self.forecast(self._point.shape, lengths, swap_memory=False).unswapped_bytes))

    def forecast(self, shape: Shape, lengths: list[int] | None, swap_memory: bool) -> Any:
        """The MemoryReport that a call would give."""
        with impl_gpu.use_store(self.store):
            return impl_gpu.training_bytes(
                self.cell,
                (shape.T, shape.B, shape.H),
                self._dtype,
                sequence_length=lengths,
                parallel_iterations=self._parallel_iterations,
                time_major=True,
                swap_memory=swap_memory,
            )


def named(gradients: Any) -> dict[str, Any]:
    """The gradients by the oracle's names."""
    variables = {name.split("_cell/", 1)[1]: value for name, value in gradients.variables.items()}
    return {"inputs": gradients.inputs, **variables}
