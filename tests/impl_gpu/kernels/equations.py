"""Computes the cells' steps in float64 from the page's equations, beside the launches of their kernels.

Each cell has one loop over its steps, written independently of how its kernel does it.
"""

from typing import Any

import numpy as np

from .bench import Array, Bench
from .judge import Judge, draw_setup


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def limit(x: Array, bound: float) -> Array:
    return x if bound < 0 else np.clip(x, -bound, bound)


def run_basic_rnn(judge: Judge) -> None:
    s, n = judge.s, judge.s.n
    held_gates, gates = judge.gates(1)
    held_bias, b = judge.weight(n)
    held_h, h = judge.state()
    before = h.copy()
    for k in range(s.chunk):
        step = held_gates.ptr + k * s.active * n * held_gates.dtype.itemsize
        arguments = {**judge.common(), **judge.where(k), "n": n}
        judge.bench.launch("basic_rnn_step", gates=step, bias=held_bias, h=held_h, **arguments)
        alive = s.alive(s.start + k)
        h[alive] = np.tanh(gates[k][alive[: s.active]] + b)
        judge.expect_result(k, h.copy())
    judge.judge_state("h", held_h, before, h)
    judge.judge_outputs()


def run_lstm(judge: Judge, projected: bool = False) -> None:
    s, n, rng = judge.s, judge.s.n, judge.rng
    if projected:
        n = int(rng.choice([3, 16, 24]))
    held_gates, gates = judge.gates(4, n)
    (held_bias, b), (held_w, w) = judge.weight(4 * n), judge.weight(3 * n)
    peepholes = bool(rng.integers(2))
    forget_bias, cell_clip = float(rng.choice([0.0, 1.0, 0.3])), float(rng.choice([-1.0, 0.4]))
    (held_c, c), (held_h, h) = judge.state(n), judge.state()
    c_before, h_before = c.copy(), h.copy()
    held_m = judge.bench.hold(np.full((s.active, n), judge.filling))
    held_p, P = judge.gates(1)
    proj_clip = float(rng.choice([-1.0, 0.4]))
    equation = {"forget_bias": forget_bias, "cell_clip": cell_clip, "bias": held_bias, "n": n, "c": held_c}
    equation["peepholes"] = held_w if peepholes else None
    held_saved = judge.bench.hold(np.full((s.active, n), judge.filling)) if rng.integers(2) else None
    equation["saved_c"] = held_saved
    for k in range(s.chunk):
        step = held_gates.ptr + k * s.active * 4 * n * held_gates.dtype.itemsize
        alive = s.alive(s.start + k)
        i, j, f, o = np.split(gates[k][alive[: s.active]] + b, 4, axis=1)
        w_f, w_i, w_o = np.split(w * peepholes, 3)
        old = c[alive]
        new = sigmoid(f + w_f * old + forget_bias) * old + sigmoid(i + w_i * old) * np.tanh(j)
        new = limit(new, cell_clip)
        c[alive] = new
        m = sigmoid(o + w_o * new) * np.tanh(new)
        saved_before = held_m.now() if held_saved is None else held_saved.now()
        if not projected:
            h[alive] = m
            judge.bench.launch("lstm_step", gates=step, h=held_h, **equation, **judge.common(), **judge.where(k))
        else:
            when = judge.when(k)
            judge.bench.launch("lstm_step_projected", gates=step, m=held_m, **equation, **judge.common(), **when)
            if alive.any():
                judge.near("m", held_m.now()[alive[: s.active]], m)
            product = held_p.ptr + k * s.active * s.n * held_p.dtype.itemsize
            place = {**judge.common(), **judge.where(k), "p": s.n, "proj_clip": proj_clip}
            judge.bench.launch("lstm_projection", projected=product, h=held_h, **place)
            h[alive] = limit(P[k][alive[: s.active]], proj_clip)
        if held_saved is not None:
            mine, now = alive[: s.active], held_saved.now()
            judge.same("saved c", now[mine], held_c.now()[alive])
            judge.same("saved c of finished rows", now[~mine], saved_before[~mine])
        judge.expect_result(k, h.copy())
    judge.judge_state("c", held_c, c_before, c)
    judge.judge_state("h", held_h, h_before, h)
    judge.judge_outputs()


def run_lstm_projected(judge: Judge) -> None:
    run_lstm(judge, projected=True)


def run_gru(judge: Judge) -> None:
    s, n = judge.s, judge.s.n
    held_gates, gates = judge.gates(3)
    held_bias, b = judge.weight(3 * n)
    held_h, h = judge.state()
    before = h.copy()
    held_reset = judge.bench.hold(np.full((s.active, n), judge.filling))
    for k in range(s.chunk):
        step = held_gates.ptr + k * s.active * 3 * n * held_gates.dtype.itemsize
        alive = s.alive(s.start + k)
        of_step = {"gates": step, "bias": held_bias, "n": n, "h": held_h, **judge.common()}
        judge.bench.launch("gru_gates", reset=held_reset, **of_step, **judge.when(k))
        r, u, candidate = np.split(gates[k][alive[: s.active]] + b, 3, axis=1)
        if alive.any():
            judge.near("reset", held_reset.now()[alive[: s.active]], sigmoid(r) * h[alive])
        judge.bench.launch("gru_candidate", **of_step, **judge.where(k))
        h[alive] = sigmoid(u) * h[alive] + (1 - sigmoid(u)) * np.tanh(candidate)
        judge.expect_result(k, h.copy())
    judge.judge_state("h", held_h, before, h)
    judge.judge_outputs()


CELLS = {"basic_rnn": run_basic_rnn, "lstm": run_lstm, "lstm_projected": run_lstm_projected, "gru": run_gru}


def complaints(cell: str, dtype: str, seed: int, vectors: bool = False, source: Any = None) -> list[str]:
    """What is wrong with one random chunk of a cell's steps, by kernels of ``source``; None: those there are."""
    rng = np.random.default_rng([seed, vectors])
    judge = Judge(Bench(source, seed), rng, draw_setup(rng, dtype, vectors))
    with np.errstate(invalid="ignore"):
        CELLS[cell](judge)
    return judge.complaints
