"""Reports what a run stands on, device, driver and versions, and whether the device answers at all."""

import importlib.metadata
from typing import Any

import numpy as np

from ..device import current_device
from ..device.smi import nvidia_smi
from .carried import Carried
from .desk import Desk
from .findings import Findings

PACKAGES = (
    "cupy-cuda13x",
    "cupy-cuda12x",
    "cuda-pathfinder",
    "ml-dtypes",
    "numpy",
    "nvidia-cublas",
    "nvidia-cublas-cu12",
    "nvidia-cuda-nvrtc",
    "torch",
)
ON_GPU = "on a CUDA device"
REHEARSAL = "host-executed, no GPU: a rehearsal of the same command"


def check(findings: Findings, carried: Carried) -> bool:
    """Whether the device answers; where it does not, no other stage can."""
    findings.facts["packages"] = packages()
    findings.facts["carried"] = {name: value for name, value in carried.about.items() if name != "cases"}
    answers = False
    with findings.part("the device"):
        desk = Desk(current_device())
        findings.facts["execution"] = ON_GPU if desk.on_gpu else REHEARSAL
        data = np.arange(1000, dtype=np.int32)
        buffer = desk.upload(data)
        findings.equal("put and get", desk.download(buffer.ptr, data), data)
        answers = not findings.failures
        with findings.part("what it says of itself"):
            findings.facts["device"] = desk.device.describe()
            findings.that("it has a name", bool(findings.facts["device"]["device"]), "it has none")
        if desk.on_gpu:
            findings.facts["nvidia-smi"] = nvidia_smi()
            findings.facts["memory"] = _memory()
    return answers


def packages() -> dict[str, str]:
    """The versions of the installed packages that matter here."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _memory() -> dict[str, Any]:
    from cupy.cuda import runtime

    free, total = runtime.memGetInfo()
    return {"free_bytes": free, "total_bytes": total}
