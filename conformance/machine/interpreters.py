"""Finds the Pythons on this machine and counts the cores that a process may use, with the standard library alone."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class NotAvailable(Exception):  # noqa: N818  # a verdict ("not run"), not a fault
    """This machine lacks what is needed; the verdict is "not run", never a pass."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pyenv_pythons(version: str) -> list[Path]:
    """The interpreters of a version, a pattern such as "3.6*", that pyenv has installed."""
    root = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    return sorted(root.glob(f"versions/{version}/bin/python"))


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
    yield from pyenv_pythons("3.6*")


def _ask(candidate: Path, module: str | None) -> Any:
    """What an interpreter reports about itself; None if it reports nothing, which is what pyenv's shims do."""
    wanted = module or "sys"
    code = (
        "import importlib.util, json, sys; "
        "print(json.dumps({'version': list(sys.version_info[:2]), "
        f"'module': importlib.util.find_spec({wanted!r}) is not None}}))"
    )
    try:
        done = subprocess.run(
            [str(candidate), "-c", code], capture_output=True, timeout=30, env=clean_environment(), check=True
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def clean_environment() -> dict[str, str]:
    """Without what points a Python at the packages of another."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
