"""What the suite is run on: an implementation here or behind a worker, found by name; it knows none by heart.

A subject runs cases and says what it is. TensorFlow 1.4.1 is the one shorthand: ``tensorflow14`` is the worker script
that comes with the suite, on a Python 3.6 found on this machine.
"""

import importlib.metadata
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from conformance.worker_client import CASE_TIMEOUT, START_TIMEOUT, HarnessError, WorkerClient, WorkerStartError
from dynamic_rnn_spec.case import Case, Outcome
from dynamic_rnn_spec.worker import load as load_implementation

GROUP = "dynamic_rnn.implementations"
TENSORFLOW = "tensorflow14"
_SCRIPT = Path(__file__).parent / "workers" / "tensorflow14.py"
_WITHOUT_TENSORFLOW = 3
"""The worker script's exit status when its Python cannot import TensorFlow."""

__all__ = [
    "HarnessError",
    "InProcess",
    "NotAvailable",
    "Subject",
    "UnknownSubjectError",
    "Worker",
    "find_python36",
    "load",
    "names",
]


class NotAvailable(Exception):  # noqa: N818  # a verdict ("not run"), not a fault
    """This machine lacks what the subject needs; the verdict is "not run", never a pass."""


class UnknownSubjectError(HarnessError):
    """No implementation has that name."""


@runtime_checkable
class Subject(Protocol):
    """Something that the suite can be run on."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def run(self, case: Case) -> Outcome:
        """Every call of the case, answered. Raises HarnessError when it could not be run."""

    def describe(self) -> dict[str, Any]:
        """Name, versions and device, for the report."""

    def close(self) -> None:
        """Give back what it holds."""


class InProcess:
    """An implementation in this process: an object with ``run(case)`` and ``describe()``; it may hang."""

    def __init__(self, implementation: Any, name: str | None = None) -> None:
        self._implementation = implementation
        self.name = name or str(implementation.describe()["name"])

    def run(self, case: Case) -> Outcome:
        """See Subject.

        Raises:
            HarnessError: the adapter itself raised, or gave something else than an outcome of this case.
        """
        try:
            outcome = self._implementation.run(case)
        except Exception as error:
            raise HarnessError(f"the adapter of {self.name} raised {type(error).__name__}: {error}") from error
        if not isinstance(outcome, Outcome) or len(outcome.answers) != len(case.calls):
            raise HarnessError(f"the adapter of {self.name} gave no outcome of {len(case.calls)} answers: {outcome!r}")
        return outcome

    def describe(self) -> dict[str, Any]:
        """See Subject."""
        return dict(self._implementation.describe())

    def close(self) -> None:
        """Nothing is held."""


class Worker:
    """An implementation behind a pipe, started at once: one that cannot start is known before the first case."""

    def __init__(self, client: WorkerClient, name: str | None = None) -> None:
        self._client = client
        hello = client.start()
        self._description = {key: value for key, value in hello.items() if key != "protocol"}
        self.name = name or str(hello["name"])

    def run(self, case: Case) -> Outcome:
        """See Subject."""
        return self._client.run(case)

    def describe(self) -> dict[str, Any]:
        """See Subject."""
        return dict(self._description)

    def close(self) -> None:
        """End the worker."""
        self._client.close()


def load(
    spec: str | Sequence[str],
    worker: bool = False,
    timeout: float = CASE_TIMEOUT,
    start_timeout: float = START_TIMEOUT,
) -> Subject:
    """The subject that ``spec`` stands for.

    Args:
        spec: the name of an entry point of the group ``dynamic_rnn.implementations``; ``module:attribute``, an object
            with ``run(case)`` or what makes one; ``tensorflow14``; or, with ``worker``, a command line.
        worker: ``spec`` is the command of a worker, as one text or as a list.
        timeout, start_timeout: seconds for a case, and for a worker to start. In this process nothing is timed.

    Raises:
        UnknownSubjectError: there is no such name, module or attribute.
        NotAvailable: this machine lacks what the subject needs.
        HarnessError: the worker does not start, or the implementation cannot be made.
    """
    if worker or not isinstance(spec, str):
        command = shlex.split(spec) if isinstance(spec, str) else list(spec)
        if not command:
            raise UnknownSubjectError("the command of a worker is empty")
        return Worker(WorkerClient(command, timeout, start_timeout))
    if spec == TENSORFLOW:
        return _tensorflow14(timeout, start_timeout)
    points = importlib.metadata.entry_points(group=GROUP, name=spec)
    if not points and ":" not in spec:
        raise UnknownSubjectError(f"no implementation {spec!r}; there are {', '.join(names())}, or module:attribute")
    place = next(iter(points)).value if points else spec
    try:
        implementation = load_implementation(place)
    except (ImportError, AttributeError) as error:
        raise UnknownSubjectError(f"{place}: {error}") from error
    if not hasattr(implementation, "run") or not hasattr(implementation, "describe"):
        raise UnknownSubjectError(f"{place} is a {type(implementation).__name__} without run(case) and describe()")
    return InProcess(implementation, spec if points else None)


def names() -> list[str]:
    """The implementations that can be named on this machine."""
    return sorted({point.name for point in importlib.metadata.entry_points(group=GROUP)} | {TENSORFLOW})


def find_python36(module: str | None = None) -> Path:
    """A Python 3.6 on this machine: the one named by PYTHON36, one on PATH, or one of pyenv's.

    Args:
        module: one that the interpreter must have.

    Raises:
        NotAvailable: there is none; the text says where it was looked for.
    """
    lacking = []
    for candidate in _candidates():
        answer = _ask(candidate, module)
        if answer == {"version": [3, 6], "module": True}:
            return candidate
        if answer is not None and answer["version"] == [3, 6]:
            lacking.append(str(candidate))
    if lacking:
        raise NotAvailable(f"no Python 3.6 with {module}: {', '.join(lacking)} lack it (PYTHON36 may name another)")
    raise NotAvailable("no Python 3.6: PYTHON36 names none, python3.6 is not on PATH, pyenv has none")


def _candidates() -> Iterator[Path]:
    named = os.environ.get("PYTHON36")
    if named:
        found = shutil.which(named)
        if found is None:
            raise NotAvailable(f"PYTHON36 names {named!r}, which is no program")
        yield Path(found)
        return
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder and (Path(folder) / "python3.6").is_file():
            yield Path(folder) / "python3.6"
    root = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    yield from sorted(root.glob("versions/3.6*/bin/python"))


def _ask(candidate: Path, module: str | None) -> Any:
    """What an interpreter says of itself; None if it says nothing, as pyenv's shims do."""
    wanted = module or "sys"
    code = (
        "import importlib.util, json, sys; "
        "print(json.dumps({'version': list(sys.version_info[:2]), "
        f"'module': importlib.util.find_spec({wanted!r}) is not None}}))"
    )
    try:
        done = subprocess.run(
            [str(candidate), "-c", code], capture_output=True, timeout=30, env=_clean_environment(), check=True
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def _clean_environment() -> dict[str, str]:
    """Without what points a Python at the packages of another."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def _tensorflow14(timeout: float, start_timeout: float) -> Worker:
    python = find_python36("tensorflow")
    command = [str(python), "-W", "ignore", str(_SCRIPT)]
    try:
        return Worker(WorkerClient(command, timeout, start_timeout, _clean_environment()))
    except WorkerStartError as error:
        if error.status == _WITHOUT_TENSORFLOW:
            raise NotAvailable(str(error)) from error
        raise
