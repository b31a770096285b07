"""Finds an implementation by its name: an entry point, or a package on the path that has an ``adapter``."""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

from conformance.subject.worker_client import HarnessError

GROUP = "dynamic_rnn.implementations"
TENSORFLOW = "tensorflow14"


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
