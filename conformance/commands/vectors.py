"""`vectors verify` compares an implementation with the recorded outcomes; `vectors record` asks TensorFlow for them
again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from conformance.commands.options import positional, worker
from conformance.subject import subjects, targets
from conformance.vectors import record, stored, verify


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
        subject = targets.one(name, self.worker, f"vectors {self.action}").open()
        try:
            if self.action == "record":
                out = Path(str(stored.folder()))
                sys.stdout.write(f"{record.record(subject, out)} vectors recorded in {out}\n")
                return 0
            found = verify.verify(subject)
        finally:
            subject.close()
        sys.stdout.write(verify.summary(found) + "\n")
        return 1 if not found or any(one.verdict == verify.DISAGREES for one in found) else 0
