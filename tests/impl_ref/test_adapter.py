"""Runs the reference as the conformance suite does."""

import numpy as np

from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec, Cotangents
from impl_ref.adapter import implementation


def test_a_case_gives_an_outcome() -> None:
    subject = implementation()
    assert subject.describe() == {"name": "impl_ref", "versions": {"numpy": np.__version__}, "device": "cpu"}
    x = np.ones((1, 2, 3), np.float32)
    call = Call({"cell": CellRef("cell"), "inputs": x, "dtype": "float32"})
    outcome = subject.run(Case({"cell": CellSpec("GRUCell", {"num_units": 2})}, [call, call]))
    assert [answer.kind for answer in outcome.answers] == ["returned", "returned"]
    assert outcome.answers[0].outputs.shape == (1, 2, 2)
    assert outcome.variables is not None
    assert outcome.variables[0].name == "rnn/gru_cell/gates/kernel"


def test_a_refusal_is_an_answer_that_names_its_clause() -> None:
    call = Call({"cell": CellRef("cell"), "inputs": None, "time_major": True})
    case = Case({"cell": CellSpec("BasicRNNCell", {"num_units": 2})}, [call])
    error = implementation().run(case).answers[0].error
    assert error is not None
    assert (error.kind, error.clause, error.argument) == ("ValueError", "IN-6", "inputs")


def test_a_call_with_cotangents_has_gradients() -> None:
    arguments = {"cell": CellRef("cell"), "inputs": np.ones((1, 2, 3), np.float32), "dtype": "float32"}
    call = Call(arguments, cotangents=Cotangents(np.ones((1, 2, 2), np.float32), None))
    answer = implementation().run(Case({"cell": CellSpec("GRUCell", {"num_units": 2})}, [call])).answers[0]
    assert answer.gradients is not None
    assert answer.gradients.inputs.shape == (1, 2, 3)
    assert answer.gradients.initial_state is None
    assert "rnn/gru_cell/gates/kernel" in answer.gradients.variables
    assert (answer.changed, answer.aliased) == ((), ())
