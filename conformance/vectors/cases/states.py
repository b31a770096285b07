"""Defines the vectors of initial_state and dtype: what is accepted, what it gives, and what is refused."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.vectors.cases.making import (
    FLOATS,
    Definition,
    Like,
    Refused,
    echo,
    fractions,
    last_input,
    one,
    overruled,
    rng_of,
    start_of,
    state_of,
    tally,
    vector,
    weights_of,
    whole,
)
from dynamic_rnn_spec.case import CellSpec, DType, Wrong, namedtuple_type
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

PAIR = namedtuple_type("Pair", ("left", "right"))
SIZES: dict[str, tuple[str, Any]] = {
    "int": ("INIT-2 STATE-1", 3),
    "tuple": ("INIT-3 STATE-3", (2, 1)),
    "one-tuple": ("INIT-3 STATE-3", (2,)),
    "nested": ("INIT-5 STATE-3", (2, (1, (3,)))),
    "shape": ("INIT-6 STATE-2", TensorShape([2, 3])),
    "scalar-shape": ("INIT-6 STATE-2", TensorShape([])),
    "shapes": ("INIT-6 INIT-5 STATE-3", (TensorShape([2, 1]), (1, TensorShape([])))),
    "lstm": ("INIT-3 STATE-5", LSTMStateTuple(2, 2)),
    "stack": ("INIT-5 STATE-4", (LSTMStateTuple(2, 2), LSTMStateTuple(1, 1))),
    "list": ("INIT-5", [2, 1]),
    "dict": ("INIT-5", {"b": 2, "a": TensorShape([1, 2])}),
    "namedtuple": ("INIT-5", PAIR(2, (1, 1))),
}


def definitions() -> Iterator[Definition]:
    """All of this section."""
    yield from _taken()
    yield from _plain_tuples()
    yield from _refused_states()
    yield from _empty()
    yield from _dtypes()
    yield from _dtype_missing()
    yield from _dtype_refused()


def _taken() -> Iterator[Definition]:
    for name, (clauses, size) in SIZES.items():
        rng = rng_of(f"state/{name}")
        inputs, lengths = whole(rng, (2, 3, 2)), np.array([3, 1], np.int32)
        state = state_of(rng, size, 2)
        yield vector(f"state/{name}", clauses, one(tally(size), inputs, initial_state=state))
        ragged = one(tally(size), inputs, initial_state=state, sequence_length=lengths, dtype="float32")
        yield vector(f"state/{name}-ragged", f"{clauses} SEQ-4", ragged)
        missing = one(tally(size), inputs, sequence_length=lengths, dtype="float32")
        yield vector(f"state/{name}-missing", "INIT-1 INIT-7 DTYPE-1 SEQ-4", missing)


def _plain_tuples() -> Iterator[Definition]:
    lstm = CellSpec("LSTMCell", {"num_units": 2})
    stack = CellSpec("MultiRNNCell", {}, [lstm, CellSpec("BasicLSTMCell", {"num_units": 3})])
    reason = "TensorFlow wants the very type of tuple that the cell returns"
    for name, cell in (("lstm", lstm), ("stack", stack)):
        for lengths in (None, [3, 1]):
            text = f"plain-tuple/{name}-{'all' if lengths is None else 'ragged'}"
            rng = rng_of(text)
            inputs, named, weights = fractions(rng, (2, 3, 2)), start_of(rng, cell, 2), weights_of(rng, cell, 2)
            plain = tuple(named) if name == "lstm" else tuple(tuple(part) for part in named)
            arguments: dict[str, Any] = {} if lengths is None else {"sequence_length": lengths}
            twin = Like(one(cell, inputs, weights, initial_state=named, **arguments))
            case = one(cell, inputs, weights, initial_state=plain, **arguments)
            yield vector(text, "INIT-4", case, overruled=overruled("INIT-4", reason, twin))
            yield vector(f"{text}-named", "INIT-4 STATE-4 STATE-5", twin.case)
    rng = rng_of("plain-tuple/probe")
    size = LSTMStateTuple(2, 2)
    inputs, named = whole(rng, (2, 3, 2)), state_of(rng, size, 2)
    twin = Like(one(tally(size), inputs, initial_state=named))
    case = one(tally(size), inputs, initial_state=tuple(named))
    yield vector("plain-tuple/probe", "INIT-4", case, overruled=overruled("INIT-4", reason, twin))


def _refused_states() -> Iterator[Definition]:
    rng = rng_of("refused")
    inputs = whole(rng, (2, 3, 2))
    a, b = whole(rng, (2, 2)), whole(rng, (2, 1))
    wrong: list[tuple[str, str, Any, Any]] = [
        ("depth", "INIT-8", 3, a),
        ("batch", "INIT-8", 2, whole(rng, (3, 2))),
        ("rank-1", "INIT-8", 2, whole(rng, (2,))),
        ("rank-3", "INIT-8", 2, whole(rng, (2, 2, 1))),
        ("one-row", "INIT-8", 2, whole(rng, (1, 2))),
        ("member", "INIT-8", (2, 1), (a, a)),
        ("too-few", "INIT-9", (2, 1), (a,)),
        ("too-many", "INIT-9", (2, 1), (a, b, b)),
        ("list-for-tuple", "INIT-9", (2, 1), [a, b]),
        ("tuple-for-list", "INIT-9", [2, 1], (a, b)),
        ("dict-for-tuple", "INIT-9", (2, 1), {"a": a, "b": b}),
    ]
    for name, clause, size, state in wrong:
        yield vector(f"refused/{name}", clause, one(tally(size), inputs, initial_state=state, dtype="float32"))
    never = "TensorFlow never compares the state with state_size"
    for name, state in (("depth", a), ("batch", whole(rng, (3, 1))), ("rank-0", np.float32(1) * np.ones(()))):
        case = one(echo(2), inputs, initial_state=state.astype(np.float32), dtype="float32")
        instead = overruled("INIT-8", never, Refused("ValueError"))
        yield vector(f"refused/{name}-unseen", "INIT-8", case, overruled=instead)
    others: list[tuple[str, Any]] = [
        ("container-for-array", (a,)),
        ("number", 1.0),
        ("numbers", [[1.0, 2.0], [3.0, 4.0]]),
    ]
    for name, state in others:
        case = one(tally(), inputs, initial_state=state, dtype="float32")
        yield vector(f"refused/{name}", "INIT-9", case, overruled=overruled("INIT-9", never, Refused("TypeError")))


def _empty() -> Iterator[Definition]:
    for name, size in (("tuple", ()), ("list", [])):
        inputs = whole(rng_of(f"empty/{name}"), (2, 3, 2))
        cell = tally(size)
        for lengths in (None, [1, 3]):
            text = f"empty/{name}-{'all' if lengths is None else 'ragged'}"
            # only running one at a time keeps the steps of a cell without state in order
            arguments: dict[str, Any] = {"parallel_iterations": 1}
            arguments.update({} if lengths is None else {"sequence_length": lengths})
            yield vector(text, "INIT-11", one(cell, inputs, dtype="float32", **arguments))
            given = one(cell, inputs, initial_state=size, dtype="float32", **arguments)
            yield vector(f"{text}-given", "INIT-11", given)
            missing = one(cell, inputs, initial_state=size, **arguments)
            reason = "TensorFlow infers no dtype from an empty state"
            yield vector(f"{text}-no-dtype", "DTYPE-6", missing, overruled=overruled("DTYPE-6", reason, Like(given)))


def _dtypes() -> Iterator[Definition]:
    for dtype in (*FLOATS, "int32", "int64", "int8", "complex64", "bool"):
        rng = rng_of(f"dtype/{dtype}")
        inputs = whole(rng, (2, 3, 2))
        for form in ("name", "dtype", "type"):
            named = dtype if form == "name" else DType(dtype, form)
            clauses = "DTYPE-1 DTYPE-2 DTYPE-11"
            case = one(tally((2, TensorShape([2])), (3, 1)), inputs, dtype=named, sequence_length=[3, 1])
            other = None
            if (dtype, form) == ("bool", "type"):
                same = one(tally((2, TensorShape([2])), (3, 1)), inputs, dtype=dtype, sequence_length=[3, 1])
                other = overruled("DTYPE-11", "TensorFlow does not know NumPy's bool type", Like(same))
            yield vector(f"dtype/{dtype}-{form}", clauses, case, overruled=other)
        state = state_of(rng, (2, 1), 2, dtype)
        case = one(tally((2, 1)), inputs, initial_state=state, sequence_length=[0, 2])
        yield vector(f"dtype/{dtype}-inferred", "DTYPE-9 DTYPE-8 DTYPE-5", case)
    for state_dtype, dtype in (("int32", "float32"), ("float64", "float32"), ("float32", "float64"), ("int8", "int32")):
        for lengths in (None, [0, 2]):
            text = f"dtype/{state_dtype}-state-{dtype}-{'all' if lengths is None else 'ragged'}"
            rng = rng_of(text)
            cell, inputs = tally(output_dtype=dtype), whole(rng, (2, 3, 2))
            arguments: dict[str, Any] = {} if lengths is None else {"sequence_length": lengths}
            arguments.update(initial_state=whole(rng, (2, 2), state_dtype))
            given = one(cell, inputs, dtype=dtype, **arguments)
            yield vector(text, "DTYPE-8 DTYPE-2", given)
            reason = "TensorFlow takes the state's dtype for the outputs'"
            case = one(cell, inputs, **arguments)
            yield vector(f"{text}-no-dtype", "DTYPE-5", case, overruled=overruled("DTYPE-5", reason, Like(given)))


def _dtype_missing() -> Iterator[Definition]:
    rng = rng_of("missing")
    inputs = whole(rng, (2, 3, 2))
    cells = {"tally": tally(), "last-input": last_input(2), "gru": CellSpec("GRUCell", {"num_units": 2})}
    for name, cell in cells.items():
        yield vector(f"missing/{name}", "DTYPE-3", one(cell, inputs))
        yield vector(f"missing/{name}-none", "DTYPE-3", one(cell, inputs, dtype=None, initial_state=None))
    mixed = (whole(rng, (2, 2), "int32"), whole(rng, (2, 1), "float32"))
    cell = tally((2, 1), 3, state_dtypes=("int32", "float32"), output_dtype="float32")
    yield vector("missing/mixed-state", "DTYPE-4", one(cell, inputs, initial_state=mixed))
    case = one(cell, inputs, initial_state=mixed, dtype="float32", sequence_length=[2, 0])
    yield vector("missing/mixed-state-given", "DTYPE-7 DTYPE-8", case)


def _dtype_refused() -> Iterator[Definition]:
    inputs = whole(rng_of("dtype-refused"), (2, 3, 2))
    wrong: list[tuple[str, Any]] = [(what, Wrong(what)) for what in ("float type", "object")]
    wrong += [("word", "no_such_dtype"), ("int type", Wrong("int type")), ("complex type", Wrong("complex type"))]
    for name, dtype in wrong:
        case = one(tally(), inputs, dtype=dtype)
        yield vector(f"dtype-refused/{name.replace(' ', '-')}", "DTYPE-12", case)
    known = overruled("DTYPE-13", "TensorFlow knows Python's bool type", Refused("TypeError"))
    case = one(tally(), inputs, dtype=Wrong("bool type"))
    yield vector("dtype-refused/bool-type", "DTYPE-13", case, overruled=known)
    late = overruled("DTYPE-10", "TensorFlow notices only when the graph runs", Refused("TypeError"))
    for dtype in ("float64", "float16", "int32"):
        case = one(tally(output_dtype=dtype), inputs, dtype="float32")
        yield vector(f"dtype-refused/output-{dtype}", "DTYPE-10", case, overruled=late)
        case = one(tally(output_dtype=dtype), inputs, dtype="float32", sequence_length=[1, 3])
        yield vector(f"dtype-refused/output-{dtype}-ragged", "DTYPE-10", case)
