"""Compares an answer of built-in cells with the equations, with the answer of another case, or with a second
implementation."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from conformance.law.laws import Check
from conformance.model import equations, tolerance
from conformance.strategies.derive import argument, frame_sizes, is_time_major, steps_of_rows
from dynamic_rnn_spec.case import Answer, Case, CellRef, CellSpec
from dynamic_rnn_spec.vocabulary.structure import map_structure


def allowed(case: Case, dtype: Any) -> float:
    """The tolerance for the built-in cells of a case of one call: its steps, its widest kernel, its number of cells."""
    terms, layers = sizes(case)
    return tolerance.for_cell(dtype, frame_sizes(case)[1], terms, layers)


def gradient_allowed(case: Case, dtype: Any) -> float:
    """The same for the gradients of the call, with its rows."""
    (batch, steps), (terms, layers) = frame_sizes(case), sizes(case)
    return tolerance.for_gradient(dtype, steps, terms, layers, batch)


def sizes(case: Case) -> tuple[int, int]:
    """The rows of the widest kernel, whose parts count as one, and the number of cells on one another."""
    rows: dict[str, int] = {}
    for name, value in case.weights.items():
        whole = name.split("/part_")[0]
        rows[whole] = rows.get(whole, 0) + (value.shape[0] if value.ndim == 2 else 0)
    return max(rows.values(), default=1), len(list(leaves(case)))


def is_exact(case: Case) -> bool:
    """Whether only probe cells take part, which run and pull back exactly."""
    return all(spec.kind.startswith("probe:") for spec in leaves(case))


def leaves(case: Case) -> Iterator[CellSpec]:
    """The cells that hold no others, within the one that is called; one that stands there twice comes twice."""
    waiting = [argument(case, "cell")]
    while waiting:
        spec = waiting.pop()
        if isinstance(spec, CellRef):
            spec = case.cells.get(spec.name)
        if isinstance(spec, CellSpec):
            waiting.extend(spec.children)
            if not spec.children:
                yield spec


def input_dtype(case: Case) -> Any:
    """The dtype of the inputs, which is that of everything else in the cases of built-in cells."""
    return argument(case, "inputs").dtype


def expected_pair(
    case: Case, weights: Mapping[str, Any] | None = None, scope: str = "rnn"
) -> tuple[equations.Expected, tuple[Any, Any]]:
    """What the equations give: what was seen on the way, and (outputs, state) in the case's layout and dtype."""
    found = equations.expected(case, scope=scope, weights=weights)
    outputs = np.swapaxes(found.outputs, 0, 1) if is_time_major(case) else found.outputs
    dtype = input_dtype(case)
    return found, (outputs.astype(dtype), map_structure(lambda leaf: leaf.astype(dtype), found.state))


def follows_equations(check: Check, case: Case, *needed: str) -> Answer:
    """Outputs and state are those of the equations; reached where all that is ``needed`` happened ("clipped", ...)."""
    answer = check.returned(case)
    found, (outputs, state) = expected_pair(case)
    near = allowed(case, input_dtype(case))
    check.close(answer.outputs, outputs, near, where="outputs")
    check.close(answer.state, state, near, where="state")
    if found.seen.issuperset(needed):
        reach(check, case, *needed)
    return answer


def agrees_with_oracle(check: Check, case: Case) -> None:
    """Outputs and state are those of the second implementation, each being off by the tolerance at most."""
    answer, other = check.returned(case), check.oracle(case).answers[0]
    near = 2 * allowed(case, input_dtype(case))
    check.close(answer.outputs, other.outputs, near, where="outputs")
    check.close(answer.state, other.state, near, where="state")
    reach(check, case)


def reach(check: Check, case: Case, *labels: str) -> None:
    """The example reached its clause, with these labels, its dtype, and whether its rows differ in length."""
    ragged = len(set(steps_of_rows(case))) > 1
    for label in (*labels, str(input_dtype(case)), "ragged" if ragged else "rows of one length"):
        check.reach(label)


def same_bits(check: Check, case: Case, other: Case, own: bool = False) -> None:
    """Two cases give the same outputs and state, bit for bit; ``own`` if it is promised that the first works."""
    reference, answer = check.returned(other), check.returned(case, own=own)
    check.equal(answer.outputs, reference.outputs, where="outputs")
    check.equal(answer.state, reference.state, where="state")
