"""Lists the dtypes that have fused kernels, each with the dtype that its sums are taken in."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

Numbers = NDArray[Any]
"""An array in the memory of the host."""


class Precision(NamedTuple):
    """``name`` of the dtype of inputs, weights, states and outputs, ``accumulator`` that of gates and of sums.

    ``stored`` and ``accumulated`` are their sizes in bytes.
    """

    name: str
    accumulator: str
    stored: int
    accumulated: int


PRECISIONS = {
    "float16": Precision("float16", "float32", 2, 4),
    "bfloat16": Precision("bfloat16", "float32", 2, 4),
    "float32": Precision("float32", "float32", 4, 4),
    "float64": Precision("float64", "float64", 8, 8),
}
