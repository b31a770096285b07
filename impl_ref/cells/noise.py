"""Draws the uniform noise for dropout from one seed, in a stream for each purpose and leaf."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError

from ..arrays import Array
from ..dtypes import describe_type

_PURPOSES = ("input", "state", "output")


class UniformNoise:
    """Draws from [0, 1), a stream for each purpose and leaf; the same seed gives the same draws in the same order.

    Args:
        seed: an integer of at least 0; None takes fresh entropy.

    Raises:
        TypeError, ValueError: the seed is something else [EQ-9].
    """

    def __init__(self, seed: Any = None) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
            raise ArgumentTypeError("seed", "an integer or None", describe_type(seed), "EQ-9")
        if seed is not None and seed < 0:
            raise ArgumentValueError("seed", "at least 0", str(seed), "EQ-9")
        self._entropy = np.random.SeedSequence(None if seed is None else int(seed)).entropy
        self._streams: dict[tuple[str, int], np.random.Generator] = {}

    def __call__(self, purpose: str, leaf: int, shape: tuple[int, ...], dtype: Any) -> Array:
        """The next draw of that shape for leaf number ``leaf`` of the "input", "state" or "output".

        A draw is a multiple of 2**-11, 2**-24 or 2**-53, as ``dtype`` is float16, float32 or wider, so it is below 1
        in that dtype.
        """
        if (purpose, leaf) not in self._streams:
            key = (_PURPOSES.index(purpose), leaf)
            self._streams[purpose, leaf] = np.random.default_rng(np.random.SeedSequence(self._entropy, spawn_key=key))
        steps = 2 ** min(np.finfo(dtype).nmant + 1, 53)
        draws = self._streams[purpose, leaf].integers(0, steps, shape)
        uniform: Array = (draws / steps).astype(dtype)
        return uniform
