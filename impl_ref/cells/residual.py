"""ResidualWrapper: adds a cell's inputs to its output."""

from functools import partial
from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, VariableScope
from dynamic_rnn_spec.vocabulary.structure import assert_same_structure, flatten, map_structure

from ..arrays import Array
from .options import optional_function
from .pulling import check_pulls, sum_gradients
from .weighted import quiet
from .wrapper import Wrapper


class ResidualWrapper(Wrapper):
    """A cell whose output is its inputs plus the wrapped cell's output, or ``residual_fn`` of the two [EQ-11].

    Args:
        cell: the wrapped cell; without ``residual_fn`` its inputs and outputs have the same structure, shapes and
            dtypes.
        residual_fn: ``residual_fn(inputs, outputs)`` gives the outputs; None adds them, leaf by leaf. Gradients need
            ``residual_fn.vjp(inputs, outputs)``, which gives the outputs and ``pull(d)``, and that gives ``(d_inputs,
            d_outputs)`` [GRAD-20].

    Raises:
        TypeError: ``cell`` is no cell [CELL-2, CELL-3], ``residual_fn`` no function [EQ-11].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.ResidualWrapper``.
    """

    def __init__(self, cell: Any, residual_fn: Any = None) -> None:
        super().__init__(cell)
        self._residual_fn: Any = optional_function("residual_fn", residual_fn, "EQ-11") or _add

    def __call__(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> tuple[Any, Any]:
        """One step of the wrapped cell, with the inputs added to its output.

        Raises:
            TypeError: without ``residual_fn``, inputs and outputs in different containers or dtypes [EQ-11].
            ValueError: the same for different nesting or shapes [EQ-11].
        """
        outputs, new_state = self._cell(inputs, state, scope)  # VAR-6
        return self._residual_fn(inputs, outputs), new_state  # EQ-11

    def vjp(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> Any:
        """The step, and how to pull gradients back through it: a sum hands its gradient to both of its terms."""
        (outputs, new_state), pull_cell = self._cell.vjp(inputs, state, scope)
        add_vjp = _add_vjp if adds(self) else self._residual_fn.vjp
        whole, pull_sum = add_vjp(inputs, outputs)
        return (whole, new_state), partial(_pull, pull_cell, pull_sum)

    def without_vjp(self) -> Any:
        """The first cell that can't pull gradients back, of the wrapper and the wrapped cell; see RNNCell."""
        check_pulls("residual_fn", self._residual_fn, _add)
        return super().without_vjp()


def adds(wrapper: ResidualWrapper) -> bool:
    """Whether it adds inputs and outputs: it was given no ``residual_fn``."""
    return wrapper._residual_fn is _add


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


def _add_vjp(inputs: Any, outputs: Any) -> Any:
    return _add(inputs, outputs), lambda d: (d, d)


def _pull(pull_cell: Any, pull_sum: Any, d_whole: Any, d_new_state: Any) -> Any:
    """The inputs go into the sum and into the cell, so they have a gradient from each."""
    d_direct, d_outputs = pull_sum(d_whole)
    d_inputs, d_state, d_variables = pull_cell(d_outputs, d_new_state)
    return map_structure(sum_gradients, d_inputs, d_direct), d_state, d_variables


def _sum(x: Array, y: Array) -> Array:
    total: Array = x + y
    return total
