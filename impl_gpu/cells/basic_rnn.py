"""Defines BasicRNNCell: one product and an activation, whose result is output and state at once."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import array_module
from dynamic_rnn_spec.initializers import Zeros

from ..abstract import is_abstract, matrix_like
from .backward import activation_back, kernel_back, refuse_activation
from .options import optional_function, positive, reuse_option
from .weighted import WeightedCell, quiet, side_by_side


class BasicRNNCell(WeightedCell):
    """The plain recurrent cell: ``h' = act([x; h] K + b)`` [EQ-1].

    Args:
        num_units: n, the columns of the state and of the output.
        activation: a function of an array of the device; None is tanh [EQ-13], and only tanh runs fused. Gradients need
            ``activation.vjp(x)``, which gives y and ``pull(d_y)``, and that gives d_x [GRAD-20].
        reuse: None, True, False or AUTO_REUSE: whether variables of the same names are shared [SCOPE-7].

    Raises:
        TypeError, ValueError: an option of a wrong type, or no units [EQ-1, EQ-13, SCOPE-7].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.BasicRNNCell``; Elman (1990).
    """

    def __init__(self, num_units: Any, activation: Any = None, reuse: Any = None) -> None:
        super().__init__(reuse=reuse_option(reuse))
        self._num_units = positive("num_units", num_units, "EQ-1")
        self._activation = optional_function("activation", activation, "EQ-13") or np.tanh

    @property
    def state_size(self) -> int:
        return self._num_units

    @property
    def output_size(self) -> int:
        return self._num_units

    def build(self, inputs_shape: Any) -> None:
        """kernel [d + n, n], bias [n] [VAR-1]."""
        d, n = self.input_depth(inputs_shape), self._num_units
        self._kernel = self.add_variable("kernel", [d + n, n])  # VAR-9, VAR-10
        self._bias = self.add_variable("bias", [n], initializer=Zeros())  # VAR-8

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """x: [B, d], h: [B, n] to (h', h')."""
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Any, Any], Any]:
        """The step, and its pull; docs/gradients.md derives it."""
        n, act = self._num_units, self._activation
        x, h = inputs, state
        self.check_step(x, [(h, n)], self._kernel)
        if is_abstract(x):
            return (matrix_like(x, n), matrix_like(x, n)), None
        xp, d = array_module(x), x.shape[1]
        K, b = self._kernel.read(x), self._bias.read(x)
        with quiet():
            left = side_by_side(x, h)
            a = xp.dot(left, K) + b
            h = act(a)  # EQ-1, EQ-13

        def pull(d_output: Any, d_h: Any) -> tuple[Any, Any, dict[Any, Any]]:
            with quiet():
                d_a = activation_back(act, a, h, d_h + d_output)  # GRAD-4: the output and the state are one
                d_left = xp.dot(d_a, K.T)
                d_weights = {self._kernel: kernel_back(xp, left, d_a), self._bias: d_a.sum(axis=0)}
            return d_left[:, :d], d_left[:, d:], d_weights

        return (h, h), pull  # EX-1: the last output is the final state

    def without_vjp(self) -> Any:
        """See RNNCell; an activation without ``vjp`` is refused [GRAD-20]."""
        refuse_activation(self._activation)
        return super().without_vjp()
