"""ResidualWrapper: the inputs added to a cell's output; it refuses to touch the state."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, VariableScope
from dynamic_rnn_spec.structure import assert_same_structure, flatten, map_structure

from ..arrays import Array
from .options import optional_function
from .weighted import quiet
from .wrapper import Wrapper


class ResidualWrapper(Wrapper):
    """A cell whose output is its inputs plus the wrapped cell's output, or ``residual_fn`` of the two [EQ-11].

    Args:
        cell: the wrapped cell; without ``residual_fn`` its inputs and outputs have the same structure, shapes and
            dtypes.
        residual_fn: ``residual_fn(inputs, outputs)`` gives the outputs; None adds them, leaf by leaf.

    Raises:
        TypeError: ``cell`` is no cell [CELL-2, CELL-3], ``residual_fn`` no function [EQ-11].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.ResidualWrapper``.
    """

    def __init__(self, cell: Any, residual_fn: Any = None) -> None:
        super().__init__(cell)
        self._residual_fn = optional_function("residual_fn", residual_fn, "EQ-11") or _add

    def __call__(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> tuple[Any, Any]:
        """One step of the wrapped cell, its output changed and its new state as it is.

        Raises:
            TypeError: without ``residual_fn``, inputs and outputs in different containers or dtypes [EQ-11].
            ValueError: the same for different nesting or shapes [EQ-11].
        """
        outputs, new_state = self._cell(inputs, state, scope)
        return self._residual_fn(inputs, outputs), new_state


def _add(inputs: Any, outputs: Any) -> Any:
    wanted = "inputs and outputs that can be added leaf by leaf"
    try:
        assert_same_structure(inputs, outputs)
    except TypeError as error:
        raise ArgumentTypeError("inputs", wanted, f"others {error}", "EQ-11") from error
    except ValueError as error:
        raise ArgumentValueError("inputs", wanted, f"others {error}", "EQ-11") from error
    for x, y in zip(flatten(inputs), flatten(outputs), strict=True):
        if np.shape(x) != np.shape(y):
            raise ArgumentValueError("inputs", wanted, f"shapes {np.shape(x)} and {np.shape(y)}", "EQ-11")
        if x.dtype != y.dtype:
            raise ArgumentTypeError("inputs", wanted, f"dtypes {x.dtype} and {y.dtype}", "EQ-11")
    with quiet():
        return map_structure(_sum, inputs, outputs)


def _sum(x: Array, y: Array) -> Array:
    total: Array = x + y
    return total
