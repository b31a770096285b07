"""Defines the vectors of how a call is written: positions, names, defaults, parallel_iterations, swap_memory,
time_major."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.vectors.cases.making import (
    CELL,
    Definition,
    Like,
    Refused,
    fractions,
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
from dynamic_rnn_spec.case import PARAMETERS, Call, Case, CellSpec, Scope
from dynamic_rnn_spec.vocabulary.structure import map_structure
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

SIZES = ((2, TensorShape([2, 2])), 3)


def definitions() -> Iterator[Definition]:
    """All of this section."""
    yield from _signature()
    yield from _parallel_iterations()
    yield from _swap_memory()
    yield from _time_major()


def _all_nine(rng: np.random.RandomState) -> dict[str, Any]:
    return {
        "cell": CELL,
        "inputs": whole(rng, (4, 3, 2)),
        "sequence_length": np.array([2, 4, 0], np.int32),
        "initial_state": state_of(rng, SIZES[0], 3),
        "dtype": "float32",
        "parallel_iterations": 2,
        "swap_memory": False,
        "time_major": True,
        "scope": Scope("here"),
    }


def _signature() -> Iterator[Definition]:
    for count in range(10):
        name = f"signature/{count}-by-position"
        clause = "SIG-1" if count > 0 else "SIG-2"
        case = Case({"cell": tally(*SIZES)}, [Call(_all_nine(rng_of("signature")), count)])
        yield vector(name, f"{clause} SIG-4 SIG-5 SIG-6", case)
    for index, parameter in enumerate(PARAMETERS[2:], start=2):
        name = f"signature/without-{parameter}"
        given = _all_nine(rng_of(name))
        del given[parameter]
        if parameter == "time_major":
            given["sequence_length"] = np.array([2, 3, 0, 1], np.int32)
            given["initial_state"] = state_of(rng_of(name), SIZES[0], 4)
        case = Case({"cell": tally(*SIZES)}, [Call(given, min(index, 2))])
        yield vector(name, "SIG-3", case)
    defaults: dict[str, Any] = dict.fromkeys(PARAMETERS[2:])
    defaults.update(swap_memory=False, time_major=False, dtype="float32")
    inputs = whole(rng_of("signature/defaults"), (2, 3, 2))
    yield vector("signature/defaults-given", "SIG-3 SEQ-1 INIT-1", one(tally(*SIZES), inputs, **defaults))
    yield vector("signature/defaults-omitted", "SIG-3 SEQ-1 INIT-1", one(tally(*SIZES), inputs, dtype="float32"))


def _a_case(name: str, **arguments: Any) -> Case:
    rng = rng_of(name)
    return one(tally(*SIZES), whole(rng, (3, 4, 2)), sequence_length=np.array([4, 1, 0], np.int32), **arguments)


def _lstm_case(name: str, **arguments: Any) -> Case:
    rng = rng_of(name)
    cell = CellSpec("LSTMCell", {"num_units": 3})
    inputs = fractions(rng, (2, 5, 2))
    weights = weights_of(rng, cell, 2)
    return one(cell, inputs, weights, sequence_length=[5, 3], initial_state=start_of(rng, cell, 2), **arguments)


def _parallel_iterations() -> Iterator[Definition]:
    same = "parallel_iterations"
    for value in (None, 32, 1, 2, 3, 7, 1000):
        clause = "PAR-1 PAR-2" if value in (None, 32) else "PAR-2"
        arguments = {"parallel_iterations": value}
        yield vector(f"{same}/{value}", clause, _a_case(same, dtype="float32", **arguments))
        yield vector(f"{same}/{value}-lstm", clause, _lstm_case(same, **arguments))
    yield vector(f"{same}/omitted", "PAR-1", _a_case(same, dtype="float32"))
    zero = "TensorFlow reads every falsy value as 32"
    wrong: list[tuple[str, Any, str, str]] = [
        ("0", 0, "ValueError", zero),
        ("-1", -1, "ValueError", "TensorFlow raises TypeError from deep inside"),
        ("false", False, "TypeError", zero),
        ("true", True, "TypeError", "TensorFlow reads True as 1"),
        ("empty-text", "", "TypeError", zero),
        ("text", "4", "TypeError", "TensorFlow raises AssertionError"),
        ("float", 4.0, "TypeError", "TensorFlow raises AssertionError"),
    ]
    for name, value, kind, reason in wrong:
        case = _a_case(same, dtype="float32", parallel_iterations=value)
        yield vector(f"{same}/{name}", "PAR-3", case, overruled=overruled("PAR-3", reason, Refused(kind)))
    twin = Like(_a_case(same, dtype="float32", parallel_iterations=4))
    for number in (np.int64(4), np.uint8(4)):
        case = _a_case(same, dtype="float32", parallel_iterations=number)
        reason = "TensorFlow raises AssertionError for an integer of NumPy"
        yield vector(f"{same}/{number.dtype.name}", "PAR-4", case, overruled=overruled("PAR-4", reason, twin))


def _swap_memory() -> Iterator[Definition]:
    same = "swap_memory"
    yield vector(f"{same}/omitted", "SWAP-1", _a_case(same, dtype="float32"))
    for value in (False, True, np.bool_(True)):
        text = f"{value}{'-numpy' if isinstance(value, np.bool_) else ''}".lower()
        yield vector(f"{same}/{text}", "SWAP-2", _a_case(same, dtype="float32", swap_memory=value))
        yield vector(f"{same}/{text}-lstm", "SWAP-2", _lstm_case(same, swap_memory=value))
    wrong: list[tuple[str, Any]] = [("none", None), ("int", 1), ("float", 0.0), ("text", "no")]
    for name, value in wrong:
        reason = "TensorFlow takes whatever it is given"
        case = _a_case(same, dtype="float32", swap_memory=value)
        yield vector(f"{same}/{name}", "SWAP-3", case, overruled=overruled("SWAP-3", reason, Refused("TypeError")))


def _time_major() -> Iterator[Definition]:
    sizes = ((2, TensorShape([2])), (TensorShape([]), (3, TensorShape([2, 1]))))
    shapes = {"one": ((2,),), "members": ((2,), (3, 2), (1, 2, 2))}
    for name, rows in shapes.items():
        rng = rng_of(f"time_major/{name}")
        members = tuple(whole(rng, (2, 3, *row)) for row in rows)
        inputs: Any = members[0] if name == "one" else (members[0], members[1:])
        state = state_of(rng, sizes[0], 2)
        for flag in (None, False, True, np.bool_(True)):
            given = map_structure(lambda leaf: leaf.swapaxes(0, 1), inputs) if flag else inputs
            arguments: dict[str, Any] = {} if flag is None else {"time_major": flag}
            arguments.update(sequence_length=np.array([1, 3], np.int64), initial_state=state, dtype="float32")
            clauses = "TIME-2 TIME-3 TIME-4 TIME-5" if flag else "TIME-1 TIME-5 IN-1 IN-2 IN-3 IN-4"
            flag_name = "omitted" if flag is None else f"{flag}{'-numpy' if isinstance(flag, np.bool_) else ''}".lower()
            yield vector(f"time_major/{name}-{flag_name}", clauses, one(tally(*sizes), given, **arguments))
    inputs = whole(rng_of("time_major/wrong"), (3, 3, 2))
    wrong: list[tuple[str, Any]] = [("int", 1), ("zero", 0), ("none", None), ("text", "no"), ("float", 1.0)]
    for name, value in wrong:
        reason = "TensorFlow asks only whether the value is true"
        case = one(tally(), inputs, dtype="float32", time_major=value)
        yield vector(f"time_major/{name}", "TIME-6", case, overruled=overruled("TIME-6", reason, Refused("TypeError")))
