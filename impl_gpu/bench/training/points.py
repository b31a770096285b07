"""Lists what is measured of training: the points of the grid, and the ways to keep what the backward pass needs."""

from collections.abc import Iterator
from typing import NamedTuple

from ..points import CELLS, PRECISIONS, Point, Shape

GIB = 2**30
RAGGED = "uniform 1..T"


class Way(NamedTuple):
    """One way to keep what the forward pass saves. ``swap`` is the switch of that name; ``budget`` a part of all."""

    name: str
    swap_memory: bool
    swap: str = "auto"
    budget: float = 1.0


KEPT = Way("kept", False)
MOVED = Way("moved", True, "move")
WAYS = (KEPT, Way("swapped", True, budget=0.25), MOVED, Way("recomputed", True, "recompute"))
"""``swapped`` is ``swap_memory=True`` with room for a quarter of what is saved, and leaves the choice to the cost
model; ``moved`` and ``recomputed`` have room for slots alone, and the choice is made."""


class Limit(NamedTuple):
    """A limit of device memory, within which the longest sequence is searched for."""

    nbytes: int
    parallel_iterations: int


LIMIT = Limit(2 * GIB, 32)
SMALL_LIMIT = Limit(2**19, 4)
"""For the small shapes, of which some hundred steps fit into half a MiB."""


def points(shapes: tuple[Shape, ...]) -> Iterator[Point]:
    """Dense batches of each cell in each precision, and a ragged one of an LSTM in strict float32."""
    for shape in shapes:
        for cell in CELLS:
            for precision in PRECISIONS:
                yield Point(shape, cell, precision, "dense")
                if (cell, precision) == ("LSTM", "fp32"):
                    yield Point(shape, cell, precision, RAGGED)


def caller_bytes(shape: Shape, itemsize: int) -> int:
    """The bytes of a step's inputs, outputs and gradients of both, which are the caller's and stay on the device."""
    return 4 * shape.B * shape.H * itemsize


def ceiling(limit: int, shape: Shape, itemsize: int, weights: int, saved: int, slots: int) -> int:
    """The most steps that could train in ``limit`` bytes, if nothing took memory but what must be there.

        limit  =  2 weights  +  slots  +  T (4 B H itemsize + saved)

    the weights and their gradients; ``slots``, the blocks that chunks take turns with, 0 without swapping; and for each
    step the caller's arrays and the ``saved`` bytes that wait for the backward pass, 0 with swapping. Workspaces,
    packed weights and the states at the ends are not counted, so that no program reaches it.
    """
    return (limit - 2 * weights - slots) // (caller_bytes(shape, itemsize) + saved)
