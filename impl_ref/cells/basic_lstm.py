"""BasicLSTMCell: the LSTM without options; it refuses to clip, to project and to peep."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple
from dynamic_rnn_spec.initializers import Zeros

from ..arrays import Array
from .lstm_state import join_state, split_state, state_size_of
from .options import flag, optional_function, positive, real, reuse_option
from .pulling import check_pulls, sum_rows, through_activation, through_sigmoid
from .weighted import WeightedCell, apart, columns, quiet, side_by_side, sigmoid


class BasicLSTMCell(WeightedCell):
    """The long short-term memory of Zaremba et al. (2014): gates i, f, o and the new input j [EQ-3].

    Args:
        num_units: n, the columns of c, of h and of the output.
        forget_bias: added to f at each step; no part of the bias variable [EQ-14].
        state_is_tuple: True: the state is LSTMStateTuple(c, h); False: one array [B, 2n], c to the left [EQ-15].
        activation: a function of an array; None is tanh [EQ-13]. Gradients need ``activation.vjp(x)``, which gives
            y and ``pull(d_y)``, and that gives d_x [GRAD-20].
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
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Array, Any], Any]:
        """The step, and how to pull gradients back through it (docs/gradients.md)."""
        n, act, forget_bias = self._num_units, self._activation, self._forget_bias
        x, (c, h) = inputs, split_state(state, n, self._state_is_tuple)
        self.check_step(x, [(c, n), (h, n)], self._kernel)
        K, b = self._kernel.read(x), self._bias.read(x)
        c_old = c
        with quiet():
            xh = side_by_side(x, h)
            i, j, f, o = columns(xh @ K + b, 4)  # each [B, n]
            c = c * sigmoid(f + forget_bias) + sigmoid(i) * act(j)
            h = act(c) * sigmoid(o)

        def pull(d_output: Array, d_state: Any) -> tuple[Array, Any, dict[Any, Array]]:
            d_c, d_h = split_state(d_state, n, self._state_is_tuple)
            with quiet():
                s_i, s_f, s_o = sigmoid(i), sigmoid(f + forget_bias), sigmoid(o)
                d_h = d_h + d_output
                d_o = through_sigmoid(s_o, d_h * act(c))
                d_c = d_c + through_activation(act, c, d_h * s_o)
                d_f = through_sigmoid(s_f, d_c * c_old)
                d_i = through_sigmoid(s_i, d_c * act(j))
                d_j = through_activation(act, j, d_c * s_i)
                d_gates = side_by_side(d_i, d_j, d_f, d_o)
                d_x, d_h_old = apart(d_gates @ K.T, x.shape[1])
                d_c_old = d_c * s_f
                d_weights = {self._kernel: xh.T @ d_gates, self._bias: sum_rows(d_gates)}
                return d_x, join_state(d_c_old, d_h_old, self._state_is_tuple), d_weights

        return (h, join_state(c, h, self._state_is_tuple)), pull

    def without_vjp(self) -> Any:
        """The cell itself where it can't pull gradients back; see RNNCell."""
        check_pulls("activation", self._activation, np.tanh)
        return super().without_vjp()
