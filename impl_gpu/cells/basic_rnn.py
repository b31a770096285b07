"""BasicRNNCell: a product and an activation; it refuses to keep anything but its output."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import array_module
from dynamic_rnn_spec.initializers import Zeros

from ..abstract import is_abstract, matrix_like
from .options import optional_function, positive, reuse_option
from .weighted import WeightedCell, product, quiet


class BasicRNNCell(WeightedCell):
    """The plain recurrent cell: ``h' = act([x; h] K + b)`` [EQ-1].

    Args:
        num_units: n, the columns of the state and of the output.
        activation: a function of an array of the device; None is tanh [EQ-13], and only tanh runs fused.
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
        n, act = self._num_units, self._activation
        x, h = inputs, state
        self.check_step(x, [(h, n)], self._kernel)
        if is_abstract(x):
            return matrix_like(x, n), matrix_like(x, n)
        xp = array_module(x)
        K, b = self._kernel.read(x), self._bias.read(x)
        with quiet():
            h = act(product(xp, x, h, K) + b)
        return h, h
