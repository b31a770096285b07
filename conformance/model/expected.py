"""Computes what a probe cell must give: each row alone, step by step, in plain Python numbers.

The definitions are those of ``dynamic_rnn_spec.wire.probes`` (its docstring), written down a second time. A row b runs
its own number of steps from its own initial state; what lies past them is zero. No implementation and no probe's code
takes part.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from conformance.law.laws import Check
from conformance.strategies.derive import argument, batch_major, frame_sizes, is_time_major, steps_of_rows
from dynamic_rnn_spec.case import Answer, Case, CellSpec, DType
from dynamic_rnn_spec.vocabulary.structure import flatten, pack_sequence_as
from dynamic_rnn_spec.vocabulary.tensor_shape import dims_of

MODULUS = 97
Row = list[Any]
Step = Callable[[Row, Row], tuple[Row, Row]]


def expected(case: Case) -> tuple[Any, Any]:
    """The pair (outputs, state) of one call of one Tally, Echo, LastInput or Affine, in the layout of the case."""
    (spec,) = case.cells.values()
    sizes, dtype = _sizes(spec, case), _named(argument(case, "dtype"))
    before = _initial(case, spec, sizes[0], dtype)
    emitted = _emitted(case, spec, before, dtype)
    batch, steps = frame_sizes(case)
    inputs = [np.asarray(leaf) for leaf in flatten(batch_major(case, argument(case, "inputs")))]
    step = _STEPS[spec.kind](case, spec, [leaf.dtype for leaf in before], emitted)
    states = [np.array(leaf) for leaf in before]
    outputs = [np.zeros((batch, steps, *dims), kind) for dims, kind in zip(_dims(sizes[1]), emitted, strict=True)]
    for row, count in enumerate(steps_of_rows(case)):
        state = [leaf[row] for leaf in before]
        for t in range(count):
            out, state = step([leaf[row, t] for leaf in inputs], state)
            for leaf, value in zip(outputs, out, strict=True):
                leaf[row, t] = value
        for leaf, value in zip(states, state, strict=True):
            leaf[row] = value
    if is_time_major(case):
        outputs = [np.ascontiguousarray(np.swapaxes(leaf, 0, 1)) for leaf in outputs]
    return pack_sequence_as(sizes[1], outputs), pack_sequence_as(sizes[0], states)


def judge(check: Check, answer: Answer, case: Case, where: str = "") -> None:
    """The answer is what ``expected`` says, in every bit; ``where`` stands before the place."""
    same_pair(check, answer.result, expected(case), where)


def same_pair(check: Check, got: Any, wanted: Any, where: str = "") -> None:
    """Two pairs (outputs, state) are the same in every bit."""
    for part, one, other in zip(("outputs", "state"), got, wanted, strict=True):
        check.equal(one, other, where=f"{where}.{part}" if where else part)


def initial_state(case: Case) -> Any:
    """The state before the first step, packed as state_size: the given one, or zeros."""
    (spec,) = case.cells.values()
    sizes = _sizes(spec, case)
    return pack_sequence_as(sizes[0], _initial(case, spec, sizes[0], _named(argument(case, "dtype"))))


def _sizes(spec: CellSpec, case: Case) -> tuple[Any, Any]:
    options = spec.options
    if spec.kind == "probe:Tally":
        return options["state_size"], options["output_size"]
    if spec.kind == "probe:Echo":
        return 1, options["sizes"]
    if spec.kind == "probe:LastInput":
        return options["size"], options["size"]
    if spec.kind == "probe:Affine":
        return options["units"], options["units"]
    raise ValueError(f"no expectation for {spec.kind}")


def _named(dtype: Any) -> Any:
    return None if dtype is None else np.dtype(dtype.name if isinstance(dtype, DType) else dtype)


def _dims(sizes: Any) -> list[tuple[int, ...]]:
    return [dims_of(size) for size in flatten(sizes)]


def _initial(case: Case, spec: CellSpec, sizes: Any, dtype: Any) -> list[Any]:
    given, rows = argument(case, "initial_state"), frame_sizes(case)[0]
    if given is not None:
        return [np.array(leaf) for leaf in flatten(given)]
    overridden = spec.options.get("zero_state")
    if overridden is not None:
        return [np.stack([leaf] * rows) for leaf in flatten(overridden)]
    return [np.zeros((rows, *dims), dtype) for dims in _dims(sizes)]


def _emitted(case: Case, spec: CellSpec, before: Sequence[Any], dtype: Any) -> list[Any]:
    inputs = flatten(argument(case, "inputs"))
    if spec.kind in ("probe:Echo", "probe:LastInput"):
        return [np.asarray(leaf).dtype for leaf in inputs]
    named = _named(spec.options.get("output_dtype"))
    count = len(flatten(_sizes(spec, case)[1]))
    return [named or (before[0].dtype if before else inputs[0].dtype)] * count


def _digest(values: Any) -> float:
    return float(sum(complex(value).real for value in np.ravel(values).tolist()))


def _spread(first: float, dims: tuple[int, ...], kind: Any) -> Any:
    count = int(np.prod(dims, dtype=np.int64))
    numbers = [int(first + 7 * place) % MODULUS for place in range(count)]
    values = [number % 2 == 1 for number in numbers] if kind == np.dtype(bool) else numbers
    return np.array(values).reshape(dims).astype(kind)


def _tally(case: Case, spec: CellSpec, kinds: Sequence[Any], emitted: Sequence[Any]) -> Step:
    state_size, output_size = _sizes(spec, case)
    named = spec.options.get("state_dtypes")
    returned = (
        kinds
        if named is None
        else [np.dtype(n) for n in ([named] * len(kinds) if isinstance(named, str) else flatten(named))]
    )

    def step(inputs: Row, state: Row) -> tuple[Row, Row]:
        total = sum(k * _digest(leaf) for k, leaf in enumerate(inputs, 1))
        total += sum(3 * k * _digest(leaf) for k, leaf in enumerate(state, 1))
        row = (total + 1) % MODULUS
        new = [
            _spread(row + 11 * k, dims, kind)
            for k, (dims, kind) in enumerate(zip(_dims(state_size), returned, strict=True))
        ]
        out = [
            _spread(row + 5 * k + 1, dims, kind)
            for k, (dims, kind) in enumerate(zip(_dims(output_size), emitted, strict=True))
        ]
        return out, new

    return step


def _echo(case: Case, spec: CellSpec, kinds: Sequence[Any], emitted: Sequence[Any]) -> Step:
    return lambda inputs, state: (inputs, [state[0] + np.ones((), state[0].dtype)])


def _last_input(case: Case, spec: CellSpec, kinds: Sequence[Any], emitted: Sequence[Any]) -> Step:
    return lambda inputs, state: (state, inputs)


def _affine(case: Case, spec: CellSpec, kinds: Sequence[Any], emitted: Sequence[Any]) -> Step:
    by_end = {name.rsplit("/", 1)[-1]: value.astype("float64") for name, value in case.weights.items()}

    def step(inputs: Row, state: Row) -> tuple[Row, Row]:
        x, h = inputs[0].astype("float64"), state[0].astype("float64")
        columns = range(by_end["bias"].size)
        new = [
            float((x * by_end["kernel"][:, n]).sum() + (h * by_end["recurrent"][:, n]).sum() + by_end["bias"][n])
            % MODULUS
            for n in columns
        ]
        return [np.array(new, emitted[0])], [np.array(new, kinds[0])]

    return step


_STEPS: dict[str, Callable[..., Step]] = {
    "probe:Tally": _tally,
    "probe:Echo": _echo,
    "probe:LastInput": _last_input,
    "probe:Affine": _affine,
}
