"""Does every call of a device again on the host, so that the first that differs is named.

Before a call the memory that it can reach is copied to a host device, which executes the same call on the copy: the
kernel's source compiled for the processor, the product from the very tuple. Then the device's memory is compared, the
results number by number within what rounding explains, all else bit for bit. The host waits after each call, so a
fault is of that call alone and not of its neighbours' order: what runs wrong without a shadow and right in it lacks a
wait. Graphs are captured as ever, but replayed as the calls they hold, one by one.

It is slow: whole regions travel for each call. A call that reaches memory which the shadow was never shown (an array
that a user's cell made) can't be checked, and is counted as unchecked.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .host import HostDevice
from .log import note
from .seam import Buffer, Device, Gemm, Kernel, pack
from .shadow_compare import MOVING, far, kernel_bounds, matrix, numbers, product_bounds
from .shadow_memory import Bytes, Region, Regions, Twin, seen
from .wrapped import Wrapped

CLOCK = "Clock"
CLOCK_OUTPUTS = 8  # where struct Clock of common.cuh has its pointer


class ShadowError(RuntimeError):
    """The device and the host differ; the message names the call, the place and both values."""


class ShadowGraph(NamedTuple):
    """The inner device's graph, and the calls that were captured: method, arguments, purpose."""

    handle: Any
    calls: tuple[tuple[str, tuple[Any, ...], str], ...]


class Pointer(NamedTuple):
    """A parameter of a kernel that points somewhere, or the pointer in a clock; ``kind`` is a floating type or None."""

    name: str
    address: int
    kind: str | None
    is_clock: bool = False


