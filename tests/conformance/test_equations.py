"""Tests that the suite's own model of the built-in cells gives what TensorFlow 1.4.1 was recorded to give, and what is
computed by hand."""

import math
from typing import Any

import numpy as np
import pytest

from conformance.law.compare import close_difference
from conformance.model.agreement import allowed, expected_pair
from conformance.model.equations import expected
from conformance.strategies.builtin import KINDS, builtin_case, spec_case
from conformance.strategies.derive import with_padding
from conformance.strategies.frame import Frame
from conformance.strategies.lengths import NONE, RAGGED
from conformance.vectors import stored
from conformance.vectors.stored import Vector
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec
from dynamic_rnn_spec.vocabulary.structure import flatten

BUILT_IN = {kind.split()[0] for kind in KINDS if kind[0].isupper()}


def _built_in(spec: Any) -> bool:
    return not isinstance(spec, CellSpec) or (spec.kind in BUILT_IN and all(map(_built_in, spec.children)))


def _modelled(vector: Vector) -> bool:
    """Whether the vector is one call of built-in cells with all their weights, under the default scope."""
    specs = list(vector.case.cells.values())
    answers = vector.outcome.answers
    return (
        vector.compare == "all"
        and any("EQ-" in clause for clause in vector.clauses)
        and len(answers) == 1
        and answers[0].kind == "returned"
        and all(map(_built_in, specs))
        and all(name.startswith("rnn/") for name in vector.case.weights)
        and {variable.name for variable in vector.outcome.variables or ()} == set(vector.case.weights)
    )


MODELLED = [vector for vector in stored.load() if _modelled(vector)]


def test_many_vectors_are_modelled() -> None:
    assert len(MODELLED) > 200
    kinds = {spec.kind for vector in MODELLED for spec in vector.case.cells.values()}
    assert kinds == BUILT_IN


@pytest.mark.parametrize("vector", MODELLED, ids=lambda vector: vector.name)
def test_the_model_gives_what_tensorflow_gave(vector: Vector) -> None:
    _, pair = expected_pair(vector.case)
    near = allowed(vector.case, flatten(vector.case.calls[0].arguments["inputs"])[0].dtype)
    assert close_difference(vector.outcome.answers[0].result, pair, near) is None


def test_a_basic_rnn_by_hand() -> None:
    call = Call({"cell": CellRef("cell"), "inputs": np.array([[[2.0], [3.0]]]), "dtype": "float64"})
    weights = {"rnn/basic_rnn_cell/kernel": np.array([[0.5], [-0.25]]), "rnn/basic_rnn_cell/bias": np.array([0.125])}
    found = expected(Case({"cell": CellSpec("BasicRNNCell", {"num_units": 1})}, [call], weights))
    first = math.tanh(2 * 0.5 + 0.125)
    second = math.tanh(3 * 0.5 - 0.25 * first + 0.125)
    assert found.outputs.tolist() == [[[first], [second]]]
    assert found.state.tolist() == [[second]]


def test_steps_past_the_length_are_never_run() -> None:
    case = builtin_case(Frame(batch=3, steps=4, pattern=RAGGED, raw=9), "LSTMCell")
    plain, poisoned = expected(case), expected(with_padding(case, math.nan))
    assert np.array_equal(plain.outputs, poisoned.outputs)
    assert np.array_equal(plain.state.c, poisoned.state.c)


@pytest.mark.parametrize(
    ("options", "label"),
    [({"cell_clip": 0.01}, "clipped"), ({"num_proj": 2, "proj_clip": 0.001}, "projection clipped"), ({}, None)],
)
def test_what_was_seen_is_told(options: dict[str, float], label: str | None) -> None:
    case = spec_case(
        Frame(batch=2, steps=3, pattern=NONE, given=True), CellSpec("LSTMCell", {"num_units": 2, **options})
    )
    assert expected(case).seen == ({label} if label else set())
