"""Turns encoded values into leaves, and into short texts for people."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from conformance.report.text import clip, printable
from dynamic_rnn_spec.case import Answer, Call, Case, CellRef, CellSpec, FormatError, Outcome, Record, Wrong, decode
from dynamic_rnn_spec.vocabulary.structure import flatten_with_paths

Array = np.ndarray[Any, Any]


class Unreadable(NamedTuple):
    """Stands where data is in no form that the codec knows; `why` is what the codec said."""

    why: str


class Leaf(NamedTuple):
    """One leaf of a structure and its path, such as `outputs[0].h`."""

    path: str
    value: Any


class Place(NamedTuple):
    """Where two values part: the path of a leaf and, inside an array, the element's place."""

    path: str
    at: tuple[int, ...]


def read_value(data: Any) -> Any:
    """The value behind encoded data; an answer becomes what it returned, gradients too, or words for what it is."""
    try:
        if isinstance(data, dict) and set(data) == set(Outcome.__slots__):
            return [_answer(answer) for answer in Outcome.from_json(data).answers]
        if isinstance(data, dict) and set(data) | {"gradients"} == set(Answer.__slots__):
            return _answer(Answer.from_json(data))
        return decode(data)
    except (FormatError, TypeError, AttributeError) as error:
        return Unreadable(str(error))


def read_case(data: Any) -> Case | Unreadable:
    """The case behind its JSON."""
    try:
        return Case.from_json(data)
    except (FormatError, TypeError, AttributeError) as error:
        return Unreadable(str(error))


def _answer(answer: Answer) -> Any:
    if answer.kind == "returned" and isinstance(answer.result, tuple) and len(answer.result) == 2:
        pair = {"outputs": answer.result[0], "state": answer.result[1]}
        return pair if answer.gradients is None else {**pair, "gradients": answer.gradients}
    if answer.kind == "returned":
        return {"returned": answer.result}
    if answer.error is not None:
        return f"raised {answer.error.kind} ({answer.error.native}): {answer.error.message}"
    return f"{answer.kind}: {answer.what}: {answer.why}" if answer.what else answer.kind


def leaves(value: Any) -> list[Leaf]:
    """Every leaf with its path; the keys of an outermost dict are names, so paths read `outputs[0]` and `state.c`."""
    if isinstance(value, Unreadable):
        return [Leaf("", value)]
    try:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return [Leaf(path, leaf) for key in value for path, leaf in flatten_with_paths(value[key], key)]
        return [Leaf(path, leaf) for path, leaf in flatten_with_paths(value)]
    except TypeError:  # a dict whose keys have no order has no order of leaves: it is one leaf
        return [Leaf("", value)]


def first_difference(expected: list[Leaf], got: list[Leaf], where: str | None) -> Place | None:
    """Where the suite says the two part or, if it does not, the first leaf and element whose bits differ."""
    wanted, found = dict(expected), dict(got)
    said = parse_place(where, {*wanted, *found})
    if said is not None:
        return Place(said.path, _first_within(said.at, differing(wanted.get(said.path), found.get(said.path))))
    for path, value in expected:
        if path not in found:
            return Place(path, ())
        places = differing(value, found[path])
        if places is None:
            return Place(path, ())
        if len(places):
            return Place(path, _first_within((), places))
    return next((Place(path, ()) for path in found if path not in wanted), None)


def _first_within(at: tuple[int, ...], places: Array | None) -> tuple[int, ...]:
    """The first differing element below an index that may have fewer dimensions than the array, or the index itself."""
    if places is None or places.shape[1] < len(at):
        return at
    below = places[(places[:, : len(at)] == at).all(axis=1)]
    return tuple(int(i) for i in below[0]) if len(below) else at


def parse_place(where: str | None, paths: set[str]) -> Place | None:
    """The place that a text such as `outputs[1, 2]` or `state[0].c` names, if its path is one of `paths`."""
    if where is None:
        return None
    if where in paths:
        return Place(where, ())
    match = re.fullmatch(r"(.*)\[(\d+(?:, ?\d+)*)\]", where, re.DOTALL)
    if match is None or (match.group(1) not in paths and paths != {""}):
        return None
    path = match.group(1) if match.group(1) in paths else ""  # a lone array needs no path of its own
    return Place(path, tuple(int(part) for part in match.group(2).split(",")))


