"""BasicLSTMCell: the LSTM without options; it refuses to clip, to project and to peep."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple
from dynamic_rnn_spec.initializers import Zeros

from ..arrays import Array
from .lstm_state import join_state, split_state, state_size_of
from .options import flag, optional_function, positive, real, reuse_option
from .weighted import WeightedCell, columns, quiet, side_by_side, sigmoid


class BasicLSTMCell(WeightedCell):
    """The long short-term memory of Zaremba et al. (2014): gates i, f, o and the new input j [EQ-3].

    Args:
        num_units: n, the columns of c, of h and of the output.
        forget_bias: added to f at each step; no part of the bias variable [EQ-14].
        state_is_tuple: True: the state is LSTMStateTuple(c, h); False: one array [B, 2n], c to the left [EQ-15].
        activation: a function of an array; None is tanh [EQ-13].
        reuse: None, True or AUTO_REUSE: whether variables of the same names are shared [SCOPE-7].

    Raises:
        TypeError, ValueError: an option of a wrong type, or no units [EQ-3, EQ-13, EQ-14, EQ-15, SCOPE-7].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.BasicLSTMCell``.
    """

    def __init__(
        self,
        num_units: Any,
        forget_bias: Any = 1.0,
        state_is_tuple: Any = True,
        activation: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(reuse=reuse_option(reuse))
        self._num_units = positive("num_units", num_units, "EQ-3")
        self._forget_bias = real("forget_bias", forget_bias, "EQ-14")
        self._state_is_tuple = flag("state_is_tuple", state_is_tuple, "EQ-15")
        self._activation = optional_function("activation", activation, "EQ-13") or np.tanh

    @property
    def state_size(self) -> LSTMStateTuple | int:
        return state_size_of(self._num_units, self._num_units, self._state_is_tuple)

    @property
    def output_size(self) -> int:
        return self._num_units

    def build(self, inputs_shape: Any) -> None:
        """kernel [d + n, 4n] and bias [4n] [VAR-3]."""
        d, n = self.input_depth(inputs_shape), self._num_units
        self._kernel = self.add_variable("kernel", [d + n, 4 * n])  # VAR-9, VAR-10
        self._bias = self.add_variable("bias", [4 * n], initializer=Zeros())  # VAR-8

    def call(self, inputs: Any, state: Any) -> tuple[Array, Any]:
        """x: [B, d], c: [B, n], h: [B, n] to (h', (c', h'))."""
        n, act, forget_bias = self._num_units, self._activation, self._forget_bias
        x, (c, h) = inputs, split_state(state, n, self._state_is_tuple)
        self.check_step(x, [(c, n), (h, n)], self._kernel)
        K, b = self._kernel.read(x), self._bias.read(x)
        with quiet():
            i, j, f, o = columns(side_by_side(x, h) @ K + b, 4)  # each [B, n]
            c = c * sigmoid(f + forget_bias) + sigmoid(i) * act(j)
            h = act(c) * sigmoid(o)
        return h, join_state(c, h, self._state_is_tuple)
