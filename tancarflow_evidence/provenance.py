"""Records where a result comes from: the commit and contents of a source tree, the command, the machine, the settings.

It needs nothing but Python and NumPy, and asks git where there is one.
"""

import datetime
import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

COMMIT = "EVIDENCE_COMMIT"
SETTINGS = ("IMPL_GPU_", "CUDA_", "CUPY_", "CUBLAS_", "NVIDIA_TF32", "OMP_", COMMIT)
PLACES = ("PATH", "HOME", "DIR", "CACHE")  # endings of the names of variables that say only where something lies


def command() -> list[str]:
    """The command line of this process, its interpreter by name only."""
    words = list(getattr(sys, "orig_argv", [sys.executable, *sys.argv]))
    return [Path(words[0]).name, *words[1:]]


def now() -> str:
    """The time, in UTC, by the second."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0).isoformat()


def machine() -> dict[str, Any]:
    """Python, NumPy, the system and its processors."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.system(),
        "processor": platform.machine(),
        "processors": os.cpu_count(),
    }


def settings() -> dict[str, str]:
    """The environment variables that may change what a run does."""
    names = [name for name in sorted(os.environ) if name.startswith(SETTINGS) and not name.endswith(PLACES)]
    return {name: os.environ[name] for name in names}


def source_of(root: str | Path, sources: Sequence[str] = ()) -> dict[str, Any]:
    """The commit of a tree, whether files under version control have changes, and a hash of the files in ``sources``.

    If the tree came without its history, EVIDENCE_COMMIT may name the commit; whether it has changes is then unknown
    (null), and the hash tells.
    """
    root = Path(root)
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--untracked-files=no") if commit else None
    return {
        "commit": commit or os.environ.get(COMMIT) or None,
        "changes": None if changes is None else bool(changes),
        "sha256": digest(root, sources) if sources else None,
    }


def _git(root: Path, *arguments: str) -> str | None:
    """The answer of git; None if there is no git, or if the folder is no repository."""
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ("git", "-c", "safe.directory=*", "-C", str(root), *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def digest(root: str | Path, sources: Iterable[str]) -> str:
    """The sha256 of the names and contents of all files in these folders, without what Python and tools leave there."""
    whole = hashlib.sha256()
    for name, path in sorted(_files(Path(root), sources)):
        whole.update(name.encode("utf-8") + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _files(root: Path, sources: Iterable[str]) -> list[tuple[str, Path]]:
    found = []
    for source in sources:
        # In the source tree dynamic_rnn_spec lies in spec/; when installed, it lies beside the other packages.
        top = next((place / source for place in (root, root / "spec") if (place / source).exists()), None)
        if top is None:
            raise FileNotFoundError(f"sources: there is no {source!r} in {str(root)!r}")
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            name = source / path.relative_to(top)
            hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
            if path.is_file() and not hidden:
                found.append((name.as_posix(), path))
    return found
