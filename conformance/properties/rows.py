"""Picks the rows and steps of an outcome that a clause is about: within each row's length, past it, or in chosen rows.

Every function takes what an implementation gave and what is wanted, and returns what is wanted in the places that the
clause is about and what was given everywhere else, so that one comparison checks those places alone, shapes, dtypes and
containers included. Where what was given has another form, it returns what is wanted.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from conformance.law.compare import kind_of
from conformance.model import tolerance
from conformance.strategies.arrays import wild
from conformance.strategies.builtin import output_width
from conformance.strategies.derive import (
    argument,
    batch_major,
    frame_sizes,
    is_time_major,
    steps_of_rows,
    with_arguments,
)
from conformance.strategies.structures import map_leaves
from dynamic_rnn_spec.case import Case, CellSpec
from dynamic_rnn_spec.vocabulary.structure import children_of, flatten, is_sequence, map_structure, pack_sequence_as

Array = np.ndarray[Any, Any]


def past_lengths(case: Case, got: Any, wanted: Any) -> Any:
    """Outputs: ``wanted`` at the steps from each row's length on, ``got`` within it."""
    return _mixed(got, wanted, ~_within(case))


def within_lengths(case: Case, got: Any, wanted: Any) -> Any:
    """Outputs: ``wanted`` at the steps within each row's length, ``got`` past it."""
    return _mixed(got, wanted, _within(case))


def from_step(case: Case, got: Any, wanted: Any, first: int) -> Any:
    """Outputs: ``wanted`` at the steps from ``first`` on in all rows, ``got`` before."""
    _, steps = frame_sizes(case)
    return _mixed(got, wanted, _laid_out(case, np.arange(steps) >= first))


def at_step(case: Case, got: Any, wanted: Any, step: int) -> Any:
    """Outputs: ``wanted`` at that step in all rows, ``got`` at the others."""
    _, steps = frame_sizes(case)
    return _mixed(got, wanted, _laid_out(case, np.arange(steps) == step))


def in_rows(got: Any, wanted: Any, rows: Sequence[int]) -> Any:
    """State: ``wanted`` in these rows, ``got`` in the others."""
    batch = max([len(leaf) for leaf in flatten(wanted) if np.ndim(leaf)], default=0)
    return _mixed(got, wanted, np.isin(np.arange(batch), list(rows)))


def outputs_in_rows(case: Case, got: Any, wanted: Any, rows: Sequence[int]) -> Any:
    """Outputs: ``wanted`` at all steps of these rows, ``got`` in the others."""
    batch, steps = frame_sizes(case)
    mask = np.repeat(np.isin(np.arange(batch), list(rows))[:, None], steps, axis=1)
    return _mixed(got, wanted, mask.T if is_time_major(case) else mask)


def zeros_like(outputs: Any) -> Any:
    """+0 of the same dtypes, shapes and containers."""
    return map_structure(np.zeros_like, outputs)


def picked(value: Any, rows: Sequence[int], axis: int = 0) -> Any:
    """These rows of every array, in this order; what has no such axis stays as it is."""

    def pick(leaf: Any) -> Any:
        fits = isinstance(leaf, np.ndarray) and leaf.ndim > axis and leaf.shape[axis] > max(rows)
        return np.take(leaf, list(rows), axis=axis) if fits else leaf

    return map_structure(pick, value)


def picked_outputs(case: Case, outputs: Any, rows: Sequence[int]) -> Any:
    """These rows of the outputs of ``case``, in its layout."""
    return picked(outputs, rows, axis=1 if is_time_major(case) else 0)


def with_other_padding(case: Case) -> Case:
    """The case with other content, of every dtype, past the rows' lengths: extremes, infinities, NaN."""
    return _padded(case, lambda number, leaf: wild(leaf.shape, leaf.dtype.name, seed=number + 5))


def with_zero_padding(case: Case) -> Case:
    """The case with zeros, of every dtype, past the rows' lengths."""
    return _padded(case, lambda number, leaf: np.zeros_like(leaf))


def _padded(case: Case, content: Callable[[int, Any], Any]) -> Case:
    within, inputs = _within_batch_major(case), batch_major(case, argument(case, "inputs"))
    padded = map_leaves(lambda n, leaf: np.where(_spread(within, leaf), leaf, content(n, leaf)), inputs)
    return with_arguments(case, inputs=batch_major(case, padded))


def builtin_outputs(case: Case) -> Any:
    """Zeros in the shape and dtype of a built-in cell's outputs."""
    (spec,) = case.cells.values()
    batch, steps = frame_sizes(case)
    leading = (steps, batch) if is_time_major(case) else (batch, steps)
    return np.zeros((*leading, output_width(spec)), argument(case, "dtype"))


def allowed(case: Case) -> Any:
    """How far a built-in cell's numbers may be off in this case, by dtype."""
    _, steps = frame_sizes(case)
    terms = max([value.shape[0] for value in case.weights.values() if value.ndim == 2], default=1)
    layers = sum(_cells(spec) for spec in case.cells.values())
    return lambda dtype: tolerance.for_cell(dtype, steps, terms, layers)


def _cells(spec: Any) -> int:
    return sum(_cells(child) for child in spec.children) if isinstance(spec, CellSpec) and spec.children else 1


def _within_batch_major(case: Case) -> Array:
    _, steps = frame_sizes(case)
    return np.arange(steps)[None, :] < np.array(steps_of_rows(case))[:, None]


def _within(case: Case) -> Array:
    within = _within_batch_major(case)
    return within.T if is_time_major(case) else within


def _laid_out(case: Case, chosen: Array) -> Array:
    batch, _ = frame_sizes(case)
    mask = np.repeat(chosen[None, :], batch, axis=0)
    return mask.T if is_time_major(case) else mask


def _spread(mask: Array, leaf: Any) -> Array:
    return mask.reshape(mask.shape + (1,) * (leaf.ndim - mask.ndim))


def _mixed(got: Any, wanted: Any, mask: Array) -> Any:
    if not _same_form(got, wanted):
        return wanted
    pairs = zip(flatten(got), flatten(wanted), strict=True)
    return pack_sequence_as(wanted, [_mixed_leaf(one, other, mask) for one, other in pairs])


def _mixed_leaf(got: Any, wanted: Any, mask: Array) -> Any:
    fits = isinstance(got, np.ndarray) and got.shape == wanted.shape and got.dtype == wanted.dtype
    if not fits or wanted.ndim < mask.ndim:
        return wanted
    mixed = np.array(got)
    mixed[mask] = wanted[mask]
    return mixed


def _same_form(got: Any, wanted: Any) -> bool:
    if is_sequence(got) != is_sequence(wanted):
        return False
    if not is_sequence(wanted):
        return True
    ours, theirs = children_of(wanted), children_of(got)
    same = kind_of(got) == kind_of(wanted) and [piece for piece, _ in ours] == [piece for piece, _ in theirs]
    return same and all(_same_form(one, other) for (_, one), (_, other) in zip(theirs, ours, strict=True))
