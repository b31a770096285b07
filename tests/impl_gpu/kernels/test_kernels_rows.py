"""Tests rows moved as they are, host-executed: by width, under masks, packed and permuted; bit for bit."""

from typing import Any

import numpy as np
import pytest

from .bench import Bench, bits

ITEMSIZES = [1, 2, 4, 8, 16]
SEEDS = range(6)


def random_bytes(rng: np.random.Generator, *shape: int) -> Any:
    """Every pattern, so NaN of any payload and -0.0 in any dtype."""
    return rng.integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("itemsize", ITEMSIZES)
@pytest.mark.parametrize("other", [False, True], ids=["zeros", "other"])
def test_masked_copy_takes_each_row_from_its_place(itemsize: int, other: bool, seed: int) -> None:
    """Rows apart from each other, lengths 0 to T or none; what lies between rows stays as it is [SEQ-4, SEQ-5]."""
    rng = np.random.default_rng([seed, itemsize])
    rows, width, t = int(rng.integers(1, 300)), int(rng.choice([1, 2, 3, 4, 16, 33, 300])), int(rng.integers(0, 5))
    gaps = [int(gap) for gap in rng.integers(0, 3, 3)]
    given = [random_bytes(rng, rows, (width + gap) * itemsize) for gap in gaps]
    lengths = rng.integers(0, 6, rows) if rng.random() < 0.7 else None
    bench = Bench(seed=seed)
    offset = int(rng.integers(0, 3)) * itemsize
    dst, src, third = (bench.hold(array, offset=offset) for array in given)
    bench.launch(
        "masked_copy",
        itemsize=itemsize,
        dst=dst,
        src=src,
        other=third if other else None,
        lengths=bench.table(lengths),
        t=t,
        rows=rows,
        row_elements=width,
        dst_row=width + gaps[0],
        src_row=width + gaps[1],
        other_row=width + gaps[2] if other else 0,
    )
    want = given[0].copy()
    counts = np.ones(rows, bool) if lengths is None else t < lengths
    want[:, : width * itemsize] = given[2][:, : width * itemsize] if other else 0
    want[counts, : width * itemsize] = given[1][counts, : width * itemsize]
    assert np.array_equal(dst.now(), want)
    bench.finish()


def test_masked_copy_may_keep_rows_in_place() -> None:
    bench = Bench()
    state = np.array([[1, np.nan, -0.0], [4, 5, 6]], np.float32)
    dst, src = bench.hold(state), bench.hold(np.full((2, 3), 7, np.float32))
    strides = {"rows": 2, "row_elements": 3, "dst_row": 3, "src_row": 3, "other_row": 3}
    bench.launch("masked_copy", itemsize=4, dst=dst, src=src, other=dst, lengths=bench.table([0, 1]), t=0, **strides)
    state[1] = 7
    assert np.array_equal(bits(dst.now()), bits(state))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("itemsize", ITEMSIZES)
