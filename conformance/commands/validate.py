"""`validate`: reads a report from disk and says whether it is complete and consistent."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from conformance import report as reports
from conformance.commands.options import positional


@dataclass(frozen=True)
class Validate:
    """The options of `validate`."""

    report: str = positional("report.json, or its folder")

    def perform(self) -> int:
        """Reads the report; a fault in it is an error."""
        try:
            found = reports.read(Path(self.report))
        except OSError as error:
            raise reports.ReportError(f"{self.report}: {error.strerror or error}") from error
        names = ", ".join(implementation["name"] for implementation in found["implementations"])
        sys.stdout.write(f"{self.report}: whole; {len(found['clauses'])} clauses, {names}\n")
        return 0
