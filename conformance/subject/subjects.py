"""Opens an implementation by name, in this process or behind a worker, to run cases on it.

A subject runs cases and describes itself. There is one shorthand: ``tensorflow14`` stands for the worker script that
comes with the suite, on a Python 3.6 found on this machine.

An implementation that lacks something on this machine names it in ``missing()``, or its import fails because a package
is absent. It is then not run, and the report gives that reason.
"""

import importlib.metadata
import importlib.util
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from conformance.machine.interpreters import NotAvailable, clean_environment, find_python36
from conformance.subject.worker_client import CASE_TIMEOUT, START_TIMEOUT, HarnessError, WorkerClient, WorkerStartError
from dynamic_rnn_spec.case import Case, Outcome
from dynamic_rnn_spec.worker import load as load_implementation

GROUP = "dynamic_rnn.implementations"
TENSORFLOW = "tensorflow14"
_SCRIPT = Path(__file__).parent / "workers" / "tensorflow14.py"
_WITHOUT_TENSORFLOW = 3
"""The worker script's exit status when its Python cannot import TensorFlow."""


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
    """An implementation in this process: an object with ``run(case)`` and ``describe()``; it may hang.

    Where it has schedules (``implementation.schedules`` is true), ``run(case, schedule=number)`` runs the case under
    the schedule of that number.
    """

    def __init__(self, implementation: Any, name: str | None = None) -> None:
        self._implementation = implementation
        self.name = name or str(implementation.describe()["name"])
        self.schedules = bool(getattr(implementation, "schedules", False))

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        """See Subject.

        Raises:
            HarnessError: the adapter itself raised, or gave something else than an outcome of this case.
        """
        if schedule is not None and not self.schedules:
            raise HarnessError(f"{self.name} has no schedules to choose from")
        try:
            run = self._implementation.run
            outcome = run(case) if schedule is None else run(case, schedule=schedule)
        except (Exception, SystemExit) as error:
            raise _fault(self.name, error) from error
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
        self._description = {key: value for key, value in hello.items() if key not in ("protocol", "schedules")}
        self.name = name or str(hello["name"])
        self.schedules = hello.get("schedules") is True

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        """See Subject; a schedule as `InProcess` takes it."""
        if schedule is not None and not self.schedules:
            raise HarnessError(f"{self.name} has no schedules to choose from")
        return self._client.run(case, schedule)

    def describe(self) -> dict[str, Any]:
        """See Subject."""
        return dict(self._description)

    def close(self) -> None:
        """End the worker."""
        self._client.close()


def look_in_current_folder() -> None:
    """Let modules of the current folder be found, after all that is installed."""
    if not sys.flags.safe_path and "" not in sys.path:
        sys.path.append("")


def place_of(spec: str) -> str:
    """``module:attribute`` for the name of an implementation in this process; that itself stays as it is.

    Raises:
        UnknownSubjectError: nothing has that name.
    """
    for point in importlib.metadata.entry_points(group=GROUP, name=spec):
        return str(point.value)
    if ":" in spec:
        return spec
    if spec.isidentifier() and _is_there(f"{spec}.adapter"):
        return f"{spec}.adapter:implementation"
    raise UnknownSubjectError(f"no implementation {spec!r}; there are {', '.join(names())}, or module:attribute")


def names() -> list[str]:
    """The implementations that can be named on this machine."""
    return sorted({point.name for point in importlib.metadata.entry_points(group=GROUP)} | {TENSORFLOW})


def _is_there(module: str) -> bool:
    """Whether there is such a module, found without running any code of its package."""
    package, _, name = module.partition(".")
    found = importlib.util.find_spec(package)
    folders = [] if found is None else list(found.submodule_search_locations or ())
    return any((Path(folder) / f"{name}.py").is_file() for folder in folders)


def _lacks_a_package(error: BaseException | None) -> bool:
    """Whether an import failed, in the end, because a package is not on this machine."""
    while error is not None:
        name = getattr(error, "name", None) if isinstance(error, ImportError) else None
        if name is not None and importlib.util.find_spec(name.partition(".")[0]) is None:
            return True
        error = error.__cause__ or error.__context__
    return False


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
        HarnessError: the worker does not start, or the implementation cannot be made or leaves the process.
    """
    if worker or not isinstance(spec, str):
        command = shlex.split(spec) if isinstance(spec, str) else list(spec)
        if not command:
            raise UnknownSubjectError("the command of a worker is empty")
        return Worker(WorkerClient(command, timeout, start_timeout))
    if spec == TENSORFLOW:
        return _tensorflow14(timeout, start_timeout)
    place = place_of(spec)
    try:
        implementation = load_implementation(place)
    except (ImportError, AttributeError) as error:
        if place != spec and _lacks_a_package(error):
            raise NotAvailable(str(error)) from error
        raise UnknownSubjectError(f"{place}: {error}") from error
    except (Exception, SystemExit) as error:
        raise HarnessError(f"{place} cannot be loaded: it raised {type(error).__name__}: {error}") from error
    if not hasattr(implementation, "run") or not hasattr(implementation, "describe"):
        raise UnknownSubjectError(f"{place} is a {type(implementation).__name__} without run(case) and describe()")
    try:
        missing = implementation.missing() if hasattr(implementation, "missing") else None
        if missing is None:
            return InProcess(implementation, spec if place != spec else None)
    except (Exception, SystemExit) as error:
        raise _fault(spec, error) from error
    raise NotAvailable(str(missing))


def _fault(name: str, error: BaseException) -> HarnessError:
    return HarnessError(f"the adapter of {name} raised {type(error).__name__}: {error}")


def _tensorflow14(timeout: float, start_timeout: float) -> Worker:
    python = find_python36("tensorflow")
    command = [str(python), "-W", "ignore", str(_SCRIPT)]
    try:
        return Worker(WorkerClient(command, timeout, start_timeout, clean_environment()))
    except WorkerStartError as error:
        if error.status == _WITHOUT_TENSORFLOW:
            raise NotAvailable(str(error)) from error
        raise