def test_pack_rows_leaves_no_gap(itemsize: int, seed: int) -> None:
    """The first active rows of the order, step after step; inputs of both layouts, a last chunk cut short.

    With lengths, zeros for the steps past them.
    """
    rng = np.random.default_rng([seed, itemsize])
    T, B, d = int(rng.integers(1, 9)), int(rng.integers(1, 20)), int(rng.choice([1, 3, 4, 8, 150]))
    chunk = int(rng.integers(1, T + 1))
    chunks = -(-T // chunk)
    active = -np.sort(-rng.integers(0, B + 1, chunks))
    active[0] = max(active[0], 1)
    steps = [min(chunk, T - part * chunk) for part in range(chunks)]
    base = np.concatenate([[0], np.cumsum(active * steps)])
    order = rng.permutation(B) if rng.random() < 0.7 else None
    lengths = rng.integers(0, T + 1, B) if rng.random() < 0.5 else None
    x = random_bytes(rng, T, B, d * itemsize)
    time_major = bool(rng.integers(2))
    bench = Bench(seed=seed)
    held = bench.hold(x if time_major else x.swapaxes(0, 1))
    dst = bench.hold(random_bytes(rng, int(base[-1]), d * itemsize))
    bench.launch(
        "pack_rows",
        itemsize=itemsize,
        dst=dst,
        src=held,
        order=bench.table(order),
        active=bench.table(active),
        base=bench.hold(base[:-1].astype(np.int64)),
        lengths=bench.table(lengths),
        chunk=chunk,
        T=T,
        rows=B,
        row_elements=d,
        src_t=B * d if time_major else d,
        src_row=d if time_major else T * d,
        packed=int(base[-1]),
    )
    named = np.arange(B) if order is None else order
    counts = np.full(B, T) if lengths is None else lengths
    steps_taken = [x[t, named] * (t < counts)[:, None].astype(np.uint8) for t in range(T)]
    want = np.concatenate([taken[: active[t // chunk]] for t, taken in enumerate(steps_taken)])
    assert np.array_equal(dst.now(), want)
    bench.finish()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("gather", [0, 1], ids=["scatter", "gather"])
@pytest.mark.parametrize("itemsize", ITEMSIZES)
def test_move_rows_there_and_back(itemsize: int, gather: int, seed: int) -> None:
    rng = np.random.default_rng([seed, itemsize, gather])
    rows, width = int(rng.integers(1, 40)), int(rng.choice([1, 2, 5, 16, 300]))
    gaps = [int(gap) for gap in rng.integers(0, 3, 2)]
    before, given = (random_bytes(rng, rows, (width + gap) * itemsize) for gap in gaps)
    order = rng.permutation(rows) if rng.random() < 0.7 else None
    bench = Bench(seed=seed)
    dst, src = bench.hold(before), bench.hold(given)
    bench.launch(
        "move_rows",
        itemsize=itemsize,
        dst=dst,
        src=src,
        order=bench.table(order),
        gather=gather,
        rows=rows,
        row_elements=width,
        dst_row=width + gaps[0],
        src_row=width + gaps[1],
    )
    named, cut = np.arange(rows) if order is None else order, width * itemsize
    want = before.copy()
    if gather:
        want[:, :cut] = given[named, :cut]
    else:
        want[named, :cut] = given[:, :cut]
    assert np.array_equal(dst.now(), want)
    bench.finish()


@pytest.mark.parametrize(
    ("itemsize", "width", "stride", "offset", "entry"),
    [
        (4, 8, 8, 0, "bytes16"),
        (4, 6, 6, 0, "bytes8"),
        (4, 8, 9, 0, "bytes4"),
        (4, 8, 8, 1, "bytes4"),
        (2, 8, 8, 0, "bytes16"),
        (1, 3, 3, 0, "bytes1"),
        (16, 1, 1, 0, "bytes16"),
    ],
)
def test_the_widest_pieces_that_divide_everything_are_moved(
    monkeypatch: pytest.MonkeyPatch, itemsize: int, width: int, stride: int, offset: int, entry: str
) -> None:
    """``offset`` and ``stride`` are of the destination, in elements."""
    bench = Bench()
    launched = []
    launch = bench.device.launch

    def noted(kernel: Any, *rest: Any) -> None:
        launched.append(kernel.dtype)
        launch(kernel, *rest)

    monkeypatch.setattr(bench.device, "launch", noted)
    dst = bench.hold(np.zeros((3, stride * itemsize), np.uint8), offset=offset * itemsize)
    src = bench.hold(np.ones((3, width * itemsize), np.uint8))
    sizes = {"rows": 3, "row_elements": width, "dst_row": stride, "src_row": width}
    bench.launch("move_rows", itemsize=itemsize, dst=dst, src=src, order=None, gather=1, **sizes)
    assert launched == [entry]
    assert np.array_equal(dst.now()[:, : width * itemsize], src.now())


def test_more_steps_and_columns_than_the_largest_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loops over pieces and steps: grids of 2, where a device has 65535."""
    from impl_gpu.kernels import geometry

    monkeypatch.setattr(geometry, "MAX_BLOCKS_Y", 2)
    monkeypatch.setattr(geometry, "MAX_BLOCKS_Z", 2)
    geometry.blocks.cache_clear()
    bench, rng = Bench(), np.random.default_rng(0)
    x = random_bytes(rng, 7, 2, 1001)
    dst, src = bench.hold(np.zeros((14, 1001), np.uint8)), bench.hold(x)
    tables = {"active": bench.table([2, 2, 2]), "base": bench.hold(np.array([0, 6, 12], np.int64))}
    sizes = {"chunk": 3, "T": 7, "rows": 2, "row_elements": 1001, "src_t": 2002, "src_row": 1001, "packed": 14}
    bench.launch("pack_rows", itemsize=1, dst=dst, src=src, order=None, **tables, **sizes)
    assert np.array_equal(dst.now().reshape(7, 2, 1001), x)
    for kind, more in (
        ("masked_copy", {"other": None, "lengths": None, "t": 0}),
        ("move_rows", {"order": None, "gather": 0}),
    ):
        dst = bench.hold(np.zeros((2, 1001), np.uint8))
        strides = {"rows": 2, "row_elements": 1001, "dst_row": 1001, "src_row": 1001}
        bench.launch(kind, itemsize=1, dst=dst, src=src, **strides, **more)
        assert np.array_equal(dst.now(), x[0])
    bench.finish()
    geometry.blocks.cache_clear()
