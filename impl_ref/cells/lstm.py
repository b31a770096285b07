"""LSTMCell: computes one step of an LSTM with its options, and pulls gradients back through it."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple
from dynamic_rnn_spec.initializers import Zeros

from ..arrays import Array
from .lstm_state import join_state, split_state, state_size_of
from .options import flag, optional_bound, optional_function, optional_positive, positive, real, reuse_option
from .pulling import check_pulls, sum_rows, through_activation, through_clip, through_sigmoid
from .weighted import WeightedCell, apart, columns, quiet, side_by_side, sigmoid


class _Weights(NamedTuple):
    """The values that the weights have at a step: d columns of the inputs, n units, p columns of the output."""

    K: Array  # [d + p, 4n]
    b: Array  # [4n]
    w_i: Any  # [n], or None without peepholes
    w_f: Any  # [n], or None
    w_o: Any  # [n], or None
    P: Any  # [n, p], or None without a projection


class _Step(NamedTuple):
    """What a step read and computed, kept for its pull: each [B, n] where no other shape stands beside it."""

    x: Array  # [B, d]
    c: Array
    weights: _Weights
    xm: Array  # [B, d + p], x and m side by side
    j: Array  # before its activation
    s_i: Array  # the sigmoid of i
    s_f: Array  # of f and the forget_bias
    c_free: Array  # before it is clipped
    c_new: Array
    s_o: Array  # of o
    q: Array  # before the projection
    m_free: Array  # [B, p], before it is clipped
    m_new: Array  # [B, p]


class LSTMCell(WeightedCell):
    """The long short-term memory of Hochreiter and Schmidhuber (1997), with the options of Sak et al. (2014).

    Args:
        num_units: n, the columns of c.
        use_peepholes: whether the gates see c: i and f the old, o the new and clipped one [EQ-5].
        cell_clip: c is limited to [-cell_clip, cell_clip]; None: it is not [EQ-6].
        initializer: for kernel, peepholes and projection, never the bias; None is the scope's, else glorot uniform
            [VAR-11].
        num_proj: p, the columns of a projection of the output; None: there is none and p = n [EQ-7].
        proj_clip: the projection is limited to [-proj_clip, proj_clip]; without num_proj it has no effect, as in
            TensorFlow [EQ-17].
        num_unit_shards, num_proj_shards: into how many variables the kernel and the projection are split on axis 0;
            they are computed with as a whole [VAR-15].
        forget_bias: added to f at each step; no part of the bias variable [EQ-14].
        state_is_tuple: True: the state is LSTMStateTuple(c, m); False: one array [B, n + p], c to the left [EQ-15].
        activation: a function of an array; None is tanh [EQ-13]. Gradients need ``activation.vjp(x)``, which gives
            y and ``pull(d_y)``, and that gives d_x [GRAD-20].
        reuse: None, True or AUTO_REUSE: whether variables of the same names are shared [SCOPE-7].

    Raises:
        TypeError, ValueError: an option of a wrong type, not positive, or below 0 [EQ-4 to EQ-7, EQ-13 to EQ-15,
            VAR-11, VAR-15].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.LSTMCell``.
    """

    def __init__(
        self,
        num_units: Any,
        use_peepholes: Any = False,
        cell_clip: Any = None,
        initializer: Any = None,
        num_proj: Any = None,
        proj_clip: Any = None,
        num_unit_shards: Any = None,
        num_proj_shards: Any = None,
        forget_bias: Any = 1.0,
        state_is_tuple: Any = True,
        activation: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(reuse=reuse_option(reuse))
        self._num_units = positive("num_units", num_units, "EQ-4")
        self._use_peepholes = flag("use_peepholes", use_peepholes, "EQ-5")
        self._cell_clip = optional_bound("cell_clip", cell_clip, "EQ-6")
        self._initializer = optional_function("initializer", initializer, "VAR-11")
        self._num_proj = optional_positive("num_proj", num_proj, "EQ-7")
        proj_clip = optional_bound("proj_clip", proj_clip, "EQ-7")
        self._proj_clip = None if self._num_proj is None else proj_clip  # EQ-17
        self._num_unit_shards = optional_positive("num_unit_shards", num_unit_shards, "VAR-15")
        self._num_proj_shards = optional_positive("num_proj_shards", num_proj_shards, "VAR-15")
        self._forget_bias = real("forget_bias", forget_bias, "EQ-14")
        self._state_is_tuple = flag("state_is_tuple", state_is_tuple, "EQ-15")
        self._activation = optional_function("activation", activation, "EQ-13") or np.tanh

    @property
    def state_size(self) -> LSTMStateTuple | int:
        return state_size_of(self._num_units, self.output_size, self._state_is_tuple)

    @property
    def output_size(self) -> int:
        return self._num_units if self._num_proj is None else self._num_proj

    def build(self, inputs_shape: Any) -> None:
        """kernel [d + p, 4n], bias [4n], w_f_diag, w_i_diag, w_o_diag [n], projection/kernel [n, p] [VAR-4]."""
        d, n, p = self.input_depth(inputs_shape), self._num_units, self.output_size
        weights = self._initializer  # VAR-11: for all but the bias
        self._kernel = self.add_variable(
            "kernel", [d + p, 4 * n], initializer=weights, partitions=self._num_unit_shards  # VAR-4, VAR-15
        )
        self._bias = self.add_variable("bias", [4 * n], initializer=Zeros())  # VAR-8
        if self._use_peepholes:
            self._w_f = self.add_variable("w_f_diag", [n], initializer=weights)  # VAR-4
            self._w_i = self.add_variable("w_i_diag", [n], initializer=weights)
            self._w_o = self.add_variable("w_o_diag", [n], initializer=weights)
        if self._num_proj is not None:
            self._projection = self.add_variable(
                "projection/kernel", [n, p], initializer=weights, partitions=self._num_proj_shards  # VAR-4, VAR-15
            )

    def call(self, inputs: Any, state: Any) -> tuple[Array, Any]:
        """x: [B, d], c: [B, n], m: [B, p] to (m', (c', m'))."""
        step = self._forward(*self._checked(inputs, state))
        return self._result(step)

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Array, Any], Any]:
        """The step, and how to pull gradients back through it (docs/gradients.md)."""
        step = self._forward(*self._checked(inputs, state))
        return self._result(step), partial(self._pull, step)

    def _checked(self, x: Any, state: Any) -> tuple[Array, Array, Array, _Weights]:
        """x, c, m and the weights of a step, once they are checked."""
        c, m = split_state(state, self._num_units, self._state_is_tuple)
        self.check_step(x, [(c, self._num_units), (m, self.output_size)], self._kernel)
        w_i = w_f = w_o = P = None
        if self._use_peepholes:
            w_i, w_f, w_o = self._w_i.read(x), self._w_f.read(x), self._w_o.read(x)
        if self._num_proj is not None:
            P = self._projection.read(x)
        return x, c, m, _Weights(self._kernel.read(x), self._bias.read(x), w_i, w_f, w_o, P)

    def _result(self, step: _Step) -> tuple[Array, Any]:
        """(output, new_state) of a step."""
        return step.m_new, join_state(step.c_new, step.m_new, self._state_is_tuple)

    @quiet()
    def _forward(self, x: Array, c: Array, m: Array, weights: _Weights) -> _Step:
        """x: [B, d], c: [B, n], m: [B, p] to c_new: [B, n] and m_new: [B, p] [EQ-4]."""
        K, b, w_i, w_f, w_o, P = weights
        act = self._activation  # EQ-13
        xm = side_by_side(x, m)
        i, j, f, o = columns(xm @ K + b, 4)  # EQ-4: each [B, n]
        if self._use_peepholes:
            i = i + w_i * c  # EQ-5: the old c
            f = f + w_f * c
        s_i, s_f = sigmoid(i), sigmoid(f + self._forget_bias)  # EQ-14
        c_free = s_f * c + s_i * act(j)  # EQ-4
        c_new = _clip(c_free, self._cell_clip)  # EQ-6
        if self._use_peepholes:
            o = o + w_o * c_new  # EQ-5: the new c, clipped
        s_o = sigmoid(o)
        q = s_o * act(c_new)  # EQ-4
        m_free = q if P is None else q @ P  # EQ-7: [B, n] to [B, p]
        m_new = _clip(m_free, self._proj_clip)
        return _Step(x, c, weights, xm, j, s_i, s_f, c_free, c_new, s_o, q, m_free, m_new)

    @quiet()
    def _pull(self, step: _Step, d_output: Array, d_state: Any) -> tuple[Array, Any, dict[Any, Array]]:
        """d_x, (d_c, d_m) and those of the weights, by the lines of ``_forward`` in reverse [GRAD-4]."""
        x, c, (K, _, w_i, w_f, w_o, P), xm, j, s_i, s_f, c_free, c_new, s_o, q, m_free, _ = step
        act = self._activation
        d_c_new, d_m_new = split_state(d_state, self._num_units, self._state_is_tuple)
        d_m_new = d_m_new + d_output
        d_m_free = through_clip(m_free, self._proj_clip, d_m_new)
        d_q = d_m_free if P is None else d_m_free @ P.T
        d_o = through_sigmoid(s_o, d_q * act(c_new))
        d_c_new = d_c_new + through_activation(act, c_new, d_q * s_o)
        if self._use_peepholes:
            d_c_new = d_c_new + d_o * w_o
        d_c_free = through_clip(c_free, self._cell_clip, d_c_new)
        d_f = through_sigmoid(s_f, d_c_free * c)
        d_i = through_sigmoid(s_i, d_c_free * act(j))
        d_j = through_activation(act, j, d_c_free * s_i)
        d_c = d_c_free * s_f
        if self._use_peepholes:
            d_c = d_c + d_f * w_f + d_i * w_i
        d_gates = side_by_side(d_i, d_j, d_f, d_o)
        d_x, d_m = apart(d_gates @ K.T, x.shape[1])
        d_weights = {self._kernel: xm.T @ d_gates, self._bias: sum_rows(d_gates)}
        if self._use_peepholes:
            d_weights[self._w_i] = sum_rows(d_i * c)
            d_weights[self._w_f] = sum_rows(d_f * c)
            d_weights[self._w_o] = sum_rows(d_o * c_new)
        if P is not None:
            d_weights[self._projection] = q.T @ d_m_free
        return d_x, join_state(d_c, d_m, self._state_is_tuple), d_weights

    def without_vjp(self) -> Any:
        """The cell itself, if it can't pull gradients back; see RNNCell."""
        check_pulls("activation", self._activation, np.tanh)
        return super().without_vjp()


def _clip(x: Array, bound: float | None) -> Array:
    """x within [-bound, bound]; without a bound, as it is."""
    return x if bound is None else np.clip(x, -bound, bound)
