"""LSTMCell: the LSTM with peepholes, clipping and projection as options; it refuses to know any wrapper."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple
from dynamic_rnn_spec.initializers import Zeros

from ..arrays import Array
from .lstm_state import join_state, split_state, state_size_of
from .options import flag, optional_bound, optional_function, optional_positive, positive, real, reuse_option
from .pulling import check_pulls, sum_rows, through_activation, through_clip, through_sigmoid
from .weighted import WeightedCell, apart, columns, quiet, side_by_side, sigmoid


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
        self._proj_clip = optional_bound("proj_clip", proj_clip, "EQ-7")
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
            "kernel", [d + p, 4 * n], initializer=weights, partitions=self._num_unit_shards
        )
        self._bias = self.add_variable("bias", [4 * n], initializer=Zeros())  # VAR-8
        if self._use_peepholes:
            self._w_f = self.add_variable("w_f_diag", [n], initializer=weights)
            self._w_i = self.add_variable("w_i_diag", [n], initializer=weights)
            self._w_o = self.add_variable("w_o_diag", [n], initializer=weights)
        if self._num_proj is not None:
            self._projection = self.add_variable(
                "projection/kernel", [n, p], initializer=weights, partitions=self._num_proj_shards
            )

    def call(self, inputs: Any, state: Any) -> tuple[Array, Any]:
        """x: [B, d], c: [B, n], m: [B, p] to (m', (c', m'))."""
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Array, Any], Any]:
        """The step, and how to pull gradients back through it (docs/gradients.md)."""
        n, act, forget_bias = self._num_units, self._activation, self._forget_bias
        x, (c, m) = inputs, split_state(state, n, self._state_is_tuple)
        self.check_step(x, [(c, n), (m, self.output_size)], self._kernel)
        K, b, P = self._kernel.read(x), self._bias.read(x), self._read_projection(x)
        w_f, w_i, w_o = self._read_peepholes(x)
        c_old = c
        with quiet():
            xm = side_by_side(x, m)
            i, j, f, o = columns(xm @ K + b, 4)  # each [B, n]
            if self._use_peepholes:
                f = f + w_f * c  # the old c
                i = i + w_i * c
            c = sigmoid(f + forget_bias) * c + sigmoid(i) * act(j)
            c_whole = c  # before it is clipped
            if self._cell_clip is not None:
                c = np.clip(c, -self._cell_clip, self._cell_clip)
            if self._use_peepholes:
                o = o + w_o * c  # the new c, clipped
            m = sigmoid(o) * act(c)
            m_whole = m  # before it is projected
            if P is not None:
                m = m @ P  # [B, n] to [B, p]
                projected = m  # before it is clipped
                if self._proj_clip is not None:
                    m = np.clip(m, -self._proj_clip, self._proj_clip)

        def pull(d_output: Array, d_state: Any) -> tuple[Array, Any, dict[Any, Array]]:
            d_c, d_m = split_state(d_state, n, self._state_is_tuple)
            d_weights: dict[Any, Array] = {}
            with quiet():
                s_i, s_f, s_o = sigmoid(i), sigmoid(f + forget_bias), sigmoid(o)
                d_m = d_m + d_output
                if P is not None:
                    if self._proj_clip is not None:
                        d_m = through_clip(projected, self._proj_clip, d_m)
                    d_weights[self._projection] = m_whole.T @ d_m
                    d_m = d_m @ P.T  # [B, p] to [B, n]
                d_o = through_sigmoid(s_o, d_m * act(c))
                d_c = d_c + through_activation(act, c, d_m * s_o)
                if self._use_peepholes:
                    d_c = d_c + d_o * w_o
                    d_weights[self._w_o] = sum_rows(d_o * c)  # the new c, clipped
                if self._cell_clip is not None:
                    d_c = through_clip(c_whole, self._cell_clip, d_c)
                d_f = through_sigmoid(s_f, d_c * c_old)
                d_i = through_sigmoid(s_i, d_c * act(j))
                d_j = through_activation(act, j, d_c * s_i)
                d_c_old = d_c * s_f
                if self._use_peepholes:
                    d_c_old = d_c_old + d_f * w_f + d_i * w_i
                    d_weights[self._w_f] = sum_rows(d_f * c_old)
                    d_weights[self._w_i] = sum_rows(d_i * c_old)
                d_gates = side_by_side(d_i, d_j, d_f, d_o)
                d_x, d_m_old = apart(d_gates @ K.T, x.shape[1])
                d_weights[self._kernel] = xm.T @ d_gates
                d_weights[self._bias] = sum_rows(d_gates)
                return d_x, join_state(d_c_old, d_m_old, self._state_is_tuple), d_weights

        return (m, join_state(c, m, self._state_is_tuple)), pull

    def _read_peepholes(self, x: Array) -> tuple[Any, Any, Any]:
        """w_f, w_i, w_o, each [n]; without peepholes there are none."""
        if not self._use_peepholes:
            return None, None, None
        return self._w_f.read(x), self._w_i.read(x), self._w_o.read(x)

    def _read_projection(self, x: Array) -> Any:
        """P [n, p]; without a projection there is none."""
        return None if self._num_proj is None else self._projection.read(x)

    def without_vjp(self) -> Any:
        """The cell itself where it can't pull gradients back; see RNNCell."""
        check_pulls("activation", self._activation, np.tanh)
        return super().without_vjp()
