"""Tests the worker's side of the pipe: a handshake, one answer for each line, and nothing else on stdout."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec, Outcome, dumps
from dynamic_rnn_spec.worker import load, main

TOY = """
from dynamic_rnn_spec.case import Answer, Outcome

class Toy:
    name = "toy"
    def describe(self):
        return {"name": "toy", "versions": {}, "device": "cpu"}
    def run(self, case):
        print("chatter of the implementation")
        return Outcome.of(Answer.returned(case.calls[0].arguments["inputs"], None), case)

made = Toy()
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "toy_implementation.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(tmp_path))
    return str(tmp_path)


def talk(folder: str, lines: list[Any]) -> Any:
    start = (
        "import sys; sys.path.insert(0, sys.argv[1]); from dynamic_rnn_spec import worker; worker.main(sys.argv[2:])"
    )
    command = [sys.executable, "-c", start, folder, "toy_implementation:Toy"]
    text = "".join(dumps(line) + "\n" for line in lines)
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)


def test_cases_are_answered_in_order_and_chatter_stays_out(toy: str) -> None:
    inputs = np.array([[[1.0, -0.0]]])
    case = Case({"a": CellSpec("GRUCell")}, [Call({"cell": CellRef("a"), "inputs": inputs})])
    done = talk(
        toy, [{"id": 1, "case": case.to_json()}, {"id": 2, "case": {"cells": {}}}, {"id": 3, "case": case.to_json()}]
    )
    hello, first, second, third = [json.loads(line) for line in done.stdout.splitlines()]
    assert hello == {"hello": {"protocol": 1, "name": "toy", "versions": {}, "device": "cpu"}}
    assert Outcome.from_json(first["outcome"]).answers[0].outputs.tobytes() == inputs.tobytes()
    assert second == {"id": 2, "error": "a case has the keys ['calls', 'cells', 'weights'], got ['cells']"}
    assert third["id"] == 3
    assert "chatter of the implementation" in done.stderr
    assert done.returncode == 0


def test_an_implementation_is_found_by_name(toy: str) -> None:
    assert load("toy_implementation:Toy").name == "toy"
    assert load("toy_implementation:made").name == "toy"
    with pytest.raises(ImportError):
        load("toy_implementation_that_is_not_there")


def test_wrong_usage_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("usage: python -m dynamic_rnn_spec.worker")


def test_an_implementation_with_schedules_says_so_and_is_asked_for_one(tmp_path: Path) -> None:
    (tmp_path / "toy_with_schedules.py").write_text(
        "from dynamic_rnn_spec.case import Answer, Outcome\n"
        "class Toy:\n"
        "    name, schedules = 'toy', True\n"
        "    def describe(self):\n"
        "        return {'name': 'toy', 'versions': {}, 'device': 'cpu'}\n"
        "    def run(self, case, schedule=None):\n"
        "        return Outcome.of(Answer.returned(schedule, 0), case)\n"
    )
    case = Case({"a": CellSpec("GRUCell")}, [Call({"cell": CellRef("a"), "inputs": np.zeros((1, 1, 1))})])
    start = "import sys; sys.path.insert(0, sys.argv[1]); from dynamic_rnn_spec.worker import main; main(sys.argv[2:])"
    lines = [{"id": 1, "case": case.to_json()}, {"id": 2, "case": case.to_json(), "schedule": 7}]
    done = subprocess.run(
        [sys.executable, "-c", start, str(tmp_path), "toy_with_schedules:Toy"],
        input="".join(dumps(line) + "\n" for line in lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    hello, first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert hello["hello"]["schedules"] is True
    assert [Outcome.from_json(one["outcome"]).answers[0].result for one in (first, second)] == [(None, 0), (7, 0)]
