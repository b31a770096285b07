"""Makes variants of a case: another argument, one row alone, rows in another order, some of the steps, the other
layout.

Each takes a case of one call, as the strategies make them, and returns a new case with that call changed.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from conformance.strategies.frame import call_of
from dynamic_rnn_spec.case import Call, Case, CellSpec, Cotangents
from dynamic_rnn_spec.vocabulary.structure import flatten, is_sequence, map_structure


def the_call(case: Case) -> Call:
    """The one call."""
    if len(case.calls) != 1:
        raise ValueError(f"expected a case of one call, got {len(case.calls)}")
    return case.calls[0]


def argument(case: Case, name: str, default: Any = None) -> Any:
    """What the call gives for a parameter, or ``default``."""
    return the_call(case).arguments.get(name, default)


def is_time_major(case: Case) -> bool:
    """Whether the inputs are [T, B, ...]."""
    return bool(argument(case, "time_major", False))


def frame_sizes(case: Case) -> tuple[int, int]:
    """(B, T) of the inputs."""
    shape = flatten(argument(case, "inputs"))[0].shape
    return (int(shape[1]), int(shape[0])) if is_time_major(case) else (int(shape[0]), int(shape[1]))


def steps_of_rows(case: Case) -> list[int]:
    """The number of steps that count for each row: T without lengths, else the length between 0 and T."""
    batch, steps = frame_sizes(case)
    lengths = argument(case, "sequence_length")
    return [steps] * batch if lengths is None else [min(max(int(length), 0), steps) for length in lengths]


def batch_major(case: Case, outputs: Any) -> Any:
    """Outputs or inputs in the layout of the case as [B, T, ...]."""
    if not is_time_major(case):
        return outputs
    return map_structure(lambda leaf: np.swapaxes(leaf, 0, 1), outputs)


def with_call(case: Case, call: Call) -> Case:
    """The case with another call."""
    return Case(case.cells, [call], case.weights)


def with_arguments(case: Case, **changes: Any) -> Case:
    """The case with these arguments given, or given otherwise."""
    call = the_call(case)
    return with_call(case, call_of({**call.arguments, **changes}, call.positional, call.outer_scopes, call.cotangents))


def without(case: Case, *names: str) -> Case:
    """The case with these arguments left out."""
    call = the_call(case)
    kept = {name: value for name, value in call.arguments.items() if name not in names}
    return with_call(case, call_of(kept, call.positional, call.outer_scopes, call.cotangents))


def with_positional(case: Case, count: int) -> Case:
    """The case with ``count`` arguments by position, or as many as can be."""
    call = the_call(case)
    return with_call(case, call_of(call.arguments, count, call.outer_scopes, call.cotangents))


def with_scopes(case: Case, *scopes: Any) -> Case:
    """The case with these scopes open around the call."""
    return with_call(case, the_call(case).replace(outer_scopes=scopes))


def with_options(case: Case, **options: Any) -> Case:
    """The case with other options of its (outermost) cell."""
    ((name, spec),) = case.cells.items()
    return Case({name: spec.replace(options={**spec.options, **options})}, case.calls, case.weights)


def with_lengths(case: Case, lengths: Sequence[int] | None, dtype: str = "int32") -> Case:
    """The case with these lengths; None: without."""
    if lengths is None:
        return without(case, "sequence_length")
    return with_arguments(case, sequence_length=np.array(lengths, dtype))


def with_state(case: Case, state: Any) -> Case:
    """The case with this initial_state; None: without."""
    return without(case, "initial_state") if state is None else with_arguments(case, initial_state=state)


def take_rows(case: Case, rows: Sequence[int]) -> Case:
    """Only these rows of the batch, in this order: of inputs, lengths, given state, cotangents and dropout's noise."""
    chosen, axis = list(rows), 1 if is_time_major(case) else 0
    changes: dict[str, Any] = {
        "inputs": map_structure(lambda leaf: np.take(leaf, chosen, axis=axis), argument(case, "inputs"))
    }
    lengths, state = argument(case, "sequence_length"), argument(case, "initial_state")
    if lengths is not None:
        picked = [lengths[row] for row in chosen]
        changes["sequence_length"] = (
            np.array(picked, lengths.dtype) if hasattr(lengths, "dtype") else type(lengths)(picked)
        )
    if state is not None:
        changes["initial_state"] = map_structure(lambda leaf: leaf[chosen], state)
    cut = _cotangents(case, lambda leaf: np.take(leaf, chosen, axis=axis), lambda leaf: leaf[chosen])
    return _noise(with_arguments(cut, **changes), lambda stored: stored[:, chosen])


