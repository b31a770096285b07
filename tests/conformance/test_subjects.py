"""Subjects found by name, and workers that answer, hang, die, babble and lie; knows only small fakes."""

import os
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.machine.interpreters import find_python36
from conformance.subject import subjects, targets
from conformance.subject.subjects import (
    HarnessError,
    InProcess,
    NotAvailable,
    UnknownSubjectError,
    Worker,
    load,
)
from conformance.subject.worker_client import WorkerClient, WorkerStartError
from dynamic_rnn_spec.case import Answer, Call, Case, CellRef, CellSpec, Outcome

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


# Through dynamic_rnn_spec.worker, with implementations that a Python adapter might be.

FAKES = """
import sys
from dynamic_rnn_spec.case import Answer, Outcome

class Fake:
    name = "fake"
    def describe(self):
        return {"name": self.name, "versions": {"fake": "1"}, "device": "cpu"}

class AlwaysWrong(Fake):
    name = "always wrong"
    def run(self, case):
        return Outcome.of(Answer.returned(-1, -1), case)

class Talkative(AlwaysWrong):
    def run(self, case):
        print("this would be garbage in the pipe", flush=True)
        return super().run(case)

class Broken(Fake):
    def run(self, case):
        raise RuntimeError("the adapter has a defect")

class Forgetful(Fake):
    def run(self, case):
        return Outcome([])

made = AlwaysWrong()
nothing = 3
"""


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"fakes_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(FAKES, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return name


@pytest.mark.parametrize("attribute", ["AlwaysWrong", "Talkative", "made"])
def test_a_module_and_attribute_give_the_same_here_and_behind_a_worker(fakes: str, attribute: str) -> None:
    here = load(f"{fakes}:{attribute}")
    there = load(f"{sys.executable} -m dynamic_rnn_spec.worker {fakes}:{attribute}", worker=True)

    assert isinstance(here, InProcess)
    assert isinstance(there, Worker)
    assert here.name == there.name == "always wrong"
    assert here.describe() == there.describe() == {"name": "always wrong", "versions": {"fake": "1"}, "device": "cpu"}
    assert here.run(a_case()) == there.run(a_case()) == Outcome.of(Answer.returned(-1, -1), a_case())
    here.close()
    there.close()


def test_a_command_may_be_a_list(fakes: str) -> None:
    subject = load([sys.executable, "-m", "dynamic_rnn_spec.worker", f"{fakes}:made"])

    assert subject.name == "always wrong"
    subject.close()


def test_an_adapter_that_raises_here_is_a_fault_of_the_harness(fakes: str) -> None:
    with pytest.raises(HarnessError, match="the adapter of fake raised RuntimeError: the adapter has a defect"):
        load(f"{fakes}:Broken").run(a_case())


def test_an_adapter_that_gives_no_outcome_of_the_case_is_a_fault_of_the_harness(fakes: str) -> None:
    with pytest.raises(HarnessError, match="gave no outcome of 1 answers"):
        load(f"{fakes}:Forgetful").run(a_case())


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("no_such_name", "no implementation 'no_such_name'; there are .*tensorflow14"),
        ("no_such_module:thing", "no_such_module"),
        ("FAKES:absent", "absent"),
        ("FAKES:nothing", "is a int, without run"),
    ],
)
def test_an_unknown_name_says_what_there_is(fakes: str, spec: str, said: str) -> None:
    with pytest.raises(UnknownSubjectError, match=said):
        load(spec.replace("FAKES", fakes))


def test_an_empty_command_is_unknown() -> None:
    with pytest.raises(UnknownSubjectError, match="the command of a worker is empty"):
        load("", worker=True)


# The search for Python 3.6.


