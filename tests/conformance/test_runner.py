"""Tests that a run gives every clause its verdict, survives what dies or hangs, and gives the same report for the same
seed."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance import report
from conformance.commands.replay import replay_on
from conformance.law.engine import Settings
from conformance.machine import pool
from conformance.report.model import Verdict
from conformance.run import known, runner
from conformance.run.runner import Finished, Plan, Watcher
from conformance.subject import targets
from conformance.subject.targets import Target


def plan(names: Sequence[str], own: bool = False, **settings: Any) -> Plan:
    """The toy laws on toy subjects."""
    found = [
        Target(f"toy_subjects:{name}", name=name.lower(), own=own, description={"name": name, "versions": {}})
        for name in names
    ]
    return Plan(targets=found, **{"properties": "toy_laws", "oracle": "none", "jobs": 1, **settings})


def verdict(finished: Finished, clause: str, column: int = 0) -> Verdict:
    """The verdict on a clause."""
    verdicts = finished.report["implementations"][column]["verdicts"]
    return next(one for one in verdicts if one["clause"] == clause)


@pytest.mark.parametrize(
    ("name", "clause", "wanted", "status"),
    [
        ("Right", "SEQ-5", "pass", 0),
        ("Right", "SEQ-13", "pass", 0),
        ("Wrong", "SEQ-5", "fail", 1),
        ("Raises", "SEQ-5", "fail", 1),
        ("Lacking", "SEQ-5", "unsupported", 1),
        ("Right", "SEQ-17", "vacuous", 1),
        ("Right", "SEQ-18", "could not run", 2),
        ("Broken", "SEQ-5", "could not run", 2),
        ("Dying", "SEQ-5", "could not run", 2),
        ("Right", "SEQ-6", "not run", 1),
    ],
)
def test_every_verdict_is_reached_and_only_pass_counts(
    toy: Path, name: str, clause: str, wanted: str, status: int
) -> None:
    finished = runner.run(plan([name], own=True, chosen=[clause]), Watcher())
    assert verdict(finished, clause)["verdict"] == wanted
    assert finished.status == status
    assert report.check({**finished.report, "complete": True})


def test_a_third_party_is_held_to_documented_clauses_only(toy: Path) -> None:
    assert runner.run(plan(["Lacking"], chosen=["SEQ-13"]), Watcher()).status == 0
    assert runner.run(plan(["Lacking"], own=True, chosen=["SEQ-13"]), Watcher()).status == 1
    assert runner.run(plan(["Lacking"], chosen=["SEQ-5"]), Watcher()).status == 1


def test_one_broken_law_of_two_fails_the_clause_and_comes_first(toy: Path) -> None:
    finished = runner.run(plan(["Wrong"], chosen=["SEQ-5"]), Watcher())
    found = verdict(finished, "SEQ-5")
    assert found["tests"] == [
        "toy_laws.test_toy::test_outputs_are_zero",
        "toy_laws.test_toy::test_outputs_have_the_shape_of_the_inputs",
    ]
    example = found["counterexample"]
    assert example is not None
    assert example["file"] == "cases/wrong/SEQ-5.json"
    assert example["replay"] == "python -m conformance replay report/cases/wrong/SEQ-5.json toy_subjects:Wrong"


def test_a_dead_process_takes_no_other_law_with_it(toy: Path) -> None:
    finished = runner.run(plan(["Dying", "Right"], chosen=["SEQ-5"], jobs=1), Watcher())
    assert "exit status 7" in (verdict(finished, "SEQ-5")["reason"] or "")
    assert verdict(finished, "SEQ-5", 1)["verdict"] == "pass"


def test_an_implementation_that_this_machine_lacks_keeps_its_column(toy: Path) -> None:
    lacking = Target("somewhere", name="somewhere", note="not run on this machine: no device")
    finished = runner.run(Plan(targets=[lacking], chosen=["SEQ-5"], properties="toy_laws"), Watcher())
    assert finished.status == 1
    assert verdict(finished, "SEQ-5")["verdict"] == "not run"
    assert verdict(finished, "SEQ-5")["reason"] == "not run on this machine: no device"


def test_a_law_that_asks_the_oracle_is_not_run_on_the_oracle(toy: Path) -> None:
    finished = runner.run(plan(["Right"], chosen=["SEQ-4"], oracle="right"), Watcher())
    assert verdict(finished, "SEQ-4")["verdict"] == "not run"
    assert finished.status == 1


def without_times(value: Any) -> Any:
    """A report without what may differ between two runs."""
    whole = copy.deepcopy(value)
    for key in ("started", "seconds", "jobs"):
        del whole["run"][key]
    for implementation in whole["implementations"]:
        for one in implementation["verdicts"]:
            del one["seconds"]
    return whole


def test_the_same_seed_gives_the_same_report_whatever_the_processes(toy: Path, tmp_path: Path) -> None:
    chosen = ["SEQ-5", "SEQ-13", "SEQ-17"]
    texts = []
    for jobs in (1, 2, 3):
        finished = runner.run(plan(["Wrong", "Raises", "Right"], chosen=chosen, jobs=jobs), Watcher())
        written = report.write(finished.report, tmp_path / str(jobs))
        texts.append(json.dumps(without_times(json.loads(written.read_text()))))
    assert texts[0] == texts[1] == texts[2]
    other = runner.run(plan(["Wrong"], chosen=chosen, settings=Settings(seed=1)), Watcher())
    assert verdict(other, "SEQ-5")["counterexample"] is not None


def stored_failure(tmp_path: Path) -> Path:
    """A list of known failures with the one that Wrong has."""
    finished = runner.run(plan(["Wrong"], chosen=["SEQ-5"]), Watcher())
    report.write(finished.report, tmp_path)
    listed = tmp_path / "known.toml"
    listed.write_text(
        '[[known]]\nclause = "SEQ-5"\nreason = "it was always so"\ncounterexample = "cases/wrong/SEQ-5.json"\n'
    )
    return listed


def test_a_known_failure_is_replayed_and_does_not_count_as_kept(toy: Path, tmp_path: Path) -> None:
    announced = known.read(stored_failure(tmp_path))
    finished = runner.run(plan(["Wrong"], chosen=["SEQ-5"], known=announced), Watcher())
    found = verdict(finished, "SEQ-5")
    assert (found["verdict"], found["reason"]) == ("known failure", "it was always so")
    assert found["counterexample"] is not None
    assert found["examples"] == 0
    assert finished.status == 1


def test_a_known_failure_that_passes_now_is_an_error(toy: Path, tmp_path: Path) -> None:
    announced = known.read(stored_failure(tmp_path))
    finished = runner.run(plan(["Right"], chosen=["SEQ-5"], known=announced), Watcher())
    assert finished.status == 2
    assert finished.troubles == [
        "known failure SEQ-5 of right passes now: take it out of the list of known failures",
    ]
    assert verdict(finished, "SEQ-5")["verdict"] == "pass"


def test_a_known_failure_of_another_implementation_or_clause_is_left_alone(toy: Path, tmp_path: Path) -> None:
    (entry,) = known.read(stored_failure(tmp_path))
    elsewhere = known.Known(entry.clause, entry.reason, "another", entry.example)
    assert runner.run(plan(["Right"], chosen=["SEQ-5"], known=[elsewhere]), Watcher()).troubles == []
    assert runner.run(plan(["Right"], chosen=["SEQ-13"], known=[entry]), Watcher()).troubles == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[known]]\n", "an entry has texts for"),
        ("[other]\n", r"expected \[\[known\]\] tables only, got other"),
        ("not toml", "not TOML"),
        ('[[known]]\nclause="SEQ-5"\nreason="x"\ncounterexample="none.json"\n', "No such file"),
        ('[[known]]\nclause="SEQ-5"\nreason="x"\ncounterexample="known.toml"\n', "not JSON"),
        ('[[known]]\nclause="SEQ-4"\nreason="x"\ncounterexample="cases/wrong/SEQ-5.json"\n', "is about SEQ-5"),
    ],
)
def test_a_list_of_known_failures_is_read_strictly(toy: Path, tmp_path: Path, text: str, complaint: str) -> None:
    listed = stored_failure(tmp_path)
    listed.write_text(text)
    with pytest.raises(known.StoredError, match=complaint):
        known.read(listed)


def test_a_counterexample_is_replayed_on_any_implementation(toy: Path, tmp_path: Path) -> None:
    stored_failure(tmp_path)
    stored = known.read_counterexample(tmp_path / "cases" / "wrong" / "SEQ-5.json")
    assert stored.clause == "SEQ-5"
    again = replay_on(Target("toy_subjects:Wrong").open(), stored, "toy_laws")
    assert (again.verdict, again.test) == ("fail", "toy_laws.test_toy::test_outputs_are_zero")
    assert again.counterexample is not None
    assert again.counterexample.case == stored.case
    assert replay_on(Target("toy_subjects:Right").open(), stored, "toy_laws").verdict == "pass"


@pytest.mark.parametrize("content", ["", "{}", '{"format": "dynamic_rnn.counterexample", "version": 1}', "[]"])
def test_a_counterexample_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "case.json"
    path.write_text(content)
    with pytest.raises(known.StoredError, match=r"case\.json"):
        known.read_counterexample(path)


def test_targets_are_named_apart_and_known_as_our_own(toy: Path) -> None:
    names = [found.name for found in targets.inspect(["toy_subjects:Right", "toy_subjects:Right", "impl_ref"])]
    assert names == ["right", "right (2)", "impl_ref"]
    assert [found.own for found in targets.inspect(["toy_subjects:Right", "impl_ref"])] == [False, True]


def test_a_pool_answers_every_task() -> None:
    done = list(pool.run("operator:neg", [1, 2, 3, 4, 5], jobs=2, limit=60))
    assert sorted((one.task, one.value, one.trouble) for one in done) == [(n, -n, None) for n in (1, 2, 3, 4, 5)]
    assert list(pool.run("operator:neg", [], jobs=2, limit=60)) == []


def test_a_pool_kills_what_hangs_and_goes_on(toy: Path) -> None:
    done = list(pool.run("toy_subjects:sleep", [60.0, 0.0], jobs=1, limit=3))
    assert [(one.task, one.value) for one in done] == [(60.0, None), (0.0, 0.0)]
    assert done[0].trouble == "still running after 3 s"


def test_a_pool_tells_death_from_an_exception(toy: Path) -> None:
    done = {one.task: one.trouble or "" for one in pool.run("toy_subjects:die", [5, 0, 6], jobs=1, limit=60)}
    assert done[5] == "its process died: exit status 5"
    assert done[6] == "its process died: exit status 6"
    assert done[0].endswith("ValueError: work that raises\n")
