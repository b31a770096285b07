"""Defines the vectors of sequence_length: ragged batches of every pattern, on every probe and dtype, and lengths that
are refused."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.vectors.cases.making import (
    Definition,
    Like,
    Refused,
    affine,
    affine_weights,
    echo,
    last_input,
    one,
    overruled,
    rng_of,
    state_of,
    tally,
    vector,
    whole,
)
from dynamic_rnn_spec.case import Case, CellSpec
from dynamic_rnn_spec.vocabulary.structure import map_structure
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

STEPS = 4
PATTERNS = {
    "full": ([4, 4, 4], "SEQ-20"),
    "ragged": ([2, 4, 1], "SEQ-8"),
    "zero": ([0, 4, 2], "SEQ-9"),
    "all-zero": ([0, 0, 0], "SEQ-9 SEQ-10"),
    "early": ([1, 2, 2], "SEQ-10"),
    "early-and-zero": ([0, 1, 0], "SEQ-9 SEQ-10"),
    "descending": ([4, 3, 2], "SEQ-8"),
    "negative": ([-1, 4, -(2**31)], "SEQ-14"),
    "overlong": ([5, 2, 2**31 - 1], "SEQ-15"),
}
SIZES = ((2, (TensorShape([2, 2]), TensorShape([]))), (3, (TensorShape([]), (1, TensorShape([1, 2])))))
DTYPES = ("float16", "float64", "int8", "int32", "int64", "uint8", "bool", "complex64")


def definitions() -> Iterator[Definition]:
    """All of this section."""
    yield from _patterns()
    yield from _dtypes()
    yield from _forms()
    yield from _rows()
    yield from _padding()
    yield from _scalars()
    yield from _refused()


def _int32(lengths: Any) -> Any:
    return np.array(lengths, np.int32)


def _patterns() -> Iterator[Definition]:
    for pattern, (lengths, clauses) in PATTERNS.items():
        rng = rng_of(f"patterns/{pattern}")
        inputs = whole(rng, (3, STEPS, 2))
        given: dict[str, Any] = {"sequence_length": _int32(lengths), "dtype": "float32"}
        tallied = {**given, "initial_state": state_of(rng, SIZES[0], 3)}
        both = f"SEQ-2 SEQ-4 SEQ-5 {clauses}"
        yield vector(f"patterns/{pattern}-tally", f"{both} SEQ-6 SEQ-7", one(tally(*SIZES), inputs, **tallied))
        last = {**given, "initial_state": whole(rng, (3, 2))}
        yield vector(f"patterns/{pattern}-last-input", both, one(last_input(2), inputs, **last))
        yield vector(f"patterns/{pattern}-echo", both, one(echo(2), inputs, **given))
        weights = affine_weights(rng, 2)
        yield vector(f"patterns/{pattern}-affine", both, one(affine(), inputs, weights, **given))
        wide = {**tallied, "sequence_length": np.array(lengths, np.int64)}
        yield vector(f"patterns/{pattern}-int64", f"SEQ-3 {clauses}", one(tally(*SIZES), inputs, **wide))
        swapped = {**tallied, "time_major": True}
        case = one(tally(*SIZES), inputs.swapaxes(0, 1), **swapped)
        yield vector(f"patterns/{pattern}-time-major", f"{both} TIME-5", case)


def _dtypes() -> Iterator[Definition]:
    for dtype in DTYPES:
        rng = rng_of(f"dtypes/{dtype}")
        inputs, state = whole(rng, (3, STEPS, 2)), state_of(rng, SIZES[0], 3, dtype)
        case = one(tally(*SIZES), inputs, sequence_length=_int32([0, 4, 2]), initial_state=state)
        yield vector(f"dtypes/{dtype}", "SEQ-6 SEQ-7 SEQ-13 DTYPE-9", case)
    rng = rng_of("dtypes/mixed")
    sizes, dtypes = (2, (2, TensorShape([2, 2]))), ("int32", ("float64", "bool"))
    state = (whole(rng, (3, 2), "int32"), (whole(rng, (3, 2), "float64"), whole(rng, (3, 2, 2), "bool")))
    cell = tally(sizes, SIZES[1], state_dtypes=dtypes, output_dtype="float32")
    for pattern in ("full", "zero", "early"):
        lengths = _int32(PATTERNS[pattern][0])
        case = one(cell, whole(rng, (3, 4, 1)), sequence_length=lengths, initial_state=state, dtype="float32")
        yield vector(f"dtypes/mixed-{pattern}", "SEQ-6 SEQ-7 DTYPE-7 DTYPE-8", case)


def _forms() -> Iterator[Definition]:
    rng = rng_of("forms")
    inputs = whole(rng, (3, STEPS, 2))
    forms: dict[str, tuple[str, Any]] = {
        "list": ("SEQ-19", [2, 4, 0]),
        "tuple": ("SEQ-19", (2, 4, 0)),
        "list-negative": ("SEQ-19 SEQ-14", [-1, 9, 0]),
        "int32": ("SEQ-2", _int32([2, 4, 0])),
        "int64": ("SEQ-3", np.array([2, 4, 0], np.int64)),
        "none": ("SEQ-1", None),
    }
    for name, (clauses, lengths) in forms.items():
        yield vector(f"forms/{name}", clauses, one(tally(), inputs, dtype="float32", sequence_length=lengths))
    for name, first in (("2**31", 2**31), ("2**32+1", 2**32 + 1), ("2**62", 2**62)):
        lengths = np.array([first, 2, 4], np.int64)
        instead = Like(one(tally(), inputs, dtype="float32", sequence_length=np.array([4, 2, 4], np.int64)))
        reason = "TensorFlow narrows the lengths to int32"
        case = one(tally(), inputs, dtype="float32", sequence_length=lengths)
        yield vector(f"forms/{name}", "SEQ-11", case, overruled=overruled("SEQ-11", reason, instead))
    nothing = one(tally(), whole(rng, (1, 3, 2)), dtype="float32", sequence_length=[2])
    yield vector("forms/one-row", "SEQ-19 SEQ-4", nothing)
    empty = one(tally(), whole(rng, (3, 1, 2)), dtype="float32", sequence_length=[1, 0, 1])
    yield vector("forms/one-step", "SEQ-9 CELL-4", empty)


def _rows() -> Iterator[Definition]:
    rng = rng_of("rows")
    inputs, lengths = whole(rng, (3, STEPS, 2)), _int32([3, 0, 4])
    state = state_of(rng, SIZES[0], 3)

    def picked(rows: list[int]) -> Case:
        chosen = map_structure(lambda leaf: leaf[rows], state)
        arguments = {"sequence_length": lengths[rows], "initial_state": chosen, "dtype": "float32"}
        return one(tally(*SIZES), inputs[rows], **arguments)

    for rows in ([0, 1, 2], [2, 0, 1], [0], [1], [2], [1, 1, 0, 2]):
        yield vector(f"rows/{'-'.join(map(str, rows))}", "SEQ-22", picked(rows))


def _padding() -> Iterator[Definition]:
    nan, inf = float("nan"), float("inf")
    payload = np.frombuffer(np.array([0xFFC12345, 0x7FC00001], np.uint32).tobytes(), np.float32)
    for name, fill in (("zero", 0.0), ("huge", 1e30), ("nan", nan), ("inf", inf), ("minus-inf", -inf)):
        rng = rng_of("padding")
        inputs, lengths = whole(rng, (3, STEPS, 2)), _int32([2, 0, 4])
        padded = inputs.copy()
        for row, length in enumerate(lengths):
            padded[row, length:] = fill
        arguments: dict[str, Any] = {"sequence_length": lengths, "dtype": "float32"}
        for kind, cell in (("echo", echo(2)), ("last-input", last_input(2)), ("tally", tally())):
            case = one(cell, padded, **arguments)
            yield vector(f"padding/{name}-{kind}", "SEQ-12 SEQ-5 SEQ-13", case)
    minus = -np.zeros((2, 3, 2), np.float32)
    case = one(echo(2), minus, sequence_length=_int32([1, 0]), dtype="float32")
    yield vector("padding/minus-zero", "SEQ-13 SEQ-8", case)
    for name, pattern in (("payload", payload), ("minus-zero", -np.zeros(2, np.float32))):
        rng = rng_of(f"bits/{name}")
        inputs = whole(rng, (2, 3, 2))
        inputs[0, 1] = pattern
        state = np.stack([pattern, pattern])
        case = one(last_input(2), inputs, sequence_length=_int32([2, 0]), initial_state=state)
        yield vector(f"bits/{name}-state", "SEQ-23 SEQ-9", case)


def _scalars() -> Iterator[Definition]:
    cell = CellSpec("probe:ScalarCounter", {})
    for pattern in ("full", "ragged", "zero", "all-zero", "early"):
        inputs = whole(rng_of("scalars"), (3, STEPS, 2))
        for dtype in ("float32", "int32"):
            case = one(cell, inputs, sequence_length=_int32(PATTERNS[pattern][0]), dtype=dtype)
            yield vector(f"scalars/{pattern}-{dtype}", "SEQ-21 CELL-9", case)


def _refused() -> Iterator[Definition]:
    rng = rng_of("refused")
    inputs = whole(rng, (3, STEPS, 2))
    wrong: list[tuple[str, str, Any, str]] = [
        ("number", "SEQ-16", 2, ""),
        ("false", "SEQ-16", False, ""),
        ("rank-0", "SEQ-16", np.array(2, np.int32), ""),
        ("rank-2", "SEQ-16", _int32([[1, 2, 3]]), ""),
        ("size-1", "SEQ-17", _int32([2]), ""),
        ("size-2", "SEQ-17", _int32([2, 1]), ""),
        ("size-4", "SEQ-17", np.array([1, 2, 3, 4], np.int64), ""),
        ("list-of-2", "SEQ-17", [1, 2], ""),
        ("empty", "SEQ-17", np.zeros(0, np.int32), ""),
    ]
    for name, clause, lengths, _ in wrong:
        case = one(tally(), inputs, dtype="float32", sequence_length=lengths)
        yield vector(f"refused/{name}", clause, case)
    for dtype in ("float32", "float64", "float16", "bool", "int16", "int8", "uint8", "uint16", "complex64"):
        case = one(tally(), inputs, dtype="float32", sequence_length=np.array([1, 0, 1], dtype))
        reason = f"TensorFlow casts {dtype} to int32"
        yield vector(f"refused/{dtype}", "SEQ-18", case, overruled=overruled("SEQ-18", reason, Refused("TypeError")))
    listed: list[tuple[str, Any]] = [("list-of-floats", [1.5, 2.0, 1.0]), ("list-of-bools", [True, False, True])]
    for name, lengths in listed:
        case = one(tally(), inputs, dtype="float32", sequence_length=lengths)
        reason = "TensorFlow casts what the list holds to int32"
        yield vector(f"refused/{name}", "SEQ-18", case, overruled=overruled("SEQ-18", reason, Refused("TypeError")))
