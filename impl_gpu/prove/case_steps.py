"""Makes cases of the kernels that take a step of a cell, and of those that end one."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..device.seam import Device
from ..kernels.registry import ELEMENT_SIZES
from .case import ACTIVE, CHUNK, LENGTHS, ORDER, Addresses, B, Case, Draw, T, case_name
from .desk import Numbers


class Way(NamedTuple):
    """Where a step's results go, and where it takes the time from."""

    name: str
    ragged: bool
    to_chunk: bool
    by_clock: bool


WAYS = (
    Way("dense to outputs", False, False, False),
    Way("ragged to outputs", True, False, False),
    Way("ragged to chunk", True, True, False),
    Way("ragged by the clock", True, False, True),
)


def _step_case(
    entry: str,
    module: str,
    dtype: str,
    n: int,
    vector: bool,
    way: Way,
    draw: Draw,
    extra: dict[str, Numbers],
    kinds: dict[str, str],
    launch: Callable[..., None],
) -> Case:
    """A chunk of three steps of a kernel that ends a step, from step 1 on, with all that such kernels share."""
    active = ACTIVE if way.ragged else B
    summed = extra["gates" if "gates" in extra else "projected"]
    if way.ragged:
        summed[np.arange(1, CHUNK + 1)[:, None] >= LENGTHS] = np.nan  # of finished rows, which must not be read
    arrays = {
        "clock": np.zeros(1, f"V{kernels.CLOCK_BYTES}"),
        "outputs": draw.store(B, T, n),
        "chunk_out": draw.store(CHUNK, active, n),
        "lengths": LENGTHS,
        "order": ORDER,
        **extra,
    }

    def launched(device: Device, stream: Any, at: Addresses) -> None:
        kernels.launch_set_clock(
            device, stream, clock=at["clock"], now=1, outputs=at["outputs"], output_t=n, output_row=T * n
        )
        for step in range(CHUNK):
            size = arrays["chunk_out"].dtype.itemsize
            launch(
                device,
                stream,
                at,
                clock=at["clock"],
                lengths=at["lengths"] if way.ragged else None,
                order=at["order"] if way.ragged else None,
                chunk_out=at["chunk_out"] + step * active * n * size if way.to_chunk else None,
                active=active,
                rows=B,
                t0=-1 if way.by_clock else 1,
                step=step,
                first=int(step == 0),
                last=int(step == CHUNK - 1),
                chunk=CHUNK,
            )

    results = {"outputs": dtype, "chunk_out": dtype, **kinds}
    name = f"{entry} {dtype} {'wide' if vector else 'narrow'} {way.name}"
    return Case(name, module, dtype, arrays, results, launched, vector)


