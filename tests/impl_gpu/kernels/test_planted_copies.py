"""Plants defects in kernels that move, pack, drop and place rows: one small launch of each, its answer written out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from impl_gpu import kernels

from .bench import Bench

ROWS = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
ORDER, LENGTHS = [2, 0, 1], [2, 1, 0]
STRIDES = {"rows": 3, "row_elements": 2, "dst_row": 2, "src_row": 2}


def copied(bench: Bench) -> Any:
    dst, other = bench.hold(ROWS * 0), bench.hold(-ROWS)
    more = {"other": other, "other_row": 2, "lengths": bench.table(LENGTHS), "t": 1}
    bench.launch("masked_copy", itemsize=4, dst=dst, src=bench.hold(ROWS), **STRIDES, **more)
    return dst.now().tolist()


def gathered(bench: Bench) -> Any:
    dst = bench.hold(ROWS * 0)
    bench.launch("move_rows", itemsize=4, dst=dst, src=bench.hold(ROWS), order=bench.table(ORDER), gather=1, **STRIDES)
    return dst.now().tolist()


def packed(bench: Bench) -> Any:
    """Three steps of [3, 1] in chunks of two: 2 rows of each of the first two steps, 1 of the third."""
    x, dst = np.arange(9, dtype=np.float32), bench.hold(np.zeros(5, np.float32))
    tables = {"active": bench.table([2, 1]), "base": bench.hold(np.array([0, 4])), "order": bench.table(ORDER)}
    sizes = {"chunk": 2, "T": 3, "rows": 3, "row_elements": 1, "src_t": 3, "src_row": 1, "packed": 5}
    bench.launch("pack_rows", itemsize=4, dst=dst, src=bench.hold(x), **tables, **sizes)
    return dst.now().tolist()


def packed_with_zeros(bench: Bench) -> Any:
    """Two steps of [3, 1], of which the rows count 2, 1 and 0."""
    x, dst = np.arange(1, 7, dtype=np.float32), bench.hold(np.full(6, 9, np.float32))
    tables = {"active": bench.table([3]), "base": bench.hold(np.array([0])), "order": bench.table(ORDER)}
    sizes = {"chunk": 2, "T": 2, "rows": 3, "row_elements": 1, "src_t": 3, "src_row": 1, "packed": 6}
    bench.launch("pack_rows", itemsize=4, dst=dst, src=bench.hold(x), lengths=bench.table(LENGTHS), **tables, **sizes)
    return dst.now().tolist()


def dropped(bench: Bench) -> Any:
    out = bench.hold(ROWS)
    U = bench.hold(np.array([[0.75, 0.25], [0.25, 0.75], [0.25, 0.25]], np.float32))
    more = {"order": bench.table(ORDER), "lengths": bench.table(LENGTHS), "t": 0, "keep": 0.5, "uniform_row": 2}
    bench.launch("drop_rows", dtype="float32", out=out, v=out, uniform=U, rows=3, n=2, **more)
    return out.now().tolist()


def placed(bench: Bench) -> Any:
    outputs, clock = bench.hold(np.full((3, 2), 9, np.float32)), bench.hold(np.zeros(32, np.uint8))
    bench.launch("set_clock", clock=clock, now=0, outputs=outputs, output_t=1, output_row=2)
    chunk = bench.hold(np.array([[[1], [2]], [[3], [4]]], np.float32))
    rows = {"lengths": bench.table(LENGTHS), "order": bench.table(ORDER), "active": 2, "rows": 3}
    bench.launch("write_chunk", dtype="float32", clock=clock, chunk=chunk, n=1, t0=0, len=2, **rows)
    return outputs.now().tolist()


def added(bench: Bench) -> Any:
    a, out = bench.hold(ROWS), bench.hold(ROWS * 0)
    bench.launch("residual_add", dtype="float32", out=out, a=a, b=bench.hold(ROWS * 10), count=6)
    return out.now().tolist()


ANSWERS: dict[Callable[[Bench], Any], Any] = {
    copied: [[1, 2], [-3, -4], [-5, -6]],
    gathered: [[5, 6], [1, 2], [3, 4]],
    packed: [2, 0, 5, 3, 8],
    packed_with_zeros: [3, 1, 0, 6, 0, 0],
    dropped: [[0, 0], [6, 0], [5, 6]],
    placed: [[2, 0], [0, 0], [1, 3]],
    added: [[11, 22], [33, 44], [55, 66]],
}


@pytest.mark.parametrize("launched", list(ANSWERS), ids=lambda one: one.__name__)
def test_the_kernels_there_are_give_the_answers(launched: Callable[[Bench], Any]) -> None:
    assert launched(Bench()) == ANSWERS[launched]


@pytest.mark.parametrize(
    ("launched", "old", "new"),
    [
        pytest.param(copied, "t < lengths[row]", "t <= lengths[row]", id="mask of a copy late by one"),
        pytest.param(copied, "other == nullptr ? nullptr", "true ? nullptr", id="state zeroed instead of copied"),
        pytest.param(gathered, "gather ? named : row", "gather ? row : named", id="gather for scatter"),
        pytest.param(gathered, "order == nullptr ? row : order[row]", "row", id="rows moved without the order"),
        pytest.param(packed, "order == nullptr ? row : order[row]", "row", id="rows packed without the order"),
        pytest.param(packed, "(t - part * chunk) * alive", "(t - part * chunk) * rows", id="gaps between steps"),
        pytest.param(packed, "base[part] +", "base[0] +", id="chunks on top of each other"),
        pytest.param(
            packed_with_zeros, "alive_at(lengths, row, rows, t) ? of_row", "true ? of_row", id="padding packed"
        ),
        pytest.param(dropped, "callers_row(order, row) * uniform_row", "row * uniform_row", id="another row's draw"),
        pytest.param(dropped, "whole(wide(", "(wide(", id="noise not floored"),
        pytest.param(dropped, "!alive_at(lengths, row, rows, t)", "row >= rows", id="finished rows dropped"),
        pytest.param(placed, "zeros<V, STORE>();", "load<V>(chunk);", id="output copied instead of zeroed"),
        pytest.param(
            placed,
            "callers_row(order, row) * clock->output_row",
            "row * clock->output_row",
            id="permutation not undone",
        ),
        pytest.param(added, "wide(x.at[k]) + wide(y.at[k])", "wide(x.at[k])", id="nothing added"),
    ],
)
def test_a_planted_defect_is_seen(launched: Callable[[Bench], Any], old: str, new: str) -> None:
    def source(module: str, dtype: str) -> str:
        text = kernels.source(module, dtype)
        return text.replace(old, new) if module in ("rows", "elementwise") else text

    assert any(old in kernels.source(module, kernels.MODULES[module][0]) for module in ("rows", "elementwise"))
    assert launched(Bench(source)) != ANSWERS[launched]