class Shadow(Wrapped):
    """``checked`` and ``unchecked`` count the calls by purpose."""

    switch = "shadow"

    def __init__(self, inner: Device, host: HostDevice | None = None) -> None:
        super().__init__(inner)
        self.checked: Counter[str] = Counter()
        self.unchecked: Counter[str] = Counter()
        self._host = host or HostDevice()
        self._regions = Regions()
        self._captured: list[tuple[str, tuple[Any, ...], str]] = []

    # Memory.

    def _do_allocate(self, nbytes: int, stream: Any) -> Buffer:
        buffer = super()._do_allocate(nbytes, stream)
        self._regions.add(buffer.ptr, buffer.nbytes, buffer)
        return buffer

    def enter(self, value: Any) -> Any:
        """As inside; the memory of the array is known from here on."""
        array = super().enter(value)
        memory = array.data.mem
        self._regions.add(memory.ptr, memory.size, array)
        return array

    def _do_zero(self, ptr: int, nbytes: int, stream: Any) -> None:
        if self._capture("_do_zero", ptr, nbytes, stream):
            return
        super()._do_zero(ptr, nbytes, stream)
        self._expect(np.zeros(nbytes, np.uint8), self._read(Region(ptr, nbytes), stream), "zero")

    def _do_put(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        if self._capture("_do_put", ptr, source, nbytes, stream):
            return
        super()._do_put(ptr, source, nbytes, stream)
        self._expect(seen(source, nbytes), self._read(Region(ptr, nbytes), stream), "put")

    def _do_get(self, target: int, ptr: int, nbytes: int, stream: Any) -> None:
        if self._capture("_do_get", target, ptr, nbytes, stream):
            return
        super()._do_get(target, ptr, nbytes, stream)
        self._expect(self._read(Region(ptr, nbytes), stream), seen(target, nbytes), "get")

    def _do_copy(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        if self._capture("_do_copy", ptr, source, nbytes, stream):
            return
        wanted = self._read(Region(source, nbytes), stream)
        super()._do_copy(ptr, source, nbytes, stream)
        self._expect(wanted, self._read(Region(ptr, nbytes), stream), "copy")

    def _expect(self, wanted: Bytes, got: Bytes, what: str) -> None:
        self.checked[self.purpose] += 1
        wrong = np.flatnonzero(wanted != got)
        if wrong.size:
            first = wrong[0]
            raise ShadowError(
                f"{self.purpose}: {what}: byte {first} of {wanted.size}: expected {wanted[first]}, got {got[first]}"
            )

    def _read(self, region: Region, stream: Any) -> Bytes:
        """What the device's memory holds when all work of the stream has run."""
        inner = self._called()
        pinned = inner._do_pinned(region.nbytes)
        inner._do_get(pinned.ptr, region.start, region.nbytes, stream)
        inner._do_synchronize(stream)
        return seen(pinned.ptr, region.nbytes).copy()

    # Work.

    def _do_gemm(self, call: Gemm, stream: Any) -> None:
        if self._capture("_do_gemm", call, stream):
            return
        twins = self._twins([call.a, call.b, call.c], stream)
        super()._do_gemm(call, stream)
        if twins is None:
            return
        a, b, c = (_of(twins, address) for address in (call.a, call.b, call.c))
        moved = call._replace(a=a.translate(call.a), b=b.translate(call.b), c=c.translate(call.c))
        self._host.purpose = self.purpose
        self._host._do_gemm(moved, self._host.current_stream())
        self._host._do_synchronize(self._host.current_stream())
        got = {twin.region: self._read(twin.region, stream) for twin in twins}
        self._check_product(call, a, b, c, got[c.region])
        for twin in twins:
            self._check_bytes("gemm", twin, got[twin.region])
        self.checked[self.purpose] += 1

    def _check_product(self, call: Gemm, a: Twin, b: Twin, c: Twin, got: Bytes) -> None:
        """Compare C, and then have the twin hold the device's numbers where they are near enough."""
        at = call.c - c.region.start
        shape = (call.m, call.n)
        device, host = (matrix(raw, at, call.c_type, shape, call.ldc) for raw in (got, c.bytes))
        stored_a = (call.k, call.m) if call.transpose_a else (call.m, call.k)
        stored_b = (call.n, call.k) if call.transpose_b else (call.k, call.n)
        operands = (
            matrix(a.before, call.a - a.region.start, call.a_type, stored_a, call.lda),
            matrix(b.before, call.b - b.region.start, call.b_type, stored_b, call.ldb),
            matrix(c.before, at, call.c_type, shape, call.ldc),
            host,
        )
        kinds = (call.a_type, call.b_type, call.c_type, call.c_type)
        values = [numbers(one.copy(), kind) for one, kind in zip(operands, kinds, strict=True)]
        found = numbers(device.copy(), call.c_type)
        wrong = np.argwhere(far(found, values[3], product_bounds(call, *values)))
        if wrong.size:
            row, column = wrong[0]
            raise ShadowError(
                f"{self.purpose}: gemm: C[{row}, {column}] of {shape}, column after column: "
                f"expected {values[3][row, column]}, got {found[row, column]}; {call}"
            )
        host[...] = device

    def _do_launch(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: Sequence[Any],
        shared: int,
        stream: Any,
    ) -> None:
        if self._capture("_do_launch", kernel, grid, block, arguments, shared, stream):
            return
        values = [argument.value for argument in arguments]
        pointers = _pointers(kernel, values)
        for clock in [pointer for pointer in pointers if pointer.is_clock]:
            outputs = int(self._read(Region(clock.address + CLOCK_OUTPUTS, 8), stream).view(np.uint64)[0])
            if kernel.entry != "set_clock" and outputs:
                pointers.append(Pointer("clock->outputs", outputs, _kind(kernel, "STORE*")))
        twins = self._twins([pointer.address for pointer in pointers], stream)
        super()._do_launch(kernel, grid, block, arguments, shared, stream)
        if twins is None:
            return
        self._launch_on_host(kernel, grid, block, values, shared, pointers, twins)
        for twin in twins:
            got = self._read(twin.region, stream)
            self._check_numbers(kernel, twin, got, [one for one in pointers if twin.region.holds(one.address)])
            self._check_bytes(kernel.entry, twin, got)
        self.checked[self.purpose] += 1

    def _launch_on_host(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        values: list[Any],
        shared: int,
        pointers: list[Pointer],
        twins: list[Twin],
    ) -> None:
        moved = [
            _of(twins, value).translate(value) if parameter.type.endswith("*") and value else value
            for parameter, value in zip(kernel.parameters, values, strict=True)
        ]
        clocks = [_clock_outputs(_of(twins, one.address), one.address) for one in pointers if one.is_clock]
        if kernel.entry != "set_clock":
            for outputs in clocks:
                outputs[...] = [_of(twins, int(one)).translate(int(one)) if one else 0 for one in outputs]
        host, stream = self._host, self._host.current_stream()
        host.purpose = self.purpose
        host._do_launch(kernel, grid, block, pack(kernel, moved), shared, stream)
        host._do_synchronize(stream)
        for outputs in clocks:
            outputs[...] = [_back(twins, int(one)) for one in outputs]

    def _check_numbers(self, kernel: Kernel, twin: Twin, got: Bytes, pointers: list[Pointer]) -> None:
        """Compare what differs as the numbers of the pointer that it lies behind; near ones become the device's."""
        if kernel.module in MOVING:
            return
        starts = sorted({pointer.address: pointer for pointer in pointers}.values(), key=lambda one: one.address)
        ends = [*(pointer.address for pointer in starts[1:]), twin.region.start + twin.region.nbytes]
        for pointer, end in zip(starts, ends, strict=True):
            if pointer.kind is None:
                continue
            size = np.dtype(np.uint16 if pointer.kind == "bfloat16" else pointer.kind).itemsize
            first = pointer.address - twin.region.start
            last = first + (end - pointer.address) // size * size
            here = slice(first, last)
            parts = [numbers(raw[here], pointer.kind) for raw in (got, twin.bytes, twin.before)]
            same = (got[here] == twin.bytes[here]).reshape(-1, size).all(axis=1)
            wrong = np.flatnonzero(~same & far(parts[0], parts[1], kernel_bounds(pointer.kind, *parts[1:])))
            if wrong.size:
                index = wrong[0]
                raise ShadowError(
                    f"{self.purpose}: {kernel.entry} ({kernel.dtype}): {pointer.name}[{index}]: "
                    f"expected {parts[1][index]}, got {parts[0][index]}, was {parts[2][index]}"
                )
            twin.bytes[here] = got[here]

    def _check_bytes(self, what: str, twin: Twin, got: Bytes) -> None:
        wrong = np.flatnonzero(twin.bytes != got)
        if wrong.size:
            first = int(wrong[0])
            raise ShadowError(
                f"{self.purpose}: {what}: byte {first} of the {got.size} bytes from {twin.region.start:#x} on: "
                f"expected {twin.bytes[first]}, got {got[first]}, was {twin.before[first]}"
            )

    def _twins(self, addresses: list[int], stream: Any) -> list[Twin] | None:
        """Copies of all regions that a call reaches; None where one is unknown."""
        regions = list(dict.fromkeys(self._regions.find(address) for address in addresses if address))
        known = [region for region in regions if region is not None]
        if known != regions:
            self.unchecked[self.purpose] += 1
            note(f"shadow: {self.purpose}: unchecked, it reaches memory of an unknown owner")
            return None
        return [Twin(self._host, region, self._read(region, stream)) for region in known]

    # Graphs.

    def _capture(self, method: str, *arguments: Any) -> bool:
        """Hand a call on that is captured, and remember it."""
        if self.capturing:
            self._captured.append((method, arguments[:-1], self.purpose))
            getattr(self._called(), method)(*arguments)
        return self.capturing

    def _do_begin_capture(self, stream: Any) -> None:
        self._captured = []
        super()._do_begin_capture(stream)

    def _do_end_capture(self, stream: Any) -> Any:
        return ShadowGraph(super()._do_end_capture(stream), tuple(self._captured))

    def _do_replay(self, handle: Any, stream: Any) -> None:
        note(f"shadow: {self.purpose}: the graph's {len(handle.calls)} calls are run one by one")
        for method, arguments, purpose in handle.calls:
            self.purpose = purpose
            getattr(self, method)(*arguments, stream)


def _pointers(kernel: Kernel, values: list[Any]) -> list[Pointer]:
    """The parameters that point somewhere."""
    return [
        Pointer(parameter.name, value, _kind(kernel, parameter.type), CLOCK in parameter.type)
        for parameter, value in zip(kernel.parameters, values, strict=True)
        if parameter.type.endswith("*") and value
    ]


def _kind(kernel: Kernel, parameter: str) -> str | None:
    """The floating type behind a pointer; None: something else, which must be equal bit for bit."""
    if parameter.endswith("STORE*") and kernel.dtype in ("float16", "bfloat16", "float32", "float64"):
        return kernel.dtype
    if parameter.endswith("ACC*"):
        return "float64" if kernel.dtype == "float64" else "float32"
    return None


def _of(twins: list[Twin], address: int) -> Twin:
    """The twin of the region that an address lies in."""
    return next(twin for twin in twins if twin.region.holds(address))


def _clock_outputs(twin: Twin, clock: int) -> Any:
    """The pointer in a clock of a twin, to be read and written."""
    first = clock - twin.region.start + CLOCK_OUTPUTS
    return twin.bytes[first : first + 8].view(np.uint64)


def _back(twins: list[Twin], address: int) -> int:
    """The device's address for one of the host's; another one as it is."""
    return next((found for twin in twins if (found := twin.back(address)) is not None), address)
