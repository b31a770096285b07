"""Tests that a planted defect is caught by its own clause's assertion only, and that a stale or unfair list of them is
refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from conformance import mutants
from conformance.commands import mutants as command
from conformance.law import registry
from conformance.law.engine import Settings
from conformance.mutants import Mutant, MutantError, trial
from conformance.mutants.trial import Finding, Trial
from dynamic_rnn_spec.case import Answer, Case, Outcome
from dynamic_rnn_spec.page import clauses

QUICK = Settings(profile="smoke", shrink=False)
ARITHMETIC = "toy_impl/arithmetic.py"


def mutant(id: str = "one", clause: str = "SEQ-5", find: str = "zero = 0.0", replace: str = "zero = 1.0") -> Mutant:
    """A defect of the toy."""
    return Mutant(id, clause, "a note", ARITHMETIC, find, replace)


def tried(planted: Mutant) -> Finding:
    """What became of it."""
    return trial.run(Trial(planted.clause, planted, QUICK, "toy_laws", planted.package))


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        (mutant(), "caught"),
        (mutant(replace="zero = -0.0"), "caught"),
        (mutant(replace="zero = 0.00"), "escaped"),
        (mutant(replace="zero = 1 / 0"), "elsewhere"),
        (mutant(find="return inputs", replace="return inputs + 1"), "escaped"),
        (mutant(clause="SEQ-13", find="return inputs", replace="return inputs + 1"), "caught"),
        (mutant(clause="SEQ-6"), "escaped"),
    ],
    ids=["source", "minus zero", "equivalent", "worker dies", "another clause's", "listed", "no test"],
)
def test_only_the_clauses_own_assertion_catches(toy: Path, planted: Mutant, said: str) -> None:
    assert tried(planted).said == said


def test_a_finding_names_the_test(toy: Path) -> None:
    found = tried(mutant())
    assert found.test == "toy_laws.test_toy::test_outputs_are_zero"
    assert "expected 0.0, got 1.0" in found.message
    assert tried(mutant(clause="SEQ-6")).message == "the clause has no test"


def test_what_only_raises_or_crashes_is_caught_elsewhere(toy: Path) -> None:
    import importlib

    subjects = importlib.import_module("toy_subjects")
    laws = [law for law in registry.load("toy_laws") if law.clause == "SEQ-5"]
    for subject, kind in ((subjects.Raises(), "raised"), (subjects.Crashing(), "crashed")):
        found = trial.judge(laws, subject, Settings(shrink=False))
        assert found.said == "elsewhere"
        assert found.message.startswith(f"{kind}: ")


def test_the_code_that_is_tested_stays_as_it_is(toy: Path) -> None:
    before = (toy / ARITHMETIC).read_bytes()
    assert tried(mutant()).said == "caught"
    assert (toy / ARITHMETIC).read_bytes() == before
    clean = trial.run(Trial("SEQ-5", None, QUICK, "toy_laws", "toy_impl"))
    assert clean == Finding("holds")


def test_a_law_that_fails_without_a_mutant_proves_nothing(toy: Path) -> None:
    found = trial.run(Trial("SEQ-17", None, QUICK, "toy_laws", "toy_impl"))
    assert found.said == "could not run"
    assert found.message.startswith("vacuous without any mutant")


def ones(case: Case, outcome: Outcome) -> Outcome:
    """Spoils outputs."""
    return Outcome([Answer.returned(answer.outputs + 1, answer.state) for answer in outcome.answers])


def test_answers_can_be_spoilt_instead(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "DEFAULT_PACKAGE", "toy_impl")
    import importlib

    monkeypatch.setattr(importlib.import_module("toy_subjects"), "ones", ones, raising=False)
    spoilt = Mutant("spoilt", "SEQ-5", "a note", spoil="toy_subjects:ones")
    assert spoilt.kind == "answers"
    assert tried(spoilt).said == "caught"


def matrix(chosen: list[Mutant], ids: list[str]) -> command.Matrix:
    """All of them tried."""
    return command.try_all(chosen, ids, QUICK, 2, Console(quiet=True), "toy_laws")


def test_the_matrix_is_proof_only_if_every_clause_has_a_caught_mutant_and_none_escapes(toy: Path) -> None:
    state = mutant("two", "SEQ-13", "return inputs", "return inputs + 1")
    proof = matrix([mutant(), state], ["SEQ-5", "SEQ-13", "TIME-7"])  # TIME-7 cannot be tested
    assert (proof.status, proof.gaps, proof.faults) == (0, [], [])
    assert [finding.said for finding in proof.findings.values()] == ["caught", "caught"]
    gap = matrix([mutant()], ["SEQ-5", "SEQ-13"])
    assert (gap.status, gap.gaps) == (1, ["SEQ-13: no mutant is caught by its own assertion"])
    escaped = matrix([mutant(), mutant("three", replace="zero = 0.00")], ["SEQ-5"])
    assert (escaped.status, escaped.gaps) == (1, [])


def test_a_stale_mutant_is_an_error_and_the_others_are_still_tried(toy: Path) -> None:
    stale = matrix([mutant(), mutant("old", find="zero = 7")], ["SEQ-5"])
    assert stale.status == 2
    assert stale.faults == [f"stale mutant old: 'zero = 7' stands 0 times in {ARITHMETIC}, not once"]
    assert [finding.said for finding in stale.findings.values()] == ["caught"]


def test_a_mutant_of_a_clause_whose_laws_fail_as_it_is_proves_nothing(toy: Path) -> None:
    unfair = matrix([mutant(clause="SEQ-17")], ["SEQ-17"])
    assert unfair.status == 2
    assert "vacuous without any mutant" in unfair.faults[0]


@pytest.mark.parametrize(
    ("find", "complaint"),
    [("zero", "stands 2 times"), ("nowhere", "stands 0 times")],
)
def test_find_must_stand_there_exactly_once(toy: Path, find: str, complaint: str) -> None:
    with pytest.raises(MutantError, match=f"stale mutant one: '{find}' {complaint}"):
        mutant(find=find).mutated()


def test_a_file_that_is_gone_is_stale(toy: Path) -> None:
    with pytest.raises(MutantError, match=r"stale mutant one: there is no toy_impl/gone\.py"):
        Mutant("one", "SEQ-5", "", "toy_impl/gone.py", "a", "b").mutated()


SOURCE = '[[mutant]]\nid = "a"\nclause = "SEQ-5"\nfile = "impl_ref/x.py"\nfind = "p"\nreplace = "q"\nnote = "n"\n'


def test_entries_are_read() -> None:
    spoilt = '[[mutant]]\nid = "b"\nclause = "SEQ-5"\nspoil = "m:f"\nnote = "n"\n'
    assert mutants.parse(SOURCE + spoilt, "x.toml") == [
        Mutant("a", "SEQ-5", "n", "impl_ref/x.py", "p", "q"),
        Mutant("b", "SEQ-5", "n", spoil="m:f"),
    ]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace("SEQ-5", "SEQ-99"), "expected a clause that can be tested, got 'SEQ-99'"),
        (lambda text: text.replace("SEQ-5", "TIME-7"), "expected a clause that can be tested, got 'TIME-7'"),
        (lambda text: text.replace("note", "notes"), "expected texts for"),
        (lambda text: text + 'spoil = "m:f"\n', "expected texts for"),
        (lambda text: text.replace('"q"', "3"), "expected texts for"),
        (lambda text: text.replace('"q"', '"p"'), "expected one text within a line"),
        (lambda text: text.replace('"p"', '"p\\np"'), "expected one text within a line"),
        (lambda text: text.replace('"p"', '""'), "expected one text within a line"),
        (lambda text: text.replace("[[mutant]]", "[[mutants]]"), "expected .* tables only, got mutants"),
        (lambda text: text + "nonsense", "not TOML"),
    ],
)
def test_entries_are_read_strictly(change: Callable[[str], str], complaint: str) -> None:
    with pytest.raises(MutantError, match=rf"x\.toml: .*{complaint}"):
        mutants.parse(change(SOURCE), "x.toml")


def test_an_entry_may_name_the_stratum_that_catches_it() -> None:
    (named,) = mutants.parse(SOURCE + 'stratum = "schedules::GRUCell float32"\n', "x.toml")
    (law,) = trial.laws_of(Trial(named.clause, named, QUICK, stratum=named.stratum))
    assert (law.name, law.oracle) == ("conformance.differential.schedules::GRUCell float32", True)
    assert law.cases is not None
    with pytest.raises(MutantError, match="expected the name of a stratum, got 'schedules::GRUCell'"):
        trial.laws_of(Trial(named.clause, named, QUICK, stratum="schedules::GRUCell"))


def test_a_stratum_catches_what_differs_from_the_second_implementation(toy: Path) -> None:
    import importlib

    subjects = importlib.import_module("toy_subjects")
    laws = trial.laws_of(Trial("EQ-1", None, QUICK, stratum="differential::BasicRNNCell float32"))
    assert trial.judge(laws, subjects.Inexact(), QUICK).said == "caught"
    assert trial.judge(laws, subjects.Reference(), QUICK).said == "escaped"


def test_an_implementation_without_mutants_is_said_so() -> None:
    with pytest.raises(MutantError, match="no mutants of 'nobody'"):
        mutants.folder_of("nobody")


def test_an_id_stands_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SOURCE)
    (tmp_path / "b.toml").write_text(SOURCE)
    with pytest.raises(MutantError, match="expected each id once, got more of a"):
        mutants.load(tmp_path)


def test_two_of_three_are_defects_of_the_code() -> None:
    spoilt = Mutant("s", "SEQ-5", "", spoil="m:f")
    assert mutants.too_many_spoilt([mutant(), mutant(), spoilt]) is None
    assert mutants.too_many_spoilt([]) is None
    complaint = mutants.too_many_spoilt([mutant(), spoilt])
    assert complaint == "1 of 2 mutants spoil answers; at least two of three must be defects of the code"


@pytest.mark.parametrize("of", ["impl_ref", "impl_gpu"])
def test_the_suites_own_mutants_fit_the_code_of_today(of: str) -> None:
    every = mutants.load(mutants.folder_of(of))
    assert {one.package for one in every} == {of}
    assert mutants.too_many_spoilt(every) is None
    for one in every:
        if one.kind == "source":
            assert one.mutated()
        else:
            assert callable(trial.function(one.spoil))


def test_every_clause_of_gradients_has_a_mutant_in_each_implementation() -> None:
    section = {id for id, clause in clauses.load().items() if clause.section == "gradients" and clause.testable}
    assert mutants.packages() == ["impl_ref", "impl_gpu"]
    for package in mutants.packages():
        assert section - {one.clause for one in mutants.load(mutants.folder_of(package))} == set()
