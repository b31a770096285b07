"""Holds implementations to GRAD-4, 5, 6, 11, 12, 16 and 17 by the gradients that TensorFlow 1.4.1 was recorded to give,
each vector under one clause."""

from collections.abc import Callable
from functools import cache
from typing import Any

from conformance.law.laws import Check, law
from conformance.vectors import stored, verify
from conformance.vectors.stored import Vector

CLAUSES = ("GRAD-6", "GRAD-12", "GRAD-5", "GRAD-17", "GRAD-16", "GRAD-11", "GRAD-4")
"""A vector counts under the first of these that it witnesses; under GRAD-6 and GRAD-12 only where they overrule."""


@cache
def _by_clause() -> dict[str, list[Vector]]:
    found: dict[str, list[Vector]] = {clause: [] for clause in CLAUSES}
    for vector in stored.load():
        if vector.has_gradients:
            overruling = None if vector.overruled_by is None else vector.overruled_by.clauses
            told = overruling or [c for c in vector.clauses if c not in ("GRAD-6", "GRAD-12")]
            found[next(clause for clause in CLAUSES if clause in told)].append(vector)
    return found


def _recorded(clause: str) -> Callable[[Any], None]:
    def body(check: Check, vector: Vector) -> None:
        for index, wanted in enumerate(vector.expected.answers):
            assert wanted.gradients is not None, "every call of these vectors has cotangents"
            got = check.gradients(vector.case, index)
            check.close(
                tuple(got),
                tuple(wanted.gradients),
                lambda dtype: verify.gradient_allowed(vector.case, dtype),
                where=f"answers[{index}].gradients",
                whole=True,
            )
        check.reach("as TensorFlow" if vector.overruled_by is None else "as the clause, not as TensorFlow")

    number = clause.split("-")[1]
    body.__name__ = body.__qualname__ = f"test_gradients_as_recorded_{number}"
    return law(clause, cases=lambda: _by_clause()[clause])(body)


test_gradients_as_recorded_4 = _recorded("GRAD-4")
test_gradients_as_recorded_5 = _recorded("GRAD-5")
test_gradients_as_recorded_6 = _recorded("GRAD-6")
test_gradients_as_recorded_11 = _recorded("GRAD-11")
test_gradients_as_recorded_12 = _recorded("GRAD-12")
test_gradients_as_recorded_16 = _recorded("GRAD-16")
test_gradients_as_recorded_17 = _recorded("GRAD-17")
