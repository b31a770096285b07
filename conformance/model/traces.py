"""Reads from an answer's trace what a probe cell saw; an answer without a trace counts as unsupported."""

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.law.laws import Unsupported
from conformance.strategies.derive import argument, batch_major
from dynamic_rnn_spec.case import Answer, Case
from dynamic_rnn_spec.vocabulary.structure import is_sequence, map_structure

Event = Mapping[str, Any]


def cell_calls(answer: Answer) -> Sequence[Event]:
    """The calls of the cell in order.

    Raises:
        Unsupported: the implementation does not tell what its cells see.
    """
    return [event for event in _trace(answer) if event["event"] == "call"]


def zero_states(answer: Answer) -> Sequence[Event]:
    """The requests of a zero state in order; raises as ``cell_calls``."""
    return [event for event in _trace(answer) if event["event"] == "zero_state"]


def changed_arguments(answer: Answer) -> Sequence[str]:
    """The arguments whose arrays were written to; raises as ``cell_calls``."""
    if answer.changed is None:
        raise Unsupported("changed arguments", "the implementation does not tell whether it writes to its arguments")
    return answer.changed


def _trace(answer: Answer) -> Sequence[Event]:
    if answer.trace is None:
        raise Unsupported("trace", "the implementation does not tell what its cells are called with")
    return answer.trace


def inputs_at(case: Case, step: int) -> Any:
    """What the cell must be given at a step: the structure of the inputs, each array without its time axis."""
    return map_structure(lambda leaf: leaf[:, step], batch_major(case, argument(case, "inputs")))


def key_orders(value: Any) -> list[list[Any]]:
    """The keys of every dict in a structure, each in the order in which they were put in."""
    if not is_sequence(value):
        return []
    if isinstance(value, Mapping):
        return [list(value), *(order for key in sorted(value) for order in key_orders(value[key]))]
    return [order for child in value for order in key_orders(child)]
