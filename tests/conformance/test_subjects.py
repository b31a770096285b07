"""Tests how an implementation is found: by its name, by module:attribute or behind a worker, or what the error says."""

import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.machine.interpreters import NotAvailable
from conformance.subject import subjects, targets
from conformance.subject.subjects import InProcess, UnknownSubjectError, Worker, load
from conformance.subject.worker_client import HarnessError
from dynamic_rnn_spec.case import Answer, Call, Case, CellRef, CellSpec, Outcome


def a_case() -> Case:
    inputs = np.zeros((2, 3, 2), np.float32)
    call = Call({"cell": CellRef("cell"), "inputs": inputs, "dtype": "float32"})
    return Case({"cell": CellSpec("probe:Tally", {"state_size": 2, "output_size": 2})}, [call])


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


def test_the_names_hold_tensorflow14() -> None:
    assert "tensorflow14" in subjects.names()


@pytest.fixture
def uninstalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes packages with an adapter that are on the path but are no entry point."""
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
