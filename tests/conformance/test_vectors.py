"""Tests the recorded vectors, how an outcome is judged by them, and how they are recorded, with fakes in place of
TensorFlow."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.vectors import record, stored, verify
from conformance.vectors.cases import SECTIONS, Definition, Like, Overruled, Refused, definitions
from conformance.vectors.stored import Instead, Vector
from conformance.vectors.verify import AGREES, DISAGREES, OVERRULED
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Answer, Call, Case, CellRef, CellSpec, FormatError, Outcome, Raised, VariableRecord
from dynamic_rnn_spec.page.clauses import load as load_clauses
from dynamic_rnn_spec.vocabulary.structure import flatten

RECORDED = stored.load()
INPUTS = np.zeros((2, 3, 2), np.float32)


def a_case(kind: str = "probe:Tally", steps: int = 3) -> Case:
    arguments = {"cell": CellRef("cell"), "inputs": INPUTS[:, :steps], "dtype": "float32"}
    return Case({"cell": CellSpec(kind, {"num_units": 2})}, [Call(arguments)])


def returned(outputs: Any, variables: Any = (), **told: Any) -> Outcome:
    return Outcome([Answer.returned(outputs, np.zeros((2, 2), np.float32), **told)], variables)


def raised(kind: str) -> Outcome:
    return Outcome([Answer("raised", error=Raised(kind, kind, ""))], ())


def a_vector(outcome: Outcome, compare: str = "all", kind: str = "probe:Tally", instead: Any = None) -> Vector:
    overruled = None if instead is None else Instead(("IN-7",), "a reason", instead)
    return Vector("section/name", ("IN-7",), compare, a_case(kind), outcome, overruled)


ONES = np.ones((2, 3, 3), np.float32)


# What is recorded.


def test_there_are_at_least_300_vectors_in_less_than_5_megabytes() -> None:
    size = sum(len(entry.read_bytes()) for entry in stored.folder().iterdir())

    assert len(RECORDED) >= 300
    assert size < 5_000_000


def test_the_recorded_cases_are_those_that_are_defined() -> None:
    defined = {f"{section}/{one.name}": one for section in SECTIONS for one in definitions(section)}

    assert [vector.name for vector in RECORDED if vector.name not in defined] == []
    assert sorted(defined) == sorted(vector.name for vector in RECORDED)
    assert [v.name for v in RECORDED if v.case.digest() != defined[v.name].case.digest()] == []
    assert [v.name for v in RECORDED if v.clauses != defined[v.name].clauses] == []
    assert [v.name for v in RECORDED if v.compare != defined[v.name].compare] == []


def test_vectors_name_known_clauses_and_those_that_overrule_are_among_their_own() -> None:
    known = set(load_clauses())
    overruling = [(vector.name, vector.clauses, vector.overruled_by) for vector in RECORDED if vector.overruled_by]

    assert {clause for vector in RECORDED for clause in vector.clauses} - known == set()
    assert [name for name, clauses, by in overruling if not set(by.clauses) <= set(clauses)] == []


def test_every_equation_has_six_vectors_and_every_clause_of_variables_two() -> None:
    count = Counter(clause for vector in RECORDED for clause in vector.clauses)

    assert [i for i in range(1, 23) if count[f"EQ-{i}"] < 6] == []
    assert [i for i in range(1, 17) if count[f"VAR-{i}"] < 2] == []


def test_there_are_120_vectors_of_gradients_and_every_clause_that_tensorflow_can_witness_has_some() -> None:
    pulled = [vector for vector in RECORDED if vector.name.startswith("gradients/")]
    count = Counter(clause for vector in pulled for clause in vector.clauses)
    asked = [call.cotangents for vector in pulled for call in vector.case.calls]

    assert len(pulled) >= 120
    assert [vector.name for vector in pulled if not vector.has_gradients] == []
    assert None not in asked
    assert [i for i in range(1, 18) if count[f"GRAD-{i}"] < 4] == []
    assert {vector.overruled_by.clauses for vector in pulled if vector.overruled_by} == {("GRAD-6",), ("GRAD-12",)}


def test_nan_in_the_padding_is_in_tensorflow_s_gradients_and_in_none_that_a_subject_is_held_to() -> None:
    poisoned = [vector for vector in RECORDED if vector.overruled_by and vector.overruled_by.clauses == ("GRAD-12",)]

    for vector in poisoned:
        (theirs,), (wanted,) = vector.outcome.answers, vector.expected.answers
        assert theirs.gradients is not None
        assert wanted.gradients is not None
        assert any(not np.isfinite(gradient).all() for gradient in theirs.gradients.variables.values()), vector.name
        assert all(np.isfinite(leaf).all() for leaf in flatten(tuple(wanted.gradients))), vector.name
    assert len(poisoned) >= 10


def test_no_text_of_an_error_and_no_random_value_is_recorded() -> None:
    answers = [(vector, answer) for vector in RECORDED for answer in vector.outcome.answers]
    random = [vector for vector in RECORDED if vector.compare == "shapes"]

    assert [vector.name for vector, answer in answers if answer.error is not None and answer.error.message] == []
    assert [v.name for v in random if any(record.value.any() for record in v.outcome.variables or ())] == []


def test_the_vectors_of_a_clause_are_those_that_name_it() -> None:
    found = stored.for_clause("IN-7")

    assert [vector.name for vector in found] == [v.name for v in RECORDED if "IN-7" in v.clauses]
    assert {vector.overruled_by.clauses for vector in found if vector.overruled_by} == {("IN-7",)}


def test_a_vector_goes_to_json_and_back() -> None:
    for vector in (RECORDED[0], a_vector(returned(ONES), instead=raised("ValueError"))):
        assert Vector.from_json(json.loads(json.dumps(vector.to_json()))) == vector


def test_another_format_is_refused() -> None:
    data = {**RECORDED[0].to_json(), "format": 2}

    with pytest.raises(FormatError, match="no vector of format 1"):
        Vector.from_json(data)


# Verdicts.


def test_an_outcome_that_is_the_same_agrees() -> None:
    assert verify.judge(a_vector(returned(ONES)), returned(ONES)).verdict == AGREES


@pytest.mark.parametrize(
    ("got", "detail"),
    [
        (returned(ONES * 2), "at result[0][0, 0, 0]: expected 1.0, got 2.0; 18 of 18 elements differ"),
        (returned(np.nextafter(ONES, 2)), "18 of 18 elements differ"),
        (returned(ONES.astype(np.float64)), "expected dtype float32, got float64"),
        (returned(ONES[:, :2]), "expected shape (2, 3, 3), got (2, 2, 3)"),
        (returned([ONES]), "expected an array of shape (2, 3, 3), got a list of 1"),
        (raised("ValueError"), "expected returned, got raised ValueError"),
        (Outcome([Answer("crashed", what="exit status 7")], ()), "expected returned, got crashed exit status 7"),
        (Outcome([Answer.unsupported("GRUCell", "none")], ()), "expected returned, got unsupported GRUCell"),
        (Outcome([], ()), "0 answers to 1 calls"),
        (returned(ONES, variables=[VariableRecord("a", ONES)]), "expected the variables [], got ['a']"),
    ],
)
def test_an_outcome_that_differs_disagrees_and_says_where(got: Outcome, detail: str) -> None:
    judged = verify.judge(a_vector(returned(ONES)), got)

    assert judged.verdict == DISAGREES
    assert detail in judged.detail


def test_an_array_that_was_changed_disagrees() -> None:
    got = Outcome([returned(ONES).answers[0].replace(changed=["inputs"])], ())

    assert verify.judge(a_vector(returned(ONES)), got).detail == "the call changed inputs"


def test_of_an_error_its_kind_counts_and_nothing_else() -> None:
    vector = a_vector(raised("ValueError"))
    mine = Outcome([Answer("raised", error=Raised("ValueError", "my.Error", "what I say", "after"))], ())

    assert verify.judge(vector, mine).verdict == AGREES
    assert verify.judge(vector, raised("TypeError")).detail == "expected raised ValueError, got raised TypeError"


def test_a_trace_counts_where_both_sides_tell_it() -> None:
    event = {"event": "call", "positional": 2, "keywords": [], "inputs": ONES[:, 0], "state": None}
    told = Outcome([returned(ONES).answers[0].replace(trace=[event])], ())
    other = Outcome([returned(ONES).answers[0].replace(trace=[{**event, "positional": 3}])], ())
    vector = a_vector(told)

    assert verify.judge(vector, returned(ONES)).verdict == AGREES
    assert verify.judge(vector, told).verdict == AGREES
    assert "trace[0]['positional']" in verify.judge(vector, other).detail


def test_built_in_cells_have_a_tolerance_and_probes_have_none() -> None:
    near = returned(ONES + np.float32(2e-7))

    assert verify.judge(a_vector(returned(ONES), kind="LSTMCell"), near).verdict == AGREES
    assert verify.judge(a_vector(returned(ONES), kind="probe:Tally"), near).verdict == DISAGREES


@pytest.mark.parametrize(("dtype", "cap"), [("float16", 4e-3), ("float32", 1e-6), ("float64", 1e-13)])
def test_no_vector_is_looser_than_its_cap(dtype: str, cap: float) -> None:
    assert max(verify.allowed(vector.case, dtype) for vector in RECORDED) <= cap


def test_gradients_count_within_the_tolerance_of_gradients() -> None:
    exact, small = ONES * 100, np.zeros_like(ONES)
    vector = a_vector(returned(ONES, gradients=Gradients(exact, None, {"a": small})), kind="LSTMCell")

    def verdict(inputs: Any, variables: Any) -> str:
        found = returned(ONES, gradients=Gradients(inputs, None, variables))
        return verify.judge(vector, found).verdict

    assert vector.has_gradients
    assert verdict(exact + np.float32(1e-4), {"a": small}) == AGREES
    assert verdict(exact + np.float32(1e-3), {"a": small}) == DISAGREES
    assert verdict(exact, {"a": small + np.float32(1e-4)}) == DISAGREES
    assert verdict(exact, {"b": small}) == DISAGREES
    assert verdict(exact, {"a": None}) == DISAGREES


def test_gradients_of_probes_are_exact_but_for_the_sign_of_a_zero() -> None:
    vector = a_vector(returned(ONES, gradients=Gradients(ONES * 0, None, {})))

    def detail(inputs: Any) -> str:
        return verify.judge(vector, returned(ONES, gradients=Gradients(inputs, None, {}))).detail

    assert detail(ONES * -0.0) == ""
    assert "at gradients[0][0, 0, 0]: expected 0.0" in detail(ONES * np.float32(1e-30))
    assert verify.judge(vector, returned(ONES)).detail == "expected gradients"
    assert verify.judge(a_vector(returned(ONES)), vector.outcome).detail == "expected no gradients"


@pytest.mark.parametrize(("dtype", "cap"), [("float16", 6e-3), ("float32", 3e-6), ("float64", 2e-14)])
def test_no_gradient_is_looser_than_its_cap(dtype: str, cap: float) -> None:
    assert max(verify.gradient_allowed(vector.case, dtype) for vector in RECORDED if vector.has_gradients) <= cap


def test_where_values_are_random_only_shapes_and_dtypes_count() -> None:
    expected = returned(ONES, variables=[VariableRecord("a", ONES)])
    vector = a_vector(expected, compare="shapes")

    assert verify.judge(vector, returned(ONES * 3, variables=[VariableRecord("a", ONES * 2)])).verdict == AGREES
    assert verify.judge(vector, returned(ONES, variables=[VariableRecord("a", ONES[0])])).verdict == DISAGREES
    assert verify.judge(vector, returned(ONES[0], variables=[VariableRecord("a", ONES)])).verdict == DISAGREES


def test_a_variable_counts_with_its_value_and_whether_it_is_trained() -> None:
    vector = a_vector(returned(ONES, variables=[VariableRecord("a", ONES)]))

    assert verify.judge(vector, returned(ONES, variables=[VariableRecord("a", ONES * 2)])).verdict == DISAGREES
    assert verify.judge(vector, returned(ONES, variables=[VariableRecord("a", ONES, False)])).detail == (
        "a: expected trainable True, got False"
    )


def test_where_a_clause_overrules_tensorflow_a_subject_is_held_to_the_clause() -> None:
    vector = a_vector(raised("other"), instead=raised("ValueError"))

    kept = verify.judge(vector, raised("ValueError"))
    sided = verify.judge(vector, raised("other"))
    neither = verify.judge(vector, raised("TypeError"))

    assert (kept.verdict, kept.detail) == (OVERRULED, "IN-7: a reason")
    assert (sided.verdict, sided.detail) == (DISAGREES, "does as TensorFlow does, against IN-7: a reason")
    assert (neither.verdict, neither.detail) == (
        DISAGREES,
        "expected raised ValueError, got raised TypeError, against IN-7: a reason",
    )


class Fake:
    """Gives the outcome that it was told for a case, and else returns ones."""

    name = "fake"

    def __init__(self, told: dict[str, Outcome] | None = None) -> None:
        self.told = told or {}

    def run(self, case: Case) -> Outcome:
        return self.told.get(case.digest(), Outcome.of(Answer.returned(ONES, ONES), case))

    def describe(self) -> dict[str, Any]:
        return {"name": self.name}

    def close(self) -> None:
        """Nothing is held."""


def test_verify_runs_every_vector_and_the_summary_counts_and_names_them() -> None:
    agreeing, differing = a_vector(returned(ONES)), a_vector(raised("TypeError"))
    overruled = a_vector(raised("other"), instead=returned(ONES))
    subject = Fake({a_case().digest(): returned(ONES)})

    results = verify.verify(subject, [agreeing, differing, overruled])

    assert [result.verdict for result in results] == [AGREES, DISAGREES, OVERRULED]
    assert verify.summary(results) == (
        "1 vectors agree, 1 overruled, 1 disagree; 0 of 3 have gradients\n"
        "  overruled: section/name: IN-7: a reason\n"
        "  disagrees: section/name: expected raised TypeError, got returned"
    )


# Recording.


@pytest.fixture
def two_sections(monkeypatch: pytest.MonkeyPatch) -> list[Definition]:
    made = [Definition("one", ("IN-1",), a_case()), Definition("two", ("IN-2",), a_case(steps=2))]
    monkeypatch.setattr(record, "SECTIONS", {"first": None, "second": None})
    monkeypatch.setattr(record, "definitions", lambda section: made)
    return made


def test_recording_twice_gives_the_same_bytes(two_sections: list[Definition], tmp_path: Path) -> None:
    assert record.record(Fake(), tmp_path / "a") == 4
    assert record.record(Fake(), tmp_path / "b") == 4

    first, second = (sorted((tmp_path / name).iterdir()) for name in "ab")
    assert [path.name for path in first] == ["first.jsonl", "second.jsonl"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert [json.loads(line)["name"] for line in first[0].read_text().splitlines()] == ["first/one", "first/two"]


def test_what_is_recorded_agrees_with_its_own_source(two_sections: list[Definition], tmp_path: Path) -> None:
    subject = Fake({a_case().digest(): raised("TypeError")})
    record.record(subject, tmp_path)

    written = [json.loads(line) for path in sorted(tmp_path.iterdir()) for line in path.read_text().splitlines()]
    results = verify.verify(subject, [Vector.from_json(data) for data in written])

    assert [result.verdict for result in results] == [AGREES] * 4


@pytest.mark.parametrize("kind", ["unsupported", "crashed", "timed out"])
def test_a_case_that_is_not_answered_is_not_recorded(two_sections: list[Definition], tmp_path: Path, kind: str) -> None:
    subject = Fake({a_case().digest(): Outcome([Answer(kind, what="x", why="y")])})

    with pytest.raises(ValueError, match=f"first/one: {kind}: x: y"):
        record.record(subject, tmp_path)


def test_an_overruled_case_is_recorded_with_what_is_wanted(two_sections: list[Definition], tmp_path: Path) -> None:
    variables = [VariableRecord("left/behind", ONES)]
    failed = Outcome(
        [Answer("raised", error=Raised("other", "x.Accident", "at 0x7f"), variables=["left/behind"])], variables
    )
    other = a_case("probe:Echo")
    two_sections[0] = Definition("one", ("IN-7",), a_case(), "all", Overruled(("IN-7",), "why", Refused("ValueError")))
    two_sections[1] = Definition("two", ("IN-8",), a_case(), "all", Overruled(("IN-8",), "why", Like(other)))
    record.record(Fake({a_case().digest(): failed}), tmp_path)

    lines = (tmp_path / "first.jsonl").read_text().splitlines()
    refused, like = [Vector.from_json(json.loads(line)) for line in lines]

    assert refused.overruled_by is not None
    assert like.overruled_by is not None
    assert refused.overruled_by.outcome.variables == ()
    assert refused.overruled_by.outcome.answers[0].error == Raised("ValueError", "", "")
    assert like.overruled_by.outcome.answers[0].outputs.tolist() == ONES.tolist()
    assert refused.outcome.answers[0].error == Raised("other", "x.Accident", "")


def test_nothing_is_overruled_where_tensorflow_does_what_is_wanted(
    two_sections: list[Definition], tmp_path: Path
) -> None:
    two_sections[0] = Definition("one", ("IN-7",), a_case(), "all", Overruled(("IN-7",), "why", Refused("ValueError")))

    with pytest.raises(ValueError, match="first/one: TensorFlow gives what IN-7 want; nothing is overruled"):
        record.record(Fake({a_case().digest(): raised("ValueError")}), tmp_path)
