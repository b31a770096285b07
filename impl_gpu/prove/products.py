"""Checks matrix products of every type that the fused path asks for against float64 on the processor."""

from typing import Any, NamedTuple

import numpy as np

from ..device.host_gemm import STORED, to_bfloat16
from ..device.seam import Gemm, row_major
from ..device.shadow_compare import numbers, product_bounds
from .desk import Desk, Numbers
from .findings import Findings

TYPES = (("float16", "float32"), ("bfloat16", "float32"), ("float32", "float32"), ("float64", "float64"))
"""Of the operands, and of what they are summed to."""
SHAPES = ((1, 1, 1), (3, 5, 7), (8, 64, 32), (33, 129, 65), (64, 512, 128), (300, 256, 64), (1, 4096, 1024))
"""Rows, columns, and what is summed over."""
SLICES = (((0, 0, 16), 0), ((0, 0, 64), 64), ((0, 32, 32), 32), ((5, 3, 9), 4))
"""How much wider the rows of A, B and C are, and C's first column."""


class Case(NamedTuple):
    """C [rows, columns] (+)= A [rows, inner] B [inner, columns]; the extras widen a row of each beyond its columns."""

    dtype: str
    accumulator: str
    rows: int
    columns: int
    inner: int
    accumulate: bool = False
    tf32: bool = False
    extra: tuple[int, int, int] = (0, 0, 0)
    first_column: int = 0  # of C, within its wider rows

    @property
    def name(self) -> str:
        kind = "tf32" if self.tf32 else self.dtype
        wide = f", rows wider by {self.extra}, from column {self.first_column}" if any(self.extra) else ""
        return f"{kind} {self.rows}x{self.columns}x{self.inner}{' +=' if self.accumulate else ''}{wide}"


def cases() -> list[Case]:
    """For each type: every shape with and without what was there, and slices of wider rows as GRUCell has them."""
    found = []
    for dtype, accumulator, tf32 in [*((*kinds, False) for kinds in TYPES), ("float32", "float32", True)]:
        for accumulate in (False, True):
            found += [Case(dtype, accumulator, *shape, accumulate=accumulate, tf32=tf32) for shape in SHAPES]
        for extra, first in SLICES:
            found.append(Case(dtype, accumulator, 24, 32, 48, True, tf32, extra, first))
    return found


def check(desk: Desk, findings: Findings, seed: int) -> None:
    """Every case; a number may be off by what product_bounds allows, what lies beside C by nothing."""
    for number, case in enumerate(cases()):
        with findings.part(case.name):
            _check_case(desk, findings, case, np.random.RandomState(seed + number))
    for transpose_a in (False, True):
        for transpose_b in (False, True):
            with findings.part(f"transposed {transpose_a}, {transpose_b}"):
                _check_transposed(desk, findings, transpose_a, transpose_b, np.random.RandomState(seed))


def drawn(rng: Any, shape: tuple[int, ...], kind: str) -> Numbers:
    """Random numbers as they are stored; those of bfloat16 as their bits."""
    values = np.asarray(rng.standard_normal(shape), np.float32)
    return to_bfloat16(values) if kind == "bfloat16" else values.astype(STORED[kind])


def _check_case(desk: Desk, findings: Findings, case: Case, rng: Any) -> None:
    a = drawn(rng, (case.rows, case.inner + case.extra[0]), case.dtype)
    b = drawn(rng, (case.inner, case.columns + case.extra[1]), case.dtype)
    c = drawn(rng, (case.rows, case.columns + case.extra[2]), case.accumulator)
    within = np.s_[:, case.first_column : case.first_column + case.columns]
    if not case.accumulate:
        c[within] = np.nan  # must be gone
    offset = case.first_column * c.dtype.itemsize

    def call(at: dict[str, int]) -> Gemm:
        return row_major(
            *(at["a"], at["b"], at["c"] + offset, case.rows, case.columns, case.inner),
            dtype=case.dtype,
            accumulator=case.accumulator,
            lda=a.shape[1],
            ldb=b.shape[1],
            ldc=c.shape[1],
            accumulate=case.accumulate,
            tf32=case.tf32,
        )

    found = desk.after({"a": a, "b": b, "c": c}, lambda at: desk.device.gemm(call(at), desk.stream, "prove"))["c"]
    left = numbers(a, case.dtype)[:, : case.inner].astype(np.float64)
    right = numbers(b, case.dtype)[:, : case.columns].astype(np.float64)
    before = np.where(case.accumulate, c[within], 0.0).astype(np.float64)
    wanted = left @ right + before
    # The tuple asks for C^T = B^T A^T.
    bounds = product_bounds(call({"a": 1, "b": 1, "c": 1}), right.T, left.T, before.T, wanted.T).T
    stored = wanted.astype(c.dtype)
    group = "tf32" if case.tf32 else case.dtype
    findings.near(case.name, case.accumulator, found[within], stored, bounds, group)
    beside = c.copy()
    beside[within] = found[within]
    findings.equal(f"{case.name}: beside it", found, beside)


def _check_transposed(desk: Desk, findings: Findings, transpose_a: bool, transpose_b: bool, rng: Any) -> None:
    """Small integers, exact; not asked for by a forward pass."""
    m, n, k = 3, 4, 5
    left, right = (np.asarray(rng.randint(-8, 9, shape), np.float32) for shape in ((m, k), (k, n)))
    # Column after column: an array of rows is its own transpose.
    a, b = (left if transpose_a else left.T), (right if transpose_b else right.T)

    def work(at: dict[str, int]) -> None:
        call = Gemm(
            *(transpose_a, transpose_b, m, n, k, 1.0, at["a"], "float32", k if transpose_a else m),
            *(at["b"], "float32", n if transpose_b else k, 0.0, at["c"], "float32", m, "32F"),
        )
        desk.device.gemm(call, desk.stream, "prove")

    arrays = {"a": np.ascontiguousarray(a), "b": np.ascontiguousarray(b), "c": np.zeros((n, m), np.float32)}
    findings.equal(f"transposed {transpose_a}, {transpose_b}", desk.after(arrays, work)["c"], (left @ right).T)
