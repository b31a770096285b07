"""What each command does, once its arguments are read; it formats no report and judges no outcome."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from rich.text import Text

from conformance import known, registry, report, runner, screen, subjects, targets
from conformance.engine import Settings
from conformance.mutants import MutantError
from conformance.replaying import replay
from conformance.showing import show_clauses
from dynamic_rnn_spec import clauses

EXPECTED = (
    clauses.ClauseError,
    MutantError,
    known.StoredError,
    report.ReportError,
    subjects.HarnessError,
    subjects.NotAvailable,
)
"""Errors whose text says all that a person needs: shown as one line."""


def perform(options: argparse.Namespace) -> int:
    """Does what the command line asks; returns the exit status."""
    command: Callable[[argparse.Namespace], int] = {
        "run": run,
        "replay": replay,
        "clauses": show_clauses,
        "mutants": mutants,
        "vectors": vectors,
        "validate": validate,
        "differential": differential,
        "gradients": differential,
        "schedules": differential,
        "device": device,
    }[options.command]
    return command(options)


def run(options: argparse.Namespace) -> int:
    """`run`: the suite on each implementation, the report, a summary; the place of the report comes last."""
    console = screen.console()
    if not options.implementation and not options.worker:
        known_names = ", ".join(subjects.names())
        raise subjects.UnknownSubjectError(f"name an implementation: {known_names}, or module:attribute")
    if Path(options.out).exists() and not Path(options.out).is_dir():
        raise report.ReportError(f"{options.out}: the report needs a folder, and this is a file")
    ids = registry.clause_ids(options.clause)
    announced = known.read(Path(options.known)) if options.known else []
    plan = runner.Plan(
        targets=targets.inspect(options.implementation, options.worker),
        settings=Settings(options.profile, options.seed, count=options.examples),
        chosen=ids,
        jobs=options.jobs,
        out=Path(options.out),
        command=command_line(options),
        known=announced,
    )
    with screen.Screen(console) as watcher:
        finished = runner.run(plan, watcher)
    try:
        written = report.write(finished.report, plan.out)
    except OSError as error:
        raise report.ReportError(f"{plan.out}: the report cannot be written: {error.strerror or error}") from error
    for line in screen.findings(finished.report):
        console.print(line, soft_wrap=True)
    console.print(screen.summary_table(finished.report, ids))
    for line in screen.headlines(finished.report, ids):
        console.print(line, soft_wrap=True)
    for trouble in finished.troubles:
        console.print(Text(f"error: {trouble}", style="bold red"))
    console.print(Text(f"report: {written.parent / 'index.html'}"), soft_wrap=True)
    return finished.status


def mutants(options: argparse.Namespace) -> int:
    """`mutants`: plants each defect, and shows what caught it."""
    from conformance.mutants import command  # what only this command needs

    return command.perform(options)


def differential(options: argparse.Namespace) -> int:
    """`differential`, `gradients` and `schedules`: two implementations on the same generated cases."""
    from conformance.differential import command  # what only this command needs

    return command.perform(options)


def device(options: argparse.Namespace) -> int:
    """`device`: the suite in stages, as evidence."""
    from conformance.evidence import command  # what only this command needs

    options.out = options.out or command.default_out(options.implementation)
    return command.perform(options)


def vectors(options: argparse.Namespace) -> int:
    """`vectors verify`: which recorded outcomes an implementation gives; `vectors record`: asks TensorFlow again."""
    from conformance import vectors as recorded  # what only this command needs

    if options.action == "record" and options.worker is None:
        options.implementation = options.implementation or subjects.TENSORFLOW
    subject = targets.one(options.implementation, options.worker, f"vectors {options.action}").open()
    try:
        if options.action == "record":
            out = Path(str(recorded.folder()))
            sys.stdout.write(f"{recorded.record(subject, out)} vectors recorded in {out}\n")
            return 0
        found = recorded.verify(subject)
    finally:
        subject.close()
    sys.stdout.write(recorded.summary(found) + "\n")
    return 1 if not found or any(one.verdict == recorded.DISAGREES for one in found) else 0


def validate(options: argparse.Namespace) -> int:
    """`validate`: reads a report as anybody would; a fault in it is an error."""
    try:
        found = report.read(Path(options.report))
    except OSError as error:
        raise report.ReportError(f"{options.report}: {error.strerror or error}") from error
    names = ", ".join(implementation["name"] for implementation in found["implementations"])
    sys.stdout.write(f"{options.report}: whole; {len(found['clauses'])} clauses, {names}\n")
    return 0


def command_line(options: argparse.Namespace) -> str:
    """The `run` command as one would type it again, defaults left out."""
    words = ["python", "-m", "conformance", "run", *options.implementation]
    for name in ("worker", "clause"):
        for value in getattr(options, name):
            words += [f"--{name}", value]
    defaults = {"profile": "default", "examples": None, "seed": 0, "out": "report", "known": None}
    for name, default in defaults.items():
        if getattr(options, name) != default:
            words += [f"--{name}", str(getattr(options, name))]
    return shlex.join(words)
