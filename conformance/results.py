"""What came of one law, as plain data that passes between processes; it judges nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from conformance.laws import Violation
from dynamic_rnn_spec.case import Case


@dataclass(frozen=True)
class Counterexample:
    """The smallest case found that breaks a law; ``case``, ``expected`` and ``got`` are JSON data."""

    violation: str
    message: str
    where: str | None
    case: Any
    expected: Any
    got: Any


@dataclass
class LawResult:
    """What came of one law: plain data, so that it passes between processes as it is.

    ``examples`` counts different cases that were answered, ``reached`` those among them that were about the clause,
    ``left_out`` those that were declared unsupported, by what was said; ``excusable`` whether all of these are such as
    our own implementations may leave out (see `conformance.left_out`).
    """

    test: str
    clause: str
    verdict: str
    reason: str | None = None
    examples: int = 0
    reached: int = 0
    floor: int = 0
    coverage: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    excusable: bool = True
    seconds: float = 0.0
    counterexample: Counterexample | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LawResult:
        """Back from JSON data."""
        example = data["counterexample"]
        return cls(**{**data, "counterexample": None if example is None else Counterexample(**example)})


def counterexample(violation: Violation, case: Case) -> Counterexample:
    """A violation with its case, as data."""
    return Counterexample(
        violation.kind, violation.message, violation.where, case.to_json(), violation.expected, violation.got
    )
