"""Lays values out as grids of squares, measured and ready to be drawn.

A batch is always drawn with a row for each of its rows and time from left to right, whatever the layout of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from conformance.report.text import clip
from conformance.report.values import Array, leaves, number
from dynamic_rnn_spec.case import Call

ROWS, COLUMNS = 12, 16
_CHARACTER, _HEIGHT, _GAP, _TOP = 7.4, 28, 3, 24


class Square(NamedTuple):
    """One square: its text, its kind ("valid", "padding", "plain") and its mark ("", "differs", "first")."""

    text: str
    kind: str
    mark: str


class Row(NamedTuple):
    """A row of squares with the label on its left and the note on its right."""

    label: str
    note: str
    squares: list[Square]


class Grid(NamedTuple):
    """Rows under column heads; `title` says it in words, `omitted` tells what was left out."""

    title: str
    columns: list[str]
    rows: list[Row]
    omitted: str

    @property
    def square(self) -> float:
        """The width of a square: what the longest text needs."""
        texts = [square.text for row in self.rows for square in row.squares] + self.columns
        return max(34.0, _CHARACTER * max(map(len, texts), default=0) + 14)

    @property
    def left(self) -> float:
        """The width of the row labels."""
        return _CHARACTER * max((len(row.label) for row in self.rows), default=0) + 12

    @property
    def width(self) -> float:
        """The width of the whole picture."""
        notes = _CHARACTER * max((len(row.note) for row in self.rows), default=0)
        return self.left + len(self.columns) * (self.square + _GAP) + notes + 14

    @property
    def height(self) -> float:
        """The height of the whole picture."""
        return _TOP + len(self.rows) * (_HEIGHT + _GAP) + 4

    def x(self, column: int) -> float:
        """The left edge of a column."""
        return self.left + column * (self.square + _GAP)

    def y(self, row: int) -> float:
        """The upper edge of a row."""
        return _TOP + row * (_HEIGHT + _GAP)


class Layout(NamedTuple):
    """The shape of a call's batch: rows B, steps T, how many steps of each row count, and what was said about it."""

    batch: int
    steps: int
    time_major: bool
    lengths: list[int] | None
    said: list[str]

    def valid(self, row: int, step: int) -> bool:
        """Whether this step of this row counts."""
        return self.lengths is None or step < self.lengths[row]

    def note(self, row: int) -> str:
        """The length of a row in words."""
        if self.lengths is None:
            return ""
        given, counted = int(self.said[row]), self.lengths[row]
        return f"length {given}" if given == counted else f"length {given}, as {counted}"


def layout_of(call: Call) -> Layout | None:
    """The batch of a call, read from its first input of rank 2 or more; None where there is none."""
    arrays = [leaf.value for leaf in leaves(call.arguments.get("inputs")) if getattr(leaf.value, "ndim", 0) >= 2]
    if not arrays:
        return None
    time_major = call.arguments.get("time_major") is True
    first, second = arrays[0].shape[:2]
    batch, steps = (second, first) if time_major else (first, second)
    lengths = _lengths(call.arguments.get("sequence_length"), batch)
    counted = None if lengths is None else [min(max(length, 0), steps) for length in lengths]
    return Layout(batch, steps, time_major, counted, [str(length) for length in lengths or []])


def _lengths(value: Any, batch: int) -> list[int] | None:
    """The lengths, where they are what the page asks for: one integer for each row."""
    if isinstance(value, list | tuple) and all(type(item) is int for item in value):
        given = list(value)
    elif isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iu":
        given = [int(item) for item in value]
    else:
        return None
    return given if len(given) == batch else None


Mark = Callable[[tuple[int, ...]], str]


def unmarked(index: tuple[int, ...]) -> str:
    """No square is marked."""
    return ""


def batch_grid(title: str, array: Array, layout: Layout, mark: Mark = unmarked, focus: tuple[int, ...] = ()) -> Grid:
    """An array [B, T, ...] (or [T, B, ...]) as rows of the batch by time, padding told from what counts."""
    by_row = np.swapaxes(array, 0, 1) if layout.time_major else array
    at = focus[1::-1] if layout.time_major else focus[:2]
    rows, columns = _window(layout.batch, ROWS, at, 0), _window(layout.steps, COLUMNS, at, 1)

    def square(row: int, step: int) -> Square:
        place = (step, row) if layout.time_major else (row, step)
        return Square(_texts(by_row[row, step]), "valid" if layout.valid(row, step) else "padding", mark(place))

    drawn = [Row(f"row {row}", layout.note(row), [square(row, step) for step in columns]) for row in rows]
    heads = [f"t={step}" for step in columns]
    return Grid(title, heads, drawn, _omitted(rows, layout.batch, "rows", columns, layout.steps, "steps"))


def plain_grid(title: str, array: Array, mark: Mark = unmarked, focus: tuple[int, ...] = ()) -> Grid:
    """Any array: its first dimension downwards, the others to the right; a vector is one row."""
    table = array.reshape(1, -1) if array.ndim < 2 else array.reshape(array.shape[0], int(np.prod(array.shape[1:])))
    inner = array.shape[1:] if array.ndim >= 2 else array.shape
    flat = tuple(int(i) for i in np.unravel_index(_flat(array, focus), table.shape)) if table.size else ()
    rows, columns = _window(table.shape[0], ROWS, flat, 0), _window(table.shape[1], COLUMNS, flat, 1)

    def place(row: int, column: int) -> tuple[int, ...]:
        inside = tuple(int(i) for i in np.unravel_index(column, inner)) if inner else ()
        return (row, *inside) if array.ndim >= 2 else inside

    drawn = [
        Row(
            f"row {row}" if array.ndim >= 2 else "",
            "",
            [Square(number(table[row, column], 6), "plain", mark(place(row, column))) for column in columns],
        )
        for row in rows
    ]
    heads = [", ".join(map(str, np.unravel_index(column, inner))) if inner else "" for column in columns]
    return Grid(title, heads, drawn, _omitted(rows, table.shape[0], "rows", columns, table.shape[1], "columns"))


def _flat(array: Array, focus: tuple[int, ...]) -> int:
    """The position of `focus` (perhaps only its first indices) among all elements, 0 where it does not fit."""
    full = (*focus, *[0] * (array.ndim - len(focus)))
    if len(full) != array.ndim or any(i >= n for i, n in zip(full, array.shape, strict=True)):
        return 0
    return int(np.ravel_multi_index(full, array.shape)) if full else 0


def _window(size: int, limit: int, focus: Sequence[int], axis: int) -> range:
    """At most `limit` of `size` places, those around the focus."""
    middle = focus[axis] if len(focus) > axis and focus[axis] < size else 0
    start = min(max(middle - limit // 2, 0), max(size - limit, 0))
    return range(start, min(start + limit, size))


def _omitted(rows: range, all_rows: int, row_name: str, columns: range, all_columns: int, column_name: str) -> str:
    parts = []
    for shown, total, name in ((rows, all_rows, row_name), (columns, all_columns, column_name)):
        if len(shown) < total:
            parts.append(f"{name} {shown.start} to {shown.stop - 1} of {total}")
    return f"shown: {', '.join(parts)}" if parts else ""


def _texts(piece: Any) -> str:
    """What one step of one row holds, as one short text."""
    flat = np.asarray(piece).reshape(-1)
    if not flat.size:
        return "∅"
    shown = ", ".join(number(item, 6 if flat.size == 1 else 4) for item in flat[:3])
    return clip(shown, 30) if flat.size <= 3 else f"{shown}, …"
