"""The command line: reads arguments, calls what does the work, turns what came of it into an exit status; it does no
work itself.

Exit status of `run`: 0 if every clause asked for holds (documented ones for anybody, all three levels for our own
implementations; but who has no gradients at all is not held to theirs), 1 if some do not, 2 if the run itself failed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

OK, BROKEN, FAILED = 0, 1, 2
STAGES = ("available", "smoke", "profile", "differential", "gradients", "schedules", "memcheck")
EXTRA = {"hypothesis", "jinja2", "pytest", "rich", "xdist"}


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="conformance", description="Who keeps the promises of the dynamic_rnn page?")
    commands = top.add_subparsers(dest="command", required=True)

    run = commands.add_parser("run", help="run the suite on implementations and write the report")
    run.add_argument("implementation", nargs="*", help="a name (impl_ref, tensorflow14) or module:attribute")
    run.add_argument("--worker", action="append", default=[], metavar="COMMAND", help="one behind a worker process")
    run.add_argument("--profile", choices=("smoke", "default", "thorough"), default="default", help="how many examples")
    run.add_argument("--examples", type=_count, metavar="N", help="so many for each law, by any profile")
    run.add_argument("--clause", action="append", default=[], metavar="ID", help="a clause (SEQ-5) or section (SEQ)")
    run.add_argument("--seed", type=int, default=0, help="the same seed gives the same examples (0)")
    run.add_argument("--jobs", type=_count, default=cores(), metavar="N", help="processes side by side (all cores)")
    run.add_argument("--out", default="report", metavar="FOLDER", help="where the report goes (report)")
    run.add_argument("--known", metavar="TOML", help="failures that are announced, with their counterexamples")

    replay = commands.add_parser("replay", help="one counterexample again, expected and got side by side")
    replay.add_argument("file", help="a counterexample, such as report/cases/impl_ref/SEQ-5.json")
    replay.add_argument("implementation", nargs="?", help="a name or module:attribute")
    replay.add_argument("--worker", metavar="COMMAND", help="one behind a worker process")

    shown = commands.add_parser("clauses", help="the clauses, or some of them whole")
    shown.add_argument("id", nargs="*", help="a clause (SEQ-5) or section (SEQ)")

    mutants = commands.add_parser("mutants", help="the suite's own proof: which planted defects it catches, by clause")
    mutants.add_argument("--of", default="impl_ref", metavar="NAME", help="where to plant them (impl_ref)")
    mutants.add_argument("--clause", action="append", default=[], metavar="ID", help="SEQ-5, or a section: SEQ")
    mutants.add_argument("--profile", choices=("smoke", "default", "thorough"), default="default")
    mutants.add_argument("--seed", type=int, default=0)
    mutants.add_argument("--jobs", type=_count, default=cores(), metavar="N")

    vectors = commands.add_parser("vectors", help="the outcomes recorded from TensorFlow 1.4.1")
    vectors.add_argument("action", choices=("verify", "record"))
    vectors.add_argument("implementation", nargs="?", help="what to verify: a name or module:attribute")
    vectors.add_argument("--worker", metavar="COMMAND", help="one behind a worker process")

    differential = commands.add_parser("differential", help="two implementations on thousands of generated cases")
    _two(differential, "differential", cases=3000, schedules=0)

    gradients = commands.add_parser("gradients", help="the gradients of two implementations on generated cases")
    _two(gradients, "gradients", cases=2000, schedules=0)

    schedules = commands.add_parser("schedules", help="cases heavy with concurrency, each under many schedules")
    _two(schedules, "schedules", cases=200, schedules=20)

    device = commands.add_parser("device", help="the suite in stages with time limits, as one JSON file of evidence")
    device.add_argument("implementation", nargs="?", default="impl_gpu", help="a name or module:attribute (impl_gpu)")
    device.add_argument("--profile", choices=("smoke", "default", "thorough"), default="default", help="after smoke")
    device.add_argument("--cases", type=_count, default=3000, metavar="N", help="of the differential, about (3000)")
    device.add_argument("--minutes", type=float, default=8.0, metavar="M", help="for all stages together (8)")
    device.add_argument("--seed", type=int, default=0, help="the same seed gives the same cases (0)")
    device.add_argument("--jobs", type=_count, default=cores(), metavar="N", help="processes side by side (all cores)")
    device.add_argument("--out", metavar="FILE", help="the evidence (docs/evidence/NAME-conformance.json)")
    device.add_argument("--small", action="store_true", help="a rehearsal: smoke only, fewer cases and schedules")
    device.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)

    validate = commands.add_parser("validate", help="see whether a report is whole and agrees with itself")
    validate.add_argument("report", help="report.json, or its folder")
    return top


def _two(command: argparse.ArgumentParser, name: str, cases: int, schedules: int) -> None:
    """The options of a command that compares two implementations."""
    command.add_argument("implementation", help="a name or module:attribute")
    command.add_argument("against", nargs="?", default="impl_ref", help="the second implementation (impl_ref)")
    command.add_argument("--cases", type=_count, default=cases, metavar="N", help=f"how many, about ({cases})")
    command.add_argument("--schedules", type=int, default=schedules, metavar="N", help=f"for each case ({schedules})")
    if name == "schedules":
        command.add_argument("--repeat", action="store_true", help="run each case so often, whatever its order is")
    else:
        command.set_defaults(repeat=False)
    command.add_argument("--kind", default="", metavar="TEXT", help="only kinds of cells with this in their name")
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same cases (0)")
    command.add_argument("--jobs", type=_count, default=cores(), metavar="N", help="processes side by side (all cores)")
    command.add_argument("--minutes", type=float, metavar="M", help="stop then; what was not tried is an error")
    command.add_argument("--out", default=f"report/{name}.json", metavar="FILE", help="where the result goes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        from conformance import commands, subjects
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name not in EXTRA:
            raise
        return complain(f"{name} is missing; install the extra: pip install 'tancarflow[conformance]'")
    subjects.look_in_current_folder()
    try:
        return commands.perform(options)
    except commands.EXPECTED as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return complain("stopped; no report was written")


def complain(text: str) -> int:
    """One line on standard error; the exit status of a run that failed."""
    print(f"conformance: {text}", file=sys.stderr)
    return FAILED


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, got {text!r}")
    return int(text)
