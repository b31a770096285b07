"""`device`: runs the suite in stages, each in its own process with a time limit, and writes one JSON file of evidence.

It is meant for a machine that is available for minutes only, so the file is complete after each stage. No package has
to be installed, the source tree is enough: ``PYTHONPATH=spec:. python -m conformance device``.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.commands.options import option
from conformance.commands.stages import STAGES, Staged
from conformance.machine.exit_status import BROKEN, FAILED, HOLDS
from conformance.subject import targets
from tancarflow_evidence import evidence

SOURCES = ("dynamic_rnn_spec", "conformance", "tancarflow_evidence")
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


@dataclass(frozen=True)
class Device(Staged):
    """The options of `device`."""

    minutes: float = option("for all stages together (8)", 8.0, type=float, metavar="M")
    out: str | None = option("the evidence (docs/evidence/NAME-conformance.json)", None, metavar="FILE")
    stage: str | None = option(None, None, choices=tuple(STAGES))

    def perform(self) -> int:
        """Runs the stages, or the one that is named; returns the exit status."""
        if self.small and (self.profile, self.cases) != (smaller := ("smoke", min(self.cases, SMALL))):
            return dataclasses.replace(self, profile=smaller[0], cases=smaller[1]).perform()
        if self.stage is not None:
            return HOLDS if self.run(self.stage) else BROKEN
        budget = 60.0 * self.minutes
        folder = targets.TREE / self.implementation
        out = self.out or Path("docs") / "evidence" / f"{self.implementation}-conformance.json"
        record = evidence.Evidence(
            out,
            f"conformance device {self.implementation}",
            targets.TREE,
            facts={
                "small": self.small,
                "compute-sanitizer": "there" if shutil.which(SANITIZER) else "not on this machine",
            },
            seed=self.seed,
            sources=[*SOURCES, *([self.implementation] if folder.is_dir() else [])],
        )
        planned = [stage(name, self, budget) for name in names(self)]
        verdict = record.run(planned, budget, tell)
        tell(f"{verdict}: {out}")
        return {evidence.PASSED: HOLDS, evidence.FAILED: BROKEN}.get(verdict, FAILED)


def names(options: Device) -> list[str]:
    """The stages of this machine: memory is checked where there is a program for it."""
    chosen = ["available", "smoke"]
    chosen += ["profile"] if options.profile != "smoke" else []
    chosen += ["differential", "gradients", "schedules"]
    return chosen + (["memcheck"] if shutil.which(SANITIZER) else [])


def stage(name: str, options: Device, budget: float) -> evidence.Stage:
    """A stage as the command of its process."""
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
    command = [sys.executable, *flags, "-m", "conformance", "device", options.implementation, "--stage", name]
    for one in ("profile", "seed", "jobs", "cases", "minutes"):
        command += [f"--{one}", str(getattr(options, one))]
    command += ["--small"] if options.small else []
    shown = options.profile if name == "profile" else name
    return evidence.Stage(shown, command, SHARES[name] * budget)


def tell(text: str) -> Any:
    """Prints a line of progress."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