def differing(expected: Any, got: Any) -> Array | None:
    """The indices [n, rank] of elements whose bits differ; None where the two cannot be laid side by side."""
    if not isinstance(expected, np.ndarray) or not isinstance(got, np.ndarray):
        return np.empty((0, 0), dtype=np.intp) if same(expected, got) else None
    if expected.shape != got.shape or expected.dtype != got.dtype:
        return None
    if expected.size == 0:
        return np.empty((0, expected.ndim), dtype=np.intp)
    size = expected.dtype.itemsize
    bits = [np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(-1, size) for array in (expected, got)]
    return np.argwhere((bits[0] != bits[1]).any(axis=1).reshape(expected.shape))


def same(expected: Any, got: Any) -> bool:
    """Whether two leaves that are not both arrays are of one type and read the same."""
    return type(expected) is type(got) and repr(expected) == repr(got)


def number(value: Any, digits: int | None = None) -> str:
    """One element as short text; `digits` rounds a float, without it the text gives the value back exactly."""
    if isinstance(value, np.floating | float):
        return f"{float(value):.{digits}g}" if digits else str(value).removesuffix(".0")
    if isinstance(value, np.complexfloating | complex):
        real, imaginary = number(value.real, digits), number(value.imag, digits)
        return f"{real}{'' if imaginary.startswith(('-', '+')) else '+'}{imaginary}j"
    return clip(printable(str(value)), 40)


def bits(value: Any) -> str:
    """The bytes of one element, most significant first, for values that read alike and are not."""
    return bytes(np.asarray(value).astype(np.asarray(value).dtype.newbyteorder(">")).tobytes()).hex()


def describe(value: Any) -> str:
    """One line for any value: small arrays in full, others by dtype and shape, structures by their containers."""
    return clip(_describe(value), 400)


def pulling(call: Call, said: Callable[[Any], str]) -> str:
    """What follows the call in words where it has cotangents: how its gradients were asked for."""
    if call.cotangents is None:
        return ""
    return f", and vjp({said(call.cotangents.outputs)}, {said(call.cotangents.state)})"


def brief(value: Any) -> str:
    """As `describe`, but arrays of rank 2 or more, which are drawn, by dtype and shape only, and a cell by its name."""
    return clip(_describe(value, rank=1), 400)


def _describe(value: Any, rank: int = 99) -> str:
    if isinstance(value, np.ndarray):
        kind = f"{value.dtype.name} {list(value.shape)}"
        if value.size > 12 or not value.size or value.ndim > rank:
            return kind
        return f"{kind} = {_nested(value)}"
    if isinstance(value, Unreadable):
        return f"unreadable: {printable(value.why)}"
    if isinstance(value, tuple | list):
        inside = [_describe(item, rank) for item in value]
        if hasattr(value, "_fields"):
            named = zip(value._fields, inside, strict=True)
            return f"{type(value).__name__}({', '.join(f'{name}={text}' for name, text in named)})"
        if isinstance(value, list):
            return f"[{', '.join(inside)}]"
        return f"({', '.join(inside)}{',' if len(inside) == 1 else ''})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_describe(key)}: {_describe(item, rank)}' for key, item in value.items())}}}"
    if isinstance(value, CellRef | CellSpec):
        return _describe_cell(value)
    if isinstance(value, Wrong):
        return f"<{printable(value.what)}>"
    if isinstance(value, Record):
        fields = [getattr(value, name) for name in value.__slots__]
        told = [field for field in fields if not (field is None or (isinstance(field, dict | tuple) and not field))]
        return f"{type(value).__name__}({', '.join(_describe(field, rank) for field in told)})"
    return printable(repr(value))


def _describe_cell(cell: CellRef | CellSpec) -> str:
    """A shared cell by its name, a made one as the call that makes it."""
    if isinstance(cell, CellRef):
        return printable(cell.name)
    options = [f"{printable(name)}={_describe(option)}" for name, option in cell.options.items()]
    children = [f"[{', '.join(map(_describe_cell, cell.children))}]"] if cell.children else []
    return f"{printable(str(cell.kind))}({', '.join([*children, *options])})"


def _nested(value: Array) -> str:
    if value.ndim == 0:
        return number(value[()])
    return f"[{', '.join(_nested(np.asarray(item)) for item in value)}]"
