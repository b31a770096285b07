"""Runs the stages of `device` and keeps of each the counts and whole counterexamples, since the machine may be gone by
the time they are read."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import report
from conformance.commands.differential import Compared, Differential, Gradients, Schedules
from conformance.commands.errors import EXPECTED
from conformance.commands.options import count, jobs, option, positional, profile, seed
from conformance.commands.run import Run
from conformance.report.model import LEVELS, Implementation, Report, headline
from conformance.subject import targets
from tancarflow_evidence.evidence import FAILED, NOT_RUN, PASSED, write_result

KEPT = 5
"""Counterexamples that are kept whole."""
MEMORY_CHECKED = "CONFORMANCE_MEMORY_CHECKED"
"""Set while a memory checker watches: an implementation with a memory pool should then allocate each piece anew."""
SCHEDULES, REPEATS = 20, 5


@dataclass(frozen=True)
class Staged:
    """The options of `device` that concern a stage."""

    implementation: str = positional("a name or module:attribute (impl_gpu)", nargs="?", default="impl_gpu")
    profile: str = profile("after smoke")
    cases: int = option("of the differential, about (3000)", 3000, type=count, metavar="N")
    seed: int = seed("cases")
    jobs: int = jobs()
    small: bool = option("a rehearsal: smoke only, fewer cases and schedules", False)

    def run(self, stage: str) -> bool:
        """Runs one stage in this process; whether it passed."""
        try:
            return STAGES[stage](self)
        except EXPECTED as error:
            absent = stage == "available"
            write_result(NOT_RUN if absent else FAILED, why=str(error), go_on=not absent)
            return False


def available(options: Staged) -> bool:
    """The implementation is here, and says what it runs on."""
    (target,) = targets.inspect([options.implementation])
    if target.note is not None:
        write_result(NOT_RUN, why=target.note, go_on=False)
        return False
    facts = {"implementation": {"name": target.name, "own": target.own, **target.description}}
    write_result(PASSED, facts=facts)
    return True


def suite(options: Staged, profile: str) -> bool:
    """`run` with a profile: what was counted, and what was broken."""
    with tempfile.TemporaryDirectory() as folder:
        command = Run((options.implementation,), profile=profile, seed=options.seed, jobs=options.jobs, out=folder)
        status = command.perform()
        if not (Path(folder) / "report.json").is_file():
            write_result(FAILED, why=f"no report; exit status {status}")
            return False
        found = report.read(Path(folder))
        (column,) = found["implementations"]
        examples = report_examples(Path(folder), column)
    broken = broken_clauses(found, column)
    named = [one["clause"] for one in broken]
    counts = {level: headline(column["summary"][level], level, column["own"]) for level in LEVELS}
    write_result(
        PASSED if status == 0 else FAILED,
        **said(status == 0, f"exit status {status}; these clauses do not hold: {', '.join(named)}"),
        profile=profile,
        ran_on=column["device"],
        counts=counts,
        examples=sum(verdict["examples"] for verdict in column["verdicts"]),
        left_out=[
            {"clause": verdict["clause"], **verdict["left_out"]}
            for verdict in column["verdicts"]
            if "left_out" in verdict
        ],
        broken=broken,
        counterexamples=examples,
    )
    return status == 0


def broken_clauses(found: Report, column: Implementation) -> list[dict[str, Any]]:
    """Every testable clause that is no pass, with what was said."""
    testable = {clause["id"] for clause in found["clauses"] if clause["testable"]}
    return [
        {
            "clause": verdict["clause"],
            "verdict": verdict["verdict"],
            "reason": verdict["counterexample"]["message"] if verdict["counterexample"] else verdict["reason"],
        }
        for verdict in column["verdicts"]
        if verdict["clause"] in testable and verdict["verdict"] != "pass"
    ]


def report_examples(folder: Path, column: Implementation) -> list[Any]:
    """The first counterexamples of a report, whole."""
    files = [verdict["counterexample"]["file"] for verdict in column["verdicts"] if verdict["counterexample"]]
    return [json.loads((folder / file).read_bytes()) for file in files[:KEPT]]


def differential(options: Staged) -> bool:
    """`differential`: thousands of cases beside the second implementation."""
    name, seed, jobs = options.implementation, options.seed, options.jobs
    return compared(Differential(implementation=name, seed=seed, jobs=jobs, cases=options.cases))


def gradients(options: Staged) -> bool:
    """`gradients`: as many cases as a third of the differential's, since each is a forward and two backward passes."""
    name, seed, jobs = options.implementation, options.seed, options.jobs
    return compared(Gradients(implementation=name, seed=seed, jobs=jobs, cases=options.cases // 3))


def schedules(options: Staged) -> bool:
    """`schedules`, under many of them where the implementation has some, else again and again as the device likes."""
    (target,) = targets.inspect([options.implementation])
    number = REPEATS if options.small or not target.schedules else SCHEDULES
    name, seed, jobs = options.implementation, options.seed, options.jobs
    return compared(
        Schedules(implementation=name, seed=seed, jobs=jobs, schedules=number, repeat=not target.schedules)
    )


def compared(command: Compared) -> bool:
    """One of the three commands that compare, and the JSON that it leaves."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        status = dataclasses.replace(command, out=str(out)).perform()
        if not out.is_file():
            write_result(FAILED, why=f"no result; exit status {status}")
            return False
        found = json.loads(out.read_bytes())
        files = [failure["counterexample"] for failure in found["failures"] if failure["counterexample"]]
        examples = [json.loads(Path(file).read_bytes()) for file in files[:KEPT]]
    wrong = [f"{one['kind']} {one['dtype']}: {one['message']}" for one in found["failures"]] + found["troubles"]
    write_result(
        PASSED if status == 0 else FAILED,
        **said(status == 0, f"{len(wrong)} do not agree: {'; '.join(wrong[:KEPT])}"),
        **{name: found[name] for name in ("against", "cases", "schedules", "by_kind", "coverage", "failures")},
        counterexamples=examples,
    )
    return status == 0


def memcheck(options: Staged) -> bool:
    """The smoke profile under compute-sanitizer; it ends with the count of errors that it saw."""
    sanitizer = shutil.which("compute-sanitizer")
    assert sanitizer is not None
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
    with tempfile.TemporaryDirectory() as folder:
        command = [sanitizer, "--tool", "memcheck", "--target-processes", "all", "--error-exitcode", "9"]
        command += [sys.executable, *flags, "-m", "conformance", "run", options.implementation, "--profile", "smoke"]
        command += ["--seed", str(options.seed), "--jobs", str(options.jobs), "--out", folder]
        environment = {**os.environ, MEMORY_CHECKED: "1"}
        started = time.monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    summaries = [line.strip() for line in done.stdout.splitlines() if "ERROR SUMMARY" in line]
    errors = [line for line in summaries if "ERROR SUMMARY: 0 errors" not in line]
    good = done.returncode == 0 and bool(summaries) and not errors
    write_result(
        PASSED if good else FAILED,
        **said(good, f"exit status {done.returncode}; {errors or summaries or 'no summary'}"),
        command=[Path(word).name if word == sanitizer else word for word in command[:8]],
        summaries=summaries,
        took=round(time.monotonic() - started, 1),
        **({} if good else {"told": (done.stdout + done.stderr)[-6000:]}),
    )
    return good


def said(good: bool, why: str) -> dict[str, str]:
    """The reason why a stage failed; empty for one that passed."""
    return {} if good else {"why": why}


STAGES: dict[str, Callable[[Staged], bool]] = {
    "available": available,
    "smoke": lambda options: suite(options, "smoke"),
    "profile": lambda options: suite(options, options.profile),
    "differential": differential,
    "gradients": gradients,
    "schedules": schedules,
    "memcheck": memcheck,
}
