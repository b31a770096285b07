"""Tests the schedule of rows and steps against what the lengths say; no device is needed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl_gpu.fused.layout import Tables
from impl_gpu.fused.ragged import ROWS_AT_ONCE, Chunk, schedule


def test_rows_that_all_count_stand_as_they_are() -> None:
    for lengths in (None, np.array([5, 9, 5])):
        runs = schedule(lengths, 5, 3, 2)
        assert runs.order is None
        assert runs.lengths is None
        assert runs.whole
        assert runs.chunks == (Chunk(0, 2, 3, 0), Chunk(2, 2, 3, 6), Chunk(4, 1, 3, 12))
        assert runs.packed_rows == 15


def test_rows_are_sorted_by_length_and_ties_keep_their_order() -> None:
    runs = schedule(np.array([2, 5, -3, 2, 99]), 5, 5, 2)
    assert runs.order is not None
    assert runs.lengths is not None
    assert runs.order.tolist() == [1, 4, 0, 3, 2]
    assert runs.lengths.tolist() == [5, 5, 2, 2, 0]
    assert runs.order.dtype == runs.lengths.dtype == np.int32


def test_sorted_rows_need_no_order() -> None:
    runs = schedule(np.array([5, 5, 3, 0]), 5, 4, 2)
    assert runs.order is None
    assert runs.lengths is not None
    assert not schedule(np.array([5] + [1] * 9), 5, 10, 2).whole


def test_nothing_runs_past_the_longest_row() -> None:
    assert schedule(np.array([3, 3]), 100, 2, 4).end == 4
    assert schedule(np.array([0, -1]), 100, 2, 4).chunks == ()
    assert schedule(None, 0, 2, 4).chunks == ()
    assert schedule(None, 7, 0, 4).chunks == ()
    assert schedule(np.array([], np.int64), 7, 0, 4).lengths is None


@given(
    lengths=st.lists(st.integers(-3, 20), min_size=1, max_size=40),
    steps=st.integers(0, 17),
    parallel_iterations=st.integers(1, 40),
)
def test_every_row_runs_its_steps_and_few_others(lengths: list[int], steps: int, parallel_iterations: int) -> None:
    runs = schedule(np.array(lengths), steps, len(lengths), parallel_iterations)
    order = np.arange(len(lengths)) if runs.order is None else runs.order
    assert sorted(order.tolist()) == list(range(len(lengths)))
    clipped = np.clip(lengths, 0, steps)
    assert ((clipped[order] if runs.lengths is not None else clipped) == (clipped[order])).all()
    base, first = 0, 0
    for chunk in runs.chunks:
        assert (chunk.first, chunk.base) == (first, base)
        assert 1 <= chunk.length <= parallel_iterations
        alive = int(np.count_nonzero(clipped > chunk.first))
        assert alive <= chunk.active <= min(len(lengths), alive + ROWS_AT_ONCE - 1)
        assert (clipped[order[chunk.active :]] <= chunk.first).all()  # who is left out is finished
        first, base = first + chunk.length, base + chunk.length * chunk.active
    assert first >= clipped.max(initial=0)
    assert runs.packed_rows == base


@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_tables_hold_what_the_kernels_look_up(count: int) -> None:
    runs = schedule(np.arange(count), count, count, 2)
    tables = Tables.of(runs)
    data = tables.fill(runs)
    assert len(data) == tables.nbytes
    if runs.lengths is None:
        return
    offsets, chunks = tables.offsets, len(runs.chunks)
    order = np.arange(count) if runs.order is None else runs.order
    assert np.frombuffer(data, np.int64, chunks, offsets["base"]).tolist() == [c.base for c in runs.chunks]
    assert np.frombuffer(data, np.int32, chunks, offsets["active"]).tolist() == [c.active for c in runs.chunks]
    assert np.frombuffer(data, np.int32, count, offsets["lengths"]).tolist() == runs.lengths.tolist()
    assert np.frombuffer(data, np.int32, count, offsets["order"]).tolist() == order.tolist()


def test_sequences_of_about_one_length_have_tables_of_one_size() -> None:
    sizes = {Tables.of(schedule(np.array([steps, 1]), steps, 2, 2)).nbytes for steps in range(9, 17)}
    assert len(sizes) == 1
