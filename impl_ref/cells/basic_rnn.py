"""BasicRNNCell: one matrix product and an activation; it refuses to keep anything but its output."""

from typing import Any

import numpy as np

from dynamic_rnn_spec.initializers import Zeros

from ..arrays import Array
from .options import optional_function, positive, reuse_option
from .pulling import check_pulls, sum_rows, through_activation
from .weighted import WeightedCell, apart, quiet, side_by_side


class BasicRNNCell(WeightedCell):
    """The plain recurrent cell of Elman: ``h' = act([x; h] K + b)`` [EQ-1].

    Args:
        num_units: n, the columns of state and output.
        activation: a function of an array; None is tanh [EQ-13]. Gradients need ``activation.vjp(x)``, which gives
            y and ``pull(d_y)``, and that gives d_x [GRAD-20].
        reuse: None, True or AUTO_REUSE: whether variables of the same names are shared [SCOPE-7].

    Raises:
        TypeError, ValueError: an option of a wrong type, or no units [EQ-1, EQ-13, SCOPE-7].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.BasicRNNCell``.
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
        """kernel [d + n, n] and bias [n] [VAR-1]."""
        d, n = self.input_depth(inputs_shape), self._num_units
        self._kernel = self.add_variable("kernel", [d + n, n])  # VAR-9, VAR-10
        self._bias = self.add_variable("bias", [n], initializer=Zeros())  # VAR-8

    def call(self, inputs: Any, state: Any) -> tuple[Array, Array]:
        """x: [B, d], h: [B, n] to (h', h')."""
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Array, Array], Any]:
        """The step, and how to pull gradients back through it (docs/gradients.md)."""
        x, h, act = inputs, state, self._activation
        self.check_step(x, [(h, self._num_units)], self._kernel)
        K, b = self._kernel.read(x), self._bias.read(x)
        with quiet():
            xh = side_by_side(x, h)  # [B, d + n]
            a = xh @ K + b  # [B, n]
            h = act(a)

        def pull(d_output: Array, d_h: Array) -> tuple[Array, Array, dict[Any, Array]]:
            with quiet():
                d_a = through_activation(act, a, d_output + d_h)
                d_x, d_h_old = apart(d_a @ K.T, x.shape[1])
                return d_x, d_h_old, {self._kernel: xh.T @ d_a, self._bias: sum_rows(d_a)}

        return (h, h), pull

    def without_vjp(self) -> Any:
        """The cell itself where it can't pull gradients back; see RNNCell."""
        check_pulls("activation", self._activation, np.tanh)
        return super().without_vjp()
