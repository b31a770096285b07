"""Chooses the way in which the steps of a call are run, by a table of measurements.

There is one way so far, "steps": products and kernels step by step. A persistent kernel, which keeps the recurrent
weights on the chip for a whole chunk, would be a second one in WAYS and rows in ``measured.toml``.
"""

import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from .call import Call
from .loop import Loop
from .plan import LAYERS, Plan
from .precision import PRECISIONS

DEFAULT = "steps"
WAYS: dict[str, Callable[[Call], Loop]] = {DEFAULT: Loop}
"""What runs a call, by name: it is made of the call, and its ``run`` enqueues all steps."""
TABLE = Path(__file__).with_name("measured.toml")


class Row(NamedTuple):
    """One measurement; the pairs are bounds, both included."""

    device: str
    kind: str
    dtype: str
    units: tuple[int, int]
    batch_size: tuple[int, int]
    way: str
    evidence: str


def choose(call: Call) -> Loop:
    """What runs this call, made of it."""
    device = call.device.describe()["device"] if rows() else ""
    return WAYS[chosen(rows(), device, call.plan, call.runs.batch_size, call.precision.name)](call)


def chosen(table: Sequence[Row], device: str, plan: Plan, batch_size: int, dtype: str) -> str:
    """The way of the first row that holds for every layer of the plan; "steps" where none does."""
    for row in table:
        measured = (row.device, row.dtype) == (device, dtype) and _within(batch_size, row.batch_size)
        if measured and all(layer.kind == row.kind and _within(layer.units, row.units) for layer in plan.layers):
            return row.way
    return DEFAULT


@cache
def rows() -> tuple[Row, ...]:
    """The rows of ``measured.toml``."""
    return parse(TABLE.read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Row, ...]:
    """The rows of such a file.

    Raises:
        ValueError: a row lacks a field or has one too many; it names a way, a kind or a dtype that does not exist.
    """
    return tuple(_row(number, fields) for number, fields in enumerate(tomllib.loads(text).get("row", [])))


def _row(number: int, fields: dict[str, Any]) -> Row:
    where = f"measured.toml: row {number}"
    if set(fields) != set(Row._fields):
        raise ValueError(f"{where}: expected the fields {', '.join(Row._fields)}, got {', '.join(fields)}")
    for name, known in {"way": WAYS, "kind": set(LAYERS.values()), "dtype": PRECISIONS}.items():
        if fields[name] not in known:
            raise ValueError(f"{where}: expected a {name} among {', '.join(sorted(known))}, got {fields[name]!r}")
    bounds = {name: tuple(fields[name]) for name in ("units", "batch_size")}
    return Row(**{**fields, **bounds})


def _within(number: int, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= number <= bounds[1]
