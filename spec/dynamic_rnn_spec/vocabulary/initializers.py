"""Defines the initialisers of variables: constants, uniform draws, and TensorFlow's default.

An initialiser is a callable ``initializer(shape, dtype, rng)`` that returns an array of that shape and dtype; ``rng``
is the store's ``numpy.random.RandomState``. The defaults and their constants are those of TensorFlow 1.4.1.
"""

from typing import Any, Optional, Sequence, Tuple

import numpy as np


class Constant:
    """Every element is ``value`` (a scalar, or an array of exactly the variable's shape)."""

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any, rng: Any) -> "np.ndarray[Any, Any]":
        value = np.asarray(self.value, dtype=dtype)
        if value.shape not in ((), tuple(shape)):
            raise ValueError("Constant: expected a scalar or shape {}, got shape {}".format(tuple(shape), value.shape))
        return np.array(np.broadcast_to(value, tuple(shape)))


class Zeros(Constant):
    """Every element is 0."""

    def __init__(self) -> None:
        super().__init__(0)


class Ones(Constant):
    """Every element is 1."""

    def __init__(self) -> None:
        super().__init__(1)


class RandomUniform:
    """Independent draws from [minval, maxval); ``seed`` fixes them, else they come from the store's generator."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Optional[int] = None) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: Any, rng: Any) -> "np.ndarray[Any, Any]":
        generator = rng if self.seed is None else np.random.RandomState(self.seed)
        return np.asarray(generator.uniform(self.minval, self.maxval, tuple(shape))).astype(dtype)


class GlorotUniform:
    """Uniform in +-sqrt(6 / (fan_in + fan_out)), the default of TensorFlow's ``get_variable`` [VAR-9].

    A vector of n elements counts as fan_in = fan_out = n. ``full_shape`` is the shape of the whole variable when only a
    part is made.
    """

    def __init__(self, seed: Optional[int] = None, full_shape: Optional[Sequence[int]] = None) -> None:
        self.seed = seed
        self.full_shape = full_shape

    def __call__(self, shape: Sequence[int], dtype: Any, rng: Any) -> "np.ndarray[Any, Any]":
        fan_in, fan_out = fans(self.full_shape if self.full_shape is not None else shape)
        limit = np.sqrt(6.0 / max(1.0, fan_in + fan_out))
        return RandomUniform(-limit, limit, self.seed)(shape, dtype, rng)


def fans(shape: Sequence[int]) -> Tuple[int, int]:
    """The number of inputs and outputs of a variable of this shape; leading axes beyond two count as a receptive
    field."""
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = 1
    for dim in shape[:-2]:
        field *= dim
    return field * shape[-2], field * shape[-1]
