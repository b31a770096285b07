"""Defines ResidualWrapper, which adds a cell's inputs to its output."""

from collections.abc import Callable
from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, VariableScope
from dynamic_rnn_spec.vocabulary.structure import assert_same_structure, flatten, pack_sequence_as

from ..abstract import is_abstract
from ..arrays import described
from ..dtypes import describe_value
from .backward import refuse_without_vjp
from .options import optional_function
from .weighted import quiet
from .wrapper import Wrapper


class ResidualWrapper(Wrapper):
    """A cell whose output is the sum of its inputs and the wrapped cell's output, or ``residual_fn`` of both [EQ-11].

    Args:
        cell: the wrapped cell; without ``residual_fn`` its inputs and outputs agree in structure, shapes and dtypes.
        residual_fn: ``residual_fn(inputs, outputs)`` gives the outputs, from arrays of the device; None adds leaf by
            leaf, and only that runs fused. Gradients need ``residual_fn.vjp(inputs, outputs)``, which gives the outputs
            and ``pull(d)``, and that gives ``(d_inputs, d_outputs)`` [GRAD-20].

    Raises:
        TypeError: ``cell`` is no cell [CELL-2, CELL-3], ``residual_fn`` no function [EQ-11].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.ResidualWrapper``.
    """

    def __init__(self, cell: Any, residual_fn: Any = None) -> None:
        super().__init__(cell)
        self._residual_fn: Callable[..., Any] = optional_function("residual_fn", residual_fn, "EQ-11") or add

    def __call__(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> tuple[Any, Any]:
        """A step of the wrapped cell, its output changed and its new state as it is.

        Raises:
            TypeError: without ``residual_fn``: inputs and outputs in other containers or of other dtypes [EQ-11].
            ValueError: the same of nesting or shapes [EQ-11].
        """
        outputs, new_state = self._cell(inputs, state, scope)  # VAR-6: no scope of its own around it
        return self._residual_fn(inputs, outputs), new_state

    def vjp(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> Any:
        """The step, and its pull: both terms of a sum have its gradient."""
        (outputs, new_state), pull_cell = self._cell.vjp(inputs, state, scope)
        total_vjp = add_vjp if self._residual_fn is add else getattr(self._residual_fn, "vjp")  # noqa: B009  # own only
        total, pull_total = total_vjp(inputs, outputs)

        def pull(d_total: Any, d_new_state: Any) -> Any:
            d_beside, d_outputs = pull_total(d_total)
            d_inputs, d_state, d_variables = pull_cell(d_outputs, d_new_state)
            pairs = zip(flatten(d_inputs), flatten(d_beside), strict=True)
            return pack_sequence_as(inputs, [_sum_of_gradients(*pair) for pair in pairs]), d_state, d_variables

        return (total, new_state), pull

    def without_vjp(self) -> Any:
        """See RNNCell; a ``residual_fn`` without ``vjp`` is refused [GRAD-20]."""
        refuse_without_vjp("residual_fn", self._residual_fn, add)
        return super().without_vjp()


def add(inputs: Any, outputs: Any) -> Any:
    """The sums of inputs and outputs leaf by leaf; of shapes, the shapes."""
    wanted = "inputs and outputs that add up leaf by leaf"
    try:
        assert_same_structure(inputs, outputs)
    except TypeError as error:
        raise ArgumentTypeError("inputs", wanted, str(error), "EQ-11") from error
    except ValueError as error:
        raise ArgumentValueError("inputs", wanted, str(error), "EQ-11") from error
    with quiet():
        sums = [_sum_of(x, y, wanted) for x, y in zip(flatten(inputs), flatten(outputs), strict=True)]
    return pack_sequence_as(outputs, sums)


def add_vjp(inputs: Any, outputs: Any) -> Any:
    """``add`` and its pull."""
    return add(inputs, outputs), lambda d_sum: (d_sum, d_sum)


def _sum_of_gradients(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _sum_of(x: Any, y: Any, wanted: str) -> Any:
    one, other = described(x), described(y)
    if one is None or other is None:
        got = describe_value(x if one is None else y)
        raise ArgumentTypeError("inputs", wanted, got, "EQ-11")
    if one.shape != other.shape:
        raise ArgumentValueError("inputs", wanted, f"shapes {one.shape} and {other.shape}", "EQ-11")
    if one.dtype != other.dtype:
        raise ArgumentTypeError("inputs", wanted, f"dtypes {one.dtype} and {other.dtype}", "EQ-11")
    return one if is_abstract(x) else x + y  # EQ-11
