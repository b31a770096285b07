"""Defines the vectors of the order in which wrong arguments are refused, and of what a refused call leaves behind."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from conformance.vectors.cases.making import (
    Definition,
    affine,
    affine_weights,
    call,
    fractions,
    rng_of,
    tally,
    vector,
    weights_of,
    whole,
)
from dynamic_rnn_spec.case import Case, CellSpec

FAULTS: dict[str, dict[str, Any]] = {
    "cell": {"cell": 3},
    "inputs": {"inputs": None},
    "rank": {"sequence_length": np.array([[1, 2]], np.int32)},
    "scope": {"scope": 3},
    "dtype": {"dtype": None},
}


def definitions() -> Iterator[Definition]:
    """All of this section."""
    names = list(FAULTS)
    pairs = [*pairwise(names), *((a, b) for i, a in enumerate(names) for b in names[i + 2 :])]
    for first, second in pairs:
        arguments: dict[str, Any] = {"inputs": whole(rng_of("order"), (2, 3, 2)), "dtype": "float32"}
        arguments.update(FAULTS[second])
        arguments.update(FAULTS[first])
        case = Case({"cell": tally()}, [call(**arguments)])
        yield vector(f"order/{first}-before-{second}", "ERR-4", case)
    yield from _used_again()


def _used_again() -> Iterator[Definition]:
    wrong: dict[str, dict[str, Any]] = {
        "inputs": {"inputs": None},
        "rank": {"sequence_length": np.array(1, np.int32)},
        "dtype": {"dtype": None},
        "scope": {"scope": 3},
    }
    for name, fault in wrong.items():
        rng = rng_of(f"again/{name}")
        good: dict[str, Any] = {"inputs": whole(rng, (2, 3, 2)), "dtype": "float32"}
        case = Case({"cell": affine()}, [call(**{**good, **fault}), call(**good)], affine_weights(rng, 2))
        yield vector(f"again/{name}-affine", "ERR-3", case)
        cell = CellSpec("BasicLSTMCell", {"num_units": 2})
        good.update(inputs=fractions(rng, (2, 3, 2)))
        calls = [call(**good), call(**{**good, **fault}), call(**good)]
        yield vector(f"again/{name}-lstm", "ERR-3", Case({"cell": cell}, calls, weights_of(rng, cell, 2)))
