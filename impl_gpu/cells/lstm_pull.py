"""Holds the gates of an LSTM's step, and pulls a gradient back through the three that make c."""

from typing import Any, NamedTuple

from .backward import activation_back, sigmoid_back


class Gates(NamedTuple):
    """The gates of one step after their activations, and j before its own too; each [B, n]."""

    i: Any
    j: Any
    f: Any
    o: Any
    j_before: Any


def gates_back(act: Any, gates: Gates, c: Any, d_new_c: Any) -> tuple[Any, Any, Any]:
    """(d_i, d_j, d_f) before the activations, for ``new_c = f c + i j`` [GRAD-4]."""
    d_i = sigmoid_back(gates.i, d_new_c * gates.j)
    d_j = activation_back(act, gates.j_before, gates.j, d_new_c * gates.i)
    return d_i, d_j, sigmoid_back(gates.f, d_new_c * c)
