"""Says where the gradients of the values between layers lie, for one chunk at a time, and hands them on.

A value may be read by several: by a layer, a drop and a sum. The first that hands a gradient back writes it, the
others add to it. Where only a drop or a sum reads it, it needs no memory of its own: the gradient of what was made of
it is already there.
"""

from typing import Any, NamedTuple

from .. import kernels
from ..device.seam import Device
from ..fused.plan import Add, Drop, Plan
from ..fused.precision import Precision


def place_of_gradient(plan: Plan, value: int) -> int:
    """The value in whose memory the gradient of ``value`` lies."""
    readers = [made for made, stage in enumerate(plan.stages, start=1) if value in _read(stage)]
    if len(readers) == 1:
        (made,) = readers
        stage = plan.stages[made - 1]
        if isinstance(stage, Drop) or (isinstance(stage, Add) and stage.right == value):
            return place_of_gradient(plan, made)
    return value


def gradient_places(plan: Plan) -> list[int]:
    """The values whose gradients have memory of their own."""
    return sorted({place_of_gradient(plan, value) for value in range(len(plan.stages) + 1)})


def _read(stage: Any) -> tuple[int, ...]:
    return (stage.left, stage.right) if isinstance(stage, Add) else (stage.source,)


class Into(NamedTuple):
    """Where a gradient goes, and whether it is added to what is there."""

    ptr: int
    accumulate: bool


class ValueGradients:
    """The gradients of values during one pull; regions "d value v" [P, B, width] of the accumulator."""

    def __init__(
        self,
        device: Device,
        stream: Any,
        plan: Plan,
        widths: list[int],
        precision: Precision,
        addresses: dict[str, int],
    ) -> None:
        self._device = device
        self._stream = stream
        self._precision = precision
        self._widths = widths
        places = [place_of_gradient(plan, value) for value in range(len(widths))]
        self._ptrs = [addresses[f"d value {place}"] for place in places]
        self._places = places
        self._written: set[int] = set()

    def next_chunk(self) -> None:
        """Begin a chunk, for which nothing has been handed back yet."""
        self._written.clear()

    def of(self, value: int) -> int:
        """Where the gradient of that value lies, when all that read it have handed theirs back."""
        return self._ptrs[value]

    def into(self, value: int) -> Into:
        """Where one more reader of that value writes its part."""
        place = self._places[value]
        accumulate = place in self._written
        self._written.add(place)
        return Into(self._ptrs[value], accumulate)

    def hand_back(self, value: int, made: int, rows: int) -> None:
        """The gradient of ``made`` to a value that it was made of, unchanged; ``rows`` are those of the chunk."""
        if self._places[value] == self._places[made]:
            return
        source, (ptr, accumulate) = self.of(made), self.into(value)
        count = rows * self._widths[value]
        if accumulate:
            kernels.launch_residual_add(
                self._device, self._stream, dtype=self._precision.accumulator, out=ptr, a=ptr, b=source, count=count
            )
        else:
            nbytes = count * self._precision.accumulated
            self._device.copy(ptr, source, nbytes, self._stream, "gradient handed on")