def fake_python(folder: Path, name: str, answer: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


GOOD = """echo '{"version": [3, 6], "module": true}'"""
BARE = """echo '{"version": [3, 6], "module": false}'"""
OTHER = """echo '{"version": [3, 11], "module": true}'"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PYTHON36", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_python36_is_searched_in_the_variable_then_the_path_then_pyenv(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_pyenv = fake_python(machine / "pyenv" / "versions" / "3.6.15" / "bin", "python", GOOD)
    assert find_python36() == in_pyenv

    on_path = fake_python(machine / "bin", "python3.6", GOOD)
    assert find_python36() == on_path

    named = fake_python(machine / "elsewhere", "my_python", GOOD)
    monkeypatch.setenv("PYTHON36", str(named))
    assert find_python36() == named


@pytest.mark.parametrize("useless", ["exit 127", OTHER, "echo 3.6", BARE])
def test_a_candidate_that_is_none_is_passed_over(machine: Path, useless: str) -> None:
    fake_python(machine / "bin", "python3.6", useless)
    in_pyenv = fake_python(machine / "pyenv" / "versions" / "3.6.15" / "bin", "python", GOOD)

    assert find_python36("tensorflow") == in_pyenv


def test_without_python36_tensorflow_is_not_run(machine: Path) -> None:
    with pytest.raises(NotAvailable, match=r"no Python 3.6: PYTHON36 names none"):
        load("tensorflow14")


def test_without_tensorflow_it_is_not_run(machine: Path) -> None:
    fake_python(machine / "bin", "python3.6", BARE)

    with pytest.raises(NotAvailable, match=r"no Python 3.6 with tensorflow: .*python3.6 lack it"):
        load("tensorflow14")


def test_a_tensorflow_that_cannot_be_imported_is_not_run(machine: Path) -> None:
    fake_python(machine / "bin", "python3.6", f'if [ "$1" = -c ]; then {GOOD}; else exit 3; fi')

    with pytest.raises(NotAvailable, match="ended before it greeted: exit status 3"):
        load("tensorflow14")


def test_a_variable_that_names_no_program_is_not_run(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON36", str(machine / "absent"))

    with pytest.raises(NotAvailable, match=r"PYTHON36 names .*absent', which is no program"):
        find_python36()


def test_the_names_hold_tensorflow14() -> None:
    assert "tensorflow14" in subjects.names()


@pytest.fixture
def uninstalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes packages with an adapter that stand on the path and are nobody's entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, adapter: str) -> str:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "adapter.py").write_text(textwrap.dedent(adapter), encoding="utf-8")
        return name

    return make


ANSWERING = """
class Fake:
    schedules = True
    def describe(self):
        return {"name": "told", "versions": {}, "device": "host-executed kernels, no GPU"}
    def run(self, case, schedule=None):
        return schedule
    def missing(self):
        return None
def implementation():
    return Fake()
"""


def test_a_package_that_is_not_installed_is_found_by_its_name(uninstalled: Any) -> None:
    subject = load(uninstalled("adapted_one", ANSWERING))
    assert subject.name == "adapted_one"
    assert subject.describe()["device"] == "host-executed kernels, no GPU"


def test_what_an_implementation_says_it_lacks_is_why_it_is_not_run(uninstalled: Any) -> None:
    name = uninstalled("adapted_two", ANSWERING.replace("return None", "return 'no CUDA device: no driver'"))
    with pytest.raises(NotAvailable, match=r"^no CUDA device: no driver$"):
        load(name)
    (found,) = targets.inspect([name])
    assert (found.note, found.own) == ("not run on this machine: no CUDA device: no driver", False)


def test_an_adapter_that_cannot_say_what_it_lacks_is_at_fault(uninstalled: Any) -> None:
    name = uninstalled("adapted_six", ANSWERING.replace("return None", "raise ValueError('no such device')"))
    with pytest.raises(HarnessError, match="the adapter of adapted_six raised ValueError: no such device"):
        load(name)


@pytest.mark.parametrize(
    "line",
    [
        "import cupy_that_is_not_there",
        """
        try:
            import cupy_that_is_not_there
        except ImportError as error:
            raise ImportError("install it: pip install 'tancarflow[cuda13]', cupy_that_is_not_there") from error
        """,
        "raise ImportError('install cupy_that_is_not_there', name='cupy_that_is_not_there')",
    ],
)
def test_a_package_that_an_implementation_needs_is_why_it_is_not_run(uninstalled: Any, line: str) -> None:
    name = uninstalled("adapted_three", line)
    sys.modules.pop("adapted_three", None)
    with pytest.raises(NotAvailable, match="cupy_that_is_not_there"):
        load(name)


def test_an_import_that_fails_by_a_mistake_is_no_absence(uninstalled: Any) -> None:
    name = uninstalled("adapted_four", "from dynamic_rnn_spec.case import NoSuchName")
    with pytest.raises(UnknownSubjectError, match="NoSuchName"):
        load(name)


def test_a_schedule_is_passed_on_only_where_there_are_some(uninstalled: Any) -> None:
    subject = load(uninstalled("adapted_five", ANSWERING))
    assert isinstance(subject, InProcess)
    assert subject.schedules
    with pytest.raises(HarnessError, match="gave no outcome of 1 answers: 7"):
        subject.run(a_case(), schedule=7)
    plain = load("impl_ref")
    assert isinstance(plain, InProcess)
    with pytest.raises(HarnessError, match="impl_ref has no schedules to choose from"):
        plain.run(a_case(), schedule=7)


def test_what_lies_beside_the_suite_in_its_source_tree_is_our_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "tancarflow"\n')
    (tmp_path / "beside_the_suite").mkdir()
    (tmp_path / "beside_the_suite" / "__init__.py").touch()
    (tmp_path / "beside_the_suite" / "adapter.py").write_text("from impl_ref.adapter import implementation\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(targets, "TREE", tmp_path)
    (found,) = targets.inspect(["beside_the_suite"])
    assert found.own
    assert found.name == "beside_the_suite"
    monkeypatch.setattr(targets, "DISTRIBUTION", "another")
    assert not targets.inspect(["beside_the_suite"])[0].own


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
