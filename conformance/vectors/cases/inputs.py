"""Defines the vectors of inputs: structures, ranks and dtypes that are accepted, and those that are refused."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.vectors.cases.making import (
    Definition,
    Like,
    Refused,
    last_input,
    one,
    overruled,
    rng_of,
    tally,
    vector,
    whole,
)
from dynamic_rnn_spec.case import CellSpec, namedtuple_type

DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "bool", "complex64")


def definitions() -> Iterator[Definition]:
    """All of this section."""
    yield from _structures()
    yield from _dtypes()
    yield from _refused()
    yield from _rank_two()


def _structures() -> Iterator[Definition]:
    pair = namedtuple_type("Pair", ("left", "right"))
    for major in (False, True):
        suffix = "time-major" if major else "batch-major"
        lead = (3, 2) if major else (2, 3)
        rng = rng_of(f"structures/{suffix}")
        a, b, c = (whole(rng, (*lead, *rest)) for rest in ((2,), (3, 2), (1, 2, 2)))
        made: list[tuple[str, str, Any]] = [
            ("one", "IN-1 IN-4", a),
            ("rank-4", "IN-1 IN-4", b),
            ("rank-5", "IN-1 IN-4", c),
            ("tuple", "IN-2 IN-3 IN-4", (a, b)),
            ("one-tuple", "IN-2", (a,)),
            ("nested", "IN-2 IN-3 IN-4", (a, (b, (c,)))),
            ("twice-nested", "IN-2 IN-3", (((a, b), c), b)),
            ("list", "IN-8", [a, b]),
            ("nested-lists", "IN-8", [a, [b, [c]]]),
            ("dict", "IN-8", {"b": a, "a": b, "c": c}),
            ("namedtuple", "IN-8", pair(a, b)),
            ("mixed", "IN-8 IN-2 IN-3", {"z": (a, [b]), "y": pair(c, a)}),
            ("empty-list-beside", "IN-16", (a, [])),
            ("empty-tuple-beside", "IN-16", [(), a]),
        ]
        for name, clauses, inputs in made:
            arguments: dict[str, Any] = {"dtype": "float32", "sequence_length": [3, 1], "time_major": major}
            text = f"structures/{name}-{suffix}"
            yield vector(text, clauses + (" TIME-2" if major else " TIME-1"), one(tally(), inputs, **arguments))


def _dtypes() -> Iterator[Definition]:
    for dtype in (*DTYPES, "complex128"):
        rng = rng_of(f"dtypes/{dtype}")
        inputs = whole(rng, (2, 3, 2), dtype)
        cell = tally(output_dtype="float32")
        yield vector(f"dtypes/{dtype}", "IN-14", one(cell, inputs, dtype="float32", sequence_length=[2, 3]))
        case = one(last_input(2), inputs, initial_state=whole(rng, (2, 2), dtype), sequence_length=[2, 0])
        yield vector(f"dtypes/{dtype}-kept", "IN-14 SEQ-6 SEQ-7 DTYPE-9", case)
    members = (whole(rng_of("mixed"), (2, 2, 2), "int8"), whole(rng_of("mixed too"), (2, 2, 1), "float64"))
    cell = tally(output_dtype="float32")
    yield vector("dtypes/mixed", "IN-14 IN-2", one(cell, members, dtype="float32"))


def _refused() -> Iterator[Definition]:
    rng = rng_of("refused")
    a, b = whole(rng, (2, 3, 2)), whole(rng, (3, 2, 2))
    accident = "TensorFlow raises an accidental error"
    instead = Refused("ValueError")
    wrong: list[tuple[str, str, Any, bool]] = [
        ("none", "IN-5", None, False),
        ("member-none", "IN-12", (a, None), False),
        ("only-none", "IN-12", (None,), False),
        ("batch-differs", "IN-10", (a, whole(rng, (3, 3, 2))), False),
        ("time-differs", "IN-10", (a, whole(rng, (2, 4, 2))), False),
        ("swapped", "IN-10", (a, b), False),
        ("time-major-batch-differs", "IN-10", (a, whole(rng, (2, 4, 2))), True),
        ("rank-0", "IN-11", np.float32(1.5) * np.ones((), np.float32), False),
        ("rank-1", "IN-11", whole(rng, (2,)), False),
        ("rank-1-time-major", "IN-11", whole(rng, (2,)), True),
        ("member-of-rank-1", "IN-11", (a, whole(rng, (2,))), False),
        ("numbers", "IN-15", [[[1.0, 2.0]], [[3.0, 4.0]]], False),
        ("integers", "IN-15", [[1, 2], [3, 4]], False),
    ]
    for name, clause, inputs, major in wrong:
        for cell_name, cell in (("tally", tally()), ("lstm", CellSpec("LSTMCell", {"num_units": 2}))):
            case = one(cell, inputs, dtype="float32", time_major=major)
            yield vector(f"refused/{name}-{cell_name}", clause, case)
    for name, clause, inputs in (
        ("empty-list", "IN-7", []),
        ("empty-tuple", "IN-9", ()),
        ("nested-empties", "IN-9", [[]]),
        ("nested-empty-tuples", "IN-9", ((), ())),
        ("empty-dict", "IN-9", {}),
    ):
        for major in (False, True):
            text = f"refused/{name}-{'time' if major else 'batch'}-major"
            case = one(CellSpec("LSTMCell", {"num_units": 2}), inputs, dtype="float32", time_major=major)
            yield vector(text, clause, case, overruled=overruled(clause, accident, instead))
    for name, major_clause in (("none", "IN-6"), ("member-none", "IN-12")):
        case = one(tally(), None if name == "none" else (a, None), dtype="float32", time_major=True)
        text = f"refused/{name}-time-major"
        yield vector(text, major_clause, case, overruled=overruled(major_clause, accident, instead))


def _rank_two() -> Iterator[Definition]:
    for name, rows in (("alone", ()), ("member", (2,))):
        for lengths in (None, [2, 0]):
            text = f"rank-two/{name}-{'all' if lengths is None else 'ragged'}"
            rng = rng_of(text)
            arguments: dict[str, Any] = {"dtype": "float32"}
            if lengths is not None:
                arguments.update(sequence_length=lengths)
            flat, other = whole(rng, (2, 3)), whole(rng, (2, 3, *rows))
            inputs = (flat, other) if rows else flat
            same = (flat[..., np.newaxis], other) if rows else flat[..., np.newaxis]
            instead = Like(one(tally(), same, **arguments))
            reason = "TensorFlow wants an axis behind batch and time, where the page has '...'"
            case = one(tally(), inputs, **arguments)
            yield vector(text, "IN-13", case, overruled=overruled("IN-13", reason, instead))
