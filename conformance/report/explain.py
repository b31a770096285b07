"""Describes a counterexample in plain text: the case, then expected and got side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.report.text import clip, printable
from conformance.report.values import Leaf, describe, differing, leaves, number, pulling, read_case, read_value
from dynamic_rnn_spec.case import Call, Case

LEAVES = 8
ELEMENTS = 64
WIDTH = 120


def case_text(data: Any) -> str:
    """A stored case in a few lines: its cells, weights and calls, small arrays in full."""
    case = read_case(data)
    if not isinstance(case, Case):
        return f"a case that cannot be read: {printable(case.why)}"
    lines = [f"{name} = {describe(spec)}" for name, spec in case.cells.items()]
    if case.weights:
        lines.append("weights: " + clip(", ".join(f"{name} {list(w.shape)}" for name, w in case.weights.items()), 300))
    lines += [_call(call) for call in case.calls]
    return "\n".join(clip(printable(line), 1200) for line in lines)


def failure_text(
    clause: str, test: str, violation: str, message: str, case: Any, expected: Any, got: Any, replay: str | None
) -> str:
    """A broken clause whole: what it says is broken, the case, both values, how to see it again."""
    parts = [f"{clause}: {printable(message)}"]
    if violation != "assertion":
        parts[0] += f"  ({violation}; the clause's own assertion was not reached)"
    parts += [f"test:  {test}", "case:", _indented(case_text(case))]
    if expected is not None or got is not None:
        parts += [_indented(line) for line in side_by_side(expected, got)]
    if replay is not None:
        parts.append(f"again: {replay}")
    return "\n".join(parts)


def side_by_side(expected: Any, got: Any) -> list[str]:
    """The leaves of both encoded values in two columns, those that differ marked; equal ones only if none differs."""
    wanted, found = _leaves(expected), _leaves(got)
    paths = list(dict.fromkeys([*wanted, *found]))
    shared = wanted.keys() & found.keys()
    different = [path for path in paths if path not in shared or _differ(wanted[path], found[path])]
    lines: list[str] = []
    for path in (different or paths)[:LEAVES]:
        left = _texts(wanted[path]) if path in wanted else ["nothing here"]
        right = _texts(found[path]) if path in found else ["nothing here"]
        lines += _columns(path or "value", path in different, left, right)
    if len(different or paths) > LEAVES:
        lines.append(f"and {len(different or paths) - LEAVES} more")
    return lines


def _leaves(data: Any) -> dict[str, Any]:
    return {} if data is None else {leaf.path: leaf.value for leaf in _read(data)}


def _read(data: Any) -> list[Leaf]:
    return leaves(read_value(data))


def _columns(path: str, differs: bool, left: list[str], right: list[str]) -> list[str]:
    width = max([len("expected"), *map(len, left)])
    height = max(len(left), len(right))
    left, right = (texts + [""] * (height - len(texts)) for texts in (left, right))
    mark = "≠" if differs else "="
    title = f"{mark} {printable(path)}"
    if width > WIDTH:
        return [title, "  expected:", *(f"    {t}" for t in left if t), "  got:", *(f"    {t}" for t in right if t)]
    pairs = [f"  {a:<{width}} | {b}".rstrip() for a, b in zip(left, right, strict=True)]
    return [title, f"  {'expected':<{width}} | got", *pairs]


def _differ(expected: Any, got: Any) -> bool:
    places = differing(expected, got)
    return places is None or len(places) > 0


def _texts(value: Any) -> list[str]:
    """A leaf in lines: an array as its kind and rows of numbers, aligned."""
    if not isinstance(value, np.ndarray):
        text = value if isinstance(value, str) else describe(value)
        return [clip(line, 400) for line in text.splitlines()] or ["''"]
    kind = f"{value.dtype.name} {list(value.shape)}"
    if value.size > ELEMENTS:
        return [f"{kind}, too many elements to print"]
    if value.ndim == 0:
        return [kind, number(value[()])]
    rows = value.reshape(-1, value.shape[-1]) if value.size else value.reshape(0, 1)
    texts = [[number(item) for item in row] for row in rows]
    width = max((len(text) for row in texts for text in row), default=0)
    places = np.ndindex(value.shape[:-1])
    return [kind] + [
        (f"{list(place)} " if value.ndim > 1 else "") + " ".join(f"{text:>{width}}" for text in row)
        for place, row in zip(places, texts, strict=True)
    ]


def _call(call: Call) -> str:
    parts = [
        f"{name}={describe(value)}" if place >= call.positional else describe(value)
        for place, (name, value) in enumerate(call.arguments.items())
    ]
    scopes = "".join(f"in {describe(scope)}: " for scope in call.outer_scopes)
    return f"{scopes}dynamic_rnn({', '.join(parts)}){pulling(call, describe)}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
