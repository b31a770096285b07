"""Draws noise for dropout: independent streams of uniform numbers from one seed."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError

from ..dtypes import describe_value, mantissa_bits

_KEYS = {"input": 0, "state": 1, "output": 2}


class UniformNoise:
    """Draws from [0, 1): for each purpose and leaf a stream of its own, the same one for the same seed.

    The numbers are drawn on the host and uploaded step by step: so a seed means the same noise on every device.

    Args:
        seed: an integer of at least 0; None takes fresh entropy.

    Raises:
        TypeError, ValueError: another seed [EQ-9].
    """

    def __init__(self, seed: Any = None) -> None:
        if seed is not None:
            if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
                raise ArgumentTypeError("seed", "an integer or None", describe_value(seed), "EQ-9")
            if seed < 0:
                raise ArgumentValueError("seed", "at least 0", str(seed), "EQ-9")
            seed = int(seed)
        self._entropy = np.random.SeedSequence(seed).entropy
        self._generators: dict[tuple[str, int], np.random.Generator] = {}

    def __call__(self, purpose: str, leaf: int, shape: tuple[int, ...], dtype: Any) -> Any:
        """The next draw of that shape and dtype, a NumPy array, for leaf number ``leaf`` of "input", "state", "output".

        A draw is a multiple of the distance of ``dtype``'s numbers just below 1, so that none is rounded up to 1.
        """
        key = (purpose, leaf)
        if key not in self._generators:
            sequence = np.random.SeedSequence(self._entropy, spawn_key=(_KEYS[purpose], leaf))
            self._generators[key] = np.random.default_rng(sequence)
        multiples = 2 ** (mantissa_bits(np.dtype(dtype)) + 1)
        return (self._generators[key].integers(multiples, size=shape) / multiples).astype(dtype)
