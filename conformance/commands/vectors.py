"""`vectors verify` compares an implementation with the recorded outcomes; `vectors record` asks TensorFlow for them
again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from conformance.commands.errors import handed_over
from conformance.commands.options import positional, worker
from conformance.machine.exit_status import BROKEN, HOLDS
from conformance.subject import subjects, targets
from conformance.vectors import record as recording
from conformance.vectors import stored
from conformance.vectors import verify as verifying

LIMIT = 3600.0
"""Seconds for all vectors."""


@dataclass(frozen=True)
class Vectors:
    """The options of `vectors`."""

    action: str = positional("verify or record", choices=("verify", "record"))
    implementation: str | None = positional("what to verify: a name or module:attribute", nargs="?", default=None)
    worker: str | None = worker()

    def perform(self) -> int:
        """Verifies, or records; returns the exit status."""
        name = self.implementation
        if self.action == "record" and self.worker is None:
            name = name or subjects.TENSORFLOW
        target = targets.one(name, self.worker, f"vectors {self.action}")
        said, status = targets.alone(f"{__name__}:{self.action}", target, target, LIMIT)
        sys.stdout.write(f"{said}\n")
        return int(status)


@handed_over
def verify(target: targets.Target) -> tuple[str, int]:
    """Which vectors agree, and the exit status."""
    subject = target.open()
    try:
        found = verifying.verify(subject)
    finally:
        subject.close()
    agree = bool(found) and all(one.verdict != verifying.DISAGREES for one in found)
    return verifying.summary(found), HOLDS if agree else BROKEN


@handed_over
def record(target: targets.Target) -> tuple[str, int]:
    """How many vectors were recorded, and where."""
    out = Path(str(stored.folder()))
    subject = target.open()
    try:
        return f"{recording.record(subject, out)} vectors recorded in {out}", HOLDS
    finally:
        subject.close()
