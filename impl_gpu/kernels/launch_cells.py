"""Launches the kernels of a cell's step, with entry point, blocks and bytes for each.

Every argument is named as the kernel's parameter in the source, which says what it means. Pointers are addresses.
Letters: B rows, n units, p columns of a projection. Shared by all:

    dtype    the type of what is stored: float16, bfloat16, float32 or float64
    rows     B; ``active`` of them, in the order by length, have gates
    t0       the step of the call that the chunk's step 0 is; negative: the clock knows it
    clock    its address; what a chunk needs neither for time nor for outputs may be None

With no rows or no columns nothing is launched.

Raises (all): ValueError: a chunk of a single step left to the clock, or a chunk that only the clock knows and that no
launch moves on.
"""

from typing import Any, NamedTuple

from ..device.seam import Device
from . import geometry
from .registry import ELEMENT_SIZES, GATE_SIZES, INT, kernel


class _Launched(NamedTuple):
    """The source, the entry point without vectors, and what the log calls the launch."""

    module: str
    entry: str
    purpose: str


BASIC_RNN_STEP = _Launched("basic_rnn", "basic_rnn_step_masked", "basic rnn step")
LSTM_STEP = _Launched("lstm", "lstm_step_masked", "lstm step")
LSTM_STEP_PROJECTED = _Launched("lstm", "lstm_step_projected", "lstm step")
LSTM_PROJECTION = _Launched("lstm", "lstm_projection_masked", "lstm projection")
GRU_GATES = _Launched("gru", "gru_gates", "gru gates")
GRU_CANDIDATE = _Launched("gru", "gru_candidate_masked", "gru candidate")


def launch_basic_rnn_step(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    clock: int | None,
    lengths: int | None,
    order: int | None,
    gates: int,
    bias: int,
    h: int,
    chunk_out: int | None,
    n: int,
    active: int,
    rows: int,
    t0: int,
    step: int,
    first: int,
    last: int,
    chunk: int,
) -> None:
    """``basic_rnn_step_masked`` of basic_rnn.cu."""
    covered = _covered(rows, active, chunk_out, n, t0, first, last)
    if not covered:
        return
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * n * (A + 2 * S) + (covered - active) * n * S + n * S
    nbytes += _tables(lengths, order, chunk_out, active, covered)
    values = (clock, lengths, order, gates, bias, h, chunk_out, n, active, covered, t0, step, first, last, chunk)
    addresses = gates | bias | h | (chunk_out or 0)
    _launch(device, stream, BASIC_RNN_STEP, dtype, covered, n, addresses, values, nbytes)


def launch_lstm_step(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    clock: int | None,
    lengths: int | None,
    order: int | None,
    gates: int,
    bias: int,
    peepholes: int | None,
    c: int,
    h: int,
    chunk_out: int | None,
    saved_c: int | None = None,
    n: int,
    active: int,
    rows: int,
    t0: int,
    step: int,
    first: int,
    last: int,
    chunk: int,
    forget_bias: float,
    cell_clip: float,
) -> None:
    """``lstm_step_masked`` of lstm.cu."""
    covered = _covered(rows, active, chunk_out, n, t0, first, last)
    if not covered:
        return
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * n * (4 * A + (5 if saved_c else 4) * S) + (covered - active) * n * S
    nbytes += (7 if peepholes else 4) * n * S
    nbytes += _tables(lengths, order, chunk_out, active, covered)
    values = (
        *(clock, lengths, order, gates, bias, peepholes, c, h, chunk_out, saved_c),
        *(n, active, covered, t0, step, first, last, chunk, forget_bias, cell_clip),
    )
    addresses = gates | bias | (peepholes or 0) | c | h | (chunk_out or 0) | (saved_c or 0)
    _launch(device, stream, LSTM_STEP, dtype, covered, n, addresses, values, nbytes)


def launch_lstm_step_projected(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    clock: int | None,
    lengths: int | None,
    gates: int,
    bias: int,
    peepholes: int | None,
    c: int,
    m: int,
    saved_c: int | None = None,
    n: int,
    active: int,
    t0: int,
    step: int,
    first: int,
    forget_bias: float,
    cell_clip: float,
) -> None:
    """``lstm_step_projected`` of lstm.cu; ``launch_lstm_projection`` follows, after the product m P."""
    if not active or not n:
        return
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * n * (4 * A + (4 if saved_c else 3) * S) + (7 if peepholes else 4) * n * S
    nbytes += active * INT if lengths else 0
    values = (
        *(clock, lengths, gates, bias, peepholes, c, m, saved_c),
        *(n, active, t0, step, first, forget_bias, cell_clip),
    )
    addresses = gates | bias | (peepholes or 0) | c | m | (saved_c or 0)
    _launch(device, stream, LSTM_STEP_PROJECTED, dtype, active, n, addresses, values, nbytes)


