"""Defines BasicLSTMCell, the LSTM without peepholes, clipping or projection."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple, array_module
from dynamic_rnn_spec.initializers import Zeros

from ..abstract import is_abstract, matrix_like
from .backward import activation_back, kernel_back, refuse_activation, sigmoid_back
from .lstm_pull import Gates, gates_back
from .lstm_state import join_state, split_state, state_size_of
from .options import flag, optional_function, positive, real, reuse_option
from .weighted import WeightedCell, columns, number, quiet, side_by_side, sigmoid


class BasicLSTMCell(WeightedCell):
    """The long short-term memory with gates i, f, o and the new input j [EQ-3].

    Args:
        num_units: n, the columns of c, of h and of the output.
        forget_bias: what is added to f at each step, apart from the bias variable [EQ-14].
        state_is_tuple: True: the state is LSTMStateTuple(c, h). False: one array [B, 2n], c to the left [EQ-15].
        activation: a function of an array of the device; None is tanh [EQ-13], and only tanh runs fused. Gradients need
            ``activation.vjp(x)``, which gives y and ``pull(d_y)``, and that gives d_x [GRAD-20].
        reuse: None, True, False or AUTO_REUSE: whether variables of the same names are shared [SCOPE-7].

    Raises:
        TypeError, ValueError: an option of a wrong type, or no units [EQ-3, EQ-13, EQ-14, EQ-15, SCOPE-7].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.BasicLSTMCell``; Zaremba et al. (2014).
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
        """kernel [d + n, 4n], bias [4n], both in the order i, j, f, o [VAR-3]."""
        d, n = self.input_depth(inputs_shape), self._num_units
        self._kernel = self.add_variable("kernel", [d + n, 4 * n])  # VAR-9, VAR-10
        self._bias = self.add_variable("bias", [4 * n], initializer=Zeros())  # VAR-8

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """x: [B, d], c: [B, n], h: [B, n] to (h', (c', h'))."""
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Any, Any], Any]:
        """The step, and its pull; docs/gradients.md derives it."""
        n, act, as_tuple = self._num_units, self._activation, self._state_is_tuple
        x, (c, h) = inputs, split_state(state, n, as_tuple)
        self.check_step(x, [(c, n), (h, n)], self._kernel)
        if is_abstract(x):
            return (matrix_like(x, n), join_state(matrix_like(x, n), matrix_like(x, n), as_tuple)), None
        xp = array_module(x)
        K, b = self._kernel.read(x), self._bias.read(x)
        with quiet():
            left = side_by_side(x, h)
            i, j, f, o = columns(xp.dot(left, K) + b, 4)  # each [B, n]
            gates = Gates(sigmoid(xp, i), act(j), sigmoid(xp, f + number(self._forget_bias, f)), sigmoid(xp, o), j)
            new_c = gates.f * c + gates.i * gates.j  # EQ-3
            act_c = act(new_c)  # EQ-13
            new_h = gates.o * act_c

        def pull(d_output: Any, d_state: Any) -> tuple[Any, Any, dict[Any, Any]]:
            d_c, d_h = split_state(d_state, n, as_tuple)
            with quiet():
                d_h = d_h + d_output
                d_o = sigmoid_back(gates.o, d_h * act_c)
                d_c = d_c + activation_back(act, new_c, act_c, d_h * gates.o)
                d_i, d_j, d_f = gates_back(act, gates, c, d_c)
                d_all = side_by_side(d_i, d_j, d_f, d_o)
                d_left = xp.dot(d_all, K.T)
                d_weights = {self._kernel: kernel_back(xp, left, d_all), self._bias: d_all.sum(axis=0)}
            depth = x.shape[1]
            return d_left[:, :depth], join_state(d_c * gates.f, d_left[:, depth:], as_tuple), d_weights

        return (new_h, join_state(new_c, new_h, as_tuple)), pull

    def without_vjp(self) -> Any:
        """See RNNCell; an activation without ``vjp`` is refused [GRAD-20]."""
        refuse_activation(self._activation)
        return super().without_vjp()
