"""Computes LSTM and GRU in float64, straight from their equations.

``xp`` is NumPy or CuPy. Weights are TensorFlow's, by the end of their names. On a device the products run there, so
this shares cuBLAS with what it judges, in another precision and with nothing fused.
"""

from collections.abc import Callable, Mapping
from typing import Any

Array = Any
Step = Callable[[Array, tuple[Array, ...]], tuple[Array, ...]]

TOLERANCES = {"fp32": 5e-5, "tf32": 1e-2, "fp16": 1e-2}
"""Of ||got - expected|| / ||expected||. One rounding is 6e-8 of fp32, and 5e-4 of fp16 and of TF32's operands; some ten
of them meet in a sum that the next step reads again, and gates flatten what comes in. A wrong gate, mask or sign is
0.1 and more; TF32 where strict float32 was asked for is some 3e-4, and is caught by fp32's."""


def sigmoid(xp: Any, x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + xp.exp(-x))


def lstm_step(xp: Any, weights: Mapping[str, Array]) -> Step:
    """(c, h) to (c', h') [B, H]; kernel [2H, 4H], bias [4H], gates i j f o, and 1 added to f."""
    K, b = weights["kernel"], weights["bias"]

    def step(x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
        c, h = state
        i, j, f, o = xp.split(xp.dot(xp.concatenate([x, h], axis=1), K) + b, 4, axis=1)
        c = c * sigmoid(xp, f + 1) + sigmoid(xp, i) * xp.tanh(j)
        return c, xp.tanh(c) * sigmoid(xp, o)

    return step


def gru_step(xp: Any, weights: Mapping[str, Array]) -> Step:
    """(h,) to (h',) [B, H]; gates/kernel [2H, 2H], r before u; candidate/kernel [2H, H], r applied before it."""
    Kg, bg = weights["gates/kernel"], weights["gates/bias"]
    Kc, bc = weights["candidate/kernel"], weights["candidate/bias"]

    def step(x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
        (h,) = state
        r, u = xp.split(sigmoid(xp, xp.dot(xp.concatenate([x, h], axis=1), Kg) + bg), 2, axis=1)
        c = xp.tanh(xp.dot(xp.concatenate([x, r * h], axis=1), Kc) + bc)
        return (u * h + (1 - u) * c,)

    return step


STEPS = {"LSTM": (lstm_step, 2), "GRU": (gru_step, 1)}
"""By cell: what makes its step, and the number of arrays in its state."""


def run(xp: Any, cell: str, weights: Mapping[str, Array], x: Array, lengths: list[int] | None) -> dict[str, Array]:
    """Outputs [T, B, H] and final states [B, H] for x [T, B, H], by name; all of it in float64."""
    make, count = STEPS[cell]
    step = make(xp, {name: value.astype("float64") for name, value in weights.items()})
    T, B, H = x.shape
    ends = xp.asarray([T] * B if lengths is None else lengths).reshape(B, 1)
    state = tuple(xp.zeros((B, H), "float64") for _ in range(count))
    outputs = xp.zeros((T, B, H), "float64")
    for t in range(T):
        running = t < ends
        new = step(x[t].astype("float64"), state)
        outputs[t] = xp.where(running, new[-1], 0)
        state = tuple(xp.where(running, after, before) for after, before in zip(new, state, strict=True))
    return {"outputs": outputs, **dict(zip(("c", "h")[-count:], state, strict=True))}


def error(xp: Any, got: Array, expected: Array) -> float:
    """||got - expected|| / ||expected||; NaN where something is NaN."""
    got = got.astype("float64")
    return float(xp.sqrt(((got - expected) ** 2).sum()) / xp.sqrt((expected**2).sum()))


def padding_is_zero(xp: Any, outputs: Array, lengths: list[int] | None) -> bool:
    """Whether outputs [T, B, H] are exactly zero past the end of each row."""
    if lengths is None:
        return True
    T, B, _ = outputs.shape
    past = xp.arange(T)[:, None] >= xp.asarray(lengths).reshape(1, B)
    return not bool(xp.where(past[:, :, None], outputs != 0, False).any())


def judge(
    xp: Any, got: dict[str, Any], expected: dict[str, Any], bound: float, padded: str, lengths: list[int] | None
) -> tuple[dict[str, float], str | None]:
    """The error of each result, and what is wrong: one off by more than ``bound``, or ``padded`` past the end of a row
    not zero."""
    errors = {name: error(xp, got[name], expected[name]) for name in expected}
    for name, found in errors.items():
        if not found <= bound:
            return errors, f"{name} differ from float64 by {found:.2g}, more than {bound:g}"
    if not padding_is_zero(xp, got[padded], lengths):
        return errors, f"{padded} are not zero past the end of a row"
    return errors, None