def launch_lstm_projection(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    clock: int | None,
    lengths: int | None,
    order: int | None,
    projected: int,
    h: int,
    chunk_out: int | None,
    p: int,
    active: int,
    rows: int,
    t0: int,
    step: int,
    first: int,
    last: int,
    chunk: int,
    proj_clip: float,
) -> None:
    """``lstm_projection_masked`` of lstm.cu."""
    covered = _covered(rows, active, chunk_out, p, t0, first, last)
    if not covered:
        return
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * p * (A + 2 * S) + (covered - active) * p * S + _tables(lengths, order, chunk_out, active, covered)
    values = (
        *(clock, lengths, order, projected, h, chunk_out),
        *(p, active, covered, t0, step, first, last, chunk, proj_clip),
    )
    addresses = projected | h | (chunk_out or 0)
    _launch(device, stream, LSTM_PROJECTION, dtype, covered, p, addresses, values, nbytes)


def launch_gru_gates(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    clock: int | None,
    lengths: int | None,
    gates: int,
    bias: int,
    h: int,
    reset: int,
    n: int,
    active: int,
    t0: int,
    step: int,
    first: int,
) -> None:
    """``gru_gates`` of gru.cu; ``launch_gru_candidate`` follows, after the product of ``reset``."""
    if not active or not n:
        return
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * n * (3 * A + 2 * S) + 2 * n * S + (active * INT if lengths else 0)
    values = (clock, lengths, gates, bias, h, reset, n, active, t0, step, first)
    addresses = gates | bias | h | reset
    _launch(device, stream, GRU_GATES, dtype, active, n, addresses, values, nbytes)


def launch_gru_candidate(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    clock: int | None,
    lengths: int | None,
    order: int | None,
    gates: int,
    bias: int,
    h: int,
    chunk_out: int | None,
    n: int,
    active: int,
    rows: int,
    t0: int,
    step: int,
    first: int,
    last: int,
    chunk: int,
) -> None:
    """``gru_candidate_masked`` of gru.cu."""
    covered = _covered(rows, active, chunk_out, n, t0, first, last)
    if not covered:
        return
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * n * (2 * A + 3 * S) + (covered - active) * n * S + n * S
    nbytes += _tables(lengths, order, chunk_out, active, covered)
    values = (clock, lengths, order, gates, bias, h, chunk_out, n, active, covered, t0, step, first, last, chunk)
    addresses = gates | bias | h | (chunk_out or 0)
    _launch(device, stream, GRU_CANDIDATE, dtype, covered, n, addresses, values, nbytes)


def _covered(rows: int, active: int, chunk_out: int | None, columns: int, t0: int, first: int, last: int) -> int:
    """How many rows the launch is for: B with the caller's outputs, else those with gates; 0: there is no launch."""
    covered = (rows if chunk_out is None else active) if columns else 0
    if t0 < 0 and first and last:
        raise ValueError("t0: a chunk of one step can't be left to the clock, which its step would read and write")
    if t0 < 0 and (first or last) and not covered:
        raise ValueError("t0: a chunk without rows can't be left to the clock, which no launch would move on")
    return covered


def _tables(lengths: int | None, order: int | None, chunk_out: int | None, active: int, covered: int) -> int:
    """Bytes of lengths, and of order where rows go to their places in the caller's outputs."""
    return INT * ((active if lengths else 0) + (covered if order and chunk_out is None else 0))


def _launch(
    device: Device,
    stream: Any,
    what: _Launched,
    dtype: str,
    rows: int,
    columns: int,
    addresses: int,
    values: tuple[Any, ...],
    nbytes: int,
) -> None:
    width = geometry.vector(ELEMENT_SIZES[dtype], columns, addresses, rows)
    chosen = kernel(what.module, what.entry if width == 1 else f"{what.entry}_vec", dtype)
    shape = geometry.blocks(rows, columns // width)
    device.launch(chosen, shape.grid, shape.block, values, stream, what.purpose, nbytes)
