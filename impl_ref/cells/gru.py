"""GRUCell: computes one step of the gated recurrent unit and pulls gradients back through it."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec.initializers import Ones, Zeros

from ..arrays import Array
from .options import optional_function, positive, reuse_option
from .pulling import check_pulls, sum_rows, through_activation, through_sigmoid
from .weighted import WeightedCell, apart, columns, quiet, side_by_side, sigmoid


class _Weights(NamedTuple):
    """The values that the weights have at a step: d columns of the inputs, n units."""

    Kg: Array  # [d + n, 2n]
    bg: Array  # [2n]
    Kc: Array  # [d + n, n]
    bc: Array  # [n]


class _Step(NamedTuple):
    """What a step read and computed, kept for its pull: each [B, n] where no other shape stands beside it."""

    x: Array  # [B, d]
    h: Array
    weights: _Weights
    xh: Array  # [B, d + n], x and h side by side
    r: Array
    u: Array
    xrh: Array  # [B, d + n], x and r * h side by side
    a: Array  # before the activation
    c: Array  # the candidate
    h_new: Array


class GRUCell(WeightedCell):
    """The gated recurrent unit of Cho et al. (2014): r resets the state before the product, u keeps it [EQ-2].

    Args:
        num_units: n, the columns of state and output.
        activation: a function of an array; None is tanh [EQ-13]. Gradients need ``activation.vjp(x)``, which gives
            y and ``pull(d_y)``, and that gives d_x [GRAD-20].
        reuse: None, True or AUTO_REUSE: whether variables of the same names are shared [SCOPE-7].
        kernel_initializer: for both kernels; None is the scope's, else glorot uniform [VAR-12].
        bias_initializer: for both biases; None is 1 for the gates and 0 for the candidate [VAR-8, VAR-12].

    Raises:
        TypeError, ValueError: an option of a wrong type, or no units [EQ-2, EQ-13, VAR-12, SCOPE-7].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.GRUCell``.
    """

    def __init__(
        self,
        num_units: Any,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
    ) -> None:
        super().__init__(reuse=reuse_option(reuse))
        self._num_units = positive("num_units", num_units, "EQ-2")
        self._activation = optional_function("activation", activation, "EQ-13") or np.tanh
        self._kernel_initializer = optional_function("kernel_initializer", kernel_initializer, "VAR-12")
        self._bias_initializer = optional_function("bias_initializer", bias_initializer, "VAR-12")

    @property
    def state_size(self) -> int:
        return self._num_units

    @property
    def output_size(self) -> int:
        return self._num_units

    def build(self, inputs_shape: Any) -> None:
        """gates/kernel [d + n, 2n], gates/bias [2n], candidate/kernel [d + n, n], candidate/bias [n] [VAR-2]."""
        d, n = self.input_depth(inputs_shape), self._num_units
        kernels, biases = self._kernel_initializer, self._bias_initializer  # VAR-12
        # VAR-2: these four, in this order
        self._gates_kernel = self.add_variable("gates/kernel", [d + n, 2 * n], initializer=kernels)
        self._gates_bias = self.add_variable("gates/bias", [2 * n], initializer=biases or Ones())
        self._candidate_kernel = self.add_variable("candidate/kernel", [d + n, n], initializer=kernels)
        self._candidate_bias = self.add_variable("candidate/bias", [n], initializer=biases or Zeros())

    def call(self, inputs: Any, state: Any) -> tuple[Array, Array]:
        """x: [B, d], h: [B, n] to (h', h')."""
        step = self._forward(*self._checked(inputs, state))
        return step.h_new, step.h_new

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Array, Array], Any]:
        """The step, and how to pull gradients back through it (docs/gradients.md)."""
        step = self._forward(*self._checked(inputs, state))
        return (step.h_new, step.h_new), partial(self._pull, step)

    def _checked(self, x: Any, h: Any) -> tuple[Array, Array, _Weights]:
        """x, h and the weights of a step, once they are checked."""
        self.check_step(x, [(h, self._num_units)], self._gates_kernel)
        weights = (self._gates_kernel, self._gates_bias, self._candidate_kernel, self._candidate_bias)
        return x, h, _Weights(*(weight.read(x) for weight in weights))

    @quiet()
    def _forward(self, x: Array, h: Array, weights: _Weights) -> _Step:
        """x: [B, d], h: [B, n] to h_new: [B, n] [EQ-2]."""
        Kg, bg, Kc, bc = weights
        xh = side_by_side(x, h)
        r, u = columns(sigmoid(xh @ Kg + bg), 2)  # EQ-2: each [B, n]
        xrh = side_by_side(x, r * h)  # EQ-2
        a = xrh @ Kc + bc
        c = self._activation(a)  # EQ-13
        h_new = u * h + (1 - u) * c  # EQ-2
        return _Step(x, h, weights, xh, r, u, xrh, a, c, h_new)

    @quiet()
    def _pull(self, step: _Step, d_output: Array, d_state: Array) -> tuple[Array, Array, dict[Any, Array]]:
        """d_x, d_h and those of the weights, by the lines of ``_forward`` in reverse [GRAD-4]."""
        x, h, (Kg, _, Kc, _), xh, r, u, xrh, a, c, _ = step
        depth = x.shape[1]
        d_h_new = d_state + d_output
        d_u = d_h_new * (h - c)
        d_c = d_h_new * (1 - u)
        d_a = through_activation(self._activation, a, d_c)
        d_x_of_c, d_rh = apart(d_a @ Kc.T, depth)
        d_r = d_rh * h
        d_gates = side_by_side(through_sigmoid(r, d_r), through_sigmoid(u, d_u))
        d_x_of_gates, d_h_of_gates = apart(d_gates @ Kg.T, depth)
        d_x = d_x_of_c + d_x_of_gates
        d_h = d_h_new * u + d_rh * r + d_h_of_gates
        d_weights = {
            self._gates_kernel: xh.T @ d_gates,
            self._gates_bias: sum_rows(d_gates),
            self._candidate_kernel: xrh.T @ d_a,
            self._candidate_bias: sum_rows(d_a),
        }
        return d_x, d_h, d_weights

    def without_vjp(self) -> Any:
        """The cell itself, if it can't pull gradients back; see RNNCell."""
        check_pulls("activation", self._activation, np.tanh)
        return super().without_vjp()
