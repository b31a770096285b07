"""Computes what the built-in cells must give, in float64 and one row at a time.

This is the suite's own expectation for the EQ clauses: each cell is a function of one row and one step, written from
what TensorFlow 1.4.1 was measured to compute. A row is run alone for as many steps as it has, so there is no mask that
could be wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dynamic_rnn_spec.case import Case, CellRef, CellSpec, Function
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure, pack_sequence_as

Array = npt.NDArray[Any]


class Place(NamedTuple):
    """Which step of which row: where a DropoutWrapper finds its noise."""

    step: int
    row: int


class Model(NamedTuple):
    """``step(x [1, depth], state, place)`` gives (output [1, width], new state), all in float64."""

    state_size: Any
    width: int
    step: Callable[[Array, Any, Place], tuple[Array, Any]]


class Expected(NamedTuple):
    """What a call must give, in float64 and batch-major; ``seen`` names what happened on the way ("clipped", ...), and
    ``sides`` records for every number that met a kink, at a clip or in relu, on which side of it the number lay."""

    outputs: Array
    state: Any
    seen: frozenset[str]
    sides: bytes


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "identity": lambda x: x,
    "sigmoid": _sigmoid,
    "softsign": lambda x: np.asarray(x / (1 + np.abs(x))),
}


def expected(case: Case, index: int = 0, scope: str = "rnn", weights: Mapping[str, Any] | None = None) -> Expected:
    """What call number ``index`` gives by the equations, with the case's weights (or these) under ``scope``."""
    seen: set[str] = set()
    sides = bytearray()
    arguments = case.calls[index].arguments
    model = Builder(case, case.weights if weights is None else weights, seen, sides).build(arguments["cell"], scope)
    inputs = np.asarray(arguments["inputs"], np.float64)
    inputs = np.swapaxes(inputs, 0, 1) if arguments.get("time_major") else inputs
    batch, steps = inputs.shape[:2]
    lengths = arguments.get("sequence_length")
    given = arguments.get("initial_state")
    outputs = np.zeros((batch, steps, model.width))
    finals = []
    for row in range(batch):
        state = _first_state(model, given, row)
        for step in range(steps if lengths is None else min(max(int(lengths[row]), 0), steps)):
            output, state = model.step(inputs[row : row + 1, step], state, Place(step, row))
            outputs[row, step] = output[0]
        finals.append(state)
    leaves = [np.concatenate(parts) for parts in zip(*map(flatten, finals), strict=True)]
    return Expected(outputs, pack_sequence_as(model.state_size, leaves), frozenset(seen), bytes(sides))


def _first_state(model: Model, given: Any, row: int) -> Any:
    if given is None:
        return map_structure(lambda size: np.zeros((1, size)), model.state_size)
    return pack_sequence_as(model.state_size, [np.asarray(leaf[row : row + 1], np.float64) for leaf in flatten(given)])


