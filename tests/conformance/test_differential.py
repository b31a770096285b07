"""Tests the commands that compare implementations: every kind and dtype is drawn and counted, every difference is
found, kept and replayed, and what is not tried or not supported never counts as agreement."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conformance import cli
from conformance.differential import cells, comparing, concurrent, frames, strata
from conformance.law.engine import LawResult, Settings, run_law
from conformance.model import agreement, derivatives
from conformance.strategies import arrays, derive
from conformance.strategies.builtin import KINDS, spec_case
from conformance.strategies.cotangents import asking
from conformance.strategies.frame import Frame
from conformance.subject.subjects import load
from dynamic_rnn_spec.case import Case, Outcome

quick = settings(
    max_examples=12,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def ran(*arguments: str) -> int:
    """The exit status of a command, in this process."""
    return cli.main(list(arguments))


def judged(kind: str, dtype: str, name: str, group: str = strata.DIFFERENTIAL, schedules: int = 0) -> LawResult:
    """A stratum on a toy subject, against impl_ref."""
    subject, reference = load(f"toy_subjects:{name}"), load("impl_ref")
    law = strata.law(strata.Stratum(group, kind, dtype), schedules)
    return run_law(law, subject, Settings(count=12), reference.run)


def test_every_kind_has_a_stratum_in_every_dtype() -> None:
    found = Counter(one.kind for one in strata.strata(strata.DIFFERENTIAL))
    assert {found[kind] for kind in cells.KINDS} == {3}
    assert {found[kind] for kind in concurrent.KINDS if kind in cells.KINDS} == {3}
    assert found["probe Echo"] == len(arrays.DTYPES)
    assert found[strata.REFUSED] == 1
    assert len({one.name for one in strata.strata(strata.DIFFERENTIAL)}) == sum(found.values())


@pytest.mark.parametrize(("group", "count"), [("differential", 3000), ("differential", 20000), ("schedules", 200)])
def test_the_shares_add_up_to_what_was_asked_for(group: str, count: int) -> None:
    shares = strata.shares(group, count)
    listed = 121 if group == "differential" else 0
    assert abs(sum(shares.values()) + listed - count) <= (0 if count != 200 else 8 * 30 - 200)
    assert min(shares.values()) >= strata.LEAST
    assert set(shares) | {strata.Stratum("differential", strata.REFUSED, "")} >= set(strata.strata(group))


@pytest.mark.parametrize("kind", cells.KINDS)
@quick
@given(data=st.data())
def test_the_cases_of_a_kind_are_valid_and_damped(kind: str, data: Any) -> None:
    case = data.draw(cells.cases(kind, data.draw(st.sampled_from(arrays.FLOATS))))
    (answer,) = load("impl_ref").run(case).answers
    assert answer.error is None
    for value in case.weights.values():
        assert np.all(value == value.astype(np.float16)), "a weight that float16 does not hold"
        if value.ndim == 2 and min(value.shape) >= 8:
            assert np.linalg.norm(value.astype(np.float64), 2) < 3


@quick
@given(case=cells.cases("LSTMCell", "float32"))
def test_a_case_says_what_it_covers(case: Case) -> None:
    batch, steps = derive.frame_sizes(case)
    found = frames.labels(case)
    assert ("no rows" in found) == (batch == 0)
    assert ("no steps" in found) == (steps == 0)
    number = derive.argument(case, "parallel_iterations")
    assert number is None or 1 <= number <= 40


@pytest.mark.parametrize("kind", concurrent.KINDS)
@quick
@given(data=st.data())
def test_concurrent_cases_call_two_cells_of_one_size_with_weights_of_their_own(kind: str, data: Any) -> None:
    case = data.draw(concurrent.cases(kind, "float32"))
    assert 2 <= len(case.calls) <= 4
    first, second = ([name for name in case.weights if name.startswith(cell)] for cell in concurrent.CELLS)
    assert [name.partition("/")[2] for name in first] == [name.partition("/")[2] for name in second]
    assert any(not np.array_equal(case.weights[a], case.weights[b]) for a, b in zip(first, second, strict=True))
    assert all(call.arguments["parallel_iterations"] in (1, 2, 3, 4) for call in case.calls)
    assert [answer.kind for answer in load("impl_ref").run(case).answers] == ["returned"] * len(case.calls)


@pytest.mark.parametrize(
    ("kind", "dtype", "name", "where"),
    [
        ("LSTMCell", "float32", "Inexact", "state.c[0, 0]"),
        ("probe Tally", "float32", "OffByOne", "outputs"),
        ("BasicRNNCell", "float64", "MinusZero", None),
        ("probe Echo", "float64", "MinusZero", None),
        ("wrong arguments", "", "WrongKind", "error.kind"),
    ],
)
def test_what_differs_is_found(toy: Path, kind: str, dtype: str, name: str, where: str | None) -> None:
    result = judged(kind, dtype, name)
    assert result.verdict == "fail"
    assert result.counterexample is not None
    assert result.counterexample.violation == "assertion"
    assert where is None or (result.counterexample.where or "").startswith(where)


def test_what_is_the_same_agrees(toy: Path) -> None:
    result = judged("LSTMCell everything", "float16", "Reference")
    assert (result.verdict, result.left_out) == ("pass", {})
    assert result.coverage["returned"] == result.examples >= 8


def test_a_schedule_that_changes_a_bit_is_found(toy: Path) -> None:
    kept = judged("GRUCell", "float32", "Moody", "schedules", schedules=3)
    assert kept.verdict == "pass", "schedule 3 was not among 0, 1, 2"
    result = judged("GRUCell", "float32", "Moody", "schedules", schedules=5)
    assert result.verdict == "fail"
    assert result.counterexample is not None
    assert "under schedule 3" in (result.counterexample.where or "")
    assert len(Case.from_json(result.counterexample.case).calls) >= 2


def test_zeros_and_copies_count_bit_by_bit_where_numbers_may_be_off() -> None:
    @quick
    @given(case=cells.cases("GRUCell", "float32"))
    def some(case: Case) -> None:
        near = comparing.allowed(case, np.float32)
        assert 0 < near < 1e-3
        assert not agreement.is_exact(case)

    some()


def test_the_command_counts_and_writes_what_was_compared(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "d.json"
    arguments = ("differential", "impl_ref", "--cases", "100", "--jobs", "1", "--out", str(out))
    assert ran(*arguments, "--kind", "BasicRNNCell relu") == 0
    shown = capfd.readouterr().out
    assert "all agree" in shown
    found = json.loads(out.read_text())
    assert found["by_kind"].keys() == {"BasicRNNCell relu"}
    assert found["by_kind"]["BasicRNNCell relu"].keys() == set(arrays.FLOATS)
    assert found["cases"] == sum(found["by_kind"]["BasicRNNCell relu"].values()) >= 18
    assert (found["agrees"], found["failures"], found["complete"]) == (True, [], True)
    assert found["implementation"]["device"] == "cpu"


def test_a_difference_is_kept_and_replayed(
    toy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "d.json"
    inexact = "toy_subjects:Inexact"
    arguments = ("differential", inexact, "--cases", "100", "--jobs", "1", "--out", str(out))
    assert ran(*arguments, "--kind", "BasicRNNCell relu") == 1
    (failure,) = json.loads(out.read_text())["failures"]
    assert (failure["kind"], failure["dtype"], failure["verdict"]) == ("BasicRNNCell relu", "float32", "fail")
    stored = tmp_path / "d" / "BasicRNNCell-relu-float32.json"
    assert failure["counterexample"] == str(stored)
    assert f"again: python -m conformance replay {stored} {inexact}" in capfd.readouterr().out.replace("\n", "")
    assert ran("replay", str(stored), inexact) == 1
    assert ran("replay", str(stored), "impl_ref") == 0


def test_what_is_declared_unsupported_does_not_agree(toy: Path, tmp_path: Path) -> None:
    out = tmp_path / "d.json"
    arguments = ("differential", "toy_subjects:WithoutFloat16", "--cases", "100", "--jobs", "1", "--out", str(out))
    assert ran(*arguments, "--kind", "BasicRNNCell relu") == 1
    (failure,) = json.loads(out.read_text())["failures"]
    assert (failure["dtype"], failure["verdict"]) == ("float16", "unsupported")
    assert list(failure["left_out"]) == ["float16: the toy has none"]


def test_what_was_not_tried_is_an_error(tmp_path: Path) -> None:
    out = tmp_path / "d.json"
    arguments = ("differential", "impl_ref", "--cases", "100", "--jobs", "1", "--out", str(out))
    assert ran(*arguments, "--minutes", "0.0001") == 2
    found = json.loads(out.read_text())
    assert not found["agrees"]
    assert found["troubles"][0].startswith("time is over: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("schedules", "impl_ref"), "impl_ref has no schedules to choose from"),
        (("differential", "impl_ref", "--kind", "no such"), "expected a part of a kind's name, got 'no such'"),
        (("differential", "nobody"), "no implementation 'nobody'"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_line(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ran(*arguments, "--out", str(tmp_path / "d.json")) == 2
    assert said in capfd.readouterr().err


def test_gradients_have_strata_of_their_own() -> None:
    found = Counter(one.kind for one in strata.strata(strata.GRADIENTS))
    assert set(found) == {*cells.KINDS, "probe:Linear"}
    assert set(found.values()) == {3}
    assert strata.find("conformance.differential.gradients::GRUCell float32") is not None


@pytest.mark.parametrize("kind", ["LSTMCell everything", "probe:Linear"])
def test_gradients_that_agree(kind: str) -> None:
    reference = load("impl_ref")
    law = strata.law(strata.Stratum(strata.GRADIENTS, kind, "float64"), 0)
    assert run_law(law, reference, Settings(count=12), reference.run).verdict == "pass"


def test_a_gradient_of_another_size_is_found() -> None:
    class Doubled:
        name = "doubled"

        def run(self, case: Case) -> Outcome:
            outcome = reference.run(case)
            (answer,) = outcome.answers
            found = answer.gradients
            if found is None:
                return outcome
            doubled = {name: 2 * value for name, value in found.variables.items()}
            return Outcome([answer.replace(gradients=found._replace(variables=doubled))], outcome.variables)

    reference = load("impl_ref")
    law = strata.law(strata.Stratum(strata.GRADIENTS, "GRUCell", "float64"), 0)
    found = run_law(law, Doubled(), Settings(count=12, shrink=False), reference.run)
    assert found.verdict == "fail"
    assert "gradients.variables" in (found.reason or "")


def test_cases_next_to_a_kink_are_told() -> None:
    frame = Frame(batch=1, steps=1)
    on_it = asking(spec_case(frame, KINDS["BasicRNNCell relu"](1, 1), 1, "float64"))
    zeros = {name: np.zeros_like(value) for name, value in on_it.weights.items()}
    assert derivatives.is_next_to_a_kink(Case(on_it.cells, on_it.calls, zeros), 2.0**-53)
    ones = {name: np.full_like(value, 4) for name, value in on_it.weights.items()}
    assert not derivatives.is_next_to_a_kink(Case(on_it.cells, on_it.calls, ones), 2.0**-53)
