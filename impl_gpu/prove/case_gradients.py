"""Makes cases of the kernels that move gradients in and out, sum rows and drop backwards."""

from collections.abc import Iterator
from typing import Any

from .. import kernels
from ..device.seam import Device
from .case import ACTIVE, CHUNK, LENGTHS, ORDER, Addresses, B, Case, Draw, T, case_name
from .desk import Numbers

ROWS = 70  # more than there are partial sums
FIRST = 1


def gradients(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    yield from _of_chunks(dtype, n, vector, seed)
    yield from _of_states(dtype, n, vector, seed)
    yield _dropped(dtype, n, vector, seed)
    yield from _summed(dtype, n, vector, seed)
    yield _narrowed(dtype, n, vector, seed)


def _of_chunks(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    """Three steps of six, of five active rows, between the caller's layout and that of a chunk."""

    def chunk(at: Addresses) -> dict[str, Any]:
        sizes = {"n": n, "active": ACTIVE, "first": FIRST, "length": CHUNK}
        return {"dtype": dtype, "order": at["order"], "lengths": at["lengths"], **sizes}

    for way in ("ragged", "absent"):
        name = case_name("load_cotangent", dtype, vector, way)
        draw = Draw(name, dtype, seed)
        arrays = {"dst": draw.gates(CHUNK, ACTIVE, n), "src": draw.store(T, B, n), "order": ORDER, "lengths": LENGTHS}

        def load(device: Device, stream: Any, at: Addresses, absent: bool = way == "absent") -> None:
            src = None if absent else at["src"]
            kernels.launch_load_cotangent(device, stream, dst=at["dst"], src=src, src_t=B * n, src_row=n, **chunk(at))

        yield Case(name, "gradients", dtype, arrays, {}, load, vector)

    name = case_name("store_gradient", dtype, vector, "ragged")
    draw = Draw(name, dtype, seed)
    arrays = {"dst": draw.store(B, T, n), "src": draw.gates(CHUNK, ACTIVE, n), "order": ORDER, "lengths": LENGTHS}

    def store(device: Device, stream: Any, at: Addresses) -> None:
        kernels.launch_store_gradient(
            device, stream, dst=at["dst"], src=at["src"], rows=B, dst_t=n, dst_row=T * n, **chunk(at)
        )

    yield Case(name, "gradients", dtype, arrays, {}, store, vector)


def _of_states(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    for absent in (False, True):
        name = case_name("state gradients", dtype, vector, "absent" if absent else "given")
        draw = Draw(name, dtype, seed)
        arrays = {
            "loaded": draw.gates(B, n),
            "dst": draw.store(B, n),
            "carried": draw.gates(B, n),
            "original": draw.store(B, n),
            "order": ORDER,
            "lengths": LENGTHS,
        }

        def move(device: Device, stream: Any, at: Addresses, absent: bool = absent) -> None:
            original = None if absent else at["original"]
            shared: dict[str, Any] = {"dtype": dtype, "order": at["order"], "rows": B, "n": n}
            kernels.launch_load_state_cotangent(device, stream, dst=at["loaded"], src=original, src_row=n, **shared)
            kernels.launch_store_state_gradient(
                device,
                stream,
                dst=at["dst"],
                carried=at["carried"],
                original=original,
                lengths=at["lengths"],
                steps=T,
                dst_row=n,
                original_row=n,
                **shared,
            )

        yield Case(name, "gradients", dtype, arrays, {}, move, vector)


def _dropped(dtype: str, n: int, vector: bool, seed: int) -> Case:
    name = case_name("drop_gradient", dtype, vector, "a draw for each row")
    draw = Draw(name, dtype, seed)
    arrays = {"d": draw.gates(B, n), "uniform": draw.uniform(B, n), "order": ORDER}

    def drop(device: Device, stream: Any, at: Addresses) -> None:
        tables = {"d": at["d"], "uniform": at["uniform"], "order": at["order"]}
        kernels.launch_drop_gradient(device, stream, dtype=dtype, keep=0.6, rows=B, n=n, uniform_row=n, **tables)

    return Case(name, "gradients", dtype, arrays, {"d": draw.accumulator}, drop, vector)


def _summed(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    for way in ("rows", "products"):
        name = case_name("column_sums", dtype, vector, way)
        draw = Draw(name, dtype, seed)
        sums: Numbers = draw.gates(n)
        arrays = {
            "sums": sums,
            "values": draw.store(ROWS, n),
            "other": draw.store(ROWS, n),
            "partial": draw.gates(kernels.partial_sums_bytes(dtype, ROWS, n) // sums.itemsize),
        }

        def add(device: Device, stream: Any, at: Addresses, plain: bool = way == "rows") -> None:
            kernels.launch_column_sums(
                device,
                stream,
                dtype=dtype,
                sums=at["sums"],
                values=at["values"],
                other=None if plain else at["other"],
                partial=at["partial"],
                rows=ROWS,
                n=n,
                values_row=n,
                other_row=n,
            )

        kinds = {"sums": draw.accumulator, "partial": draw.accumulator}
        yield Case(name, "gradients", dtype, arrays, kinds, add, vector)


def _narrowed(dtype: str, n: int, vector: bool, seed: int) -> Case:
    name = case_name("narrow_values", dtype, vector, "all")
    draw = Draw(name, dtype, seed)
    count = B * n + 3

    def narrow(device: Device, stream: Any, at: Addresses) -> None:
        kernels.launch_narrow_values(device, stream, dtype=dtype, dst=at["dst"], src=at["src"], count=count)

    arrays = {"dst": draw.store(count), "src": draw.gates(count)}
    return Case(name, "gradients", dtype, arrays, {}, narrow, vector)
