"""Holds what a forward pass has left, and sets up one backward pass of it, from cotangents to gradients.

It holds the caller's inputs, which must not be written in the meantime, the values that the variables had, and the
noise; all else lies with the keeper. It may be pulled any number of times, on any stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..device.memory import Peak
from ..device.seam import Device
from ..fused.caches import Caches, caches_of
from ..fused.entry import packed_weights, taken_workspace, upload_tables
from ..fused.inputs import Inputs
from ..fused.plan import Plan
from ..fused.precision import Numbers, Precision
from ..fused.ragged import Schedule
from ..fused.workspace import Workspace
from ..settings import Options
from .backward import Backward, Pass
from .carried import Carried
from .keeper import Keeper, naming_swap_memory
from .memory_report import MemoryReport
from .noise import Kept, NoiseAgain
from .outer import Cotangents, InputGradients
from .sizes import Sizes
from .sums import Sums
from .values import ValueGradients


@dataclass(frozen=True)
class Forward:
    """What is left of a forward pass."""

    device: Device
    stream: Any  # that it ran on
    plan: Plan
    precision: Precision
    runs: Schedule
    options: Options
    widths: list[int]
    sizes: Sizes
    keeper: Keeper
    noise: Kept
    values: list[list[Numbers]]  # of the variables of each layer
    x: Any  # on the device, in the caller's layout
    time_major: bool
    state_widths: list[int]  # of the leaves
    has_initial_state: bool
    swap_memory: bool
    done: Any  # the event behind all of it
    pulled: Any  # the event behind the last pull
    peak: Peak  # over the forward pass and all pulls


class Pulled:
    """Pulls gradients back through one call."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self.device = forward.device

    @property
    def memory(self) -> MemoryReport:
        """What the call keeps, moves and computes again."""
        forward = self._forward
        return forward.keeper.report()._replace(
            path="fused",
            parallel_iterations=forward.runs.per_chunk,
            workspace_bytes=forward.sizes.workspace_bytes,
            peak_bytes=forward.peak.nbytes,
        )

    def pull(
        self, d_outputs: Sequence[Any], d_state: Sequence[Any]
    ) -> tuple[list[Any], list[Any] | None, dict[str, Any]]:
        """The gradients of the inputs and of the initial state, by leaf, and of the variables, by name; new arrays.

        Args:
            d_outputs: the one cotangent [B, T, width], in the caller's layout, an array of the device; None: zeros.
            d_state: those of the final state's leaves, each [B, width].

        The second is None where no initial state was given. All work is enqueued on the caller's current stream, or
        joined with it, when this returns.

        Raises:
            OutOfDeviceMemory: there is too little for what a backward pass works in [SWAP-4].
        """
        forward, caches = self._forward, caches_of(self._forward.device)
        stream = forward.device.current_stream()
        with naming_swap_memory(forward.swap_memory), caches.lock, forward.device.watched(forward.peak):
            try:
                with taken_workspace(caches, forward.sizes.backward, stream) as workspace:
                    return self._pull(caches, workspace, stream, d_outputs, d_state)
            finally:
                forward.keeper.finished(stream)
                self._join(stream)

    def _await_forward(self, stream: Any) -> None:
        """Later work on ``stream`` finds the inputs as the forward pass has found them, and all that it has made."""
        self._forward.device.wait_event(stream, self._forward.done)

    def _join(self, stream: Any) -> None:
        """What the forward pass's stream gives back from now on comes after this pull, which may still read it."""
        forward = self._forward
        if forward.device.queue_of(stream) != forward.device.queue_of(forward.stream):
            forward.device.record_event(forward.pulled, stream)
            forward.device.wait_event(forward.stream, forward.pulled)

    def _pull(
        self, caches: Caches, workspace: Workspace, stream: Any, d_outputs: Sequence[Any], d_state: Sequence[Any]
    ) -> tuple[list[Any], list[Any] | None, dict[str, Any]]:
        f, at = self._forward, workspace.addresses
        device, runs, dtype = f.device, f.runs, f.x.dtype
        inputs = Inputs(f.x, f.time_major, runs, f.precision, shielded=True)
        packed = packed_weights(caches, f.plan, f.widths, stream, f.values)
        tables = upload_tables(caches, workspace, runs, inputs.is_packed or runs.lengths is not None, stream)
        order = None if runs.order is None else tables["order"]
        lengths = None if runs.lengths is None else tables["lengths"]
        self._await_forward(stream)
        inputs.pack(device, stream, tables)
        carried = Carried(device, stream, f.plan, f.precision, runs, at, order, lengths)
        carried.load(d_state)
        (d_y,) = d_outputs
        rows = (order, lengths)
        d_inputs = InputGradients(device, stream, runs, f.widths[0], f.time_major, dtype, f.precision, *rows)
        sums = Sums(device, stream, f.plan, f.precision, at)
        Backward(
            Pass(
                device=device,
                stream=stream,
                plan=f.plan,
                widths=f.widths,
                precision=f.precision,
                runs=runs,
                tf32=f.options.tf32,
                workspace=at,
                lengths=lengths,
                order=order,
                weights=[one.addresses for one in packed],
                inputs=inputs,
                keeper=f.keeper,
                noise=NoiseAgain(f.noise, device, f.plan, f.widths[0], runs.batch_size, dtype),
                cotangents=Cotangents(device, stream, d_y, f.time_major, f.precision, *rows, f.widths[-1]),
                d_inputs=d_inputs,
                values=ValueGradients(device, stream, f.plan, f.widths, f.precision, at),
                sums=sums,
            )
        ).run()
        d_initial = carried.store(d_state, f.state_widths, dtype) if f.has_initial_state else None
        return [d_inputs.array], d_initial, sums.store()
