"""Defines a user's own cell, written once, which runs and is trained on impl_ref and on impl_gpu alike.

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
        """x [B, d] and h [B, n] to (h', h')."""
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        """The step and its pull, from the last equation to the first; the functions are those of the array's module."""
        xp, x, h, depth = array_module(inputs), inputs, state, inputs.shape[1]
        Kf, bf, Kc, bc = (variable.read(x) for variable in (self._Kf, self._bf, self._Kc, self._bc))
        xh = xp.concatenate([x, h], axis=1)
        f = 1 / (1 + xp.exp(-(xh @ Kf + bf)))
        xfh = xp.concatenate([x, f * h], axis=1)
        c = xp.tanh(xfh @ Kc + bc)
        new = (1 - f) * h + f * c

        def pull(d_output: Any, d_new_state: Any) -> Any:
            d_new = d_output + d_new_state  # both are h'
            d_c = d_new * f * (1 - c * c)  # of the sum under tanh
            d_xfh = d_c @ Kc.T
            d_fh = d_xfh[:, depth:]
            d_f = (d_new * (c - h) + d_fh * h) * f * (1 - f)  # of the sum under sigmoid
            d_xh = d_f @ Kf.T
            d_x = d_xfh[:, :depth] + d_xh[:, :depth]
            d_h = d_new * (1 - f) + d_fh * f + d_xh[:, depth:]
            d_variables = {
                self._Kf: xh.T @ d_f,
                self._bf: d_f.sum(axis=0),
                self._Kc: xfh.T @ d_c,
                self._bc: d_c.sum(axis=0),
            }
            return d_x, d_h, d_variables

        return (new, new), pull


LENGTHS = [4, 2]


def some_inputs(dtype: str = "float32") -> Any:
    """[2, 4, 5], the second row having two steps."""
    return np.random.default_rng(0).standard_normal((2, 4, 5)).astype(dtype)


def run(implementation: Any, cell: RNNCell, inputs: Any) -> tuple[Any, Any]:
    """Outputs [2, 4, n] and the final state [2, n]; arrays of the implementation's own kind."""
    result: tuple[Any, Any] = implementation.dynamic_rnn(cell, inputs, sequence_length=LENGTHS, dtype=inputs.dtype)
    return result


def pull_back(implementation: Any, cell: RNNCell, inputs: Any) -> Any:
    """The gradients of the sum of outputs ** 2."""
    (outputs, _), vjp = implementation.dynamic_rnn_vjp(cell, inputs, sequence_length=LENGTHS, dtype=inputs.dtype)
    return vjp(2 * outputs, None)


if __name__ == "__main__":
    package, own = importlib.import_module(sys.argv[1]), MinimalGatedCell(3)
    outputs, state = run(package, own, some_inputs())
    print(type(outputs).__module__, outputs.shape)
    print(state)
    for name, gradient in pull_back(package, own, some_inputs()).variables.items():
        print(name, gradient.shape)
