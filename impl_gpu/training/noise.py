"""Keeps the noise of a forward pass, and gives it again to the backward one.

What came from the host stays there and is uploaded again, step by step; what a caller's function gave on the device
is kept there as it is.
"""

from typing import Any

import numpy as np

from ..cells.noise import UniformNoise
from ..fused.noise import Noise

Kept = dict[int, list[Any]]
"""By draw, its arrays at each step that ran, or the one for all steps."""


class KeptNoise(Noise):
    """Noise that remembers, in ``kept``, what it was given."""

    def __init__(self, *what: Any) -> None:
        super().__init__(*what)
        self.kept: Kept = {}

    def _draw(self, number: int) -> Any:
        drawn = super()._draw(number)
        wrapper = self._draws[number].wrapper
        if isinstance(drawn, np.ndarray) and type(wrapper.uniform) is not UniformNoise:
            drawn = drawn.copy()  # a function of the caller's may write its next draw over this one
        self.kept.setdefault(number, []).append(drawn)
        return drawn


class NoiseAgain(Noise):
    """The noise that was kept, for any chunk of steps."""

    def __init__(self, kept: Kept, *what: Any) -> None:
        super().__init__(*what)
        self._kept = kept
        self._step = 0

    def steps_from(self, first: int, count: int) -> None:
        """Take the noise of ``count`` steps of the call, from step ``first`` on, and forget that of others."""
        self._step = first
        self.next_steps(count)

    def _draw(self, number: int) -> Any:
        kept = self._kept[number]
        if self._draws[number].per_sequence:
            return kept[0]
        return kept[self._step]

    def _next_step(self) -> list[Any]:
        step = super()._next_step()
        self._step += 1
        return step
