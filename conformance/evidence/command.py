"""`device`: the stages in their order, each in a process of its own with a time limit, and one JSON file that is whole
after each; what a stage does is in ``stages``.

It needs no installed package, only the tree: ``PYTHONPATH=spec:. python -m conformance device``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from conformance import targets
from conformance.evidence import stages
from dynamic_rnn_spec import evidence

PASSED, BROKEN, FAILED = 0, 1, 2
SOURCES = ("dynamic_rnn_spec", "conformance")
SMALL = 1300
"""Cases of the differential in a rehearsal."""
SANITIZER = "compute-sanitizer"
SHARES = {
    "available": 0.2,
    "smoke": 0.4,
    "profile": 0.6,
    "differential": 0.4,
    "gradients": 0.4,
    "schedules": 0.4,
    "memcheck": 1.0,
}
"""The part of all minutes that a stage may take at most; what others leave is free for those that follow."""


def perform(options: argparse.Namespace) -> int:
    """Runs the stages, or the one that is named; returns the exit status."""
    if options.small:
        options.profile, options.cases = "smoke", min(options.cases, SMALL)
    if options.stage is not None:
        return stages.run(options)
    budget = 60.0 * options.minutes
    folder = targets.TREE / options.implementation
    record = evidence.Evidence(
        options.out,
        f"conformance device {options.implementation}",
        targets.TREE,
        facts={
            "small": options.small,
            "compute-sanitizer": "there" if shutil.which(SANITIZER) else "not on this machine",
        },
        seed=options.seed,
        sources=[*SOURCES, *([options.implementation] if folder.is_dir() else [])],
    )
    planned = [stage(name, options, budget) for name in names(options)]
    verdict = record.run(planned, budget, tell)
    tell(f"{verdict}: {options.out}")
    return {evidence.PASSED: PASSED, evidence.FAILED: BROKEN}.get(verdict, FAILED)


def names(options: argparse.Namespace) -> list[str]:
    """The stages of this machine: memory is checked where there is a program for it."""
    chosen = ["available", "smoke"]
    chosen += ["profile"] if options.profile != "smoke" else []
    chosen += ["differential", "gradients", "schedules"]
    return chosen + (["memcheck"] if shutil.which(SANITIZER) else [])


def stage(name: str, options: argparse.Namespace, budget: float) -> evidence.Stage:
    """A stage as the command of its process."""
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
    command = [sys.executable, *flags, "-m", "conformance", "device", options.implementation, "--stage", name]
    for option in ("profile", "seed", "jobs", "cases", "minutes"):
        command += [f"--{option}", str(getattr(options, option))]
    command += ["--small"] if options.small else []
    shown = options.profile if name == "profile" else name
    return evidence.Stage(shown, command, SHARES[name] * budget)


def tell(text: str) -> Any:
    """A line for whoever waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def default_out(implementation: str) -> Path:
    """Where the evidence goes if nobody says."""
    return Path("docs") / "evidence" / f"{implementation}-conformance.json"
