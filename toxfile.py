"""What tox.ini cannot say: where interpreters are, and what goes without Python 3.6; knows no check.

A pyenv's shims stand on PATH for interpreters that are not selected, and refuse to run; so the interpreters themselves
are put behind them. TensorFlow 1.4.1 needs a Python 3.6 of its own: who asks it (``tensorflow14``, ``report``) gets the
environment ``tensorflow14-worker`` made first, and its interpreter by the variable TENSORFLOW14_PYTHON.
"""

import os
import subprocess
import sys
from pathlib import Path

from tox.plugin import impl
from tox.tox_env.api import ToxEnv
from tox.tox_env.errors import Fail, Skip
from tox.tox_env.installer import InstallArguments

ROOT = Path(__file__).parent
WORKER = "tensorflow14-worker"
ASKS_TENSORFLOW = {"tensorflow14"}
NOT_RUN = (
    "not run: no Python 3.6, which TensorFlow 1.4.1 needs (looked at PYTHON36, at python3.6 on PATH and in pyenv's "
    "versions; PYTHON36=/path/to/python3.6 names one)"
)


def pyenv_folders() -> list[str]:
    """The ``bin`` folders of the interpreters that pyenv has installed."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return sorted(str(python.parent) for python in root.glob("versions/3.*/bin/python"))


def find_python36() -> str | None:
    """The path of a Python 3.6 that runs, or None: PYTHON36 if it is set, else the first on PATH."""
    named = os.environ.get("PYTHON36")
    on_path = [str(Path(folder) / "python3.6") for folder in os.environ["PATH"].split(os.pathsep)]
    return next((python for python in ([named] if named else on_path) if is_python36(python)), None)


def is_python36(python: str) -> bool:
    """Whether ``python`` runs and is a Python 3.6."""
    if not os.access(python, os.X_OK):
        return False
    asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.strip() == "3.6"


os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *pyenv_folders()])
PYTHON36 = find_python36()
if PYTHON36 is not None:
    os.environ["PYTHON36"] = PYTHON36
    os.environ["TENSORFLOW14_PYTHON"] = str(ROOT / ".tox" / WORKER / "bin" / "python")


@impl
def tox_on_install(tox_env: ToxEnv, arguments: InstallArguments, section: str, of_type: str) -> None:
    """Skip, before anything is installed, what has no Python 3.6 to run on."""
    del arguments, section, of_type  # the hook's signature; the environment alone decides
    if tox_env.conf.name in {*ASKS_TENSORFLOW, WORKER} and PYTHON36 is None:
        raise Skip(NOT_RUN)


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """Make the worker's environment for who asks it; a report without one goes on and says "not run"."""
    if tox_env.conf.name in {*ASKS_TENSORFLOW, "report"} and PYTHON36 is not None:
        made = subprocess.run([sys.executable, "-m", "tox", "run", "-e", WORKER], cwd=ROOT, check=False)
        if made.returncode != 0 and tox_env.conf.name in ASKS_TENSORFLOW:
            raise Fail(f"{WORKER} could not be made")
