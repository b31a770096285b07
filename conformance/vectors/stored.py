"""Loads the vectors: cases with the outcomes that the real TensorFlow 1.4.1 gave.

A vector is one line of JSON in ``dynamic_rnn_spec/vectors/<section>.jsonl``. Where the page, or a promise of our own,
contradicts TensorFlow, the vector names the clauses, the reason and the outcome that they want.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from dynamic_rnn_spec.case import Case, FormatError, Outcome

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Instead:
    """What ``clauses`` want in place of TensorFlow's outcome, and why."""

    clauses: tuple[str, ...]
    reason: str
    outcome: Outcome


@dataclass(frozen=True)
class Vector:
    """A case, what TensorFlow 1.4.1 made of it, and what else to know.

    ``name`` is ``section/name``; ``clauses`` are those that it witnesses; ``compare`` is "all", or "shapes" where
    values are random.
    """

    name: str
    clauses: tuple[str, ...]
    compare: str
    case: Case
    outcome: Outcome
    overruled_by: Instead | None

    @property
    def expected(self) -> Outcome:
        """What a subject is held to: TensorFlow's outcome, or what the clauses want that overrule it."""
        return self.outcome if self.overruled_by is None else self.overruled_by.outcome

    @property
    def has_gradients(self) -> bool:
        """Whether a subject is held to gradients."""
        return any(answer.gradients is not None for answer in self.expected.answers)

    def to_json(self) -> Any:
        """The vector as JSON data."""
        other = self.overruled_by
        return {
            "format": FORMAT_VERSION,
            "name": self.name,
            "clauses": list(self.clauses),
            "compare": self.compare,
            "case": self.case.to_json(),
            "outcome": self.outcome.to_json(),
            "overruled_by": None
            if other is None
            else {"clauses": list(other.clauses), "reason": other.reason, "outcome": other.outcome.to_json()},
        }

    @classmethod
    def from_json(cls, data: Any) -> "Vector":
        """The vector that ``to_json`` wrote.

        Raises:
            FormatError: the data is not of this format.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT_VERSION:
            raise FormatError(f"no vector of format {FORMAT_VERSION}")
        other = data["overruled_by"]
        return cls(
            data["name"],
            tuple(data["clauses"]),
            data["compare"],
            Case.from_json(data["case"]),
            Outcome.from_json(data["outcome"]),
            None
            if other is None
            else Instead(tuple(other["clauses"]), other["reason"], Outcome.from_json(other["outcome"])),
        )


def folder() -> Any:
    """Where the vectors lie."""
    return files("dynamic_rnn_spec") / "vectors"


def load() -> list[Vector]:
    """Every recorded vector, section by section.

    Raises:
        FormatError: a line is not of the format, or a name occurs twice.
    """
    vectors = [Vector.from_json(json.loads(line)) for line in _lines()]
    names = [vector.name for vector in vectors]
    if len(set(names)) != len(names):
        raise FormatError(f"vectors of one name: {sorted({name for name in names if names.count(name) > 1})}")
    return vectors


def for_clause(clause: str) -> list[Vector]:
    """The vectors that witness a clause."""
    return [vector for vector in load() if clause in vector.clauses]


def _lines() -> Iterator[str]:
    for entry in sorted(folder().iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".jsonl"):
            yield from entry.read_text(encoding="ascii").splitlines()
