"""What tox.ini cannot say: where interpreters, a GPU and a compiler are, and what goes without; knows no check.

A pyenv's shims stand on PATH for interpreters that are not selected, and refuse to run; so the interpreters themselves
are put behind them. TensorFlow 1.4.1 needs a Python 3.6 of its own: who asks it (``tensorflow14``, ``report``) gets the
environment ``tensorflow14-worker`` made first, and its interpreter by the variable TENSORFLOW14_PYTHON.

``conformance`` and ``report`` run impl_gpu on the CUDA device where there is one; where there is none, on the host side
(IMPL_GPU_DEVICE=host). Which it is they say first. ``gpu`` is a proof on a device, so without one it is not run.

JOBS, how many processes one check starts, is the number of cores unless the environment says otherwise (``run.sh``
does, which runs two checks at a time).
"""

import ctypes
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

ON_DEVICE = {"conformance", "report"}
NO_DEVICE = "not run: {}; `tox -e gpu-rehearsal` runs the same commands host-executed, which proves less"
NEEDED_CUDA = 13000  # CUDA 13.0, which cupy-cuda13x is built for


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


def missing_device() -> str | None:
    """Why there is no CUDA device here; None if there is one. Asks the driver itself, for tox has no CuPy."""
    library = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return f"no CUDA driver ({library})"
    count = ctypes.c_int(0)
    version = ctypes.c_int(0)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    status = status or driver.cuDriverGetVersion(ctypes.byref(version))
    if status != 0:
        return f"the CUDA driver answers with error {status}"
    if version.value < NEEDED_CUDA:
        return f"the CUDA driver is of {version.value // 1000}.{version.value % 1000 // 10}, older than 13.0"
    return None if count.value else "the CUDA driver sees no device"


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


MISSING_DEVICE = missing_device()
os.environ.setdefault("IMPL_GPU_DEVICE", "cuda" if MISSING_DEVICE is None else "host")
os.environ.setdefault("JOBS", str(cores()))

os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *pyenv_folders()])
PYTHON36 = find_python36()
if PYTHON36 is not None:
    os.environ["PYTHON36"] = PYTHON36
    os.environ["TENSORFLOW14_PYTHON"] = str(ROOT / ".tox" / WORKER / "bin" / "python")


@impl
def tox_on_install(tox_env: ToxEnv, arguments: InstallArguments, section: str, of_type: str) -> None:
    """Skip, before anything is installed, what has no Python 3.6 or no GPU to run on."""
    del arguments, section, of_type  # the hook's signature; the environment alone decides
    if tox_env.conf.name in {*ASKS_TENSORFLOW, WORKER} and PYTHON36 is None:
        raise Skip(NOT_RUN)
    if tox_env.conf.name == "gpu" and MISSING_DEVICE is not None:
        raise Skip(NO_DEVICE.format(MISSING_DEVICE))


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """Say on what impl_gpu runs; make the worker's environment for who asks it (a report goes on without one)."""
    if tox_env.conf.name in ON_DEVICE:
        found = "a CUDA device is there" if MISSING_DEVICE is None else MISSING_DEVICE
        sys.stderr.write(f"{tox_env.conf.name}: IMPL_GPU_DEVICE={os.environ['IMPL_GPU_DEVICE']} ({found})\n")
    if tox_env.conf.name in {*ASKS_TENSORFLOW, "report"} and PYTHON36 is not None:
        made = subprocess.run([sys.executable, "-m", "tox", "run", "-e", WORKER], cwd=ROOT, check=False)
        if made.returncode != 0 and tox_env.conf.name in ASKS_TENSORFLOW:
            raise Fail(f"{WORKER} could not be made")
