"""Defines Case, a call of dynamic_rnn as data, with its cells, weights and scopes."""

import hashlib
from typing import Any, Mapping, Optional, Sequence, Tuple

import numpy as np

from .values import (
    CellRef,
    FormatError,
    Record,
    Scope,
    decode,
    decode_mapping,
    dumps,
    encode,
    encode_mapping,
    expect_keys,
    read_only,
)

FORMAT_VERSION = 1
PARAMETERS = (
    "cell",
    "inputs",
    "sequence_length",
    "initial_state",
    "dtype",
    "parallel_iterations",
    "swap_memory",
    "time_major",
    "scope",
)
"""The nine parameters in the page's order [SIG-1]."""
BUILT_IN = (
    "BasicRNNCell",
    "GRUCell",
    "BasicLSTMCell",
    "LSTMCell",
    "MultiRNNCell",
    "DropoutWrapper",
    "ResidualWrapper",
    "DeviceWrapper",
)
PROBES = ("Tally", "Echo", "LastInput", "ScalarCounter", "Affine", "Linear", "Rogue")
KINDS = BUILT_IN + tuple("probe:" + name for name in PROBES)
"""Every kind of cell that a case can name; a case can reach nothing else of an implementation."""


class CellSpec(Record):
    """A cell as data: ``kind`` is one of KINDS, ``options`` its constructor's arguments by name.

    ``children`` are the cells of a MultiRNNCell or the one that a wrapper wraps: a CellSpec, or a CellRef to share an
    instance. A DropoutWrapper's option ``noise`` is the uniform noise itself: by "input", "state", "output" a list, one
    entry for each leaf, of arrays [step, batch, size] (variational: [1, size]).
    """

    __slots__ = ("kind", "options", "children")
    kind: str
    options: Mapping[str, Any]
    children: Tuple[Any, ...]

    def __init__(self, kind: str, options: Optional[Mapping[str, Any]] = None, children: Sequence[Any] = ()) -> None:
        if kind not in KINDS:
            raise FormatError("kind: expected one of {}, got {!r}".format(", ".join(KINDS), kind))
        self._set(kind=kind, options=dict(options or {}), children=tuple(children))

    def to_json(self) -> Any:
        return {
            "kind": self.kind,
            "options": encode_mapping(self.options),
            "children": [child.to_json() for child in self.children],
        }

    @classmethod
    def from_json(cls, data: Any) -> Any:
        if set(data) == {"cell"}:
            return CellRef(data["cell"])
        expect_keys("a cell", data, ("kind", "options", "children"))
        return cls(data["kind"], decode_mapping(data["options"]), [cls.from_json(child) for child in data["children"]])


class Cotangents(Record):
    """Asks for gradients: ``outputs`` and ``state``, each None or in the structure of what the call returns."""

    __slots__ = ("outputs", "state")
    outputs: Any
    state: Any

    def __init__(self, outputs: Any, state: Any) -> None:
        self._set(outputs=outputs, state=state)

    def to_json(self) -> Any:
        return {"outputs": encode(self.outputs), "state": encode(self.state)}

    @classmethod
    def from_json(cls, data: Any) -> "Cotangents":
        expect_keys("cotangents", data, cls.__slots__)
        return cls(decode(data["outputs"]), decode(data["state"]))


class Call(Record):
    """One call: the arguments given (one left out is not in ``arguments``), how many of them by position, the scopes
    around it, and the cotangents where gradients are wanted."""

    __slots__ = ("arguments", "positional", "outer_scopes", "cotangents")
    arguments: Mapping[str, Any]
    positional: int
    outer_scopes: Tuple[Scope, ...]
    cotangents: Optional[Cotangents]

    def __init__(
        self,
        arguments: Mapping[str, Any],
        positional: int = 2,
        outer_scopes: Sequence[Scope] = (),
        cotangents: Optional[Cotangents] = None,
    ) -> None:
        unknown = sorted(set(arguments) - set(PARAMETERS))
        if unknown:
            raise FormatError("a call has no arguments {}".format(unknown))
        missing = [name for name in PARAMETERS[:positional] if name not in arguments]
        if missing:
            raise FormatError("{} arguments by position, but {} are left out".format(positional, missing))
        ordered = {name: arguments[name] for name in PARAMETERS if name in arguments}
        self._set(
            arguments=ordered, positional=positional, outer_scopes=tuple(outer_scopes), cotangents=cotangents
        )

    def to_json(self) -> Any:
        data = {
            "arguments": encode_mapping(self.arguments),
            "positional": self.positional,
            "outer_scopes": [scope.to_json() for scope in self.outer_scopes],
        }
        if self.cotangents is not None:
            data["cotangents"] = self.cotangents.to_json()
        return data

    @classmethod
    def from_json(cls, data: Any) -> "Call":
        expect_keys("a call", data, ("arguments", "positional", "outer_scopes"), optional=("cotangents",))
        return cls(
            decode_mapping(data["arguments"]),
            data["positional"],
            [decode(scope) for scope in data["outer_scopes"]],
            Cotangents.from_json(data["cotangents"]) if "cotangents" in data else None,
        )


class Case(Record):
    """A small scenario in a fresh variable store: named cells, weights by TensorFlow's names, and calls in order."""

    __slots__ = ("cells", "calls", "weights")
    cells: Mapping[str, CellSpec]
    calls: Tuple[Call, ...]
    weights: Mapping[str, "np.ndarray[Any, Any]"]

    def __init__(
        self, cells: Mapping[str, CellSpec], calls: Sequence[Call], weights: Optional[Mapping[str, Any]] = None
    ) -> None:
        self._set(cells=dict(cells), calls=tuple(calls), weights={k: read_only(v) for k, v in (weights or {}).items()})

    def to_json(self) -> Any:
        return {
            "cells": {name: cell.to_json() for name, cell in self.cells.items()},
            "calls": [call.to_json() for call in self.calls],
            "weights": encode_mapping(self.weights),
        }

    @classmethod
    def from_json(cls, data: Any) -> "Case":
        try:
            expect_keys("a case", data, ("cells", "calls", "weights"))
            cells = {name: CellSpec.from_json(cell) for name, cell in data["cells"].items()}
            return cls(cells, [Call.from_json(call) for call in data["calls"]], decode_mapping(data["weights"]))
        except (AttributeError, KeyError, TypeError) as error:
            raise FormatError("a case is malformed: {}".format(error)) from error

    def digest(self) -> str:
        """A name for the case: the first 16 hex digits of the SHA-256 of its JSON."""
        return hashlib.sha256(dumps(self.to_json()).encode("utf-8")).hexdigest()[:16]
