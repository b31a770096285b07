"""Computes each step backwards from the page's forward equations, beside the launch of its kernel.

What a gradient should be comes from the forward equation alone, in float64, by a complex step: f(x + i e) has the
imaginary part e f'(x), to the last digit but without any difference of near numbers. All equations here act on each
unit alone, so one evaluation gives the derivatives of all units.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .bench import Array, Bench
from .equations import sigmoid
from .judge_back import JudgeBack, draw_setup

STEP = 1e-40


def slope(f: Callable[[Array], Array], x: Array) -> Array:
    """f'(x), unit by unit."""
    result: Array = f(x + 1j * STEP).imag / STEP
    return result


def limit(x: Array, bound: float) -> Array:
    """[-bound, bound], also of complex numbers; a negative bound is none."""
    return x if bound < 0 else np.where(np.abs(x.real) > bound, np.sign(x.real) * bound, x)


def run_basic_rnn_step(judge: JudgeBack) -> None:
    n = judge.s.n
    pre = np.clip(judge.rng.standard_normal((judge.s.active, n)), -2, 2)
    h_new = judge.store("h_new", np.tanh(pre))
    d_h = judge.arriving(n)
    judge.launch("basic_rnn_step_back", d_gates=judge.result("d_gates", n), n=n)
    judge.near("d_gates", d_h * slope(np.tanh, np.arctanh(h_new)))


def run_lstm_step(judge: JudgeBack) -> None:
    s, n, rng = judge.s, judge.s.n, judge.rng
    gates, b = judge.gates("gates", 4 * n), judge.weight("bias", 4 * n)
    w = judge.weight("peepholes", 3 * n, given=bool(rng.integers(2)))
    forget_bias, cell_clip = float(rng.choice([0.0, 1.0, 0.3])), float(rng.choice([-1.0, 0.4]))
    c_old = judge.store("c_old", rng.standard_normal((s.active, n)))
    i, j, f, o = np.split(gates + b, 4, axis=1)
    w_f, w_i, w_o = np.split(w, 3)

    def after(c: Array, i: Array, j: Array, f: Array) -> Array:
        raw = sigmoid(f + w_f * c + forget_bias) * c + sigmoid(i + w_i * c) * np.tanh(j)
        return limit(raw, cell_clip)

    exact = after(c_old, i, j, f)
    c_new = judge.store("c_new", exact)
    projected = bool(rng.integers(2))
    d_h = judge.arriving(n, carried=not projected)
    dc = judge.in_place("dc", n)

    def loss(c: Array, i: Array, j: Array, f: Array, o: Array) -> Array:
        """h' and c' times their gradients, at the c' that is stored."""
        now = after(c, i, j, f) - exact + c_new
        summed: Array = d_h * sigmoid(o + w_o * now) * np.tanh(now) + dc * now
        return summed

    judge.launch(
        "lstm_step_back",
        d_gates=judge.result("d_gates", 4 * n),
        m=judge.result("m", n) if projected else None,
        n=n,
        forget_bias=forget_bias,
        cell_clip=cell_clip,
    )
    d_i = slope(lambda x: loss(c_old, x, j, f, o), i)
    d_j = slope(lambda x: loss(c_old, i, x, f, o), j)
    d_f = slope(lambda x: loss(c_old, i, j, x, o), f)
    d_o = slope(lambda x: loss(c_old, i, j, f, x), o)
    judge.near("d_gates", np.concatenate([d_i, d_j, d_f, d_o], axis=1))
    judge.near("dc", slope(lambda x: loss(x, i, j, f, o), c_old))
    if projected:
        judge.near("m", sigmoid(o + w_o * c_new) * np.tanh(c_new))


def run_lstm_projection(judge: JudgeBack) -> None:
    p, clip = judge.s.n, float(judge.rng.choice([-1.0, 0.4]))
    given = clip >= 0 or bool(judge.rng.integers(2))
    product = judge.gates("projected", p, given=given)
    d_h = judge.arriving(p)
    judge.launch("lstm_projection_back", d_projected=judge.result("d_projected", p), p=p, proj_clip=clip)
    judge.near("d_projected", d_h * slope(lambda x: limit(x, clip), product))


def run_gru_candidate(judge: JudgeBack) -> None:
    s, n = judge.s, judge.s.n
    gates = judge.gates("gates", 3 * n, activated=slice(n, 2 * n))
    b_c = judge.weight("bias", 3 * n)[2 * n :]
    h = judge.store("h_old", judge.rng.standard_normal((s.active, n)))
    d_h = judge.arriving(n, in_place=True)
    u, c = gates[:, n : 2 * n], gates[:, 2 * n :] + b_c
    u = np.log(u / (1 - u))

    def loss(u: Array, c: Array, h: Array) -> Array:
        weighted: Array = d_h * (sigmoid(u) * h + (1 - sigmoid(u)) * np.tanh(c))
        return weighted

    judge.launch("gru_candidate_back", d_gates=judge.result("d_gates", 3 * n, slice(n, 3 * n)), n=n)
    d_u, d_c = slope(lambda x: loss(x, c, h), u), slope(lambda x: loss(u, x, h), c)
    judge.near("d_gates", np.concatenate([d_u, d_c], axis=1))
    judge.near("d_next", slope(lambda x: loss(u, c, x), h))


def run_gru_gates(judge: JudgeBack) -> None:
    s, n = judge.s, judge.s.n
    r = judge.gates("gates", 3 * n)[:, :n] + judge.weight("bias", 3 * n)[:n]
    h = judge.store("h_old", judge.rng.standard_normal((s.active, n)))
    d_reset, before = judge.gates("d_reset", n), judge.in_place("d_next", n)

    def reset(r: Array, h: Array) -> Array:
        return sigmoid(r) * h

    made = {"d_gates": judge.result("d_gates", 3 * n, slice(0, n)), "reset": judge.result("reset", n)}
    judge.launch("gru_gates_back", timed=False, n=n, **made)
    judge.near("d_gates", d_reset * slope(lambda x: reset(x, h), r))
    judge.near("reset", reset(r, h))
    judge.near("d_next", before + d_reset * slope(lambda x: reset(r, x), h))


KERNELS = {
    "basic_rnn_step_back": run_basic_rnn_step,
    "lstm_step_back": run_lstm_step,
    "lstm_projection_back": run_lstm_projection,
    "gru_candidate_back": run_gru_candidate,
    "gru_gates_back": run_gru_gates,
}


def judged(kernel: str, dtype: str, seed: int, vectors: bool = False, source: Any = None) -> JudgeBack:
    """One random launch of a kernel of ``source``, None: those there are, and what is wrong with it."""
    rng = np.random.default_rng([seed, vectors])
    judge = JudgeBack(Bench(source, seed), rng, draw_setup(rng, dtype, vectors))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        KERNELS[kernel](judge)
        judge.judge_rest()
    return judge
