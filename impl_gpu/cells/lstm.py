"""Defines LSTMCell, the LSTM with peepholes, clipping and projection as options."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple, array_module
from dynamic_rnn_spec.initializers import Zeros

from ..abstract import is_abstract, matrix_like
from .backward import activation_back, clip_back, kernel_back, refuse_activation, sigmoid_back
from .lstm_pull import Gates, gates_back
from .lstm_state import join_state, split_state, state_size_of
from .options import flag, optional_bound, optional_function, optional_positive, positive, real, reuse_option
from .weighted import WeightedCell, columns, limited, number, quiet, side_by_side, sigmoid


class LSTMCell(WeightedCell):
    """The long short-term memory with the options of Sak et al. (2014) [EQ-4].

    Args:
        num_units: n, the columns of c.
        use_peepholes: whether the gates see c: i and f the old one, o the new and clipped one [EQ-5].
        cell_clip: limits c to [-cell_clip, cell_clip]; None leaves it free [EQ-6].
        initializer: of kernel, peepholes and projection, never of the bias; None is the scope's, else glorot uniform
            [VAR-11].
        num_proj: p, the columns of a projection of the output; None is no projection, and p = n [EQ-7].
        proj_clip: limits the projection to [-proj_clip, proj_clip]; without num_proj it has no effect, as in
            TensorFlow [EQ-17].
        num_unit_shards, num_proj_shards: into how many variables kernel and projection are split on axis 0; they are
            computed with as a whole [VAR-15].
        forget_bias: what is added to f at each step, apart from the bias variable [EQ-14].
        state_is_tuple: True: the state is LSTMStateTuple(c, m). False: one array [B, n + p], c to the left [EQ-15].
        activation: a function of an array of the device; None is tanh [EQ-13], and only tanh runs fused. Gradients need
            ``activation.vjp(x)``, which gives y and ``pull(d_y)``, and that gives d_x [GRAD-20].
        reuse: None, True, False or AUTO_REUSE: whether variables of the same names are shared [SCOPE-7].

    Raises:
        TypeError, ValueError: an option of a wrong type, not positive, or below 0 [EQ-4 to EQ-7, EQ-13 to EQ-15,
            VAR-11, VAR-15, SCOPE-7].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.LSTMCell``; Hochreiter and Schmidhuber (1997).
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
        """kernel [d + p, 4n] and bias [4n] in the order i, j, f, o; w_f_diag, w_i_diag, w_o_diag [n];
        projection/kernel [n, p] [VAR-4]."""
        d, n, p = self.input_depth(inputs_shape), self._num_units, self.output_size
        weights = self._initializer  # VAR-9, VAR-10, VAR-11
        kernel_parts, projection_parts = self._num_unit_shards, self._num_proj_shards  # VAR-15
        # VAR-4: these, in this order
        self._kernel = self.add_variable("kernel", [d + p, 4 * n], initializer=weights, partitions=kernel_parts)
        self._bias = self.add_variable("bias", [4 * n], initializer=Zeros())  # VAR-8
        if self._use_peepholes:
            self._w_f = self.add_variable("w_f_diag", [n], initializer=weights)
            self._w_i = self.add_variable("w_i_diag", [n], initializer=weights)
            self._w_o = self.add_variable("w_o_diag", [n], initializer=weights)
        if self._num_proj is not None:
            self._projection = self.add_variable(
                "projection/kernel", [n, p], initializer=weights, partitions=projection_parts
            )

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """x: [B, d], c: [B, n], m: [B, p] to (m', (c', m'))."""
        result, _ = self.call_vjp(inputs, state)
        return result

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Any, Any], Any]:
        """The step, and its pull; docs/gradients.md derives it."""
        n, p, act, as_tuple = self._num_units, self.output_size, self._activation, self._state_is_tuple
        x, (c, m) = inputs, split_state(state, n, as_tuple)
        self.check_step(x, [(c, n), (m, p)], self._kernel)
        if is_abstract(x):
            return (matrix_like(x, p), join_state(matrix_like(x, n), matrix_like(x, p), as_tuple)), None
        xp = array_module(x)
        K, b = self._kernel.read(x), self._bias.read(x)
        peepholes = [w.read(x) for w in (self._w_f, self._w_i, self._w_o)] if self._use_peepholes else []
        P = None if self._num_proj is None else self._projection.read(x)
        with quiet():
            left = side_by_side(x, m)
            i, j, f, o = columns(xp.dot(left, K) + b, 4)  # each [B, n]
            if peepholes:
                f = f + peepholes[0] * c  # EQ-5: the old c
                i = i + peepholes[1] * c
            gates = Gates(sigmoid(xp, i), act(j), sigmoid(xp, f + number(self._forget_bias, f)), None, j)
            free_c = gates.f * c + gates.i * gates.j  # EQ-4
            new_c = free_c if self._cell_clip is None else limited(xp, free_c, self._cell_clip)  # EQ-6
            if peepholes:
                o = o + peepholes[2] * new_c  # EQ-5: the new one
            gates = gates._replace(o=sigmoid(xp, o))
            act_c = act(new_c)  # EQ-13
            new_m = before = gates.o * act_c
            if P is not None:  # EQ-17: without a projection nothing is limited by proj_clip
                new_m = projected = xp.dot(before, P)  # EQ-7: [B, n] to [B, p]
                if self._proj_clip is not None:
                    new_m = limited(xp, projected, self._proj_clip)

        def pull(d_output: Any, d_state: Any) -> tuple[Any, Any, dict[Any, Any]]:
            d_c, d_m = split_state(d_state, n, as_tuple)
            d_weights: dict[Any, Any] = {}
            with quiet():
                d_m = d_m + d_output
                if P is not None:
                    if self._proj_clip is not None:
                        d_m = clip_back(xp, projected, self._proj_clip, d_m)
                    d_weights[self._projection] = kernel_back(xp, before, d_m)
                    d_m = xp.dot(d_m, P.T)
                d_o = sigmoid_back(gates.o, d_m * act_c)
                d_c = d_c + activation_back(act, new_c, act_c, d_m * gates.o)
                if peepholes:
                    d_c = d_c + d_o * peepholes[2]
                if self._cell_clip is not None:
                    d_c = clip_back(xp, free_c, self._cell_clip, d_c)
                d_i, d_j, d_f = gates_back(act, gates, c, d_c)
                d_c = d_c * gates.f
                if peepholes:
                    d_c = d_c + d_f * peepholes[0] + d_i * peepholes[1]
                    terms = ((self._w_f, d_f * c), (self._w_i, d_i * c), (self._w_o, d_o * new_c))
                    d_weights.update({weight: term.sum(axis=0) for weight, term in terms})
                d_all = side_by_side(d_i, d_j, d_f, d_o)
                d_left = xp.dot(d_all, K.T)
                d_weights[self._kernel] = kernel_back(xp, left, d_all)
                d_weights[self._bias] = d_all.sum(axis=0)
            depth = x.shape[1]
            return d_left[:, :depth], join_state(d_c, d_left[:, depth:], as_tuple), d_weights

        return (new_m, join_state(new_c, new_m, as_tuple)), pull

    def without_vjp(self) -> Any:
        """See RNNCell; an activation without ``vjp`` is refused [GRAD-20]."""
        refuse_activation(self._activation)
        return super().without_vjp()
