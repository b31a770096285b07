"""Makes cases of the kernels that add, drop, write and move, and of the clock."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import kernels
from ..device.seam import Device
from .case import ACTIVE, CHUNK, LENGTHS, NARROW, ORDER, Addresses, B, Case, Draw, T, case_name


def elementwise(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    name = case_name("residual_add", dtype, vector, "in place")
    draw = Draw(name, dtype, seed)
    count = B * n + 3

    def add(device: Device, stream: Any, at: Addresses) -> None:
        kernels.launch_residual_add(device, stream, dtype=dtype, out=at["b"], a=at["a"], b=at["b"], count=count)

    yield Case(name, "elementwise", dtype, {"a": draw.store(count), "b": draw.store(count)}, {"b": dtype}, add, vector)

    for one_draw in (False, True):
        name = case_name("drop_rows", dtype, vector, "one draw" if one_draw else "a draw for each row")
        draw = Draw(name, dtype, seed)
        arrays = {
            "v": draw.store(B, n),
            "uniform": draw.uniform(1 if one_draw else B, n),
            "lengths": LENGTHS,
            "order": ORDER,
        }

        def drop(device: Device, stream: Any, at: Addresses, one_draw: bool = one_draw) -> None:
            kernels.launch_drop_rows(
                device,
                stream,
                dtype=dtype,
                out=at["v"],
                v=at["v"],
                uniform=at["uniform"],
                order=at["order"],
                lengths=None if one_draw else at["lengths"],
                keep=0.6,
                t=1,
                rows=B,
                n=n,
                uniform_row=0 if one_draw else n,
            )

        yield Case(name, "elementwise", dtype, arrays, {"v": dtype}, drop, vector)

    name = case_name("write_chunk", dtype, vector, "ragged")
    draw = Draw(name, dtype, seed)
    arrays = {
        "clock": np.zeros(1, f"V{kernels.CLOCK_BYTES}"),
        "outputs": draw.store(B, T, n),
        "values": draw.store(CHUNK, ACTIVE, n),
        "lengths": LENGTHS,
        "order": ORDER,
    }

    def write(device: Device, stream: Any, at: Addresses) -> None:
        kernels.launch_set_clock(
            device, stream, clock=at["clock"], now=0, outputs=at["outputs"], output_t=n, output_row=T * n
        )
        kernels.launch_write_chunk(
            device,
            stream,
            dtype=dtype,
            clock=at["clock"],
            lengths=at["lengths"],
            order=at["order"],
            chunk=at["values"],
            n=n,
            active=ACTIVE,
            rows=B,
            t0=2,
            len=CHUNK,
        )

    yield Case(name, "elementwise", dtype, arrays, {}, write, vector)


def rows(variant: str, itemsize: int, seed: int) -> Iterator[Case]:
    """Whatever the pieces: rows of five of them, which no wider piece divides."""
    n = NARROW
    draw = Draw(f"rows {variant}", "float32", seed)
    shared = {"lengths": LENGTHS, "order": ORDER}
    moved = {"dst": draw.bits((B, n), itemsize), "src": draw.bits((B, n), itemsize), **shared}
    copied = {**moved, "other": draw.bits((B, n), itemsize)}

    for name, other in (("masked_copy, else another", True), ("masked_copy, else zeros", False)):

        def copy(device: Device, stream: Any, at: Addresses, other: bool = other) -> None:
            kernels.launch_masked_copy(
                device,
                stream,
                itemsize=itemsize,
                dst=at["dst"],
                src=at["src"],
                other=at["other"] if other else None,
                lengths=at["lengths"],
                t=1,
                rows=B,
                row_elements=n,
                dst_row=n,
                src_row=n,
                other_row=n if other else 0,
            )

        yield Case(f"{name} {variant}", "rows", variant, copied, {}, copy, False)

    for gather in (0, 1):

        def move(device: Device, stream: Any, at: Addresses, gather: int = gather) -> None:
            kernels.launch_move_rows(
                device,
                stream,
                itemsize=itemsize,
                dst=at["dst"],
                src=at["src"],
                order=at["order"],
                gather=gather,
                rows=B,
                row_elements=n,
                dst_row=n,
                src_row=n,
            )

        yield Case(f"move_rows, {'gather' if gather else 'scatter'} {variant}", "rows", variant, moved, {}, move, False)

    active = np.array([5, 3], np.int32)
    base = np.array([0, CHUNK * 5], np.int64)
    packed = CHUNK * int(active.sum())
    arrays = {
        "dst": draw.bits((packed, n), itemsize),
        "src": draw.bits((B, T, n), itemsize),
        "active": active,
        "base": base,
        **shared,
    }

    for name, masked in (("pack_rows", False), ("pack_rows, zeros past the lengths", True)):

        def pack(device: Device, stream: Any, at: Addresses, masked: bool = masked) -> None:
            kernels.launch_pack_rows(
                device,
                stream,
                itemsize=itemsize,
                dst=at["dst"],
                src=at["src"],
                order=at["order"],
                active=at["active"],
                base=at["base"],
                lengths=at["lengths"] if masked else None,
                chunk=CHUNK,
                T=T,
                rows=B,
                row_elements=n,
                src_t=n,
                src_row=T * n,
                packed=packed,
            )

        yield Case(f"{name} {variant}", "rows", variant, arrays, {}, pack, False)


def clock(seed: int) -> Case:
    def launch(device: Device, stream: Any, at: Addresses) -> None:
        kernels.launch_set_clock(device, stream, clock=at["clock"], now=5, outputs=None, output_t=7, output_row=-9)

    arrays = {"clock": np.zeros(1, f"V{kernels.CLOCK_BYTES}")}
    return Case("set_clock", "clock", "any", arrays, {}, launch, False)
