"""Computes gradients of LSTM and GRU in float64, straight from their equations.

As ``bench/oracle.py``, whose forward pass it goes back through; docs/gradients.md derives the lines.
"""

from collections.abc import Mapping
from typing import Any

from ..oracle import Array, sigmoid

TOLERANCES = {"fp32": 2e-4, "tf32": 2e-2, "fp16": 2e-2}
"""Of ||got - expected|| / ||expected||. Some ten roundings meet in a gradient of one step, as in the step itself; those
of a weight are summed over all steps and rows, where they partly cancel and the gradient partly does too."""


def lstm(xp: Any, weights: Mapping[str, Array], x: Array, alive: Array, d_outputs: Array, d: dict[str, Array]) -> Any:
    """The gradients of x [T, B, H], kernel and bias; ``alive`` [T, B, 1], ``d`` by name those of c and h [B, H]."""
    K, b = weights["kernel"], weights["bias"]
    T, B, H = x.shape
    tape, c, h = [], xp.zeros((B, H), "float64"), xp.zeros((B, H), "float64")
    for t in range(T):
        xh = xp.concatenate([x[t].astype("float64"), h], axis=1)
        i, j, f, o = xp.split(xp.dot(xh, K) + b, 4, axis=1)
        i, j, f, o = sigmoid(xp, i), xp.tanh(j), sigmoid(xp, f + 1), sigmoid(xp, o)
        new = f * c + i * j
        tape.append((xh, c, i, j, f, o, xp.tanh(new)))
        c, h = xp.where(alive[t], new, c), xp.where(alive[t], o * xp.tanh(new), h)
    d_x, d_K, d_b = xp.zeros((T, B, H), "float64"), xp.zeros_like(K), xp.zeros_like(b)
    d_c, d_h = d["c"], d["h"]
    for t in reversed(range(T)):
        xh, c, i, j, f, o, tanh_c = tape.pop()
        d_y = xp.where(alive[t], d_h + d_outputs[t], 0)
        d_new = xp.where(alive[t], d_c, 0) + d_y * o * (1 - tanh_c**2)
        d_gates = [d_new * j * i * (1 - i), d_new * i * (1 - j**2), d_new * c * f * (1 - f), d_y * tanh_c * o * (1 - o)]
        d_a = xp.concatenate(d_gates, axis=1)
        d_xh = xp.dot(d_a, K.T)
        d_K += xp.dot(xh.T, d_a)
        d_b += d_a.sum(axis=0)
        d_x[t] = d_xh[:, :H]
        d_c, d_h = xp.where(alive[t], d_new * f, d_c), xp.where(alive[t], d_xh[:, H:], d_h)
    return {"inputs": d_x, "kernel": d_K, "bias": d_b}


def gru(xp: Any, weights: Mapping[str, Array], x: Array, alive: Array, d_outputs: Array, d: dict[str, Array]) -> Any:
    """The gradients of x [T, B, H] and of the four variables; ``alive`` [T, B, 1], ``d`` by name that of h [B, H]."""
    Kg, bg, Kc, bc = (weights[f"{part}/{name}"] for part in ("gates", "candidate") for name in ("kernel", "bias"))
    T, B, H = x.shape
    tape, h = [], xp.zeros((B, H), "float64")
    for t in range(T):
        x_t = x[t].astype("float64")
        r, u = xp.split(sigmoid(xp, xp.dot(xp.concatenate([x_t, h], axis=1), Kg) + bg), 2, axis=1)
        c = xp.tanh(xp.dot(xp.concatenate([x_t, r * h], axis=1), Kc) + bc)
        tape.append((x_t, h, r, u, c))
        h = xp.where(alive[t], u * h + (1 - u) * c, h)
    d_x, d_Kg, d_bg = xp.zeros((T, B, H), "float64"), xp.zeros_like(Kg), xp.zeros_like(bg)
    d_Kc, d_bc, d_h = xp.zeros_like(Kc), xp.zeros_like(bc), d["h"]
    for t in reversed(range(T)):
        x_t, h, r, u, c = tape.pop()
        d_y = xp.where(alive[t], d_h + d_outputs[t], 0)
        d_a = d_y * (1 - u) * (1 - c**2)
        d_xrh = xp.dot(d_a, Kc.T)
        d_rh = d_xrh[:, H:]
        d_g = xp.concatenate([d_rh * h * r * (1 - r), d_y * (h - c) * u * (1 - u)], axis=1)
        d_xh = xp.dot(d_g, Kg.T)
        d_Kc += xp.dot(xp.concatenate([x_t, r * h], axis=1).T, d_a)
        d_bc += d_a.sum(axis=0)
        d_Kg += xp.dot(xp.concatenate([x_t, h], axis=1).T, d_g)
        d_bg += d_g.sum(axis=0)
        d_x[t] = d_xrh[:, :H] + d_xh[:, :H]
        d_h = xp.where(alive[t], d_y * u + d_rh * r + d_xh[:, H:], d_h)
    names = {"gates/kernel": d_Kg, "gates/bias": d_bg, "candidate/kernel": d_Kc, "candidate/bias": d_bc}
    return {"inputs": d_x, **names}


GRADIENTS = {"LSTM": lstm, "GRU": gru}


def run(
    xp: Any,
    cell: str,
    weights: Mapping[str, Array],
    x: Array,
    lengths: list[int] | None,
    d_outputs: Array,
    d_state: Mapping[str, Array],
) -> dict[str, Array]:
    """The gradients of x [T, B, H] and of every weight, by name; all of it in float64."""
    T, B, _ = x.shape
    ends = xp.asarray([T] * B if lengths is None else lengths)
    alive = (xp.arange(T)[:, None] < ends)[:, :, None]
    wide = {name: value.astype("float64") for name, value in weights.items()}
    d = {name: value.astype("float64") for name, value in d_state.items()}
    found: dict[str, Array] = GRADIENTS[cell](xp, wide, x, alive, d_outputs.astype("float64"), d)
    return found
