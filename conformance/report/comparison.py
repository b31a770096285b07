"""Lays what was expected beside what came, leaf by leaf, and marks the first difference.

The suite says where that is; if it names no place, the first bits that differ are marked.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from conformance.report.model import Counterexample
from conformance.report.picture import Grid, Layout, Mark, batch_grid, layout_of, plain_grid, unmarked
from conformance.report.text import clip
from conformance.report.values import (
    Leaf,
    Place,
    Unreadable,
    bits,
    brief,
    describe,
    differing,
    first_difference,
    leaves,
    number,
    pulling,
    read_case,
    read_value,
    same,
)
from dynamic_rnn_spec.case import Call, Case

LEAVES = 6
MARKED = 4096
"""More differing elements than these are not marked one by one; the first one always is."""


BATCHES = re.compile(r"(outputs|gradients\.inputs|)([.\[]|$)")
"""How the path begins of what may be drawn as a batch: of a lone value, of outputs, of what is as the inputs are."""


class Side(NamedTuple):
    """One leaf as it was expected or as it came: in words, and as a grid where it is an array with elements."""

    heading: str
    text: str
    grid: Grid | None


class DrawnCall(NamedTuple):
    """One call of the case: what was called, in a line, and its batch as grids."""

    signature: str
    lengths: str
    grids: list[Grid]
    padded: bool


class Drawing(NamedTuple):
    """A counterexample ready for the page: `rows` lay side by side what belongs together, `more` rows are left out.

    `marked` tells that the first difference is marked in a grid, `trouble` what could not be read.
    """

    calls: list[DrawnCall]
    cells: list[str]
    rows: list[list[Side]]
    marked: bool
    more: int
    difference: str
    trouble: str


def draw(example: Counterexample) -> Drawing:
    """Everything that is drawn of a counterexample."""
    case = read_case(example["case"])
    calls = list(case.calls) if isinstance(case, Case) else []
    cells = [f"{name} = {describe(cell)}" for name, cell in case.cells.items()] if isinstance(case, Case) else []
    layouts = [layout for call in calls if (layout := layout_of(call)) is not None]
    expected, got = ([] if data is None else leaves(read_value(data)) for data in (example["expected"], example["got"]))
    if {leaf.path for leaf in expected}.isdisjoint(leaf.path for leaf in got):
        first = None
        rows = [[_side("expected", leaf, layouts) for leaf in expected] + [_side("got", leaf, layouts) for leaf in got]]
    else:
        first = first_difference(expected, got, example["where"])
        rows = _rows(expected, got, first, layouts)
    return Drawing(
        calls=[_draw_call(call) for call in calls],
        cells=cells,
        rows=[row for row in rows[:LEAVES] if row],
        marked=first is not None and any(side.grid is not None for row in rows for side in row),
        more=max(len(rows) - LEAVES, 0),
        difference=_in_words(first, expected, got),
        trouble=f"the case cannot be drawn: {case.why}" if isinstance(case, Unreadable) else "",
    )


def _draw_call(call: Call) -> DrawnCall:
    parts = [
        f"{name}={brief(value)}" if place >= call.positional else brief(value)
        for place, (name, value) in enumerate(call.arguments.items())
    ]
    scopes = "".join(f"in {describe(scope)}: " for scope in call.outer_scopes)
    signature = f"{scopes}dynamic_rnn({', '.join(parts)}){pulling(call, brief)}"
    layout = layout_of(call)
    if layout is None:
        return DrawnCall(signature, "", [], padded=False)
    given = {"inputs": call.arguments.get("inputs")}
    if call.cotangents is not None:
        given["d_outputs"] = call.cotangents.outputs
    arrays = [leaf for leaf in leaves(given) if _has_batch(leaf.value, layout)]
    title = f"{layout.batch} rows by {layout.steps} steps, {_lengths(call, layout)}"
    drawable = arrays[:LEAVES] if layout.batch and layout.steps else []
    grids = [batch_grid(f"{leaf.path}: {_kind(leaf.value)}", leaf.value, layout) for leaf in drawable]
    return DrawnCall(signature, title, grids, padded=bool(grids) and layout.lengths is not None)


def _lengths(call: Call, layout: Layout) -> str:
    if layout.lengths is not None:
        return f"lengths {', '.join(layout.said)}"
    if call.arguments.get("sequence_length") is None:
        return "no lengths: every step counts"
    return f"sequence_length is no vector of {layout.batch} lengths, so none is drawn"


def _rows(expected: list[Leaf], got: list[Leaf], first: Place | None, layouts: list[Layout]) -> list[list[Side]]:
    """A row for each leaf that differs, or for every leaf if the two read the same."""
    wanted, found = dict(expected), dict(got)
    different: list[list[Side]] = []
    equal: list[list[Side]] = []
    for path in dict.fromkeys([*wanted, *found]):
        places = differing(wanted.get(path), found.get(path)) if path in wanted and path in found else None
        index = first.at if first is not None and first.path == path else None
        mark = _marker(places, index)
        focus = (
            tuple(int(i) for i in places[0]) if index is None and places is not None and len(places) else index or ()
        )
        row = [
            _side(heading, Leaf(path, values[path]), layouts, mark, focus)
            if path in values
            else Side(f"{heading} {path}", "nothing here", None)
            for heading, values in (("expected", wanted), ("got", found))
        ]
        (different if index is not None or places is None or len(places) else equal).append(row)
    return different or equal


def _marker(places: Any, first: tuple[int, ...] | None) -> Mark:
    """What marks an element or, given fewer indices than the array has, the square that holds it."""
    few = places is not None and len(places) <= MARKED
    different = {tuple(int(i) for i in place) for place in places} if few else set()

    def mark(index: tuple[int, ...]) -> str:
        if first is not None and (first or not index) and first[: len(index)] == index[: len(first)]:
            return "first"
        return "differs" if any(place[: len(index)] == index for place in different) else ""

    return mark


def _side(heading: str, leaf: Leaf, layouts: list[Layout], mark: Mark = unmarked, focus: tuple[int, ...] = ()) -> Side:
    path, value = leaf
    heading = f"{heading} {path}".rstrip()
    if not isinstance(value, np.ndarray):
        return Side(heading, clip(value, 2000) if isinstance(value, str) else describe(value), None)
    if value.size == 0:
        return Side(heading, f"{_kind(value)}, no elements", None)
    title = _kind(value)
    for layout in reversed(layouts):
        if BATCHES.match(path) and _has_batch(value, layout):
            return Side(heading, title, batch_grid(title, value, layout, mark, focus))
    return Side(heading, title, plain_grid(title, value, mark, focus))


def _has_batch(value: Any, layout: Layout) -> bool:
    shape = (layout.steps, layout.batch) if layout.time_major else (layout.batch, layout.steps)
    return isinstance(value, np.ndarray) and value.ndim >= 2 and value.shape[:2] == shape


def _kind(array: Any) -> str:
    return f"{array.dtype.name} {list(array.shape)}"


def _in_words(first: Place | None, expected: list[Leaf], got: list[Leaf]) -> str:
    """The first difference as a sentence, exact to the bit where the values read alike."""
    if first is None:
        return ""
    name = first.path or "the value"
    wanted_leaves, found_leaves = dict(expected), dict(got)
    if first.path not in wanted_leaves or first.path not in found_leaves:
        return f"{name}: {'not expected' if first.path in found_leaves else 'expected, but not there'}"
    wanted, found = wanted_leaves[first.path], found_leaves[first.path]
    if not isinstance(wanted, np.ndarray) or not isinstance(found, np.ndarray):
        return ""  # the two stand side by side in words already
    if wanted.shape != found.shape or wanted.dtype != found.dtype:
        return f"{name}: expected {_kind(wanted)}, got {_kind(found)}"
    at = first.at
    if len(at) != wanted.ndim or any(i >= n for i, n in zip(at, wanted.shape, strict=True)):
        return f"{name}{list(at)}"
    here = f"{name}{list(at) if at else ''}"
    return f"{here}: expected {_exact(wanted[at], found[at])}, got {_exact(found[at], wanted[at])}"


def _exact(value: Any, other: Any) -> str:
    text = number(value)
    return f"{text} (bits {bits(value)})" if text == number(other) and not same(bits(value), bits(other)) else text
