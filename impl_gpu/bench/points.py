"""Lists what the bench measures: the shapes, and the points of the grid over them.

T steps, B rows, H units; the depth of the inputs is H too.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

CELLS = ("LSTM", "GRU")
PRECISIONS = {"fp32": "float32", "tf32": "float32", "fp16": "float16"}
"""By name: the dtype of inputs, weights and state. fp32 multiplies strictly, tf32 may round the operands."""
MODES = ("eager", "graph")
LENGTHS = ("dense", "uniform 1..T", "90% short")
GATES = {"LSTM": 4, "GRU": 3}
SHORT_PART = 0.9  # of the rows, in "90% short"; they end after a tenth of the steps


class Shape(NamedTuple):
    """One network and batch."""

    name: str
    T: int
    B: int
    H: int


SHAPES = (Shape("A", 512, 64, 1024), Shape("B", 128, 128, 512), Shape("C", 1024, 16, 256), Shape("D", 256, 256, 2048))
SMALL = (Shape("small", 10, 6, 16), Shape("small odd", 7, 3, 10))
"""For the host side, which executes kernels on the processor."""


class Point(NamedTuple):
    """One row of the table."""

    shape: Shape
    cell: str
    precision: str
    lengths: str

    @property
    def dtype(self) -> str:
        """The dtype of inputs, weights and state."""
        return PRECISIONS[self.precision]

    def __str__(self) -> str:
        T, B, H = self.shape[1:]
        return f"{self.shape.name} (T {T}, B {B}, H {H}) {self.cell} {self.precision} {self.lengths}"


def points(shapes: tuple[Shape, ...]) -> Iterator[Point]:
    """All points, those that share a network next to each other, and among them those that share lengths."""
    for shape in shapes:
        for cell in CELLS:
            for dtype in dict.fromkeys(PRECISIONS.values()):
                for lengths in LENGTHS:
                    for precision in (name for name, of in PRECISIONS.items() if of == dtype):
                        yield Point(shape, cell, precision, lengths)


def lengths_of(point: Point, seed: int) -> list[int] | None:
    """The length of each row, as the caller gives it, unsorted; None for a dense batch."""
    T, B = point.shape.T, point.shape.B
    rng = np.random.default_rng(seed)
    if point.lengths == "dense":
        return None
    if point.lengths == "uniform 1..T":
        return [int(length) for length in rng.integers(1, T, size=B, endpoint=True)]
    lengths = np.full(B, T)
    lengths[: int(SHORT_PART * B)] = max(1, T // 10)
    return [int(length) for length in rng.permutation(lengths)]


def flops(point: Point, lengths: list[int] | None) -> int:
    """The operations of all matrix products over the steps that count; an addition and a product are two."""
    steps = point.shape.T * point.shape.B if lengths is None else sum(lengths)
    return 2 * steps * 2 * point.shape.H * GATES[point.cell] * point.shape.H


def describe(point: Point) -> dict[str, Any]:
    """The point as JSON."""
    return {
        "shape": point.shape._asdict(),
        "cell": point.cell,
        "precision": point.precision,
        "lengths": point.lengths,
    }
