"""Launches the kernels that take a cell's step backwards, with entry point, blocks and bytes for each.

Every argument is named as the kernel's parameter in the source, which says what it means. Pointers are addresses, those
that may be None are null then. Shared by all:

    dtype    the type of what is stored: float16, bfloat16, float32 or float64
    active   rows, in the order by length, that have gates
    t        the step of the call, ``steps`` how many the call has

With no rows or no columns nothing is launched.
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


BASIC_RNN_STEP_BACK = _Launched("basic_rnn_back", "basic_rnn_step_back", "basic rnn step back")
LSTM_STEP_BACK = _Launched("lstm_back", "lstm_step_back", "lstm step back")
LSTM_PROJECTION_BACK = _Launched("lstm_back", "lstm_projection_back", "lstm projection back")
GRU_CANDIDATE_BACK = _Launched("gru_back", "gru_candidate_back", "gru candidate back")
GRU_GATES_BACK = _Launched("gru_back", "gru_gates_back", "gru gates back")


def launch_basic_rnn_step_back(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    lengths: int | None,
    h_new: int,
    d_out: int | None,
    d_next: int,
    d_last: int,
    d_gates: int,
    n: int,
    active: int,
    t: int,
    steps: int,
) -> None:
    """``basic_rnn_step_back`` of basic_rnn_back.cu: d_gates of one step."""
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * n * ((2 if d_out else 1) * A + 2 * S) + _lengths(lengths, active)
    values = (lengths, h_new, d_out, d_next, d_last, d_gates, n, active, t, steps)
    addresses = h_new | (d_out or 0) | d_next | d_last | d_gates
    _launch(device, stream, BASIC_RNN_STEP_BACK, dtype, active, n, addresses, values, nbytes)


def launch_lstm_step_back(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    lengths: int | None,
    gates: int,
    bias: int,
    peepholes: int | None,
    c_old: int,
    c_new: int,
    d_out: int | None,
    d_next: int | None,
    d_last: int | None,
    dc: int,
    d_gates: int,
    m: int | None,
    n: int,
    active: int,
    t: int,
    steps: int,
    forget_bias: float,
    cell_clip: float,
) -> None:
    """``lstm_step_back`` of lstm_back.cu: d_gates of one step, and dc before it in the place of dc after it.

    After a projection ``d_out`` is d_projected P^T, ``d_next`` and ``d_last`` are None, and ``m`` is wanted.
    """
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    carried = bool(d_next or d_last)
    nbytes = active * n * ((6 + bool(d_out) + carried) * A + (6 + bool(m)) * S)
    nbytes += (7 if peepholes else 4) * n * S + _lengths(lengths, active)
    values = (
        *(lengths, gates, bias, peepholes, c_old, c_new, d_out, d_next, d_last, dc, d_gates, m),
        *(n, active, t, steps, forget_bias, cell_clip),
    )
    addresses = gates | bias | (peepholes or 0) | c_old | c_new | (d_out or 0) | (d_next or 0) | (d_last or 0)
    addresses |= dc | d_gates | (m or 0)
    _launch(device, stream, LSTM_STEP_BACK, dtype, active, n, addresses, values, nbytes)


def launch_lstm_projection_back(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    lengths: int | None,
    projected: int | None,
    d_out: int | None,
    d_next: int,
    d_last: int,
    d_projected: int,
    p: int,
    active: int,
    t: int,
    steps: int,
    proj_clip: float,
) -> None:
    """``lstm_projection_back`` of lstm_back.cu; ``launch_lstm_step_back`` follows, after the product d_projected P^T.

    Raises:
        ValueError: a limit, and no ``projected`` to hold against it.
    """
    if proj_clip >= 0 and projected is None:
        raise ValueError(f"projected: None, though there is a limit (proj_clip {proj_clip}) to hold it against")
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * p * ((1 + bool(projected) + bool(d_out)) * A + S) + _lengths(lengths, active)
    values = (lengths, projected, d_out, d_next, d_last, d_projected, p, active, t, steps, proj_clip)
    addresses = (projected or 0) | (d_out or 0) | d_next | d_last | d_projected
    _launch(device, stream, LSTM_PROJECTION_BACK, dtype, active, p, addresses, values, nbytes)


def launch_gru_candidate_back(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    lengths: int | None,
    gates: int,
    bias: int,
    h_old: int,
    d_out: int | None,
    d_next: int,
    d_last: int,
    d_gates: int,
    n: int,
    active: int,
    t: int,
    steps: int,
) -> None:
    """``gru_candidate_back`` of gru_back.cu; ``launch_gru_gates_back`` follows, after the product d_c Rc^T."""
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * n * ((5 if d_out else 4) * A + 3 * S) + n * S + _lengths(lengths, active)
    values = (lengths, gates, bias, h_old, d_out, d_next, d_last, d_gates, n, active, t, steps)
    addresses = gates | bias | h_old | (d_out or 0) | d_next | d_last | d_gates
    _launch(device, stream, GRU_CANDIDATE_BACK, dtype, active, n, addresses, values, nbytes)


def launch_gru_gates_back(
    device: Device,
    stream: Any,
    *,
    dtype: str,
    lengths: int | None,
    gates: int,
    bias: int,
    h_old: int,
    d_reset: int,
    d_gates: int,
    d_next: int,
    reset: int,
    n: int,
    active: int,
    t: int,
) -> None:
    """``gru_gates_back`` of gru_back.cu; the product [d_r|d_u] Rg^T, added to ``d_next``, ends the step."""
    S, A = ELEMENT_SIZES[dtype], GATE_SIZES[dtype]
    nbytes = active * n * (4 * A + 3 * S) + n * S + _lengths(lengths, active)
    values = (lengths, gates, bias, h_old, d_reset, d_gates, d_next, reset, n, active, t)
    addresses = gates | bias | h_old | d_reset | d_gates | d_next | reset
    _launch(device, stream, GRU_GATES_BACK, dtype, active, n, addresses, values, nbytes)


def _lengths(lengths: int | None, active: int) -> int:
    """Bytes of the lengths that are read."""
    return active * INT if lengths else 0


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
    """16-byte accesses are those of ACC here, so a thread has as many columns as ACC has in 16 bytes."""
    if not rows or not columns:
        return
    width = geometry.vector(GATE_SIZES[dtype], columns, addresses, rows)
    chosen = kernel(what.module, what.entry if width == 1 else f"{what.entry}_vec", dtype)
    shape = geometry.blocks(rows, columns // width)
    device.launch(chosen, shape.grid, shape.block, values, stream, what.purpose, nbytes)