def one_row(case: Case, row: int) -> Case:
    """The batch of that row alone."""
    return take_rows(case, [row])


def time_slice(case: Case, start: int, stop: int, state: Any = None) -> Case:
    """Only the steps from ``start`` to before ``stop``, begun from ``state`` (None: as the case does); lengths count
    from ``start``. The cotangent of the state stays.
    """
    axis = 0 if is_time_major(case) else 1
    cut = np.s_[start:stop] if axis == 0 else np.s_[:, start:stop]
    changes: dict[str, Any] = {"inputs": map_structure(lambda leaf: leaf[cut], argument(case, "inputs"))}
    lengths = argument(case, "sequence_length")
    if lengths is not None:
        left = [min(max(int(length) - start, 0), stop - start) for length in lengths]
        changes["sequence_length"] = np.array(left, getattr(lengths, "dtype", "int32"))
    if state is not None:
        changes["initial_state"] = state
    sliced = _cotangents(case, lambda leaf: leaf[cut])
    return _noise(with_arguments(sliced, **changes), lambda stored: stored[start:stop])


def other_layout(case: Case) -> Case:
    """The case with its inputs, and the cotangent of its outputs, in the other layout, and time_major saying so."""

    def swap(leaf: Any) -> Any:
        return np.ascontiguousarray(np.swapaxes(leaf, 0, 1))

    inputs = map_structure(swap, argument(case, "inputs"))
    return with_arguments(_cotangents(case, swap), inputs=inputs, time_major=not is_time_major(case))


def with_padding(case: Case, value: float) -> Case:
    """The case with ``value`` in every place of a float input past its row's length."""
    counts, inputs = steps_of_rows(case), batch_major(case, argument(case, "inputs"))

    def pad(leaf: Any) -> Any:
        if leaf.dtype.kind not in "fc":
            return leaf
        padded = np.array(leaf)
        for row, count in enumerate(counts):
            padded[row, count:] = value
        return padded

    padded = map_structure(pad, inputs)
    return with_arguments(case, inputs=batch_major(case, padded))


def repeated(case: Case, *later: Call) -> Case:
    """The case with more calls after its own."""
    return Case(case.cells, [*case.calls, *later], case.weights)


def by_keyword(case: Case) -> Case:
    """Every argument by its name."""
    return with_positional(case, 0)


def with_cotangents(case: Case, outputs: Any, state: Any) -> Case:
    """The case with these cotangents."""
    return with_call(case, the_call(case).replace(cotangents=Cotangents(outputs, state)))


def without_cotangents(case: Case) -> Case:
    """The same call without asking for gradients."""
    return with_call(case, the_call(case).replace(cotangents=None))


def cotangents(case: Case) -> tuple[Any, Any]:
    """(d_outputs, d_state) of the call, which asks for gradients."""
    wanted = the_call(case).cotangents
    if wanted is None:
        raise ValueError("expected a call with cotangents, got one without")
    return wanted.outputs, wanted.state


def _cotangents(case: Case, of_outputs: Callable[[Any], Any], of_state: Callable[[Any], Any] | None = None) -> Case:
    """The case with the arrays of its cotangents, if it has any, changed; what is None stays None."""
    if the_call(case).cotangents is None:
        return case
    outputs, state = cotangents(case)

    def changed(function: Callable[[Any], Any], value: Any) -> Any:
        return map_structure(lambda leaf: None if leaf is None else function(leaf), value)

    return with_cotangents(case, changed(of_outputs, outputs), changed(of_state, state) if of_state else state)


def _noise(case: Case, cut: Any) -> Case:
    return Case({name: _cut_noise(spec, cut) for name, spec in case.cells.items()}, case.calls, case.weights)


def _cut_noise(spec: Any, cut: Any) -> Any:
    if not isinstance(spec, CellSpec):
        return spec
    options = dict(spec.options)
    if "noise" in options:
        options["noise"] = {
            purpose: [stored if stored.ndim == 2 else cut(stored) for stored in leaves]
            for purpose, leaves in options["noise"].items()
        }
    return CellSpec(spec.kind, options, [_cut_noise(child, cut) for child in spec.children])


def containers(value: Any) -> int:
    """How many containers a structure has, itself included."""
    if not is_sequence(value):
        return 0
    children = value.values() if hasattr(value, "values") else value
    return 1 + sum(containers(child) for child in children)
