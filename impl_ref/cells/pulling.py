"""Pulls gradients back through what the cells have in common: activations, sigmoids, clips and sums.

A gradient ``d_y`` is that of the loss with respect to y, in the shape of y.
"""

from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError

from ..arrays import Array
from ..dtypes import describe_type
from .weighted import quiet


def check_pulls(argument: str, function: Any, known: Any) -> None:
    """Refuse a function through which no gradient can be pulled back: neither ``known`` nor one with a ``vjp``.

    Raises:
        TypeError: it has no attribute ``vjp`` [GRAD-20].
    """
    if function is not known and not callable(getattr(function, "vjp", None)):
        wanted = "a function with an attribute vjp, since gradients are wanted"
        raise ArgumentTypeError(argument, wanted, f"{describe_type(function)} without one", "GRAD-20")


def through_activation(act: Any, x: Array, d_y: Array) -> Array:
    """d_x of ``y = act(x)``."""
    if act is np.tanh:
        return np.asarray(d_y * (1 - np.tanh(x) ** 2))
    _, pull = act.vjp(x)
    return np.asarray(pull(d_y))


def through_sigmoid(s: Array, d_s: Array) -> Array:
    """d_x of ``s = sigmoid(x)``, computed from s."""
    d_x: Array = d_s * s * (1 - s)
    return d_x


def through_clip(x: Array, bound: float | None, d_y: Array) -> Array:
    """d_x of ``y = clip(x, -bound, bound)``: nothing where x was changed [GRAD-11]; without a bound, d_y."""
    return d_y if bound is None else np.where(np.abs(x) > bound, np.zeros((), d_y.dtype), d_y)


@quiet()
def sum_gradients(one: Array | None, other: Array | None) -> Array | None:
    """The gradient of a value that was used in two places; None stands for zeros."""
    return other if one is None else one if other is None else one + other


def sum_rows(d: Array) -> Array:
    """The gradient [n] of an array that was added to each row of [B, n]."""
    total: Array = d.sum(axis=0)
    return total
