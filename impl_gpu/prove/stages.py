"""Lists the stages of a proof in their order, each for a process of its own."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tancarflow_evidence import provenance
from tancarflow_evidence.evidence import Evidence
from tancarflow_evidence.evidence import Stage as Process

from ..device import current_device
from . import calls, environment, kernel_cases, products, seam_checks, training
from .carried import Carried, load
from .desk import Desk
from .findings import Findings

ROOT = Path(__file__).parents[2]
SOURCES = ("impl_gpu", "dynamic_rnn_spec")
BUDGET = 450.0


class Stage(NamedTuple):
    """``check(desk, findings, seed, carried)``; ``seconds`` at most."""

    seconds: float
    check: Callable[[Desk, Findings, int, Carried], Any]


def _seam(desk: Desk, findings: Findings, seed: int, carried: Carried) -> None:
    seam_checks.check(desk, findings, seed)


def _products(desk: Desk, findings: Findings, seed: int, carried: Carried) -> None:
    products.check(desk, findings, seed)


STAGES = {
    "seam": Stage(60.0, _seam),
    "products": Stage(60.0, _products),
    "kernels": Stage(120.0, kernel_cases.check),
    "eager, waiting after each call": Stage(60.0, calls.check_waiting),
    "eager": Stage(90.0, calls.check_eager),
    "training": Stage(90.0, training.check),
    "graph": Stage(90.0, calls.check_graph),
    "differential": Stage(120.0, calls.check_drawn),
}
FIRST = "environment"
FIRST_SECONDS = 60.0


def prove(out: Path, carried: Path, seed: int, tell: Callable[[str], Any]) -> tuple[str, str]:
    """Run all stages and leave the evidence; its verdict, and what executed it."""
    limits = {FIRST: FIRST_SECONDS, **{name: stage.seconds for name, stage in STAGES.items()}}
    asked = (sys.executable, "-m", "impl_gpu.prove", "--carried", str(carried), "--seed", str(seed), "--stage")
    processes = [Process(name, (*asked, name), seconds) for name, seconds in limits.items()]
    evidence = Evidence(out, "impl_gpu prove", ROOT, seed=seed, sources=SOURCES)
    verdict = evidence.run(processes, BUDGET, tell)
    return verdict, str(evidence.content["facts"].get("execution", "on no device"))


def run_stage(name: str, carried: Path, seed: int) -> None:
    """One stage, in this process."""
    findings, known = Findings(), load(carried)
    started = time.perf_counter()
    if name == FIRST:
        findings.end(go_on=environment.check(findings, known))
        return
    desk = Desk(current_device())
    findings.figures["seconds_to_start"] = round(time.perf_counter() - started, 3)
    STAGES[name].check(desk, findings, seed, known)
    checked = getattr(desk.device, "checked", None)
    if checked is not None:  # with the switch for it there is a shadow around the device
        findings.figures["checked in the shadow"] = sum(checked.values())
        findings.figures["unchecked in the shadow"] = dict(desk.device.unchecked)  # type: ignore[attr-defined]
    findings.end()


def carry(path: Path, seed: int) -> None:
    """Compute what is carried, on the host side.

    Raises:
        ValueError: the device is a GPU, whose results prove nothing of it.
    """
    desk = Desk(current_device())
    if desk.on_gpu:
        raise ValueError(
            "--carry: expected IMPL_GPU_DEVICE=host, for the host's results are what a GPU is compared with"
        )
    source = provenance.source_of(ROOT, SOURCES)
    about = {"seed": seed, "date": provenance.now(), "by": desk.device.describe(), "source": source["sha256"]}
    carried = Carried({**about, "cases": [case.name for case in kernel_cases.cases(seed)]})
    kernel_cases.carry(desk, carried, seed)
    calls.carry(desk, carried, seed)
    carried.save(path)
