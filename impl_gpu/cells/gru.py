"""Defines GRUCell, the gated recurrent unit that resets the state before the candidate's product."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import array_module
from dynamic_rnn_spec.initializers import Ones, Zeros

from ..abstract import is_abstract, matrix_like
from .backward import activation_back, kernel_back, refuse_activation, sigmoid_back
from .options import optional_function, positive, reuse_option
from .weighted import WeightedCell, columns, quiet, side_by_side, sigmoid


class GRUCell(WeightedCell):
    """The gated recurrent unit: r resets the state before the product, u tells how much of it stays [EQ-2].

    cuDNN's GRU resets after the product: it is another network.

    Args:
        num_units: n, the columns of the state and of the output.
        activation: a function of an array of the device; None is tanh [EQ-13], and only tanh runs fused. Gradients need
            ``activation.vjp(x)``, which gives y and ``pull(d_y)``, and that gives d_x [GRAD-20].
        reuse: None, True, False or AUTO_REUSE: whether variables of the same names are shared [SCOPE-7].
        kernel_initializer: of both kernels; None is the scope's, else glorot uniform [VAR-12].
        bias_initializer: of both biases; None is 1 for the gates and 0 for the candidate [VAR-8, VAR-12].

    Raises:
        TypeError, ValueError: an option of a wrong type, or no units [EQ-2, EQ-13, VAR-12, SCOPE-7].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.GRUCell``; Cho et al. (2014).
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
        """gates/kernel [d + n, 2n] and gates/bias [2n] in the order r, u; candidate/kernel [d + n, n] and
        candidate/bias [n] [VAR-2]."""
        d, n = self.input_depth(inputs_shape), self._num_units
        kernels, biases = self._kernel_initializer, self._bias_initializer  # VAR-12
        # VAR-2: these four, in this order
        self._gates_kernel = self.add_variable("gates/kernel", [d + n, 2 * n], initializer=kernels)
        self._gates_bias = self.add_variable("gates/bias", [2 * n], initializer=biases or Ones())
        self._candidate_kernel = self.add_variable("candidate/kernel", [d + n, n], initializer=kernels)
        self._candidate_bias = self.add_variable("candidate/bias", [n], initializer=biases or Zeros())

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """x: [B, d], h: [B, n] to (h', h')."""
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Any, Any], Any]:
        """The step, and its pull; docs/gradients.md derives it."""
        n, act = self._num_units, self._activation
        x, h = inputs, state
        self.check_step(x, [(h, n)], self._gates_kernel)
        if is_abstract(x):
            return (matrix_like(x, n), matrix_like(x, n)), None
        xp, d = array_module(x), x.shape[1]
        Kg, bg = self._gates_kernel.read(x), self._gates_bias.read(x)
        Kc, bc = self._candidate_kernel.read(x), self._candidate_bias.read(x)
        with quiet():
            left = side_by_side(x, h)
            r, u = columns(sigmoid(xp, xp.dot(left, Kg) + bg), 2)  # each [B, n]
            reset = side_by_side(x, r * h)
            a = xp.dot(reset, Kc) + bc
            c = act(a)  # EQ-13
            new = u * h + (1 - u) * c  # EQ-2

        def pull(d_output: Any, d_new: Any) -> tuple[Any, Any, dict[Any, Any]]:
            with quiet():
                d_new = d_new + d_output
                d_a = activation_back(act, a, c, d_new * (1 - u))
                d_reset = xp.dot(d_a, Kc.T)
                d_gates = side_by_side(sigmoid_back(r, d_reset[:, d:] * h), sigmoid_back(u, d_new * (h - c)))
                d_left = xp.dot(d_gates, Kg.T)
                d_h = d_new * u + d_reset[:, d:] * r + d_left[:, d:]  # GRAD-4: all three ways from h to the new state
                d_weights = {
                    self._gates_kernel: kernel_back(xp, left, d_gates),
                    self._gates_bias: d_gates.sum(axis=0),
                    self._candidate_kernel: kernel_back(xp, reset, d_a),
                    self._candidate_bias: d_a.sum(axis=0),
                }
            return d_reset[:, :d] + d_left[:, :d], d_h, d_weights

        return (new, new), pull

    def without_vjp(self) -> Any:
        """See RNNCell; an activation without ``vjp`` is refused [GRAD-20]."""
        refuse_activation(self._activation)
        return super().without_vjp()
