"""A worker that answers, hangs, dies, babbles or lies gets the outcome or the error that says so; the workers here are
fakes of a few lines."""

import os
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.subject.subjects import Worker
from conformance.subject.worker_client import HarnessError, WorkerClient, WorkerStartError
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec

CELL = CellSpec("probe:Tally", {"state_size": 2, "output_size": 2})


def a_case(calls: int = 1, steps: int = 3) -> Case:
    call = Call({"cell": CellRef("cell"), "inputs": np.zeros((2, steps, 2), np.float32), "dtype": "float32"})
    return Case({"cell": CELL}, [call] * calls)


GREETING = """
import json, os, sys, time
from dynamic_rnn_spec.case import Answer, Case, Outcome, dumps
def say(data):
    print(data if isinstance(data, str) else json.dumps(data), flush=True)
def greet(name="fake", protocol=1):
    say({"hello": {"name": name, "protocol": protocol, "versions": {}, "device": "cpu"}})
def zeros(request):
    case = Case.from_json(request["case"])
    return {"id": request["id"], "outcome": Outcome.of(Answer.returned(0, 0), case).to_json()}
def requests():
    for line in sys.stdin:
        yield json.loads(line)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    started: list[WorkerClient] = []

    def make(body: str, timeout: float = 10.0, start_timeout: float = 10.0) -> WorkerClient:
        script = tmp_path / "fake.py"
        script.write_text(GREETING + textwrap.dedent(body), encoding="utf-8")
        started.append(WorkerClient([sys.executable, str(script)], timeout, start_timeout))
        return started[-1]

    yield make
    for client in started:
        client.close()


def process_id(client: WorkerClient) -> int:
    process = client._process
    assert process is not None
    return process._popen.pid


def test_a_worker_answers_case_after_case_in_one_process(start: Any) -> None:
    client = start("greet()\nfor request in requests(): say(zeros(request))")

    outcomes = [client.run(a_case(calls)) for calls in (1, 2, 3)]
    pid = process_id(client)

    assert [len(outcome.answers) for outcome in outcomes] == [1, 2, 3]
    assert outcomes[0].answers[0].result == (0, 0)
    client.run(a_case())
    assert process_id(client) == pid


def test_a_worker_ends_when_it_is_closed_and_leaves_no_zombie(start: Any) -> None:
    client = start("greet()\nfor request in requests(): say(zeros(request))")
    client.start()
    pid = process_id(client)

    client.close()

    with pytest.raises(ChildProcessError):
        os.waitpid(pid, 0)


def test_a_worker_that_outlives_the_end_of_its_input_is_killed(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.subject.worker_client.END_TIMEOUT", 0.2)
    client = start("greet()\ntime.sleep(60)")
    client.start()
    pid = process_id(client)

    client.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_hanging_worker_times_out_on_every_call_and_the_next_case_is_answered(start: Any) -> None:
    client = start(
        """
        greet()
        for request in requests():
            if len(request["case"]["calls"]) == 2:
                time.sleep(60)
            say(zeros(request))
        """,
        timeout=0.5,
    )

    outcome = client.run(a_case(calls=2))
    again = client.run(a_case())

    assert [answer.kind for answer in outcome.answers] == ["timed out", "timed out"]
    assert outcome.answers[0].why == "no reply in 0.5 s"
    assert again.answers[0].kind == "returned"


def test_a_worker_that_does_not_read_cannot_stall_the_suite(start: Any) -> None:
    client = start("greet()\ntime.sleep(60)", timeout=0.5)
    larger_than_a_pipe = a_case(steps=100_000)

    began = time.monotonic()
    outcome = client.run(larger_than_a_pipe)

    assert outcome.answers[0].kind == "timed out"
    assert time.monotonic() - began < 10


def test_a_child_of_the_worker_that_keeps_the_pipe_open_is_killed_too(start: Any) -> None:
    client = start(
        """
        import subprocess
        greet()
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        time.sleep(60)
        """,
        timeout=0.5,
    )

    began = time.monotonic()

    assert client.run(a_case()).answers[0].kind == "timed out"
    assert time.monotonic() - began < 10


def test_a_dying_worker_has_crashed_with_its_status_and_the_end_of_stderr(start: Any) -> None:
    client = start(
        """
        greet()
        for request in requests():
            if len(request["case"]["calls"]) == 2:
                print("the last words", file=sys.stderr, flush=True)
                os._exit(7)
            say(zeros(request))
        """
    )

    outcome = client.run(a_case(calls=2))
    again = client.run(a_case())

    assert [answer.kind for answer in outcome.answers] == ["crashed", "crashed"]
    assert outcome.answers[0].what == "exit status 7"
    assert outcome.answers[0].why == "the last words"
    assert again.answers[0].kind == "returned"


def test_a_worker_killed_by_a_signal_names_it(start: Any) -> None:
    client = start(
        "import signal\ngreet()\nfor request in requests(): print(1, file=sys.stderr); os.kill(os.getpid(), 11)"
    )

    assert client.run(a_case()).answers[0].what == "killed by SIGSEGV"


def test_much_talk_on_stderr_does_not_stall_a_worker(start: Any) -> None:
    client = start(
        """
        greet()
        for request in requests():
            for _ in range(20000):
                print("chatter " * 10, file=sys.stderr)
            say(zeros(request))
        """
    )

    assert client.run(a_case()).answers[0].kind == "returned"


UNREADABLE = "gave an outcome that cannot be read"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ('"hello there"', "which is no JSON object"),
        ('"[1, 2]"', "which is no JSON object"),
        ('{"id": request["id"] + 1, "outcome": {}}', "answered 2, asked was 1"),
        ('{"id": request["id"]}', UNREADABLE),
        ('{"id": request["id"], "outcome": {"answers": []}}', UNREADABLE),
        ('{"id": request["id"], "outcome": {"answers": [], "variables": None}}', "gave 0 answers to 1 calls"),
        (
            '{"id": request["id"], "outcome": {"answers": [3], "variables": None}}',
            UNREADABLE,
        ),
    ],
)
def test_a_malformed_reply_is_a_fault_of_the_harness(start: Any, reply: str, said: str) -> None:
    client = start(f"greet()\nfor request in requests(): say({reply})")

    with pytest.raises(HarnessError, match=said):
        client.run(a_case())


def test_after_a_malformed_reply_the_next_case_gets_a_fresh_worker(start: Any) -> None:
    client = start(
        """
        greet()
        for request in requests():
            say("what?" if len(request["case"]["calls"]) == 2 else zeros(request))
        """
    )

    with pytest.raises(HarnessError):
        client.run(a_case(calls=2))

    assert client.run(a_case()).answers[0].kind == "returned"


def test_a_case_that_the_worker_cannot_read_is_a_fault_of_the_harness_and_the_worker_stays(start: Any) -> None:
    client = start("greet()\nfor request in requests(): say({'id': request['id'], 'error': 'no such form'})")
    client.start()
    pid = process_id(client)

    with pytest.raises(HarnessError, match="could not read the case: no such form"):
        client.run(a_case())

    assert process_id(client) == pid


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit(4)", "ended before it greeted: exit status 4"),
        ("time.sleep(60)", "did not greet in 0.5 s"),
    ],
)
def test_a_worker_that_does_not_greet_has_not_started(start: Any, body: str, said: str) -> None:
    with pytest.raises(WorkerStartError, match=said):
        start(body, start_timeout=0.5 if "sleep" in body else 10.0).run(a_case())


@pytest.mark.parametrize("body", ["greet(protocol=2)", "say({'hello': 'world'})", "say({})", "say('oh, hello')"])
def test_a_greeting_of_another_kind_is_refused(start: Any, body: str) -> None:
    with pytest.raises(HarnessError, match=r"which is not protocol 1|no JSON object"):
        start(body + "\ntime.sleep(60)").start()


def test_a_command_that_is_none_has_not_started() -> None:
    with pytest.raises(WorkerStartError, match="cannot be started"):
        WorkerClient(["/nowhere/at/all"]).start()


def test_a_worker_is_asked_for_a_schedule_only_where_it_has_some(start: Any) -> None:
    body = """
        say({"hello": {"name": "fake", "protocol": 1, "versions": {}, "device": "cpu", "schedules": True}})
        for request in requests():
            case = Case.from_json(request["case"])
            answer = Answer.returned(request.get("schedule"), 0)
            say({"id": request["id"], "outcome": Outcome.of(answer, case).to_json()})
        """
    worker = Worker(start(body))
    assert worker.schedules
    assert "schedules" not in worker.describe()
    assert [worker.run(a_case(), number).answers[0].result for number in (None, 0, 7)] == [(None, 0), (0, 0), (7, 0)]
    plain = Worker(start("greet()\nfor request in requests(): say(zeros(request))"))
    assert not plain.schedules
    with pytest.raises(HarnessError, match="fake has no schedules to choose from"):
        plain.run(a_case(), 3)
