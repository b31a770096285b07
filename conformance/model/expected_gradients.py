"""Computes what the gradients of a probe cell must be: each row alone, pulled back step by step.

A row runs as many steps as it has, so there is no mask that could be wrong: what lies past them is zero, and the
cotangent of its final state begins at its last step. Numbers of a Linear are pulled back in float64, bits of the others
are copied.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from conformance.strategies.builtin import LINEAR
from conformance.strategies.cotangents import has_gradient, result_dtypes, result_sizes
from conformance.strategies.derive import argument, cotangents, frame_sizes, is_time_major, steps_of_rows
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure, pack_sequence_as
from dynamic_rnn_spec.vocabulary.tensor_shape import dims_of

Array = np.ndarray[Any, Any]
Row = list[Any]
Pull = Callable[[int, int, Row, Row], tuple[Row, Row]]
"""(row, step, d_output, d_new_state) to (d_inputs, d_state): of every leaf that row, None where it has no gradient."""

WHOLE = {"float16": 2.0**11, "float32": 2.0**24, "float64": 2.0**53}
"""Up to here a dtype holds every whole number."""


def expected_gradients(case: Case) -> Gradients:
    """The gradients of one call of one Linear, Echo or LastInput, in the structures, layout and dtypes of the case."""
    kind, dtype = case.cells["cell"].kind, argument(case, "dtype")
    if kind == "probe:Echo":
        return _by_rows(case, np.asarray, lambda row, step, d_output, d_new: (d_output, d_new))
    if kind == "probe:LastInput":
        return _by_rows(case, np.asarray, lambda row, step, d_output, d_new: (d_new, d_output))
    found, _ = _linear(case, lambda array: np.asarray(array, np.float64))
    return Gradients(*(map_structure(lambda leaf: None if leaf is None else leaf.astype(dtype), p) for p in found))


def stays_whole(case: Case) -> bool:
    """Whether no sum on the way, in whatever order, leaves the whole numbers that the dtype holds."""
    if case.cells["cell"].kind != LINEAR:
        return True
    found, largest = _linear(case, lambda array: np.abs(array, dtype=np.float64))  # every number made positive
    arrays = [leaf for part in found for leaf in flatten(part) if leaf is not None]
    return max([largest, *(float(np.max(leaf, initial=0)) for leaf in arrays)]) <= WHOLE[argument(case, "dtype")]


def _by_rows(case: Case, read: Callable[[Any], Array], pull: Pull) -> Gradients:
    """Every row pulled back alone, from its last step to its first; ``read`` makes an array of the case ready."""
    batch, steps = frame_sizes(case)
    inputs, given = argument(case, "inputs"), argument(case, "initial_state")
    (emitted, held), (d_outputs, d_state) = result_dtypes(case), cotangents(case)
    output_size, state_size = result_sizes(case)

    def ready(wanted: Any, leading: tuple[int, ...], sizes: Any, dtypes: Sequence[Any]) -> Row:
        whole = zip(flatten(sizes), dtypes, strict=True)
        zeros = [np.zeros((*leading, *dims_of(size)), kind) if has_gradient(kind) else None for size, kind in whole]
        found = [None] * len(zeros) if wanted is None else flatten(wanted)
        return [other if leaf is None else leaf for leaf, other in zip(found, zeros, strict=True)]

    leading = (steps, batch) if is_time_major(case) else (batch, steps)
    out = [_rows_first(case, leaf) for leaf in _each(read, ready(d_outputs, leading, output_size, emitted))]
    d_state = _each(read, ready(d_state, (batch,), state_size, held))
    d_start = [None if leaf is None else np.zeros_like(leaf) for leaf in d_state]
    d_inputs = [read(np.zeros_like(leaf)) if has_gradient(leaf.dtype) else None for leaf in flatten(inputs)]
    for row, count in enumerate(steps_of_rows(case)):
        d_h = [None if leaf is None else leaf[row] for leaf in d_state]
        for step in reversed(range(count)):
            d_x, d_h = pull(row, step, [None if leaf is None else leaf[row, step] for leaf in out], d_h)
            _put([_rows_first(case, leaf) for leaf in d_inputs], (row, step), d_x)
        _put(d_start, row, d_h)
    d_initial_state = None if given is None else pack_sequence_as(given, d_start)
    return Gradients(pack_sequence_as(inputs, d_inputs), d_initial_state, {})


def _linear(case: Case, read: Callable[[Any], Array]) -> tuple[Gradients, float]:
    """The gradients of a Linear, and the largest number on the way that is in none of them."""
    weights = {name.rsplit("/", 1)[-1]: read(value) for name, value in case.weights.items()}
    kernel, recurrent, bias = weights["kernel"], weights["recurrent"], weights["bias"]
    d_kernel, d_recurrent, d_bias = (np.zeros_like(value) for value in weights.values())
    x = _rows_first(case, read(argument(case, "inputs")))
    given = argument(case, "initial_state")
    h = np.zeros((x.shape[0], x.shape[1] + 1, bias.size))  # before every step, and after the last
    if given is not None:
        h[:, 0] = read(given)
    for step in range(x.shape[1]):
        h[:, step + 1] = x[:, step] @ kernel + h[:, step] @ recurrent + bias
    largest = 3 * float(np.max(h, initial=0))  # in an output

    def pull(row: int, step: int, d_output: Row, d_new_state: Row) -> tuple[Row, Row]:
        nonlocal d_kernel, d_recurrent, d_bias, largest
        d_new = d_new_state[0] + 2 * d_output[0]
        d_kernel += np.outer(x[row, step], d_new)
        d_recurrent += np.outer(h[row, step], d_new)
        d_bias += d_new
        largest = max(largest, float(np.max(d_new)))
        return [kernel @ d_new], [recurrent @ d_new + d_output[0]]

    found = _by_rows(case, read, pull)
    d_weights = zip(case.weights, (d_kernel, d_recurrent, d_bias), strict=True)
    return found._replace(variables=dict(d_weights)), largest


def _each(read: Callable[[Any], Array], leaves: Row) -> Row:
    return [None if leaf is None else read(leaf) for leaf in leaves]


def _rows_first(case: Case, leaf: Any) -> Any:
    """A view [B, T, ...] of an array in the layout of the case."""
    return np.swapaxes(leaf, 0, 1) if leaf is not None and is_time_major(case) else leaf


def _put(leaves: Row, place: Any, values: Row) -> None:
    for leaf, value in zip(leaves, values, strict=True):
        if leaf is not None:
            leaf[place] = value
