"""Writes and reads the report of a run: `report.json` holds everything, and every other file is made from it."""

from conformance.report.check import check
from conformance.report.model import Report, ReportError
from conformance.report.store import read, write

__all__ = ["Report", "ReportError", "check", "read", "write"]
