"""Tells tox what tox.ini cannot: which interpreters and which GPU this machine has, and what is skipped without them.

A pyenv's shims stand on PATH even for interpreters that are not selected, and then refuse to run, so the interpreters
themselves are added to PATH behind them. TensorFlow 1.4.1 needs a Python 3.6 of its own: for ``tensorflow14`` and
``report`` the environment ``tensorflow14-worker`` is made first, and the variable TENSORFLOW14_PYTHON names its
interpreter.

``conformance`` and ``report`` run impl_gpu on the CUDA device if there is one, otherwise on the host side
(IMPL_GPU_DEVICE=host), and say first which it is. ``gpu`` is a proof on a device, so it is not run without one.

JOBS, the number of processes that one check starts, is the number of cores divided by SIDE_BY_SIDE, the number of
checks that run at a time (set by ``run.sh``), unless the environment says otherwise.
"""

import ctypes
import math
import os
import subprocess
import sys
from pathlib import Path

from tox.plugin import impl
from tox.tox_env.api import ToxEnv
from tox.tox_env.errors import Fail, Skip
from tox.tox_env.installer import InstallArguments

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # of this tree only what needs nothing installed

from conformance.machine.interpreters import NotAvailable, cores, find_python36, pyenv_pythons  # noqa: E402

WORKER = "tensorflow14-worker"
ASKS_TENSORFLOW = {"tensorflow14"}
ON_DEVICE = {"conformance", "report"}
NO_DEVICE = "not run: {}; `tox -e gpu-rehearsal` runs the same commands host-executed, which proves less"
NEEDED_CUDA = 13000  # CUDA 13.0, which cupy-cuda13x is built for


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


MISSING_DEVICE = missing_device()
os.environ.setdefault("IMPL_GPU_DEVICE", "cuda" if MISSING_DEVICE is None else "host")
os.environ.setdefault("JOBS", str(math.ceil(cores() / int(os.environ.get("SIDE_BY_SIDE", "1")))))

FOLDERS = [str(python.parent) for python in pyenv_pythons("3.*")]
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *FOLDERS])
NO_PYTHON36 = ""
try:
    os.environ["PYTHON36"] = str(find_python36())
    os.environ["TENSORFLOW14_PYTHON"] = str(ROOT / ".tox" / WORKER / "bin" / "python")
except NotAvailable as reason:
    NO_PYTHON36 = f"not run: {reason}; TensorFlow 1.4.1 needs one (PYTHON36=/path/to/python3.6 names it)"


@impl
def tox_on_install(tox_env: ToxEnv, arguments: InstallArguments, section: str, of_type: str) -> None:
    """Skip, before anything is installed, what has no Python 3.6 or no GPU to run on."""
    del arguments, section, of_type  # the hook's signature; the environment alone decides
    if tox_env.conf.name in {*ASKS_TENSORFLOW, WORKER} and NO_PYTHON36:
        raise Skip(NO_PYTHON36)
    if tox_env.conf.name == "gpu" and MISSING_DEVICE is not None:
        raise Skip(NO_DEVICE.format(MISSING_DEVICE))


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """Say on what impl_gpu runs; make the worker's environment where it is needed (a report goes on without one)."""
    if tox_env.conf.name in ON_DEVICE:
        found = "a CUDA device is there" if MISSING_DEVICE is None else MISSING_DEVICE
        sys.stderr.write(f"{tox_env.conf.name}: IMPL_GPU_DEVICE={os.environ['IMPL_GPU_DEVICE']} ({found})\n")
    if tox_env.conf.name in {*ASKS_TENSORFLOW, "report"} and not NO_PYTHON36:
        made = subprocess.run([sys.executable, "-m", "tox", "run", "-e", WORKER], cwd=ROOT, check=False)
        if made.returncode != 0 and tox_env.conf.name in ASKS_TENSORFLOW:
            raise Fail(f"{WORKER} could not be made")
