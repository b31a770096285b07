"""Reads the list of known failures, and their counterexamples, from disk.

    [[known]]
    clause = "IN-7"
    reason = "TensorFlow 1.4.1 lets an empty list through to its own IndexError"
    counterexample = "known/IN-7.json"     # beside this file; what a report keeps under cases/
    implementation = "tensorflow14"        # left out: any
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.report.model import COUNTEREXAMPLE_FORMAT, VERSION
from dynamic_rnn_spec.case import Case, FormatError
from dynamic_rnn_spec.page import clauses


class StoredError(ValueError):
    """A file of known failures, or of a counterexample, that is missing, malformed or contradictory."""


@dataclass(frozen=True)
class Stored:
    """A counterexample as its file has it."""

    clause: str
    implementation: str
    test: str | None
    message: str
    case: Any
    expected: Any
    got: Any
    where: str | None

    @property
    def case_text(self) -> str:
        """The case as JSON text."""
        return json.dumps(self.case)


@dataclass(frozen=True)
class Known:
    """A failure that is announced: it is replayed before anything else, and must still fail."""

    clause: str
    reason: str
    implementation: str | None
    example: Stored


def read_counterexample(path: Path) -> Stored:
    """A counterexample file.

    Raises:
        StoredError: not there, not JSON, of another format, or with a case that can't be read.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise StoredError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise StoredError(f"{path}: not JSON ({error})") from error
    if not isinstance(data, dict) or data.get("format") != COUNTEREXAMPLE_FORMAT or data.get("version") != VERSION:
        raise StoredError(f"{path}: expected a {COUNTEREXAMPLE_FORMAT} of version {VERSION}")
    try:
        Case.from_json(data["case"])
        names = ("clause", "implementation", "test", "message", "case", "expected", "got", "where")
        stored = Stored(**{name: data[name] for name in names})
    except (FormatError, KeyError, TypeError) as error:
        raise StoredError(f"{path}: not a whole counterexample ({error})") from error
    if stored.clause not in clauses.load():
        raise StoredError(f"{path}: expected a clause of the registry, got {stored.clause!r}")
    return stored


def read(path: Path) -> list[Known]:
    """The known failures of a TOML file.

    Raises:
        StoredError: not there, not TOML, or an entry with a missing, unknown or contradictory key.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoredError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StoredError(f"{path}: not TOML ({error})") from error
    if unknown := sorted(set(document) - {"known"}):
        raise StoredError(f"{path}: expected [[known]] tables only, got {', '.join(unknown)}")
    return [_known(entry, path) for entry in document.get("known", [])]


def _known(entry: Mapping[str, Any], path: Path) -> Known:
    wanted, optional = {"clause", "reason", "counterexample"}, {"implementation"}
    if set(entry) - optional != wanted or not all(isinstance(value, str) and value for value in entry.values()):
        raise StoredError(f"{path}: an entry has texts for {', '.join(sorted(wanted | optional))}, got {sorted(entry)}")
    example = read_counterexample(path.parent / entry["counterexample"])
    if example.clause != entry["clause"]:
        raise StoredError(f"{path}: {entry['counterexample']} is about {example.clause}, not {entry['clause']}")
    return Known(entry["clause"], entry["reason"], entry.get("implementation"), example)
