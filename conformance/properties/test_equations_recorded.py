"""Holds implementations to EQ-1 to 22 by what TensorFlow 1.4.1 was recorded to return or refuse in the vectors for each
clause."""

from collections.abc import Callable
from functools import cache
from typing import Any

from conformance.law.laws import Check, law
from conformance.vectors import stored, verify
from conformance.vectors.stored import Vector


@cache
def _every() -> list[Vector]:
    return stored.load()


def _witnesses(clause: str) -> list[Vector]:
    """The vectors of a clause whose values are not random, but for those where another clause wants other answers."""
    found = [vector for vector in _every() if clause in vector.clauses and vector.compare == "all"]
    return [vector for vector in found if _undisputed(vector) or clause in _overruling(vector)]


def _overruling(vector: Vector) -> tuple[str, ...]:
    """The clauses that overrule TensorFlow."""
    return () if vector.overruled_by is None else vector.overruled_by.clauses


def _undisputed(vector: Vector) -> bool:
    """Whether what overrules TensorFlow, if anything, leaves the kinds of its answers as they are."""
    pairs = zip(vector.outcome.answers, vector.expected.answers, strict=True)
    return all((a.kind, a.error and a.error.kind) == (b.kind, b.error and b.error.kind) for a, b in pairs)


def _recorded(clause: str) -> Callable[[Any], None]:
    def body(check: Check, vector: Vector) -> None:
        for index, wanted in enumerate(vector.expected.answers):
            if wanted.error is not None:
                check.raised(vector.case, wanted.error.kind, index)
                continue
            answer = check.returned(vector.case, index)
            for where in ("outputs", "state"):
                got, recorded = getattr(answer, where), getattr(wanted, where)
                check.close(
                    got, recorded, lambda dtype: verify.allowed(vector.case, dtype), f"answers[{index}].{where}"
                )
        check.reach("as TensorFlow" if _undisputed(vector) else "as the clause, not as TensorFlow")

    number = clause.split("-")[1]
    body.__name__ = body.__qualname__ = f"test_equations_as_recorded_{number}"
    return law(clause, cases=lambda: _witnesses(clause))(body)


test_equations_as_recorded_1 = _recorded("EQ-1")
test_equations_as_recorded_2 = _recorded("EQ-2")
test_equations_as_recorded_3 = _recorded("EQ-3")
test_equations_as_recorded_4 = _recorded("EQ-4")
test_equations_as_recorded_5 = _recorded("EQ-5")
test_equations_as_recorded_6 = _recorded("EQ-6")
test_equations_as_recorded_7 = _recorded("EQ-7")
test_equations_as_recorded_8 = _recorded("EQ-8")
test_equations_as_recorded_9 = _recorded("EQ-9")
test_equations_as_recorded_10 = _recorded("EQ-10")
test_equations_as_recorded_11 = _recorded("EQ-11")
test_equations_as_recorded_12 = _recorded("EQ-12")
test_equations_as_recorded_13 = _recorded("EQ-13")
test_equations_as_recorded_14 = _recorded("EQ-14")
test_equations_as_recorded_15 = _recorded("EQ-15")
test_equations_as_recorded_16 = _recorded("EQ-16")
test_equations_as_recorded_17 = _recorded("EQ-17")
test_equations_as_recorded_18 = _recorded("EQ-18")
test_equations_as_recorded_19 = _recorded("EQ-19")
test_equations_as_recorded_20 = _recorded("EQ-20")
test_equations_as_recorded_21 = _recorded("EQ-21")
test_equations_as_recorded_22 = _recorded("EQ-22")
