"""Compares two implementations' outcomes of one case, call by call.

On cells that round, each side may be off by the tolerance that `tolerance.likely` derives. Probe cells, what lies past
a row's length, the state of a row that takes no step, and the variables are compared bit for bit. A refused call must
be refused by both, with the same kind, clause and argument.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.law.laws import Check
from conformance.model import tolerance
from conformance.model.agreement import is_exact, sizes
from conformance.model.gradient_agreement import same_gradients
from conformance.strategies import derive
from dynamic_rnn_spec.case import Answer, Case, Outcome
from dynamic_rnn_spec.vocabulary.structure import flatten

SIDES = 2
"""Each side may be off by the tolerance."""


def agree(check: Check, case: Case, got: Outcome, expected: Outcome) -> None:
    """The two outcomes say the same."""
    for index, (one, other) in enumerate(zip(got.answers, expected.answers, strict=True)):
        view, where = alone(case, index), f"answers[{index}]." if len(case.calls) > 1 else ""
        if other.error is not None:
            same_refusal(check, one, other, where)
            continue
        check.that(one.kind == "returned", f"{where}expected it to return, it {told(one)}", other.result, one)
        same_result(check, view, one, other, where)
        same_pulled(check, view, one, other, where)
        check.that(not one.changed, f"{where}the call changed {one.changed}", where=f"{where}changed")
        check.that(not one.aliased, f"{where}the result shares memory with {one.aliased}", where=f"{where}aliased")
    same_variables(check, got, expected)


def alone(case: Case, index: int) -> Case:
    """One call of a case, as a case."""
    return Case(case.cells, [case.calls[index]], case.weights)


def told(answer: Answer) -> str:
    """How a call ended, in words."""
    if answer.error is not None:
        return f"raised {answer.error.native}: {answer.error.message}"
    return f"{answer.kind}: {answer.what or ''} {answer.why or ''}".strip()


def same_refusal(check: Check, got: Answer, expected: Answer, where: str = "") -> None:
    """Both raise, with the same kind of error, and the same clause and argument where these are told."""
    wanted = expected.error
    assert wanted is not None
    if got.error is None:
        check.that(False, f"{where}expected {wanted.kind} ({wanted.message}), it {told(got)}", expected, got)
    assert got.error is not None
    for field in ("kind", "clause", "argument", "phase"):
        one, other = getattr(got.error, field), getattr(wanted, field)
        said = f"{where}expected {field} {other!r}, got {one!r}: {got.error.native}: {got.error.message}"
        check.that(one == other, said, expected, got, f"{where}error.{field}")


def same_result(check: Check, view: Case, got: Answer, expected: Answer, where: str = "") -> None:
    """Outputs, state and trace of a call that both answered; ``view`` is a case of that call alone."""
    exact = is_exact(view)
    for part in ("outputs", "state"):
        one, other = getattr(got, part), getattr(expected, part)
        if exact:
            check.equal(one, other, where=where + part)
        else:
            check.close(one, other, lambda dtype: SIDES * allowed(view, dtype), where=where + part)
    if exact and got.trace is not None and expected.trace is not None:
        check.equal(list(got.trace), list(expected.trace), where=f"{where}trace")
    zeros_past_lengths(check, view, got.outputs, where)
    copies_of_rows_without_steps(check, view, got.state, expected.state, where)


def zeros_past_lengths(check: Check, view: Case, outputs: Any, where: str = "") -> None:
    """Past a row's length every byte of the outputs is 0."""
    counts = derive.steps_of_rows(view)
    for number, leaf in enumerate(flatten(derive.batch_major(view, outputs))):
        past = [row for row, count in enumerate(counts) if leaf[row, count:].tobytes().strip(b"\0")]
        check.that(not past, f"{where}outputs, leaf {number}: rows {past} are not zero past their lengths")


def copies_of_rows_without_steps(check: Check, view: Case, got: Any, expected: Any, where: str = "") -> None:
    """The state of a row of length 0 is the initial one bit for bit, on both sides alike."""
    rows = [row for row, count in enumerate(derive.steps_of_rows(view)) if count == 0]
    for number, (one, other) in enumerate(zip(flatten(got), flatten(expected), strict=True)):
        if rows and np.ndim(one):
            check.equal(one[rows], other[rows], where=f"{where}state, leaf {number}, rows without steps")


def same_pulled(check: Check, view: Case, got: Answer, expected: Answer, where: str = "") -> None:
    """The gradients of a call that has cotangents: of inputs, of the initial state, and of each variable by name."""
    if expected.gradients is None:
        return
    found = got.gradients
    check.that(found is not None, f"{where}expected gradients, got none", expected, got, f"{where}gradients")
    assert found is not None
    same_gradients(check, view, found, expected.gradients, sides=SIDES, where=where)


def same_variables(check: Check, got: Outcome, expected: Outcome) -> None:
    """The same variables in the same order, with the same bits."""
    if expected.variables is None:
        return
    one = None if got.variables is None else [variable.name for variable in got.variables]
    other = [variable.name for variable in expected.variables]
    check.that(one == other, f"expected the variables {other}, got {one}", other, one, "variables")
    for variable, wanted in zip(got.variables or (), expected.variables, strict=True):
        check.that(variable.trainable == wanted.trainable, f"{wanted.name}: trainable is {variable.trainable}")
        check.equal(variable.value, wanted.value, where=wanted.name)


def allowed(view: Case, dtype: Any) -> float:
    """How far one side may be off in a number of that dtype, times max(1, |expected|)."""
    if np.dtype(dtype).kind not in "fc":
        return 0.0
    return tolerance.likely(dtype, derive.frame_sizes(view)[1], *sizes(view))


def same_bits(check: Check, got: Outcome, first: Outcome, schedule: int) -> None:
    """Under schedule number ``schedule`` every answer has the bits that it had under the first."""
    for index, (one, other) in enumerate(zip(got.answers, first.answers, strict=True)):
        where = f"answers[{index}]" if len(first.answers) > 1 else "answer"
        said = f"schedule {schedule}: {where}: expected that it {told(other)}, it {told(one)}"
        check.that(one.kind == other.kind, said, other, one, where)
        if other.kind == "returned":
            check.equal(one.result, other.result, where=f"{where}.result under schedule {schedule}")
        if other.gradients is not None:
            check.equal(one.gradients, other.gradients, where=f"{where}.gradients under schedule {schedule}")
