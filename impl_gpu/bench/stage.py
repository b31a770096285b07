"""Runs one stage of the bench: one shape in one process, writing the result anew after each point."""

from collections.abc import Iterable
from typing import Any

import impl_gpu.settings
from impl_gpu.device import current_device
from impl_gpu.device.smi import nvidia_smi
from tancarflow_evidence.evidence import FAILED, NOT_RUN, PASSED, write_progress, write_result

from .clock import device_facts
from .measure import Bench
from .points import Shape

HOST_EXECUTED = "host-executed, no GPU: times mean nothing"


def run(shape: Shape, seconds: float, repeats: int, parallel_iterations: int) -> str:
    """Measure one shape; the verdict: "failed" where results were wrong, "not run" without a device."""
    try:
        device: Any = current_device()
    except RuntimeError as error:
        write_result(NOT_RUN, why=str(error), go_on=False)
        return NOT_RUN
    rival = rival_for(device)
    result = started(device, rival, parallel_iterations)
    write_progress("the first point", **result)
    bench = Bench(device, (shape,), seconds, 1 if device.kind != "cuda" else repeats, parallel_iterations, rival)
    return finished(device, bench.run(), result)


def started(device: Any, rival: Any, parallel_iterations: int) -> dict[str, Any]:
    """The result of a stage before its first point: facts alone."""
    hosted = device.kind != "cuda"
    facts = {
        **device_facts(device),
        "host_executed": HOST_EXECUTED if hosted else None,
        "rival": rival if isinstance(rival, str) else rival.versions(),
        "switches": impl_gpu.settings.current()._asdict(),
        "parallel_iterations": parallel_iterations,
    }
    return {"facts": facts, "points": [], "nvidia_smi": [] if hosted else [nvidia_smi()]}


def finished(device: Any, entries: Iterable[dict[str, Any]], result: dict[str, Any]) -> str:
    """Add the points to the result as they are measured, and write it; the verdict."""
    for entry in entries:
        result["points"].append(entry)
        write_progress(f"what comes after {len(result['points'])} points", **result)
    if device.kind == "cuda":
        result["nvidia_smi"].append(nvidia_smi())
    judged = [*result["points"], *([result["longest"]] if "longest" in result else [])]
    refused = [entry["refused"] for entry in judged if "refused" in entry]
    timed = any("medians" in entry for entry in result["points"])
    verdict = FAILED if refused else PASSED if timed else NOT_RUN
    write_result(verdict, **result, **({"first_failure": refused[0]} if refused else {}))
    return verdict


def rival_for(device: Any) -> Any:
    """The module ``rival``, or why nothing is measured beside impl_gpu."""
    if device.kind != "cuda":
        return "kernels are host-executed"
    try:
        from . import rival
    except ImportError as error:
        return str(error)
    return rival.available() or rival
