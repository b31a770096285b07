"""Wraps a device in another: one that hands every call on, and one that waits after each.

``switched`` gives the device that the switches ask for. What a wrapper does not have, such as a side's own methods, it
takes from the device inside.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ..settings import Options
from .memory import Meter
from .seam import Buffer, Device, Gemm, Kernel


class Wrapped(Device):
    """A device that is ``inner``, call by call. ``switch`` is the option that asks for this wrapper."""

    switch = ""

    def __init__(self, inner: Device) -> None:
        self.inner = inner
        self.kind = inner.kind
        self.capturing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _called(self) -> Device:
        """The inner device, told the purpose of the call in progress."""
        self.inner.purpose = self.purpose
        return self.inner

    @property
    def meter(self) -> Meter:
        """The meter of the device inside."""
        return self.inner.meter

    def free_bytes(self) -> int:
        """As inside."""
        return self.inner.free_bytes()

    def current_stream(self) -> Any:
        """As inside."""
        return self.inner.current_stream()

    def queue_of(self, stream: Any) -> Hashable:
        """As inside."""
        return self.inner.queue_of(stream)

    def new_stream(self) -> Any:
        """As inside."""
        return self.inner.new_stream()

    def new_event(self) -> Any:
        """As inside."""
        return self.inner.new_event()

    def has_passed(self, event: Any) -> bool:
        """As inside."""
        return self.inner.has_passed(event)

    def array(self, buffer: Buffer, shape: tuple[int, ...], dtype: Any, offset: int = 0) -> Any:
        """As inside."""
        return self.inner.array(buffer, shape, dtype, offset)

    def enter(self, value: Any) -> Any:
        """As inside."""
        return self.inner.enter(value)

    def to_numpy(self, array: Any) -> Any:
        """As inside."""
        return self.inner.to_numpy(array)

    def made_current(self) -> AbstractContextManager[Any]:
        """As inside."""
        return self.inner.made_current()

    def users_code(self) -> AbstractContextManager[None]:
        """As inside."""
        return self.inner.users_code()

    def describe(self) -> dict[str, Any]:
        """As inside, and what is around it."""
        described = self.inner.describe()
        return {**described, "around": [type(self).__name__, *described.get("around", [])]}

    def _do_allocate(self, nbytes: int, stream: Any) -> Buffer:
        return self._called()._do_allocate(nbytes, stream)

    def _do_pinned(self, nbytes: int) -> Buffer:
        return self._called()._do_pinned(nbytes)

    def _do_zero(self, ptr: int, nbytes: int, stream: Any) -> None:
        self._called()._do_zero(ptr, nbytes, stream)

    def _do_put(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        self._called()._do_put(ptr, source, nbytes, stream)

    def _do_get(self, target: int, ptr: int, nbytes: int, stream: Any) -> None:
        self._called()._do_get(target, ptr, nbytes, stream)

    def _do_copy(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        self._called()._do_copy(ptr, source, nbytes, stream)

    def _do_gemm(self, call: Gemm, stream: Any) -> None:
        self._called()._do_gemm(call, stream)

    def _do_launch(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: Sequence[Any],
        shared: int,
        stream: Any,
    ) -> None:
        self._called()._do_launch(kernel, grid, block, arguments, shared, stream)

    def _do_record(self, event: Any, stream: Any) -> None:
        self._called()._do_record(event, stream)

    def _do_wait(self, stream: Any, event: Any) -> None:
        self._called()._do_wait(stream, event)

    def _do_synchronize(self, stream: Any) -> None:
        self._called()._do_synchronize(stream)

    def _do_synchronize_event(self, event: Any) -> None:
        self._called()._do_synchronize_event(event)

    def _do_begin_capture(self, stream: Any) -> None:
        self._called()._do_begin_capture(stream)
        self.capturing = True

    def _do_end_capture(self, stream: Any) -> Any:
        self.capturing = False
        return self._called()._do_end_capture(stream)

    def _do_abandon_capture(self, stream: Any) -> None:
        self.capturing = False
        self._called()._do_abandon_capture(stream)

    def _do_replay(self, handle: Any, stream: Any) -> None:
        self._called()._do_replay(handle, stream)


class Synchronous(Wrapped):
    """A device whose every call has ended when it returns, so that an error is told where it is made.

    What is captured can't be waited for; its replay is.
    """

    switch = "sync"

    def _wait(self, stream: Any) -> None:
        if not self.capturing:
            self._called()._do_synchronize(stream)

    def _do_zero(self, ptr: int, nbytes: int, stream: Any) -> None:
        super()._do_zero(ptr, nbytes, stream)
        self._wait(stream)

    def _do_put(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        super()._do_put(ptr, source, nbytes, stream)
        self._wait(stream)

    def _do_get(self, target: int, ptr: int, nbytes: int, stream: Any) -> None:
        super()._do_get(target, ptr, nbytes, stream)
        self._wait(stream)

    def _do_copy(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        super()._do_copy(ptr, source, nbytes, stream)
        self._wait(stream)

    def _do_gemm(self, call: Gemm, stream: Any) -> None:
        super()._do_gemm(call, stream)
        self._wait(stream)

    def _do_launch(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: Sequence[Any],
        shared: int,
        stream: Any,
    ) -> None:
        super()._do_launch(kernel, grid, block, arguments, shared, stream)
        self._wait(stream)

    def _do_replay(self, handle: Any, stream: Any) -> None:
        super()._do_replay(handle, stream)
        self._wait(stream)


def switched(device: Device, options: Options) -> Device:
    """The device as the switches ``shadow`` and ``sync`` want it; the same one for the same device.

    A wrapper is kept in the device that it is around, as the caches of its calls are.
    """
    there = set(_around(device))
    for switch in ("shadow", "sync"):
        if getattr(options, switch) and switch not in there:
            device = _kept(device, switch)
    return device


def _around(device: Device) -> Iterator[str]:
    """The switches whose wrappers are there already."""
    while isinstance(device, Wrapped):
        yield device.switch
        device = device.inner


def _kept(device: Device, switch: str) -> Device:
    place = f"wrapped by {switch}"
    found: Device | None = device.kept.get(place)
    if found is None:
        found = device.kept[place] = _wrapper(switch)(device)
    return found


def _wrapper(switch: str) -> Callable[[Device], Device]:
    if switch == "sync":
        return Synchronous
    from .shadow import Shadow

    return Shadow
