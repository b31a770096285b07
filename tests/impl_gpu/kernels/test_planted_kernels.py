"""Plants defects in the source text of kernels: what judges the kernels must see each of them.

A defect that went unseen would mean that the tests beside this one prove less than they say.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from impl_gpu import kernels
from impl_gpu.device.seam import SeamError

from .equations import complaints

FINISHED = "write_finished<V>(clock, order, chunk_out, row, t, column);\n"


class Defect(NamedTuple):
    """What is replaced in the source of a module, by what; ``seen`` is what a complaint of the judge begins with."""

    name: str
    cell: str
    old: str
    new: str
    seen: str


DEFECTS = [
    Defect(
        "gates in the order of cuDNN",
        "lstm",
        "j = load<V>(gate + n), f = load<V>(gate + 2 * n)",
        "f = load<V>(gate + n), j = load<V>(gate + 2 * n)",
        "c",
    ),
    Defect(
        "r and u swapped",
        "gru",
        "r = load<V>(static_cast<const ACC*>(gate)), u =",
        "u = load<V>(static_cast<const ACC*>(gate)), r =",
        "reset",
    ),
    Defect("sigmoid for tanh", "lstm", "hyperbolic(j.at[k])", "sigmoid(j.at[k])", "c"),
    Defect(
        "sigmoid for tanh in the cell without gates", "basic_rnn", "hyperbolic(gate.at[k]", "sigmoid(gate.at[k]", "h"
    ),
    Defect("forget bias left out", "lstm", "sigmoid(f.at[k] + forget)", "sigmoid(f.at[k])", "c"),
    Defect("forget bias on the input gate", "lstm", "sigmoid(i.at[k])", "sigmoid(i.at[k] + forget)", "c"),
    Defect(
        "bias of another gate", "lstm", "b_f = load<V>(bias + 2 * n + column)", "b_f = load<V>(bias + n + column)", "c"
    ),
    Defect(
        "the output gate peeps at the old c",
        "lstm",
        "wide(w_o.at[k]) * c_after",
        "wide(w_o.at[k]) * wide(c_old.at[k])",
        "h",
    ),
    Defect("peepholes in another order", "lstm", "f.at[k] += wide(w_f.at[k])", "f.at[k] += wide(w_i.at[k])", "c"),
    Defect("clipped on one side", "lstm", ": x < -bound ? -bound : x", ": x", "c"),
    Defect("projection not clipped", "lstm_projected", "clipped(product.at[k], clip)", "product.at[k]", "h"),
    Defect(
        "u keeps the new state",
        "gru",
        "u.at[k] * wide(h_old.at[k]) + (ACC(1) - u.at[k]) * c",
        "u.at[k] * c + (ACC(1) - u.at[k]) * wide(h_old.at[k])",
        "h",
    ),
    Defect(
        "u activated twice",
        "gru",
        "h_new.at[k] = narrow<STORE>(u.at[k]",
        "h_new.at[k] = narrow<STORE>(sigmoid(u.at[k])",
        "h",
    ),
    Defect("mask late by one", "basic_rnn", "t < lengths[row]", "t <= lengths[row]", ""),
    Defect("mask early by one", "basic_rnn", "t < lengths[row]", "t + 1 < lengths[row]", ""),
    Defect("rows without gates read", "basic_rnn", "row < active && (", "(", ""),
    Defect(
        "state zeroed instead of copied",
        "basic_rnn",
        FINISHED,
        FINISHED + "store<V>(h + (long long)row * n + column, zeros<V, STORE>());\n",
        "h",
    ),
    Defect(
        "output copied instead of zeroed",
        "basic_rnn",
        FINISHED,
        "write_output<V>(clock, order, row, t, column, load<V>(h + (long long)row * n + column));\n",
        "",
    ),
    Defect("output of finished rows left as it was", "lstm", FINISHED, "", "output"),
    Defect(
        "finished rows in the chunk too",
        "basic_rnn",
        FINISHED,
        "write_result<V>(clock, order, chunk_out, n, row, t, column, zeros<V, STORE>());\n",
        "",
    ),
    Defect("permutation not undone", "lstm", "order == nullptr ? row : order[row]", "row", "output"),
    Defect("clock not moved on", "gru", "if (last) clock->next = clock->now + chunk;", "", "the clock"),
    Defect(
        "clock read by the first step as by the others", "lstm", "first ? clock->next : clock->now", "clock->now", ""
    ),
    Defect("every step at t0", "basic_rnn", "clock->now) + step", "clock->now)", "output"),
    Defect("one column too few", "basic_rnn", "column >= n) return", "column >= n - 1) return", ""),
    Defect("one column too many", "basic_rnn", "column >= n) return", "column > n) return", ""),
    Defect(
        "outputs by 16 bytes wherever they lie", "lstm", "V == 1 || reinterpret_cast", "V == V || reinterpret_cast", ""
    ),
]


@pytest.mark.parametrize("defect", DEFECTS, ids=[defect.name for defect in DEFECTS])
def test_a_planted_defect_is_seen(force_vectors: Callable[[bool], Any], defect: Defect) -> None:
    module = defect.cell.removesuffix("_projected")
    planted = []

    def source(asked: str, dtype: str) -> str:
        text = kernels.source(asked, dtype)
        if asked == module:
            assert text.count(defect.old) >= 1, "the source is another one: plant the defect anew"
            planted.append(text := text.replace(defect.old, defect.new))
        return text

    seen: list[str] = []
    for seed in range(40):
        with force_vectors(bool(seed % 2)):
            try:
                seen = complaints(defect.cell, "float32", seed, bool(seed % 2), source)
            except SeamError as error:
                seen = [f"refused: {error}"]
        if any(complaint.startswith(("refused", defect.seen)) for complaint in seen):
            break
    else:
        pytest.fail(f"nobody saw it: {seen}")
    assert planted
