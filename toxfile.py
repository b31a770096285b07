"""What tox.ini cannot say: where a Python 3.6 is, and that checks which need one are skipped without it; knows no check.

A pyenv's shims answer on PATH for interpreters that are not selected, so a ``python3.6`` counts only when it runs.
"""

import os
import shutil
import subprocess
from pathlib import Path

from tox.plugin import impl
from tox.tox_env.api import ToxEnv
from tox.tox_env.errors import Skip
from tox.tox_env.installer import InstallArguments

NEEDS_PYTHON36 = {"tensorflow14", "tensorflow14-worker"}
NOT_RUN = (
    "not run: no Python 3.6 (TensorFlow 1.4.1 needs it). Looked for PYTHON36, python3.6 on PATH and pyenv's versions; "
    "name one with PYTHON36=/path/to/python3.6"
)


def find_python36() -> str | None:
    """The path of a Python 3.6 that runs, or None: PYTHON36, then PATH, then pyenv's versions."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [
        os.environ.get("PYTHON36"),
        shutil.which("python3.6"),
        *sorted(str(python) for python in pyenv.glob("versions/3.6.*/bin/python")),
    ]
    return next((python for python in candidates if python and is_python36(python)), None)


def is_python36(python: str) -> bool:
    """Whether ``python`` runs and is a Python 3.6."""
    if shutil.which(python) is None:
        return False
    asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.strip() == "3.6"


PYTHON36 = find_python36()
if PYTHON36 is not None:
    os.environ["PYTHON36"] = PYTHON36


@impl
def tox_on_install(tox_env: ToxEnv, arguments: InstallArguments, section: str, of_type: str) -> None:
    """Skip, before anything is installed, what has no Python 3.6 to run on."""
    del arguments, section, of_type  # the hook's signature: which environment it is decides alone
    if tox_env.conf.name in NEEDS_PYTHON36 and PYTHON36 is None:
        raise Skip(NOT_RUN)
