"""BasicRNNCell: computes one step of the plain recurrent cell and pulls gradients back through it."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec.initializers import Zeros

from ..arrays import Array
from .options import optional_function, positive, reuse_option
from .pulling import check_pulls, sum_rows, through_activation
from .weighted import WeightedCell, apart, quiet, side_by_side


class _Step(NamedTuple):
    """What a step read and computed, kept for its pull: B rows, d columns of the inputs, n units."""

    x: Array  # [B, d]
    K: Array  # [d + n, n]
    xh: Array  # [B, d + n], x and h side by side
    a: Array  # [B, n], before the activation
    h_new: Array  # [B, n]


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
        step = self._forward(*self._checked(inputs, state))
        return step.h_new, step.h_new  # EX-1

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Array, Array], Any]:
        """The step, and how to pull gradients back through it (docs/gradients.md)."""
        step = self._forward(*self._checked(inputs, state))
        return (step.h_new, step.h_new), partial(self._pull, step)

    def _checked(self, x: Any, h: Any) -> tuple[Array, Array, Array, Array]:
        """x, h, K and b of a step, once they are checked."""
        self.check_step(x, [(h, self._num_units)], self._kernel)
        return x, h, self._kernel.read(x), self._bias.read(x)

    @quiet()
    def _forward(self, x: Array, h: Array, K: Array, b: Array) -> _Step:
        """x: [B, d], h: [B, n], K: [d + n, n], b: [n] to h_new: [B, n] [EQ-1]."""
        xh = side_by_side(x, h)
        a = xh @ K + b  # EQ-1
        h_new = self._activation(a)  # EQ-13
        return _Step(x, K, xh, a, h_new)

    @quiet()
    def _pull(self, step: _Step, d_output: Array, d_state: Array) -> tuple[Array, Array, dict[Any, Array]]:
        """d_x, d_h and those of the weights, by the lines of ``_forward`` in reverse [GRAD-4]."""
        x, K, xh, a, _ = step
        d_h_new = d_output + d_state
        d_a = through_activation(self._activation, a, d_h_new)
        d_x, d_h = apart(d_a @ K.T, x.shape[1])
        return d_x, d_h, {self._kernel: xh.T @ d_a, self._bias: sum_rows(d_a)}

    def without_vjp(self) -> Any:
        """The cell itself, if it can't pull gradients back; see RNNCell."""
        check_pulls("activation", self._activation, np.tanh)
        return super().without_vjp()
