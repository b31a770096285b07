"""Defines the vectors of what may stand for cell, how it is called, and what happens when one breaks its contract."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.vectors.cases.making import (
    Definition,
    Refused,
    affine,
    affine_weights,
    call,
    echo,
    last_input,
    one,
    overruled,
    rng_of,
    rogue,
    state_of,
    tally,
    vector,
    whole,
)
from dynamic_rnn_spec.case import Case, CellSpec, Wrong
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape


def definitions() -> Iterator[Definition]:
    """All of this section."""
    yield from _wrong()
    yield from _unrolling()
    yield from _no_steps()
    yield from _zero_state()
    yield from _rogues()


def _wrong() -> Iterator[Definition]:
    inputs = whole(rng_of("wrong"), (2, 3, 2))
    wrong: list[tuple[str, Any]] = [("int", 1), ("none", None), ("text", "BasicRNNCell"), ("array", inputs)]
    wrong += [(what, Wrong(what)) for what in ("function", "object", "cell class", "list of cells", "set")]
    for name, cell in wrong:
        case = Case({}, [call(inputs, cell, dtype="float32")])
        yield vector(f"wrong/{name.replace(' ', '-')}", "CELL-2", case)
    case = Case({}, [call(inputs, Wrong("look-alike"), dtype="float32")])
    reason = "TensorFlow looks for the attributes of a cell and not at its class"
    yield vector("wrong/look-alike", "CELL-3", case, overruled=overruled("CELL-3", reason, Refused("TypeError")))


def _unrolling() -> Iterator[Definition]:
    for lengths in (None, np.array([2, 0, 3], np.int32)):
        name = f"steps/{'all' if lengths is None else 'ragged'}"
        rng = rng_of(name)
        arguments = {} if lengths is None else {"sequence_length": lengths}
        cells = {"tally": tally((2, 1), (3, 2)), "echo": echo(2), "last-input": last_input(2), "affine": affine()}
        for kind, cell in cells.items():
            inputs = whole(rng, (3, 4, 2))
            weights = affine_weights(rng, 2) if kind == "affine" else None
            case = one(cell, inputs, weights, dtype="float32", **arguments)
            yield vector(f"{name}-{kind}", "CELL-1 CELL-5 CELL-6 CELL-7", case)
    for order in ((1, 4, 2), (3, 1, 1)):
        name = "changing/" + "-".join(map(str, order))
        rng = rng_of(name)
        calls = [call(whole(rng, (2, steps, 2)), dtype="float32") for steps in order]
        case = Case({"cell": affine()}, calls, affine_weights(rng, 2))
        yield vector(name, "CELL-4 SCOPE-5", case)
    rng = rng_of("chained")
    inputs = whole(rng, (2, 3, 2))
    states = [np.zeros((2, 2), np.float32), inputs[:, 0], inputs[:, 1]]
    chained = [call(inputs[:, t : t + 1], initial_state=states[t]) for t in range(3)]
    yield vector("chained", "CELL-5 CELL-4", Case({"cell": last_input(2)}, [call(inputs, dtype="float32"), *chained]))
    rng = rng_of("probes-in-a-stack")
    stack = CellSpec("MultiRNNCell", {}, [tally(2, 2), tally((1, 2), 3)])
    case = one(stack, whole(rng, (2, 3, 2)), dtype="float32", sequence_length=[1, 3], parallel_iterations=1)
    yield vector("probes-in-a-stack", "CELL-1 EQ-8", case)


def _no_steps() -> Iterator[Definition]:
    sizes = ((2, TensorShape([2, 2])), (3, TensorShape([])))
    for layout, shape in (("batch-major", (2, 0, 2)), ("time-major", (0, 2, 2))):
        for given in (False, True):
            name = f"no-steps/{layout}-{'given' if given else 'zero'}-state"
            rng = rng_of(name)
            arguments: dict[str, Any] = {"time_major": layout == "time-major", "dtype": "float32"}
            if given:
                arguments.update(initial_state=state_of(rng, sizes[0], 2))
            yield vector(name, "CELL-8", one(tally(*sizes), whole(rng, shape), **arguments))
    rng = rng_of("no-steps/inferred")
    case = one(tally(), whole(rng, (2, 0, 2)), initial_state=whole(rng, (2, 2), "int32"))
    yield vector("no-steps/inferred-dtype", "CELL-8 DTYPE-9", case)
    case = one(tally(), whole(rng, (2, 0, 2)), dtype="float64", sequence_length=[0, 3])
    yield vector("no-steps/lengths", "CELL-8 SEQ-15", case)


def _zero_state() -> Iterator[Definition]:
    rows: list[tuple[str, Any, Any]] = [
        ("one", 2, np.array([3, 5], np.float32)),
        ("tuple", (2, 1), (np.array([3, 5], np.float32), np.array([7], np.float32))),
        ("other-dtypes", (2, 1), (np.array([3, 5], np.int32), np.array([7], np.float64))),
        ("shape", TensorShape([2, 2]), np.array([[1, 2], [3, 4]], np.float32)),
    ]
    for name, size, row in rows:
        for lengths in (None, [0, 3]):
            arguments: dict[str, Any] = {} if lengths is None else {"sequence_length": lengths}
            text = f"zero_state/{name}-{'all' if lengths is None else 'ragged'}"
            cell = tally(size, 3, zero_state=row, output_dtype="float32")
            yield vector(text, "CELL-9", one(cell, whole(rng_of(text), (2, 3, 2)), dtype="float32", **arguments))
    yield vector("zero_state/default", "CELL-9 INIT-7", one(tally(), whole(rng_of("z"), (2, 2, 2)), dtype="float16"))


def _rogues() -> Iterator[Definition]:
    kinds = {"state_list": "CELL-10", "state_missing": "CELL-10", "state_extra": "CELL-10", "state_shape": "CELL-11"}
    kinds.update(state_dtype="CELL-11", raises="CELL-13", output_missing="CELL-12", output_extra="CELL-12")
    kinds.update(output_shape="OUT-7", output_dtype="DTYPE-10")
    for fault, clause in kinds.items():
        for lengths in (None, [1, 3]):
            name = f"rogue/{fault}-{'all' if lengths is None else 'ragged'}"
            arguments: dict[str, Any] = {} if lengths is None else {"sequence_length": lengths}
            case = one(rogue(fault), whole(rng_of(name), (2, 3, 2)), dtype="float32", **arguments)
            yield vector(name, clause, case, overruled=_ROGUES.get(name))


_DROPPED = "TensorFlow drops a surplus output"
_LATE = "TensorFlow notices only when the graph runs, and raises an error of its own"
_ROGUES: dict[str, Any] = {
    "rogue/output_extra-all": overruled("CELL-12", _DROPPED, Refused("ValueError")),
    "rogue/output_extra-ragged": overruled("CELL-12", _DROPPED, Refused("ValueError")),
    "rogue/state_dtype-all": overruled("CELL-11", _LATE, Refused("TypeError")),
    "rogue/output_dtype-all": overruled("DTYPE-10", _LATE, Refused("TypeError")),
}
