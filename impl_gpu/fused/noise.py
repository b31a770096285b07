"""Asks the DropoutWrappers of a call for their noise, in the order in which a loop written by hand would.

Every wrapper is asked at each of the T steps, in the order of the cells within the step, also at steps that no row
reaches: what a wrapper draws next does not depend on lengths.
"""

from typing import Any, NamedTuple

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, array_module

from ..abstract import Abstract
from ..arrays import enter
from ..device.seam import Device
from .plan import Draw, Plan


class Uniform(NamedTuple):
    """Draws [B, width] at one step; ``row`` elements from one row to the next, 0 where one row serves all."""

    ptr: int
    row: int


class Noise:
    """Draws for one chunk of steps at a time."""

    def __init__(self, device: Device, plan: Plan, depth: int, batch_size: int, dtype: Any) -> None:
        self._device = device
        self._draws = plan.draws
        widths = [_width(draw, plan.widths(depth)) for draw in plan.draws]
        self._asked = [Abstract((batch_size, width), dtype) for width in widths]
        self._entered: dict[int, Any] = {}  # draws for the whole sequence, by draw
        self._steps: list[list[Any]] = []

    def next_steps(self, count: int) -> None:
        """Ask for that many steps; those before are forgotten."""
        if self._draws:
            self._steps = [self._next_step() for _ in range(count)]

    def _next_step(self) -> list[Any]:
        return [self._ask(number) for number in range(len(self._draws))]

    def skip_steps(self, count: int) -> None:
        """Ask for that many steps whose noise goes unused."""
        for _ in range(count if self._draws else 0):
            for draw, asked in zip(self._draws, self._asked, strict=True):
                draw.wrapper.noise(draw.purpose, draw.leaf, asked)

    def at(self, step: int, draw: int, column: int = 0) -> Uniform:
        """Where draw number ``draw`` of a step lies on the device, from a column on."""
        array = self._steps[step][draw]
        row = 0 if self._draws[draw].per_sequence else array.shape[1]
        return Uniform(array.data.ptr + column * array.itemsize, row)

    def _ask(self, number: int) -> Any:
        if number in self._entered:
            return self._entered[number]
        draw, asked = self._draws[number], self._asked[number]
        noise = enter(self._device, self._draw(number))
        shape = (1, *asked.shape[1:]) if draw.per_sequence else asked.shape
        if noise.dtype != asked.dtype:
            raise ArgumentTypeError("uniform", f"noise of dtype {asked.dtype}", str(noise.dtype), "EQ-9")
        if noise.shape != shape:
            raise ArgumentValueError("uniform", f"noise of shape {shape}", str(noise.shape), "EQ-9")
        if not noise.flags.c_contiguous:
            noise = array_module(noise).ascontiguousarray(noise)
        if draw.per_sequence:
            self._entered[number] = noise
        return noise

    def _draw(self, number: int) -> Any:
        """The draw itself, as the wrapper gives it."""
        draw = self._draws[number]
        return draw.wrapper.noise(draw.purpose, draw.leaf, self._asked[number])


def _width(draw: Draw, widths: list[int]) -> int:
    if draw.value is not None:
        return widths[draw.value]
    if draw.width is None:
        raise ValueError("a draw is for a value or for columns of the state")
    return draw.width
