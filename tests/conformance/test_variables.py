"""Tests that the names that the suite expects are those that TensorFlow 1.4.1 was recorded to make."""

import numpy as np
import pytest

from conformance.law.laws import Check, Unsupported
from conformance.model.variables import expected_shapes, names_after, shapes_of, variables
from conformance.strategies.builtin import builtin_case
from conformance.strategies.frame import Frame
from conformance.vectors import stored
from dynamic_rnn_spec.case import Answer, Case, CellSpec, Outcome, VariableRecord


def test_an_lstm_with_all_options() -> None:
    options = {"num_units": 4, "num_proj": 3, "use_peepholes": True, "num_unit_shards": 3, "num_proj_shards": 2}
    assert expected_shapes(CellSpec("LSTMCell", options), depth=5, scope="s") == [
        ("s/lstm_cell/kernel/part_0", (3, 16)),
        ("s/lstm_cell/kernel/part_1", (3, 16)),
        ("s/lstm_cell/kernel/part_2", (2, 16)),
        ("s/lstm_cell/bias", (16,)),
        ("s/lstm_cell/w_f_diag", (4,)),
        ("s/lstm_cell/w_i_diag", (4,)),
        ("s/lstm_cell/w_o_diag", (4,)),
        ("s/lstm_cell/projection/kernel/part_0", (2, 3)),
        ("s/lstm_cell/projection/kernel/part_1", (2, 3)),
    ]


def test_the_names_are_those_of_the_record() -> None:
    seen = 0
    for vector in stored.load():
        clauses = {"VAR-1", "VAR-2", "VAR-3", "VAR-4", "VAR-5", "VAR-6", "VAR-15"} & set(vector.clauses)
        simple = set(vector.case.calls[0].arguments) <= {"cell", "inputs", "dtype", "sequence_length", "initial_state"}
        if not clauses or len(vector.case.calls) != 1 or vector.case.calls[0].outer_scopes or not simple:
            continue
        (spec, *others), answer = vector.case.cells.values(), vector.outcome.answers[0]
        if others or answer.kind != "returned" or vector.outcome.variables is None:
            continue
        depth = vector.case.calls[0].arguments["inputs"].shape[-1]
        assert shapes_of(vector.outcome.variables) == expected_shapes(spec, depth), vector.name
        seen += 1
    assert seen > 50


def _check(outcome: Outcome) -> Check:
    return Check(lambda case: outcome, lambda case: outcome)


def test_variables_are_told_or_unsupported() -> None:
    case: Case = builtin_case(Frame())
    record = VariableRecord("rnn/basic_rnn_cell/bias", np.zeros(2))
    told = _check(Outcome([Answer.returned(0, 0, variables=["a"])], [record]))
    assert shapes_of(variables(told, case)) == [("rnn/basic_rnn_cell/bias", (2,))]
    assert names_after(told, case, 0) == ["a"]
    silent = _check(Outcome([Answer.returned(0, 0)]))
    with pytest.raises(Unsupported):
        variables(silent, case)
    with pytest.raises(Unsupported):
        names_after(silent, case, 0)
