"""Runs `conformance run` and forgives the failures of third parties that are announced in its list of known failures.

`conformance run` exits with 1 when TensorFlow 1.4.1 breaks a promise of the page, which it does. That is not enough for
a check, because a new failing clause must not hide behind the announced ones. So 1 becomes 0 if our own implementations
keep every clause, and every documented one that fails elsewhere is a known failure, listed with its reason.

    python .ci/announced.py impl_ref tensorflow14 --known docs/tensorflow14/known.toml --out report
"""

import argparse
import sys
from pathlib import Path

from conformance.cli import main
from conformance.machine.exit_status import BROKEN, FAILED, HOLDS
from conformance.report import read
from conformance.report.model import Report

FORGIVEN = {"pass", "unsupported", "known failure"}


def unannounced(report: Report) -> list[str]:
    """The clauses broken without being announced: documented ones by a third party, any by an own implementation."""
    clauses = {clause["id"]: clause for clause in report["clauses"] if clause["testable"]}
    return [
        f"{implementation['name']}: {verdict['clause']} {verdict['verdict']}"
        for implementation in report["implementations"]
        for verdict in implementation["verdicts"]
        if verdict["clause"] in clauses
        and (implementation["own"] or clauses[verdict["clause"]]["level"] == "documented")
        and verdict["verdict"] not in ({"pass"} if implementation["own"] else FORGIVEN)
        and not (verdict["verdict"] == "not run" and is_absent(implementation["note"]))
    ]


def is_absent(note: str | None) -> bool:
    """Whether this machine lacks the implementation altogether; its column says "not run", and why."""
    return note is not None and note.startswith("not run")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(add_help=False)
    arguments.add_argument("--out", default="report")
    out = Path(arguments.parse_known_args()[0].out)
    status = main(["run", *sys.argv[1:]])
    if status == BROKEN:
        found = unannounced(read(out))
        status = BROKEN if found else HOLDS
        sys.stderr.writelines(f"not announced: {line}\n" for line in found)
    sys.exit(status if status in (HOLDS, BROKEN) else FAILED)
