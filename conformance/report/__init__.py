"""The report of a run: `report.json` is the truth, all else is made from it; it runs and judges nothing."""

from conformance.report.check import case_file, check
from conformance.report.model import (
    FORMAT,
    LEVELS,
    VERDICTS,
    VERSION,
    Clause,
    Counterexample,
    Counts,
    Implementation,
    Report,
    ReportError,
    Run,
    Spec,
    Verdict,
    headline,
    summarise,
)
from conformance.report.store import read, write
from conformance.report.wording import is_failure, word

__all__ = [
    "FORMAT",
    "LEVELS",
    "VERDICTS",
    "VERSION",
    "Clause",
    "Counterexample",
    "Counts",
    "Implementation",
    "Report",
    "ReportError",
    "Run",
    "Spec",
    "Verdict",
    "case_file",
    "check",
    "headline",
    "is_failure",
    "read",
    "summarise",
    "word",
    "write",
]
