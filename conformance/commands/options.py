"""Declares a command's options as the fields of a dataclass, together with what argparse needs to read them."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from conformance.law.examples import PROFILES
from conformance.machine.interpreters import cores

POSITIONAL = "positional"


def positional(help: str, **reading: Any) -> Any:
    """A field that is given by its place; it is required unless ``reading`` has a default or ``nargs``."""
    default = reading.get("default", () if reading.get("nargs") == "*" else dataclasses.MISSING)
    return dataclasses.field(default=default, metadata={POSITIONAL: True, "help": help, **reading})


def option(help: str | None, default: Any, **reading: Any) -> Any:
    """A field that is given as ``--name``: with a value, or without one where its default is False; one whose default
    is a tuple may be given again and again."""
    if default is False:
        reading["action"] = "store_true"
    elif default == ():
        reading["action"] = "append"
    return dataclasses.field(default=default, metadata={"help": help, **reading})


def count(text: str) -> int:
    """A number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, got {text!r}")
    return int(text)


def profile(help: str = "how many examples") -> Any:
    """The field ``profile``."""
    return option(help, "default", choices=tuple(PROFILES))


def clause() -> Any:
    """The field ``clause``."""
    return option("a clause (SEQ-5) or section (SEQ)", (), metavar="ID")


def seed(what: str = "examples") -> Any:
    """The field ``seed``."""
    return option(f"the same seed gives the same {what} (0)", 0, type=int)


def jobs() -> Any:
    """The field ``jobs``."""
    return option("processes side by side (all cores)", cores(), type=count, metavar="N")


def worker(many: bool = False) -> Any:
    """The field ``worker``."""
    return option("one behind a worker process", () if many else None, metavar="COMMAND")