def basic_rnn(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    for way in WAYS:
        draw = Draw(case_name("basic_rnn_step", dtype, vector, way.name), dtype, seed)
        gates = draw.gates(CHUNK, B, n)

        def launch(
            device: Device, stream: Any, at: Addresses, *, step: int, gates: Numbers = gates, **shared: Any
        ) -> None:
            kernels.launch_basic_rnn_step(
                device,
                stream,
                dtype=dtype,
                gates=at["gates"] + step * gates[0].nbytes,
                bias=at["bias"],
                h=at["h"],
                n=n,
                step=step,
                **shared,
            )

        extra = {"gates": gates, "bias": draw.store(n), "h": draw.store(B, n)}
        yield _step_case("basic_rnn_step", "basic_rnn", dtype, n, vector, way, draw, extra, {"h": dtype}, launch)


def lstm(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    for number, way in enumerate(WAYS):
        draw = Draw(case_name("lstm_step", dtype, vector, way.name), dtype, seed)
        gates, peepholes, clip = draw.gates(CHUNK, B, 4 * n), number % 2 == 1, 0.75 if number > 1 else -1.0

        def launch(
            device: Device,
            stream: Any,
            at: Addresses,
            *,
            step: int,
            gates: Numbers = gates,
            peepholes: bool = peepholes,
            clip: float = clip,
            saved: int = 0 if number < 2 else n * ELEMENT_SIZES[dtype],
            **shared: Any,
        ) -> None:
            kernels.launch_lstm_step(
                device,
                stream,
                dtype=dtype,
                gates=at["gates"] + step * gates[0].nbytes,
                bias=at["bias"],
                peepholes=at["peepholes"] if peepholes else None,
                c=at["c"],
                h=at["h"],
                saved_c=at["saved_c"] + step * shared["active"] * saved if saved else None,
                n=n,
                step=step,
                forget_bias=0.3,
                cell_clip=clip,
                **shared,
            )

        extra = {
            "gates": gates,
            "bias": draw.store(4 * n),
            "peepholes": draw.store(3 * n),
            "c": draw.store(B, n),
            "h": draw.store(B, n),
            "saved_c": draw.store(CHUNK, B, n),
        }
        kinds = {"c": dtype, "h": dtype, "saved_c": dtype}
        yield _step_case("lstm_step", "lstm", dtype, n, vector, way, draw, extra, kinds, launch)


def lstm_projected(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    for peepholes in (False, True):
        name = case_name("lstm_step_projected", dtype, vector, "peepholes" if peepholes else "plain")
        draw = Draw(name, dtype, seed)
        arrays = {
            "gates": draw.gates(ACTIVE, 4 * n),
            "bias": draw.store(4 * n),
            "peepholes": draw.store(3 * n),
            "c": draw.store(B, n),
            "m": draw.store(ACTIVE, n),
            "saved_c": draw.store(ACTIVE, n),
            "lengths": LENGTHS,
        }

        def launch(device: Device, stream: Any, at: Addresses, peepholes: bool = peepholes) -> None:
            kernels.launch_lstm_step_projected(
                device,
                stream,
                dtype=dtype,
                clock=None,
                lengths=at["lengths"],
                gates=at["gates"],
                bias=at["bias"],
                peepholes=at["peepholes"] if peepholes else None,
                c=at["c"],
                m=at["m"],
                saved_c=at["saved_c"] if peepholes else None,
                n=n,
                active=ACTIVE,
                t0=0,
                step=1,
                first=0,
                forget_bias=1.0,
                cell_clip=0.5 if peepholes else -1.0,
            )

        yield Case(name, "lstm", dtype, arrays, {"c": dtype, "m": dtype, "saved_c": dtype}, launch, vector)


def projection(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    for way in WAYS:
        draw = Draw(case_name("lstm_projection", dtype, vector, way.name), dtype, seed)
        projected = draw.gates(CHUNK, B, n)

        def launch(
            device: Device, stream: Any, at: Addresses, *, step: int, projected: Numbers = projected, **shared: Any
        ) -> None:
            kernels.launch_lstm_projection(
                device,
                stream,
                dtype=dtype,
                projected=at["projected"] + step * projected[0].nbytes,
                h=at["h"],
                p=n,
                step=step,
                proj_clip=1.5,
                **shared,
            )

        extra = {"projected": projected, "h": draw.store(B, n)}
        yield _step_case("lstm_projection", "lstm", dtype, n, vector, way, draw, extra, {"h": dtype}, launch)


def gru_gates(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    name = case_name("gru_gates", dtype, vector, "ragged")
    draw = Draw(name, dtype, seed)
    arrays = {
        "gates": draw.gates(ACTIVE, 3 * n),
        "bias": draw.store(3 * n),
        "h": draw.store(B, n),
        "reset": draw.store(ACTIVE, n),
        "lengths": LENGTHS,
    }

    def launch(device: Device, stream: Any, at: Addresses) -> None:
        kernels.launch_gru_gates(
            device,
            stream,
            dtype=dtype,
            clock=None,
            lengths=at["lengths"],
            gates=at["gates"],
            bias=at["bias"],
            h=at["h"],
            reset=at["reset"],
            n=n,
            active=ACTIVE,
            t0=0,
            step=1,
            first=0,
        )

    yield Case(name, "gru", dtype, arrays, {"gates": draw.accumulator, "reset": dtype}, launch, vector)


def gru_candidate(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    for way in WAYS:
        draw = Draw(case_name("gru_candidate", dtype, vector, way.name), dtype, seed)
        gates = draw.gates(CHUNK, B, 3 * n)
        gates[..., n : 2 * n] = np.abs(np.sin(gates[..., n : 2 * n]))  # an update gate: activated, 0 to 1

        def launch(
            device: Device, stream: Any, at: Addresses, *, step: int, gates: Numbers = gates, **shared: Any
        ) -> None:
            kernels.launch_gru_candidate(
                device,
                stream,
                dtype=dtype,
                gates=at["gates"] + step * gates[0].nbytes,
                bias=at["bias"],
                h=at["h"],
                n=n,
                step=step,
                **shared,
            )

        extra = {"gates": gates, "bias": draw.store(3 * n), "h": draw.store(B, n)}
        yield _step_case("gru_candidate", "gru", dtype, n, vector, way, draw, extra, {"h": dtype}, launch)
