"""Reads the command line into a command's options, runs the command and turns its outcome into an exit status.

Exit status of `run`: 0 if every clause asked for holds, 1 if one does not, 2 if the run itself failed. Our own
implementations are held to clauses of all three levels, any other to the documented ones alone, and to those of
gradients only if it has gradients at all.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from conformance.commands import COMMANDS
from conformance.machine.exit_status import FAILED

EXTRA = {"hypothesis", "jinja2", "pytest", "rich", "xdist"}


class Command(Protocol):
    """The options of a command, which performs it."""

    def perform(self) -> int:
        """Does what the options ask for; returns the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = read(words)
        from conformance.commands.errors import EXPECTED  # once the extra is known to be there
        from conformance.subject import subjects
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name not in EXTRA:
            raise
        return complain(f"{name} is missing; install the extra: pip install 'tancarflow[conformance]'")
    subjects.look_in_current_folder()
    try:
        return options.perform()
    except EXPECTED as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return complain("stopped; no report was written")


def read(words: Sequence[str]) -> Command:
    """The options of the named command; of the others, whose modules are not imported, only the help is read."""
    chosen = next((word for word in words if not word.startswith("-")), None)
    top = argparse.ArgumentParser(prog="conformance", description="Who keeps the promises of the dynamic_rnn page?")
    commands = top.add_subparsers(dest="command", required=True)
    options: Any = None
    for name, (place, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name == chosen:
            module, _, attribute = place.partition(":")
            options = getattr(importlib.import_module(f"conformance.commands.{module}"), attribute)
            for field in dataclasses.fields(options):
                if field.metadata:
                    _add(command, field)
    given = vars(top.parse_args(words))
    del given["command"]
    read: Command = options(**{name: _frozen(value) for name, value in given.items()})
    return read


def _add(command: argparse.ArgumentParser, field: dataclasses.Field[Any]) -> None:
    """Lets argparse read a field as ``conformance.commands.options`` declared it."""
    reading = dict(field.metadata)
    flag = field.name if reading.pop("positional", False) else f"--{field.name}"
    if field.default is not dataclasses.MISSING:
        reading["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    reading["help"] = argparse.SUPPRESS if reading["help"] is None else reading["help"]
    command.add_argument(flag, **reading)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def complain(text: str) -> int:
    """One line on standard error; the exit status of a run that failed."""
    print(f"conformance: {text}", file=sys.stderr)
    return FAILED
