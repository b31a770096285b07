"""BasicLSTMCell: computes one step of a plain LSTM and pulls gradients back through it."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple
from dynamic_rnn_spec.initializers import Zeros

from ..arrays import Array
from .lstm_state import join_state, split_state, state_size_of
from .options import flag, optional_function, positive, real, reuse_option
from .pulling import check_pulls, sum_rows, through_activation, through_sigmoid
from .weighted import WeightedCell, apart, columns, quiet, side_by_side, sigmoid


class _Step(NamedTuple):
    """What a step read and computed, kept for its pull: B rows, d columns of the inputs, n units."""

    x: Array  # [B, d]
    c: Array  # [B, n], the old one
    K: Array  # [d + n, 4n]
    xh: Array  # [B, d + n], x and h side by side
    j: Array  # [B, n], before its activation
    s_i: Array  # [B, n], the sigmoid of i
    s_f: Array  # [B, n], of f and the forget_bias
    s_o: Array  # [B, n], of o
    c_new: Array  # [B, n]
    h_new: Array  # [B, n]


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
        step = self._forward(*self._checked(inputs, state))
        return self._result(step)

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Array, Any], Any]:
        """The step, and how to pull gradients back through it (docs/gradients.md)."""
        step = self._forward(*self._checked(inputs, state))
        return self._result(step), partial(self._pull, step)

    def _checked(self, x: Any, state: Any) -> tuple[Array, Array, Array, Array, Array]:
        """x, c, h, K and b of a step, once they are checked."""
        n = self._num_units
        c, h = split_state(state, n, self._state_is_tuple)
        self.check_step(x, [(c, n), (h, n)], self._kernel)
        return x, c, h, self._kernel.read(x), self._bias.read(x)

    def _result(self, step: _Step) -> tuple[Array, Any]:
        """(output, new_state) of a step."""
        return step.h_new, join_state(step.c_new, step.h_new, self._state_is_tuple)

    @quiet()
    def _forward(self, x: Array, c: Array, h: Array, K: Array, b: Array) -> _Step:
        """x: [B, d], c: [B, n], h: [B, n], K: [d + n, 4n], b: [4n] to c_new and h_new: [B, n] [EQ-3]."""
        act = self._activation  # EQ-13
        xh = side_by_side(x, h)
        i, j, f, o = columns(xh @ K + b, 4)  # EQ-3: each [B, n]
        s_i, s_f, s_o = sigmoid(i), sigmoid(f + self._forget_bias), sigmoid(o)  # EQ-14
        c_new = c * s_f + s_i * act(j)  # EQ-3
        h_new = act(c_new) * s_o  # EQ-3
        return _Step(x, c, K, xh, j, s_i, s_f, s_o, c_new, h_new)

    @quiet()
    def _pull(self, step: _Step, d_output: Array, d_state: Any) -> tuple[Array, Any, dict[Any, Array]]:
        """d_x, (d_c, d_h) and those of the weights, by the lines of ``_forward`` in reverse [GRAD-4]."""
        act = self._activation
        x, c, K, xh, j, s_i, s_f, s_o, c_new, _ = step
        d_c_new, d_h_new = split_state(d_state, self._num_units, self._state_is_tuple)
        d_h_new = d_h_new + d_output
        d_o = through_sigmoid(s_o, d_h_new * act(c_new))
        d_c_new = d_c_new + through_activation(act, c_new, d_h_new * s_o)
        d_f = through_sigmoid(s_f, d_c_new * c)
        d_i = through_sigmoid(s_i, d_c_new * act(j))
        d_j = through_activation(act, j, d_c_new * s_i)
        d_c = d_c_new * s_f
        d_gates = side_by_side(d_i, d_j, d_f, d_o)
        d_x, d_h = apart(d_gates @ K.T, x.shape[1])
        d_weights = {self._kernel: xh.T @ d_gates, self._bias: sum_rows(d_gates)}
        return d_x, join_state(d_c, d_h, self._state_is_tuple), d_weights

    def without_vjp(self) -> Any:
        """The cell itself, if it can't pull gradients back; see RNNCell."""
        check_pulls("activation", self._activation, np.tanh)
        return super().without_vjp()
