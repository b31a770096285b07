"""A cell of one's own, written once: it runs on impl_ref and on impl_gpu, and knows neither.

    python docs/examples/users_cell.py impl_ref
    python docs/examples/users_cell.py impl_gpu      # on a GPU; without one: IMPL_GPU_DEVICE=host before it
"""

import importlib
import sys
from typing import Any

import numpy as np

from dynamic_rnn_spec import RNNCell, array_module
from dynamic_rnn_spec.initializers import Ones


class MinimalGatedCell(RNNCell):
    """The minimal gated unit of Zhou et al. (2016): one gate f both forgets and resets.

    f = sigmoid([x, h] Kf + bf)
    c = tanh([x, f h] Kc + bc)
    h' = (1 - f) h + f c
    """

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
        """Kernels [d + n, n] and biases [n], in the scope rnn/minimal_gated_cell."""
        depth, n = inputs_shape[1], self._units
        self._Kf, self._bf = self.add_variable("gate/kernel", [depth + n, n]), self._bias("gate/bias")
        self._Kc, self._bc = self.add_variable("candidate/kernel", [depth + n, n]), self._bias("candidate/bias")

    def _bias(self, name: str) -> Any:
        return self.add_variable(name, [self._units], initializer=Ones())

    def call(self, inputs: Any, state: Any) -> Any:
        """x [B, d] and h [B, n] to (h', h'); the functions are those of the array's own module."""
        xp, x, h = array_module(inputs), inputs, state
        Kf, bf, Kc, bc = (variable.read(x) for variable in (self._Kf, self._bf, self._Kc, self._bc))
        f = 1 / (1 + xp.exp(-(xp.concatenate([x, h], axis=1) @ Kf + bf)))
        c = xp.tanh(xp.concatenate([x, f * h], axis=1) @ Kc + bc)
        h = (1 - f) * h + f * c
        return h, h


def run(implementation: Any) -> tuple[Any, Any]:
    """Outputs [2, 4, 3] and the final state [2, 3] of a ragged batch; arrays of the implementation's own kind."""
    inputs = np.random.default_rng(0).standard_normal((2, 4, 5)).astype("float32")
    result: tuple[Any, Any] = implementation.dynamic_rnn(
        MinimalGatedCell(3), inputs, sequence_length=[4, 2], dtype="float32"
    )
    return result


if __name__ == "__main__":
    outputs, state = run(importlib.import_module(sys.argv[1]))
    print(type(outputs).__module__, outputs.shape)
    print(state)
