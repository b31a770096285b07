"""Computes the derivatives that several cells share, on arrays of the device.

``d_y`` is the gradient of a loss with respect to y; xp the array module.
"""

from typing import Any

import cupy
import numpy as np

from dynamic_rnn_spec import ArgumentTypeError

from ..dtypes import describe_value
from .weighted import number

_TANH = (np.tanh, cupy.tanh)


def refuse_without_vjp(argument: str, function: Any, *known: Any) -> None:
    """Only a function that is ``known``, or that has an attribute ``vjp``, pulls gradients back.

    Raises:
        TypeError: it does not [GRAD-20].
    """
    if any(function is one for one in known) or callable(getattr(function, "vjp", None)):
        return
    wanted = "a function with an attribute vjp, by which gradients are pulled back"
    raise ArgumentTypeError(argument, wanted, f"{describe_value(function)}, which has none", "GRAD-20")


def refuse_activation(act: Any) -> None:
    """An activation through which no gradient can be pulled back [GRAD-20]."""
    refuse_without_vjp("activation", act, *_TANH)


def activation_back(act: Any, a: Any, y: Any, d_y: Any) -> Any:
    """d_a, for ``y = act(a)`` [GRAD-4]."""
    if any(act is tanh for tanh in _TANH):
        return d_y * (1 - y * y)
    return act.vjp(a)[1](d_y)


def sigmoid_back(y: Any, d_y: Any) -> Any:
    """d_a, for ``y = sigmoid(a)`` [GRAD-4]."""
    return d_y * y * (1 - y)


def clip_back(xp: Any, a: Any, bound: float, d_y: Any) -> Any:
    """d_a, for ``y = a`` limited to [-bound, bound]: zero where that changed a [GRAD-11]."""
    free = (a <= number(bound, a)) & (a >= number(-bound, a)) | (a != a)
    return xp.where(free, d_y, xp.zeros_like(d_y))


def kernel_back(xp: Any, left: Any, d_product: Any) -> Any:
    """d_K, for ``product = left K``."""
    return xp.dot(left.T, d_product)
