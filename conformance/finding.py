"""Where an implementation is, by its name, and which interpreter can run one; it runs none.

A name is an entry point or, in a tree that is not installed, a package with an ``adapter`` module on the path.
"""

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.worker_client import HarnessError

GROUP = "dynamic_rnn.implementations"
TENSORFLOW = "tensorflow14"


class NotAvailable(Exception):  # noqa: N818  # a verdict ("not run"), not a fault
    """This machine lacks what the subject needs; the verdict is "not run", never a pass."""


class UnknownSubjectError(HarnessError):
    """No implementation has that name."""


def look_in_current_folder() -> None:
    """Let modules of the current folder be found first, as `python -m conformance` does but the script does not."""
    if not sys.flags.safe_path and not {"", str(Path.cwd())} & set(sys.path):
        sys.path.insert(0, "")


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


def lacks_a_package(error: BaseException | None) -> bool:
    """Whether an import failed, in the end, because a package is not on this machine."""
    while error is not None:
        name = getattr(error, "name", None) if isinstance(error, ImportError) else None
        if name is not None and importlib.util.find_spec(name.partition(".")[0]) is None:
            return True
        error = error.__cause__ or error.__context__
    return False


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
            [str(candidate), "-c", code], capture_output=True, timeout=30, env=clean_environment(), check=True
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def clean_environment() -> dict[str, str]:
    """Without what points a Python at the packages of another."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
