"""EQ-1 to EQ-22 as TensorFlow 1.4.1 was recorded: every vector that witnesses the clause; it knows no equation.

EQ-21 is not here: on each of its vectors ERR-3 overrules what TensorFlow leaves behind.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from conformance import vectors
from conformance.laws import Check, law
from conformance.vectors import Vector


@cache
def _every() -> list[Vector]:
    return vectors.load()


def _witnesses(clause: str) -> list[Vector]:
    """The vectors of a clause, but for those where another clause overrules TensorFlow."""
    found = [vector for vector in _every() if clause in vector.clauses]
    return [vector for vector in found if vector.overruled_by is None or clause in vector.overruled_by.clauses]


def _recorded(clause: str) -> Callable[[Any], None]:
    def body(check: Check, vector: Vector) -> None:
        found = vectors.difference(vector, check.run(vector.case), vector.expected)
        check.that(found is None, f"{vector.name}: {found}", vector.expected, check.run(vector.case))
        check.reach("as TensorFlow" if vector.overruled_by is None else "as the clause, not as TensorFlow")

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
test_equations_as_recorded_22 = _recorded("EQ-22")
