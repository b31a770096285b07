"""Holds what a run is asked to test: an implementation by name or by worker command, and whether it is one of ours."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shlex
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from conformance.machine import pool
from conformance.machine.interpreters import NotAvailable
from conformance.subject import subjects
from conformance.subject.worker_client import HarnessError

DISTRIBUTION = "tancarflow"
"""Implementations whose entry point comes with this distribution are our own: they are held to every level. So are
those that lie beside this package in a tree of its source that is not installed."""
TREE = Path(__file__).resolve().parents[2]
LOAD_LIMIT = 120.0
"""Seconds for an implementation to be loaded and to say what it is."""


@dataclass(frozen=True)
class Target:
    """How to open an implementation, in a form that passes between processes."""

    spec: str
    worker: bool = False
    name: str = ""
    own: bool = False
    note: str | None = None
    description: dict[str, Any] = field(default_factory=dict, compare=False)
    schedules: bool = field(default=False, compare=False)

    def open(self) -> subjects.Subject:
        """The implementation, ready to run cases.

        Raises:
            HarnessError, NotAvailable: as `subjects.load` does.
        """
        return subjects.load(self.spec, worker=self.worker)

    def replay_arguments(self) -> str:
        """How a command line names it."""
        return f"--worker {shlex.quote(self.spec)}" if self.worker else shlex.quote(self.spec)


def inspect(names: Iterable[str], workers: Iterable[str] = ()) -> list[Target]:
    """The targets of a command line, each opened once to see that it can be opened and how it describes itself.

    That is done in a process of its own, which may end while an implementation is loaded. An implementation that this
    machine lacks keeps its place, with the reason as its note.

    Raises:
        HarnessError: there is no such implementation, its worker does not start, or its process ends.
    """
    asked = [Target(name) for name in names] + [Target(command, worker=True) for command in workers]
    ended = {done.task: done for done in pool.run(f"{__name__}:look_at", asked, len(asked), LOAD_LIMIT)}
    found: list[Target] = []
    for target in asked:
        known = ended[target].value
        if known is None:
            raise HarnessError(f"{target.spec} cannot be loaded: {str(ended[target].trouble).strip().splitlines()[-1]}")
        if isinstance(known, HarnessError):
            raise known
        known = replace(known, own=not target.worker and _is_own(target.spec))
        taken = sum(known.name == other.name or other.name.startswith(f"{known.name} (") for other in found)
        found.append(replace(known, name=f"{known.name} ({taken + 1})") if taken else known)
    return found


def one(name: str | None, worker: str | None, command: str) -> Target:
    """The target of a command that takes one, by name or by worker command.

    Raises:
        NotAvailable: this machine lacks it.
        HarnessError: none is named, or both are; or as `inspect` does.
    """
    if (name is None) == (worker is None):
        raise subjects.UnknownSubjectError(f"{command}: name one implementation, or one --worker")
    (target,) = inspect([] if name is None else [name], [] if worker is None else [worker])
    if target.note is not None:
        raise NotAvailable(f"{target.spec}: {target.note}")
    return target


def look_at(target: Target) -> Target | HarnessError:
    """The target with its description of itself, or the error that a caller of `inspect` gets."""
    try:
        subject = target.open()
        try:
            name = subject.name if target.worker or ":" in target.spec else target.spec
            schedules = bool(getattr(subject, "schedules", False))
            return replace(target, name=name, description=subject.describe(), schedules=schedules)
        finally:
            subject.close()
    except NotAvailable as reason:
        return replace(target, name=target.spec, note=f"not run on this machine: {reason}")
    except HarnessError as error:
        return error
    except BaseException as error:  # noqa: BLE001  # whatever it is goes to the caller of `inspect`, in another process
        return HarnessError(f"{target.spec} cannot be loaded: it raised {type(error).__name__}: {error}")


def alone(work: str, task: Any, target: Target, limit: float) -> Any:
    """What ``work``, ``module:function``, gives for a task about the target, in a process of its own, which may end.

    Raises:
        HarnessError: it gave nothing: the process ended, or ran longer than ``limit`` seconds.
        Exception: the work gave it as its value.
    """
    (done,) = pool.run(work, [task], 1, limit)
    if done.trouble is not None:
        raise HarnessError(f"{target.name}: {done.trouble.strip().splitlines()[-1]}")
    if isinstance(done.value, Exception):
        raise done.value
    return done.value


def _is_own(name: str) -> bool:
    points = importlib.metadata.entry_points(group=subjects.GROUP, name=name)
    if points or not name.isidentifier():
        return any(point.dist is not None and point.dist.name == DISTRIBUTION for point in points)
    found = importlib.util.find_spec(name)
    folders = [] if found is None else list(found.submodule_search_locations or ())
    return [Path(folder).resolve() for folder in folders] == [TREE / name] and _is_source(TREE)


def _is_source(folder: Path) -> bool:
    """Whether a folder is a source tree of this distribution, rather than where packages of all kinds are installed."""
    project = folder / "pyproject.toml"
    return project.is_file() and bool(tomllib.loads(project.read_text())["project"]["name"] == DISTRIBUTION)
