"""Verifies a subject by the vectors: compares what it makes of each case with TensorFlow's outcome, or with the one
that overrules it.

These parts of an outcome count: structures, container types, shapes, dtypes, the kind of an error, the variables'
names, order, shapes and values, the trace if the subject gives one, and the gradients if a call has cotangents. Values
count bit for bit on probe cells, except for the sign of a gradient's zero, and within ``conformance.model.tolerance``
on built-in cells. Messages and native names of errors do not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.law.compare import close_difference, exact_difference
from conformance.model import tolerance
from conformance.subject.subjects import Subject
from conformance.vectors.stored import Vector, load
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Answer, Case, CellSpec, Outcome
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure

AGREES, OVERRULED, DISAGREES = "agrees", "overruled", "disagrees"


@dataclass(frozen=True)
class Verified:
    """The result of a vector: ``verdict`` is AGREES, OVERRULED or DISAGREES; ``detail`` says by what, or where."""

    vector: Vector
    verdict: str
    detail: str


def verify(subject: Subject, vectors: Sequence[Vector] | None = None) -> list[Verified]:
    """Each vector run on the subject, with its verdict."""
    return [judge(vector, subject.run(vector.case)) for vector in (load() if vectors is None else vectors)]


def judge(vector: Vector, outcome: Outcome) -> Verified:
    """The verdict on a subject's outcome of a vector's case."""
    found = difference(vector, outcome, vector.expected)
    if found is None and vector.overruled_by is None:
        return Verified(vector, AGREES, "")
    if vector.overruled_by is None:
        return Verified(vector, DISAGREES, found or "")
    by = f"{', '.join(vector.overruled_by.clauses)}: {vector.overruled_by.reason}"
    if found is None:
        return Verified(vector, OVERRULED, by)
    sides = difference(vector, outcome, vector.outcome) is None
    return Verified(vector, DISAGREES, f"{'does as TensorFlow does' if sides else found}, against {by}")


def summary(results: Sequence[Verified]) -> str:
    """One line that counts, and a line for each vector that does not simply agree."""
    by = {verdict: [r for r in results if r.verdict == verdict] for verdict in (AGREES, OVERRULED, DISAGREES)}
    pulled = sum(r.vector.has_gradients for r in results)
    counts = f"{len(by[AGREES])} vectors agree, {len(by[OVERRULED])} overruled, {len(by[DISAGREES])} disagree"
    lines = [f"{counts}; {pulled} of {len(results)} have gradients"]
    lines += [f"  {verdict}: {r.vector.name}: {r.detail}" for verdict in (OVERRULED, DISAGREES) for r in by[verdict]]
    return "\n".join(lines)


# Which parts of an outcome count.


def difference(vector: Vector, got: Outcome, expected: Outcome) -> str | None:
    """Where an outcome of the vector's case first differs from the expected one in what counts, or None."""
    if len(got.answers) != len(expected.answers):
        return f"{len(got.answers)} answers to {len(expected.answers)} calls"
    for number, (one, other) in enumerate(zip(got.answers, expected.answers, strict=True)):
        found = _answer_difference(vector, one, other)
        if found is not None:
            return f"call {number}: {found}" if len(got.answers) > 1 else found
    return _variables_difference(vector, got, expected)


def _answer_difference(vector: Vector, got: Answer, expected: Answer) -> str | None:
    if got.kind != expected.kind:
        return f"expected {_told(expected)}, got {_told(got)}"
    if got.error is not None and expected.error is not None:
        return None if got.error.kind == expected.error.kind else f"expected {_told(expected)}, got {_told(got)}"
    if got.changed:
        return f"the call changed {', '.join(got.changed)}"
    found = _value_difference(vector, got.result, expected.result, "result")
    if found is None and got.trace is not None and expected.trace is not None:
        found = _value_difference(vector, list(got.trace), list(expected.trace), "trace")
    return _gradients_difference(vector.case, got.gradients, expected.gradients) if found is None else found


