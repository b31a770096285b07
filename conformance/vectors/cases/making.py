"""Makes what the recorded cases are built from: fixed arrays, cells and calls.

Every array comes from a generator that is seeded with the name of its vector, so a vector is the same in every run,
whatever is added around it.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.strategies.builtin import state_sizes, weight_shapes
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec, Scope
from dynamic_rnn_spec.vocabulary.structure import map_structure
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape, dims_of

Array = np.ndarray[Any, Any]
CELL = CellRef("cell")
FLOATS = ("float16", "float32", "float64")


@dataclass(frozen=True)
class Refused:
    """The last call is to be refused with an error of this kind, whatever TensorFlow makes of it."""

    kind: str


@dataclass(frozen=True)
class Like:
    """The case is to give what TensorFlow gives for this other one, which says the same as TensorFlow takes it."""

    case: Case


@dataclass(frozen=True)
class Overruled:
    """Why TensorFlow's answer does not bind: ``clauses`` speak against it; ``instead`` is what they want."""

    clauses: tuple[str, ...]
    reason: str
    instead: Refused | Like


@dataclass(frozen=True)
class Definition:
    """A case to record: its name in its section, the clauses that it witnesses, and how much of the answer counts.

    ``compare``: "all", or "shapes" where values are random (structure, shapes, dtypes and names count).
    """

    name: str
    clauses: tuple[str, ...]
    case: Case
    compare: str = "all"
    overruled: Overruled | None = None


def vector(name: str, clauses: str, case: Case, compare: str = "all", overruled: Overruled | None = None) -> Definition:
    """A definition; ``clauses`` are ids with spaces between."""
    return Definition(name, tuple(clauses.split()), case, compare, overruled)


def overruled(clauses: str, reason: str, instead: Refused | Like) -> Overruled:
    """An Overruled; ``clauses`` are ids with spaces between."""
    return Overruled(tuple(clauses.split()), reason, instead)


def left_behind(kind: str) -> Overruled:
    """TensorFlow refuses the call with an error of this kind as it should, but keeps the variables that it has made."""
    return overruled("ERR-3", "TensorFlow keeps the variables that a call made before it failed", Refused(kind))


def rng_of(name: str) -> np.random.RandomState:
    """The generator that belongs to a name."""
    return np.random.RandomState(zlib.crc32(name.encode("ascii")))


def whole(rng: np.random.RandomState, shape: Sequence[int], dtype: Any = "float32") -> Array:
    """Small whole numbers, which every dtype holds exactly; a bool: even or odd; a string: their decimals."""
    kind = np.dtype(dtype).kind
    values = rng.randint(0 if kind in "ub" else -4, 9, tuple(shape))
    if kind == "c":
        values = values + 1j * rng.randint(-4, 9, tuple(shape))
    return np.asarray(values % 2 == 1 if kind == "b" else values).astype(dtype)


def fractions(rng: np.random.RandomState, shape: Sequence[int], dtype: Any = "float32", scale: float = 1.0) -> Array:
    """Numbers uniform in [-scale, scale)."""
    return rng.uniform(-scale, scale, tuple(shape)).astype(dtype)


def tally(state_size: Any = 2, output_size: Any = 3, **options: Any) -> CellSpec:
    """The probe whose every leaf depends on everything."""
    return CellSpec("probe:Tally", {"state_size": state_size, "output_size": output_size, **options})


def echo(*sizes: int) -> CellSpec:
    """The probe that gives its one input back."""
    return CellSpec("probe:Echo", {"sizes": TensorShape(sizes)})


def last_input(*size: int) -> CellSpec:
    """The probe whose state is its input, and whose output is its old state."""
    return CellSpec("probe:LastInput", {"size": TensorShape(size)})


def affine(units: int = 2, **options: Any) -> CellSpec:
    """The probe with weights."""
    return CellSpec("probe:Affine", {"units": units, **options})


def rogue(fault: str, units: int = 2) -> CellSpec:
    """The probe that breaks its contract."""
    return CellSpec("probe:Rogue", {"fault": fault, "units": units})


def state_of(rng: np.random.RandomState, size: Any, batch: int, dtype: Any = "float32") -> Any:
    """A state of whole numbers for a structure of sizes."""
    return map_structure(lambda leaf: whole(rng, (batch, *dims_of(leaf)), dtype), size)


def call(inputs: Any, cell: Any = CELL, scopes: Sequence[Scope] = (), positional: int = 2, **arguments: Any) -> Call:
    """One call, cell and inputs by position."""
    return Call({"cell": cell, "inputs": inputs, **arguments}, positional, scopes)


def one(cell: CellSpec, inputs: Any, weights: Mapping[str, Any] | None = None, **arguments: Any) -> Case:
    """A case of one cell and one call."""
    return Case({"cell": cell}, [call(inputs, **arguments)], weights)


def affine_weights(
    rng: np.random.RandomState, depth: int, units: int = 2, scope: str = "rnn/affine", dtype: Any = "float32"
) -> dict[str, Array]:
    """Whole-number weights of an Affine probe."""
    shapes = {"kernel": (depth, units), "recurrent": (units, units), "bias": (units,)}
    return {f"{scope}/{name}": whole(rng, shape, dtype) for name, shape in shapes.items()}


def weights_of(
    rng: np.random.RandomState, spec: Any, depth: int, dtype: Any = "float32", scope: str = "rnn"
) -> dict[str, Array]:
    """Weights of a built-in cell by TensorFlow's names: kernels like its own initial ones, biases that are not zero."""
    weights = {}
    for name, shape in weight_shapes(spec, depth, scope).items():
        scale = (6.0 / sum(shape)) ** 0.5 if len(shape) == 2 else 0.5
        weights[name] = fractions(rng, shape, dtype, scale)
    return weights


def start_of(rng: np.random.RandomState, spec: Any, batch: int, dtype: Any = "float32") -> Any:
    """An initial state of a built-in cell that is not zero."""
    return map_structure(lambda leaf: fractions(rng, (batch, *dims_of(leaf)), dtype), state_sizes(spec))
