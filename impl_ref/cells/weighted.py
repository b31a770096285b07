"""Checks the arrays of a step, joins and splits their columns, and has the sigmoid: what cells with weights share."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.rnn_cell import Weight

from ..arrays import Array
from ..dtypes import describe_type
from ..rnn_cell import RNNCell


class WeightedCell(RNNCell):
    """A cell whose step multiplies [x; h], the inputs and the state side by side, by a kernel.

    Letters: B rows, d columns of the inputs, n units.
    """

    def input_depth(self, inputs_shape: Any) -> int:
        """d, from the shape of the first inputs, checked before any variable is made.

        Raises:
            TypeError: they are no single array, or not of a floating dtype [EQ-22].
            ValueError: their shape is not [B, d] [VAR-16].
        """
        if not isinstance(inputs_shape, tuple) or not all(isinstance(dim, int) for dim in inputs_shape):
            raise ArgumentTypeError("inputs", "one array at each step", "a structure", "VAR-16")
        if len(inputs_shape) != 2:
            raise ArgumentValueError("inputs", "shape [batch, depth] at each step", str(inputs_shape), "VAR-16")
        self._check_floating(self.dtype)
        depth: int = inputs_shape[1]
        return depth

    def check_step(self, x: Any, states: Sequence[tuple[Any, int]], kernel: Weight) -> None:
        """Refuse arrays that NumPy would silently cast or broadcast.

        Args:
            x: the inputs, to be [B, d] in the dtype of the kernel.
            states: each leaf of the state with its columns n, to be [B, n] in that dtype; the last is the one beside
                x.
            kernel: [d + n, ...].

        Raises:
            TypeError: integer inputs [EQ-22]; inputs of another dtype than the variables [VAR-13], a state of
                another than the inputs [EQ-21].
            ValueError: inputs of another depth than the kernel was made for [VAR-16]; a state that is not [B, n]
                [INIT-8].
        """
        if not isinstance(x, np.ndarray):
            raise ArgumentTypeError("inputs", "one array at each step", describe_type(x), "VAR-16")
        dtype, shape = kernel.parts[0].dtype, (len(x), kernel.shape[0] - states[-1][1])
        self._check_floating(x.dtype)
        if x.dtype != dtype:
            raise ArgumentTypeError("inputs", f"dtype {dtype}, the one of the variables", str(x.dtype), "VAR-13")
        if x.shape != shape:
            raise ArgumentValueError("inputs", f"shape {shape} at each step", str(x.shape), "VAR-16")
        for state, columns in states:
            if not isinstance(state, np.ndarray):
                raise ArgumentTypeError("state", f"an array [batch, {columns}]", describe_type(state), "INIT-9")
            if state.dtype != dtype:
                raise ArgumentTypeError("state", f"dtype {dtype}, the one of the inputs", str(state.dtype), "EQ-21")
            if state.shape != (len(x), columns):
                raise ArgumentValueError("state", f"shape {(len(x), columns)}", str(state.shape), "INIT-8")

    def _check_floating(self, dtype: Any) -> None:
        if np.dtype(dtype).kind != "f":
            raise ArgumentTypeError("inputs", f"a floating dtype for {type(self).__name__}", str(dtype), "EQ-22")


def check_one_array(state: Any) -> None:
    """Refuse a state that is no single array of rows and columns.

    Raises:
        TypeError: it is no array [INIT-9].
        ValueError: it has other axes than rows and columns [INIT-8].
    """
    wanted = "one array [batch, columns], since state_is_tuple is False"
    if not isinstance(state, np.ndarray):
        raise ArgumentTypeError("state", wanted, describe_type(state), "INIT-9")
    if state.ndim != 2:
        raise ArgumentValueError("state", wanted, f"shape {state.shape}", "INIT-8")


def side_by_side(*arrays: Array) -> Array:
    """[x; h]: the columns of the arrays [B, ...], those of the first to the left."""
    return np.concatenate(arrays, axis=1)


def columns(array: Array, parts: int) -> list[Array]:
    """Cut ``array`` [B, parts * n] into that many views [B, n], from the left."""
    n = array.shape[1] // parts
    return [array[:, part * n : (part + 1) * n] for part in range(parts)]


def apart(array: Array, left: int) -> tuple[Array, Array]:
    """Undo ``side_by_side``: the first ``left`` columns, and the others."""
    return array[:, :left], array[:, left:]


def sigmoid(x: Array) -> Array:
    """The logistic function, in the dtype of ``x``; where exp overflows it is 0, as it should be."""
    with np.errstate(over="ignore"):
        result: Array = 1 / (1 + np.exp(-x))  # EQ-16
    return result


def quiet() -> np.errstate:
    """A block in which NaN and infinities pass without a warning: padding may hold them [SEQ-12]."""
    return np.errstate(all="ignore")
