"""Makes cases of the kernels that take a step of a cell backwards."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import kernels
from ..device.seam import Device
from .case import ACTIVE, LENGTHS, Addresses, B, Case, Draw, T, case_name, nan_of
from .desk import Numbers

TIME = 1
FINISHED = np.flatnonzero(LENGTHS[:ACTIVE] <= TIME)  # rows that are active and not alive
READ = {"gates", "projected", "d_out", "d_reset", "h_old", "h_new", "c_old", "c_new"}
GOING_ON = np.flatnonzero(LENGTHS > TIME + 1)


def _case(
    entry: str,
    module: str,
    dtype: str,
    vector: bool,
    ragged: bool,
    arrays: dict[str, Numbers],
    kinds: dict[str, str],
    absent: tuple[str, ...] = (),
    **more: Any,
) -> Case:
    """Step 1 of six: what a kernel may not read is NaN. The helper's pointers are the arrays of the same names."""
    if ragged:
        for name in READ & arrays.keys():
            arrays[name][FINISHED] = nan_of(arrays[name])
        if "d_last" in arrays:
            arrays["d_last"][GOING_ON] = np.nan
            arrays["d_next"][LENGTHS == TIME + 1] = np.nan
    arrays = {**arrays, "lengths": LENGTHS}
    timed = {} if entry == "gru_gates_back" else {"steps": T}

    def launch(device: Device, stream: Any, at: Addresses) -> None:
        pointers: dict[str, Any] = {name: at[name] for name in arrays} | dict.fromkeys(absent)
        if not ragged:
            pointers["lengths"] = None
        helper = getattr(kernels, f"launch_{entry}")
        helper(device, stream, dtype=dtype, active=_active(ragged), t=TIME, **timed, **pointers, **more)

    name = case_name(entry, dtype, vector, "ragged" if ragged else "dense")
    return Case(name, module, dtype, arrays, kinds, launch, vector)


def _active(ragged: bool) -> int:
    return ACTIVE if ragged else B


def _arriving(draw: Draw, rows: int, columns: int) -> dict[str, Numbers]:
    return {name: draw.gates(rows if name == "d_out" else B, columns) for name in ("d_out", "d_next", "d_last")}


def _draws(entry: str, dtype: str, vector: bool, seed: int) -> Iterator[tuple[bool, int, Draw]]:
    for ragged in (False, True):
        draw = Draw(case_name(entry, dtype, vector, "ragged" if ragged else "dense"), dtype, seed)
        yield ragged, _active(ragged), draw


def basic_rnn(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    entry = "basic_rnn_step_back"
    for ragged, rows, draw in _draws(entry, dtype, vector, seed):
        arrays = {"h_new": draw.uniform(rows, n), "d_gates": draw.store(rows, n), **_arriving(draw, rows, n)}
        yield _case(entry, "basic_rnn_back", dtype, vector, ragged, arrays, {"d_gates": dtype}, n=n)


def lstm(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    """Without anything that may be absent; and with peepholes, a limit and what a projection wants."""
    entry = "lstm_step_back"
    for ragged, rows, draw in _draws(entry, dtype, vector, seed):
        arrays = {
            "gates": draw.gates(rows, 4 * n),
            "bias": draw.store(4 * n),
            "c_old": draw.store(rows, n),
            "c_new": draw.store(rows, n),
            "dc": draw.gates(B, n),
            "d_gates": draw.store(rows, 4 * n),
            **_arriving(draw, rows, n),
        }
        kinds, equation = {"dc": draw.accumulator, "d_gates": dtype}, {"forget_bias": 0.3, "cell_clip": -1.0}
        yield _case(
            entry,
            "lstm_back",
            dtype,
            vector,
            ragged,
            arrays,
            kinds,
            ("peepholes", "m"),
            n=n,
            **equation,
        )
    name = case_name(entry, dtype, vector, "projected")
    draw = Draw(name, dtype, seed)
    arrays = {
        "gates": draw.gates(ACTIVE, 4 * n),
        "bias": draw.store(4 * n),
        "peepholes": draw.store(3 * n),
        "c_old": draw.store(ACTIVE, n),
        "c_new": draw.store(ACTIVE, n),
        "d_out": draw.gates(ACTIVE, n),
        "dc": draw.gates(B, n),
        "d_gates": draw.store(ACTIVE, 4 * n),
        "m": draw.store(ACTIVE, n),
    }
    kinds, equation = {"dc": draw.accumulator, "d_gates": dtype, "m": dtype}, {"forget_bias": 1.0, "cell_clip": 0.75}
    made = _case(entry, "lstm_back", dtype, vector, True, arrays, kinds, ("d_next", "d_last"), n=n, **equation)
    yield made._replace(name=name)


def projection(dtype: str, p: int, vector: bool, seed: int) -> Iterator[Case]:
    entry = "lstm_projection_back"
    for ragged, rows, draw in _draws(entry, dtype, vector, seed):
        arrays = {
            "projected": draw.gates(rows, p),
            "d_projected": draw.store(rows, p),
            **_arriving(draw, rows, p),
        }
        kinds = {"d_projected": dtype}
        yield _case(entry, "lstm_back", dtype, vector, ragged, arrays, kinds, p=p, proj_clip=1.5)


def gru_candidate(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    entry = "gru_candidate_back"
    for ragged, rows, draw in _draws(entry, dtype, vector, seed):
        gates = draw.gates(rows, 3 * n)
        gates[:, n : 2 * n] = np.abs(np.sin(gates[:, n : 2 * n]))  # an update gate: activated, 0 to 1
        arrays = {
            "gates": gates,
            "bias": draw.store(3 * n),
            "h_old": draw.store(rows, n),
            "d_gates": draw.store(rows, 3 * n),
            **_arriving(draw, rows, n),
        }
        kinds = {"d_gates": dtype, "d_next": draw.accumulator}
        yield _case(entry, "gru_back", dtype, vector, ragged, arrays, kinds, n=n)


def gru_gates(dtype: str, n: int, vector: bool, seed: int) -> Iterator[Case]:
    entry = "gru_gates_back"
    for ragged, rows, draw in _draws(entry, dtype, vector, seed):
        arrays = {
            "gates": draw.gates(rows, 3 * n),
            "bias": draw.store(3 * n),
            "h_old": draw.store(rows, n),
            "d_reset": draw.gates(rows, n),
            "d_gates": draw.store(rows, 3 * n),
            "d_next": draw.gates(B, n),
            "reset": draw.store(rows, n),
        }
        kinds = {"d_gates": dtype, "d_next": draw.accumulator, "reset": dtype}
        yield _case(entry, "gru_back", dtype, vector, ragged, arrays, kinds, n=n)
