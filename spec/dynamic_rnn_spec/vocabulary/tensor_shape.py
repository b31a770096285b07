"""Defines TensorShape, the shape of one row of a state or an output, which is told apart from a tuple of sizes."""

import operator
from typing import Any, Iterable, Iterator, List, Tuple


class TensorShape:
    """The dimensions of one row: ``TensorShape([2, 3])`` is one array ``[batch, 2, 3]``, while ``(2, 3)`` is two
    arrays.

    Args:
        dims: non-negative integers. An unknown dimension (``None``) is refused: every size is known when a cell
            states it.

    Raises:
        TypeError: a dimension is not an integer.
        ValueError: a dimension is negative.
    """

    __slots__ = ("dims",)

    dims: Tuple[int, ...]

    def __init__(self, dims: Iterable[Any] = ()) -> None:
        if isinstance(dims, (str, bytes)) or not hasattr(dims, "__iter__"):
            raise TypeError("TensorShape: expected a sequence of integers, got {!r}".format(dims))
        sizes = []
        for dim in dims:
            if isinstance(dim, bool) or not hasattr(dim, "__index__"):
                raise TypeError("TensorShape: expected integer dimensions, got {!r}".format(dim))
            if operator.index(dim) < 0:
                raise ValueError("TensorShape: expected dimensions of at least 0, got {!r}".format(dim))
            sizes.append(operator.index(dim))
        object.__setattr__(self, "dims", tuple(sizes))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("TensorShape is immutable")

    @property
    def ndims(self) -> int:
        """The number of dimensions."""
        return len(self.dims)

    def as_list(self) -> List[int]:
        """The dimensions as a new list."""
        return list(self.dims)

    def num_elements(self) -> int:
        """The product of the dimensions: 1 for ``TensorShape([])``."""
        count = 1
        for dim in self.dims:
            count *= dim
        return count

    def __len__(self) -> int:
        return len(self.dims)

    def __iter__(self) -> Iterator[int]:
        return iter(self.dims)

    def __getitem__(self, index: int) -> int:
        return self.dims[index]

    def __eq__(self, other: object) -> bool:
        return self.dims == other.dims if isinstance(other, TensorShape) else NotImplemented

    def __hash__(self) -> int:
        return hash((TensorShape, self.dims))

    def __reduce__(self) -> Tuple[Any, ...]:
        return TensorShape, (self.dims,)

    def __repr__(self) -> str:
        return "TensorShape({})".format(list(self.dims))


def dims_of(size: Any) -> Tuple[int, ...]:
    """The dimensions behind the batch that one leaf of ``state_size`` or ``output_size`` stands for: ``5`` is ``(5,)``.

    Raises:
        TypeError: ``size`` is neither an integer nor a TensorShape.
        ValueError: ``size`` is negative.
    """
    if isinstance(size, TensorShape):
        return size.dims
    return TensorShape([size]).dims
