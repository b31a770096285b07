"""Gives the cells with weights their base class, which checks the arrays of a step, and some small algebra.

Letters: B rows, d columns of the inputs, n units; xp the array module of the inputs.
"""

from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, array_module
from dynamic_rnn_spec.vocabulary.rnn_cell import Weight

from ..abstract import Abstract, is_abstract
from ..dtypes import describe_value, is_bfloat16, is_floating
from ..rnn_cell import RNNCell

_ARRAYS = (cupy.ndarray, np.ndarray, Abstract)


class WeightedCell(RNNCell):
    """A cell that multiplies [x; h], its inputs and its state side by side, by a kernel [d + n, ...]."""

    def input_depth(self, inputs_shape: Any) -> int:
        """d of the first inputs, from ``build`` and before any variable is made.

        Raises:
            TypeError: a structure of inputs [VAR-16], or inputs of no floating dtype [EQ-22].
            ValueError: their shape is not [B, d] [VAR-16].
        """
        if not isinstance(inputs_shape, tuple) or not all(isinstance(dim, int) for dim in inputs_shape):
            raise ArgumentTypeError("inputs", "a single array at each step", "a structure", "VAR-16")
        if len(inputs_shape) != 2:
            raise ArgumentValueError("inputs", "shape [batch, depth] at each step", str(inputs_shape), "VAR-16")
        self._refuse_integers(np.dtype(self.dtype))
        depth: int = inputs_shape[1]
        return depth

    def check_step(self, x: Any, states: Sequence[tuple[Any, int]], kernel: Weight) -> None:
        """Refuse what the algebra would cast or spread in silence.

        Args:
            x: the inputs; they must be [B, d] of the kernel's dtype.
            states: each array of the state with its number of columns, all of them [B, columns] of that dtype; the
                last one is the one beside x.
            kernel: [d + columns of the last state, ...].

        Raises:
            TypeError: inputs that are no single array [VAR-16], of no floating dtype [EQ-22] or of another one than
                the variables [VAR-13]; a state that is no array [INIT-9] or of another dtype than the inputs [EQ-21].
            ValueError: inputs of another depth than the kernel was made for [VAR-16]; a state of another shape
                [INIT-8].
        """
        if not isinstance(x, _ARRAYS):
            raise ArgumentTypeError("inputs", "a single array at each step", describe_value(x), "VAR-16")
        dtype, depth = kernel.parts[0].dtype, kernel.shape[0] - states[-1][1]
        self._refuse_integers(x.dtype)
        if x.dtype != dtype:
            raise ArgumentTypeError("inputs", f"dtype {dtype}, which the variables have", str(x.dtype), "VAR-13")
        if x.ndim != 2 or x.shape[1] != depth:
            raise ArgumentValueError("inputs", f"shape [batch, {depth}] at each step", str(x.shape), "VAR-16")
        for state, columns in states:
            shape = (x.shape[0], columns)
            if not isinstance(state, _ARRAYS):
                raise ArgumentTypeError("state", f"an array of shape {shape}", describe_value(state), "INIT-9")
            if state.dtype != dtype:
                raise ArgumentTypeError("state", f"dtype {dtype}, which the inputs have", str(state.dtype), "EQ-21")
            if state.shape != shape:
                raise ArgumentValueError("state", f"shape {shape}", str(state.shape), "INIT-8")

    def _refuse_integers(self, dtype: np.dtype[Any]) -> None:
        if not is_floating(dtype):
            raise ArgumentTypeError("inputs", f"a floating dtype for {type(self).__name__}", str(dtype), "EQ-22")


def check_one_array(state: Any) -> None:
    """Refuse what can't be states side by side.

    Raises:
        TypeError: it is no array [INIT-9].
        ValueError: it is not [B, columns] [INIT-8].
    """
    wanted = "one array [batch, columns], as state_is_tuple=False has it"
    if not isinstance(state, _ARRAYS):
        raise ArgumentTypeError("state", wanted, describe_value(state), "INIT-9")
    if state.ndim != 2:
        raise ArgumentValueError("state", wanted, f"shape {state.shape}", "INIT-8")


def side_by_side(*arrays: Any) -> Any:
    """[a; b; ...]: the columns of arrays [B, ...], from the left; of shapes, the shape."""
    first = arrays[0]
    if is_abstract(first):
        return Abstract((first.shape[0], sum(array.shape[1] for array in arrays)), first.dtype)
    return array_module(first).concatenate(arrays, axis=1)


def columns(array: Any, parts: int) -> list[Any]:
    """``array`` [B, parts * n] as that many views [B, n], from the left."""
    n = array.shape[1] // parts
    return [array[:, start : start + n] for start in range(0, parts * n, n)]


def sigmoid(xp: Any, x: Any) -> Any:
    """The logistic function in the dtype of ``x``; where exp overflows, its limit 0 comes out."""
    return 1 / (1 + xp.exp(-x))


def number(value: float, like: Any) -> Any:
    """A number beside which an array keeps its dtype [EQ-16]: one of Python's, but for bfloat16, which that widens."""
    return like.dtype.type(value) if is_bfloat16(like.dtype) else value


def limited(xp: Any, x: Any, bound: float) -> Any:
    """``x`` within [-bound, bound]; NaN stays. ``clip`` has no bfloat16."""
    return xp.minimum(xp.maximum(x, number(-bound, x)), number(bound, x))


def quiet() -> np.errstate:
    """A block in which NumPy lets NaN and infinities pass without a warning: padding may hold them [SEQ-12]."""
    return np.errstate(all="ignore")