class Builder:
    """Models of the cells of a case; a cell that stands twice has the weights of its first place."""

    def __init__(self, case: Case, weights: Mapping[str, Any], seen: set[str], sides: bytearray) -> None:
        self.case, self.seen, self.sides = case, seen, sides
        self.weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}
        self.known: dict[str, Model] = {}

    def build(self, cell: Any, scope: str) -> Model:
        """The model of a CellSpec, or of a CellRef, whose variables are under ``scope``."""
        if isinstance(cell, CellRef):
            if cell.name not in self.known:
                self.known[cell.name] = self.build(self.case.cells[cell.name], scope)
            return self.known[cell.name]
        make: Callable[[CellSpec, str], Model] = getattr(self, "_" + cell.kind)
        return make(cell, scope)

    def _weight(self, name: str) -> Array:
        """A variable, or the parts of one that was split on axis 0."""
        if name in self.weights:
            return self.weights[name]
        parts = [self.weights[f"{name}/part_{k}"] for k in range(sum(w.startswith(name + "/") for w in self.weights))]
        return np.concatenate(parts)

    def _clip(self, x: Array, limit: float | None, label: str) -> Array:
        if limit is None:
            return x
        self.seen.update({label} if np.any(np.abs(x) > limit) else ())
        self.sides += (np.sign(x) * (np.abs(x) > limit)).astype(np.int8).tobytes()
        return np.clip(x, -limit, limit)

    def _activation(self, spec: CellSpec) -> Callable[[Array], Array]:
        chosen: Function = spec.options.get("activation") or Function("tanh")
        function = ACTIVATIONS[chosen.name]

        def with_its_sides(x: Array) -> Array:
            self.sides += (x > 0).tobytes()
            return function(x)

        return with_its_sides if chosen.name == "relu" else function

    def _BasicRNNCell(self, spec: CellSpec, scope: str) -> Model:  # noqa: N802  # found by the kind of the cell
        n, act = spec.options["num_units"], self._activation(spec)
        K, b = (self._weight(f"{scope}/basic_rnn_cell/{name}") for name in ("kernel", "bias"))

        def step(x: Array, h: Array, place: Place) -> tuple[Array, Array]:
            new = act(_beside(x, h) @ K + b)
            return new, new

        return Model(n, n, step)

    def _GRUCell(self, spec: CellSpec, scope: str) -> Model:  # noqa: N802
        n, act = spec.options["num_units"], self._activation(spec)
        Kg, bg = (self._weight(f"{scope}/gru_cell/gates/{name}") for name in ("kernel", "bias"))
        Kc, bc = (self._weight(f"{scope}/gru_cell/candidate/{name}") for name in ("kernel", "bias"))

        def step(x: Array, h: Array, place: Place) -> tuple[Array, Array]:
            r, u = np.split(_sigmoid(_beside(x, h) @ Kg + bg), 2, axis=1)
            c = act(_beside(x, r * h) @ Kc + bc)
            new = u * h + (1 - u) * c
            return new, new

        return Model(n, n, step)

    def _BasicLSTMCell(self, spec: CellSpec, scope: str) -> Model:  # noqa: N802
        return self._lstm(spec, f"{scope}/basic_lstm_cell")

    def _LSTMCell(self, spec: CellSpec, scope: str) -> Model:  # noqa: N802
        return self._lstm(spec, f"{scope}/lstm_cell")

    def _lstm(self, spec: CellSpec, base: str) -> Model:
        n, act, options = spec.options["num_units"], self._activation(spec), spec.options
        K, b, forget_bias = self._weight(base + "/kernel"), self._weight(base + "/bias"), options.get("forget_bias", 1)
        peep = {g: self._weight(f"{base}/w_{g}_diag") if options.get("use_peepholes") else 0 for g in "fio"}
        projected, limit = options.get("num_proj"), options.get("proj_clip")
        P = self._weight(base + "/projection/kernel") if projected else None

        def step(x: Array, state: Any, place: Place) -> tuple[Array, Any]:
            c, m = state
            i, j, f, o = np.split(_beside(x, m) @ K + b, 4, axis=1)
            new_c = _sigmoid(f + forget_bias + peep["f"] * c) * c + _sigmoid(i + peep["i"] * c) * act(j)
            new_c = self._clip(new_c, options.get("cell_clip"), "clipped")
            new_m = _sigmoid(o + peep["o"] * new_c) * act(new_c)
            if P is not None:
                new_m = self._clip(new_m @ P, limit, "projection clipped")
            return new_m, LSTMStateTuple(new_c, new_m)

        width = projected or n
        tupled = Model(LSTMStateTuple(n, width), width, step)
        return tupled if options.get("state_is_tuple", True) else _side_by_side(tupled)

    def _MultiRNNCell(self, spec: CellSpec, scope: str) -> Model:  # noqa: N802
        cells = [self.build(child, f"{scope}/multi_rnn_cell/cell_{k}") for k, child in enumerate(spec.children)]

        def step(x: Array, state: Any, place: Place) -> tuple[Array, Any]:
            new = []
            for cell, old in zip(cells, state, strict=True):
                x, kept = cell.step(x, old, place)
                new.append(kept)
            return x, tuple(new)

        tupled = Model(tuple(cell.state_size for cell in cells), cells[-1].width, step)
        return tupled if spec.options.get("state_is_tuple", True) else _side_by_side(tupled)

    def _DropoutWrapper(self, spec: CellSpec, scope: str) -> Model:  # noqa: N802
        inner, options = self.build(spec.children[0], scope), spec.options

        def drop(purpose: str, value: Any, chosen: Any, place: Place) -> Any:
            keep = options.get(purpose + "_keep_prob", 1.0)
            if keep == 1.0:
                return value
            leaves = []
            for number, (leaf, dropped) in enumerate(zip(flatten(value), chosen, strict=True)):
                if not dropped:
                    leaves.append(leaf)
                    continue
                noise = options["noise"][purpose][number]
                u = noise if options.get("variational_recurrent") else noise[place.step, place.row : place.row + 1]
                mask = np.floor(keep + np.asarray(u, np.float64))
                self.seen.update({"dropped"} if np.any(mask == 0) else (), {"kept"} if np.any(mask == 1) else ())
                leaves.append(leaf / keep * mask)
            return pack_sequence_as(value, leaves)

        def step(x: Array, state: Any, place: Place) -> tuple[Array, Any]:
            output, new = inner.step(drop("input", x, [True], place), state, place)
            new = drop("state", new, _dropped_leaves(inner.state_size, options), place)
            return drop("output", output, [True], place), new

        return Model(inner.state_size, inner.width, step)

    def _ResidualWrapper(self, spec: CellSpec, scope: str) -> Model:  # noqa: N802
        inner, function = self.build(spec.children[0], scope), spec.options.get("residual_fn")
        times = 1 if function is None else {"add_twice": 2}[function.name]

        def step(x: Array, state: Any, place: Place) -> tuple[Array, Any]:
            output, new = inner.step(x, state, place)
            return times * x + output, new

        return Model(inner.state_size, inner.width, step)

    def _DeviceWrapper(self, spec: CellSpec, scope: str) -> Model:  # noqa: N802
        return self.build(spec.children[0], scope)


def _beside(x: Array, h: Array) -> Array:
    return np.concatenate([x, h], axis=1)


def _side_by_side(tupled: Model) -> Model:
    """The same cell with all leaves of its state in one array."""
    sizes = flatten(tupled.state_size)
    cuts = np.cumsum(sizes)[:-1]

    def step(x: Array, state: Array, place: Place) -> tuple[Array, Array]:
        parts = pack_sequence_as(tupled.state_size, np.split(state, cuts, axis=1))
        output, new = tupled.step(x, parts, place)
        return output, np.concatenate(flatten(new), axis=1)

    return Model(int(sum(sizes)), tupled.width, step)


def _dropped_leaves(state_size: Any, options: Mapping[str, Any]) -> list[bool]:
    """For each leaf of the state whether it is dropped: not the c of an LSTMStateTuple, unless a visitor says so."""
    visitor = options.get("dropout_state_filter_visitor")
    if visitor is not None:
        return [{"drop_all": True, "drop_none": False}[visitor.name]] * len(flatten(state_size))
    if isinstance(state_size, LSTMStateTuple):
        return [False, True]
    if isinstance(state_size, tuple):
        return [dropped for part in state_size for dropped in _dropped_leaves(part, options)]
    return [True]