def _gradients_difference(case: Case, got: Gradients | None, expected: Gradients | None) -> str | None:
    if got is None or expected is None:
        return None if got is expected else f"expected {'gradients' if got is None else 'no gradients'}"
    found = close_difference(
        tuple(got), tuple(expected), lambda dtype: gradient_allowed(case, dtype), "gradients", whole=True
    )
    return None if found is None else str(found)


def _value_difference(vector: Vector, got: Any, expected: Any, where: str) -> str | None:
    if vector.compare == "shapes":
        got, expected = map_structure(blank, got), map_structure(blank, expected)
    if exact(vector.case):
        found = exact_difference(got, expected, where)
    else:
        found = close_difference(got, expected, lambda dtype: allowed(vector.case, dtype), where)
    return None if found is None else str(found)


def _variables_difference(vector: Vector, got: Outcome, expected: Outcome) -> str | None:
    if got.variables is None or expected.variables is None:
        return None
    names, wanted = [v.name for v in got.variables], [v.name for v in expected.variables]
    if names != wanted:
        return f"expected the variables {wanted}, got {names}"
    for one, other in zip(got.variables, expected.variables, strict=True):
        if one.trainable != other.trainable:
            return f"{one.name}: expected trainable {other.trainable}, got {one.trainable}"
        value, wanted_value = one.value, other.value
        if vector.compare == "shapes":
            value, wanted_value = blank(value), blank(wanted_value)
        found = exact_difference(value, wanted_value, one.name)
        if found is not None:
            return str(found)
    return None


def exact(case: Case) -> bool:
    """Whether all of a case's cells are probes, so that every bit counts."""
    return all(spec.kind.startswith("probe:") for spec in _leaves(case))


def allowed(case: Case, dtype: Any) -> float:
    """How far a number of that dtype may be off, times max(1, |expected|): the steps of the calls add up."""
    return tolerance.for_vector(dtype, *_extent(case)) if np.dtype(dtype).kind == "f" else 0.0


def gradient_allowed(case: Case, dtype: Any) -> float:
    """How far a number of a gradient may be off, times max(1, the largest of its array)."""
    if np.dtype(dtype).kind != "f" or exact(case):
        return 0.0
    steps, terms, layers = _extent(case)
    return tolerance.for_gradient_vector(dtype, steps, terms, layers, rows=steps)


def _extent(case: Case) -> tuple[int, int, int]:
    """The steps of a case, at least as many as its rows; the products summed for one gate; the layers."""
    rows: dict[str, int] = {}
    for name, value in case.weights.items():
        whole = name.split("/part_")[0]
        rows[whole] = rows.get(whole, 0) + (value.shape[0] if value.ndim == 2 else 0)
    layers = sum(not spec.children for spec in _leaves(case))
    steps = sum(_steps(call.arguments.get("inputs")) for call in case.calls)
    return steps, max(rows.values(), default=1), max(layers, 1)


def _steps(inputs: Any) -> int:
    shapes = [leaf.shape[:2] for leaf in flatten(inputs) if isinstance(leaf, np.ndarray)]
    return max((max(shape) for shape in shapes if shape), default=1)


def _leaves(case: Case) -> Iterator[CellSpec]:
    """The cells that compute something: no stacks and no wrappers, but for those that do arithmetic of their own."""
    waiting: list[Any] = list(case.cells.values())
    while waiting:
        spec = waiting.pop()
        if isinstance(spec, CellSpec):
            waiting.extend(spec.children)
            if not spec.children or spec.kind in ("DropoutWrapper", "ResidualWrapper"):
                yield spec


def blank(value: Any) -> Any:
    """An array of the same shape and dtype that says nothing else."""
    return np.zeros_like(value) if isinstance(value, np.ndarray) else value


def _told(answer: Answer) -> str:
    if answer.error is None:
        return f"{answer.kind} {answer.what or ''}".strip()
    return f"raised {answer.error.native or answer.error.kind}"
