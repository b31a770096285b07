"""Case and Outcome: a call of dynamic_rnn, and what came of it, as data that any language can read; refuses to run
anything.

This one file reads and writes the format, for the driver and for workers in other processes; Python 3.6, NumPy and the
standard library are all it needs. On the wire an array is little-endian bytes in base64 with dtype and shape, a float
is the shortest decimal that gives the same double (or NaN, Infinity, -Infinity), an integer that JavaScript could not
hold is a string, and every other value is an object with one telling key. ``schema/case.schema.json`` and
``schema/outcome.schema.json`` say the same to a machine.
"""

import base64
import hashlib
import json
from collections import namedtuple
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type

import numpy as np

from .gradients import Gradients
from .rnn_cell import LSTMStateTuple
from .structure import is_namedtuple
from .tensor_shape import TensorShape

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
"""Every kind of cell that a case can name; nothing else of an implementation can be reached by a case."""


class FormatError(ValueError):
    """JSON that is no case, outcome or value of this format, or a value that the format can't carry."""


class Record:
    """A frozen value: equal when its JSON is, hashable, read by attribute."""

    __slots__: Tuple[str, ...] = ()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("{} is immutable".format(type(self).__name__))

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def to_json(self) -> Any:
        raise FormatError(
            "{} has no JSON form".format(type(self).__name__)
        )  # pragma: no cover  # every subclass has one

    def replace(self, **changes: Any) -> Any:
        """A copy with some fields changed."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values.update(changes)
        return type(self)(**values)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and dumps(self.to_json()) == dumps(other.to_json())

    def __hash__(self) -> int:
        return hash(dumps(self.to_json()))

    def __repr__(self) -> str:
        return "{}({})".format(
            type(self).__name__, ", ".join("{}={!r}".format(name, getattr(self, name)) for name in self.__slots__)
        )


class CellRef(Record):
    """The cell of that name in the case: the same name is the same instance."""

    __slots__ = ("name",)
    name: str

    def __init__(self, name: str) -> None:
        self._set(name=name)

    def to_json(self) -> Any:
        return {"cell": self.name}


class Wrong(Record):
    """A Python object that no language would take for a value, given on purpose (see ``adapter.WRONG`` for the
    kinds)."""

    __slots__ = ("what",)
    what: str

    def __init__(self, what: str) -> None:
        self._set(what=what)

    def to_json(self) -> Any:
        return {"wrong": self.what}


class DType(Record):
    """A dtype as an object: ``form`` is "dtype" (``np.dtype("float32")``, ``tf.float32``) or "type"
    (``np.float32``)."""

    __slots__ = ("name", "form")
    name: str
    form: str

    def __init__(self, name: str, form: str = "dtype") -> None:
        if form not in ("dtype", "type"):
            raise FormatError("DType: form is 'dtype' or 'type', got {!r}".format(form))
        self._set(name=name, form=form)

    def to_json(self) -> Any:
        return {"dtype": self.name, "form": self.form}


class Function(Record):
    """A function by name, for activation, initializer, residual_fn and the like (see ``adapter.FUNCTIONS``)."""

    __slots__ = ("name", "options")
    name: str
    options: Mapping[str, Any]

    def __init__(self, name: str, options: Optional[Mapping[str, Any]] = None) -> None:
        self._set(name=name, options=dict(options or {}))

    def to_json(self) -> Any:
        return {"function": self.name, "options": _encode_mapping(self.options)}


class Scope(Record):
    """A variable scope by name: opened around a call, or given as the argument ``scope`` (then a VariableScope
    object)."""

    __slots__ = ("name", "reuse", "initializer")
    name: str
    reuse: Any
    initializer: Optional[Function]

    def __init__(self, name: str, reuse: Any = None, initializer: Optional[Function] = None) -> None:
        self._set(name=name, reuse=reuse, initializer=initializer)

    def to_json(self) -> Any:
        return {"scope": self.name, "reuse": encode(self.reuse), "initializer": encode(self.initializer)}


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
            "options": _encode_mapping(self.options),
            "children": [child.to_json() for child in self.children],
        }

    @classmethod
    def from_json(cls, data: Any) -> Any:
        if set(data) == {"cell"}:
            return CellRef(data["cell"])
        _expect_keys("a cell", data, ("kind", "options", "children"))
        return cls(data["kind"], _decode_mapping(data["options"]), [cls.from_json(child) for child in data["children"]])


class Cotangents(Record):
    """That gradients are wanted: ``outputs`` and ``state``, each None or in the structure of what the call returns."""

    __slots__ = ("outputs", "state")
    outputs: Any
    state: Any

    def __init__(self, outputs: Any, state: Any) -> None:
        self._set(outputs=outputs, state=state)

    def to_json(self) -> Any:
        return {"outputs": encode(self.outputs), "state": encode(self.state)}

    @classmethod
    def from_json(cls, data: Any) -> "Cotangents":
        _expect_keys("cotangents", data, cls.__slots__)
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
            "arguments": _encode_mapping(self.arguments),
            "positional": self.positional,
            "outer_scopes": [scope.to_json() for scope in self.outer_scopes],
        }
        if self.cotangents is not None:
            data["cotangents"] = self.cotangents.to_json()
        return data

    @classmethod
    def from_json(cls, data: Any) -> "Call":
        _expect_keys("a call", data, ("arguments", "positional", "outer_scopes"), optional=("cotangents",))
        return cls(
            _decode_mapping(data["arguments"]),
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
        self._set(cells=dict(cells), calls=tuple(calls), weights={k: _read_only(v) for k, v in (weights or {}).items()})

    def to_json(self) -> Any:
        return {
            "cells": {name: cell.to_json() for name, cell in self.cells.items()},
            "calls": [call.to_json() for call in self.calls],
            "weights": _encode_mapping(self.weights),
        }

    @classmethod
    def from_json(cls, data: Any) -> "Case":
        _expect_keys("a case", data, ("cells", "calls", "weights"))
        cells = {name: CellSpec.from_json(cell) for name, cell in data["cells"].items()}
        return cls(cells, [Call.from_json(call) for call in data["calls"]], _decode_mapping(data["weights"]))

    def digest(self) -> str:
        """A name for the case: the first 16 hex digits of the SHA-256 of its JSON."""
        return hashlib.sha256(dumps(self.to_json()).encode("utf-8")).hexdigest()[:16]


class Raised(Record):
    """An exception: ``kind`` is "TypeError", "ValueError" (subclasses too) or "other"; ``phase`` is "before" or "after"
    the first call of the cell, or None where that can't be told; ``clause``, ``argument``, ``wanted`` and ``got`` are
    what the error says of itself."""

    __slots__ = ("kind", "native", "message", "phase", "clause", "argument", "wanted", "got")
    kind: str
    native: str
    message: str
    phase: Optional[str]
    clause: Optional[str]
    argument: Optional[str]
    wanted: Optional[str]
    got: Optional[str]

    def __init__(
        self,
        kind: str,
        native: str,
        message: str,
        phase: Optional[str] = None,
        clause: Optional[str] = None,
        argument: Optional[str] = None,
        wanted: Optional[str] = None,
        got: Optional[str] = None,
    ) -> None:
        if kind not in ("TypeError", "ValueError", "other") or phase not in (None, "before", "after"):
            raise FormatError("Raised: no kind {!r} or no phase {!r}".format(kind, phase))
        self._set(
            kind=kind,
            native=native,
            message=message,
            phase=phase,
            clause=clause,
            argument=argument,
            wanted=wanted,
            got=got,
        )

    def to_json(self) -> Any:
        return {name: getattr(self, name) for name in self.__slots__}


class Answer(Record):
    """What one call gave: ``kind`` is "returned", "raised", "unsupported", "crashed" or "timed out".

    ``result`` is all that was returned (``outputs`` and ``state`` read it as a pair); ``error`` is the Raised; ``what``
    and ``why`` belong to the other kinds. Where the implementation can tell: ``trace`` lists what a probe cell saw,
    ``changed`` the arguments whose arrays were modified, ``variables`` the names that exist after the call,
    ``aliased`` the arguments with which an array of the result shares memory. Where the call has cotangents,
    ``gradients`` are the Gradients; "cotangents" may then stand among the names in ``changed`` and ``aliased``, and
    "gradients" in ``changed`` where pulling back again gave others or changed those given before.
    """

    __slots__ = ("kind", "result", "error", "what", "why", "trace", "changed", "variables", "aliased", "gradients")
    kind: str
    result: Any
    error: Optional[Raised]
    what: Optional[str]
    why: Optional[str]
    trace: Optional[Sequence[Mapping[str, Any]]]
    changed: Optional[Sequence[str]]
    variables: Optional[Sequence[str]]
    aliased: Optional[Sequence[str]]
    gradients: Optional[Gradients]

    KINDS = ("returned", "raised", "unsupported", "crashed", "timed out")

    def __init__(
        self,
        kind: str,
        result: Any = None,
        error: Optional[Raised] = None,
        what: Optional[str] = None,
        why: Optional[str] = None,
        trace: Optional[Sequence[Mapping[str, Any]]] = None,
        changed: Optional[Sequence[str]] = None,
        variables: Optional[Sequence[str]] = None,
        aliased: Optional[Sequence[str]] = None,
        gradients: Optional[Gradients] = None,
    ) -> None:
        if kind not in self.KINDS or (kind == "raised") != (error is not None):
            raise FormatError("no answer of kind {!r} with error {!r}".format(kind, error))
        self._set(
            kind=kind,
            result=result,
            error=error,
            what=what,
            why=why,
            trace=None if trace is None else tuple(trace),
            changed=None if changed is None else tuple(changed),
            variables=None if variables is None else tuple(variables),
            aliased=None if aliased is None else tuple(aliased),
            gradients=gradients,
        )

    @classmethod
    def returned(cls, outputs: Any, state: Any, **told: Any) -> "Answer":
        """The pair (outputs, state), as an implementation in any language gives it."""
        return cls("returned", result=(outputs, state), **told)

    @classmethod
    def unsupported(cls, what: str, why: str) -> "Answer":
        """Something that this implementation does not have: ``what``, and ``why`` in a sentence."""
        return cls("unsupported", what=what, why=why)

    @property
    def outputs(self) -> Any:
        """The first of the pair."""
        return self.result[0]

    @property
    def state(self) -> Any:
        """The second of the pair."""
        return self.result[1]

    def to_json(self) -> Any:
        trace = None if self.trace is None else [_encode_mapping(event) for event in self.trace]
        data = {
            "kind": self.kind,
            "result": encode(self.result),
            "error": None if self.error is None else self.error.to_json(),
            "what": self.what,
            "why": self.why,
            "trace": trace,
            "changed": None if self.changed is None else list(self.changed),
            "variables": None if self.variables is None else list(self.variables),
            "aliased": None if self.aliased is None else list(self.aliased),
        }
        if self.gradients is not None:
            data["gradients"] = {
                "inputs": encode(self.gradients.inputs),
                "initial_state": encode(self.gradients.initial_state),
                "variables": _encode_mapping(self.gradients.variables),
            }
        return data

    @classmethod
    def from_json(cls, data: Any) -> "Answer":
        _expect_keys("an answer", data, cls.__slots__[:-1], optional=("gradients",))
        values = dict(data, result=decode(data["result"]))
        if "gradients" in data:
            _expect_keys("gradients", data["gradients"], Gradients._fields)
            whole = data["gradients"]
            values["gradients"] = Gradients(
                decode(whole["inputs"]), decode(whole["initial_state"]), _decode_mapping(whole["variables"])
            )
        if data["error"] is not None:
            _expect_keys("an error", data["error"], Raised.__slots__)
            values["error"] = Raised(**data["error"])
        if data["trace"] is not None:
            values["trace"] = [_decode_mapping(event) for event in data["trace"]]
        return cls(**values)


class VariableRecord(Record):
    """A variable after the calls: its name without ``:0``, its value (so its shape and dtype), whether it is
    trainable."""

    __slots__ = ("name", "value", "trainable")
    name: str
    value: "np.ndarray[Any, Any]"
    trainable: bool

    def __init__(self, name: str, value: Any, trainable: bool = True) -> None:
        self._set(name=name, value=_read_only(value), trainable=bool(trainable))

    def to_json(self) -> Any:
        return {"name": self.name, "value": encode(self.value), "trainable": self.trainable}


class Outcome(Record):
    """What a case gave: one answer for each call, and the variables in order of creation (None where they can't be
    told)."""

    __slots__ = ("answers", "variables")
    answers: Tuple[Answer, ...]
    variables: Optional[Tuple[VariableRecord, ...]]

    def __init__(self, answers: Sequence[Answer], variables: Optional[Sequence[VariableRecord]] = None) -> None:
        self._set(answers=tuple(answers), variables=None if variables is None else tuple(variables))

    @classmethod
    def of(cls, answer: Answer, case: Case) -> "Outcome":
        """The same answer for every call of the case."""
        return cls([answer] * len(case.calls))

    def to_json(self) -> Any:
        variables = None if self.variables is None else [variable.to_json() for variable in self.variables]
        return {"answers": [answer.to_json() for answer in self.answers], "variables": variables}

    @classmethod
    def from_json(cls, data: Any) -> "Outcome":
        _expect_keys("an outcome", data, ("answers", "variables"))
        variables = data["variables"]
        if variables is not None:
            variables = [VariableRecord(v["name"], decode(v["value"]), v["trainable"]) for v in variables]
        return cls([Answer.from_json(answer) for answer in data["answers"]], variables)


def dumps(data: Any) -> str:
    """JSON text in the one canonical form: sorted keys, no spaces, ASCII, no bare NaN."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


_LARGEST_SAFE = 2**53 - 1
_NAMEDTUPLES: Dict[Tuple[str, Tuple[str, ...]], Type[Any]] = {}


def namedtuple_type(name: str, fields: Sequence[str]) -> Any:
    """The one namedtuple class of that name and those fields: equal across decoding, so structures compare by type."""
    if (name, tuple(fields)) == ("LSTMStateTuple", ("c", "h")):
        return LSTMStateTuple
    key = (name, tuple(fields))
    if key not in _NAMEDTUPLES:
        _NAMEDTUPLES[key] = namedtuple(name, fields)
    return _NAMEDTUPLES[key]


def encode(value: Any) -> Any:
    """A value of a case or an outcome as JSON data.

    Raises:
        FormatError: the format has no form for it.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, np.generic):
        return {"scalar": encode(np.asarray(value))}
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_SAFE else {"int": str(value)}
    if isinstance(value, float):
        return {"float": _float_text(value)}
    if isinstance(value, np.ndarray):
        return _encode_array(value)
    if isinstance(value, TensorShape):
        return {"shape": list(value.dims)}
    if is_namedtuple(value):
        return {
            "namedtuple": type(value).__name__,
            "fields": list(value._fields),
            "items": [encode(item) for item in value],
        }
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, list):
        return {"list": [encode(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
    raise FormatError("no form for a value of type {}".format(type(value).__name__))


def decode(data: Any) -> Any:
    """The value that ``encode`` wrote; arrays are read-only.

    Raises:
        FormatError: the data is not of this format.
    """
    if data is None or isinstance(data, (bool, str, int)):
        return data
    if not isinstance(data, dict):
        raise FormatError("no value begins like {!r}".format(data))
    keys = tuple(sorted(data))
    reader = _READERS.get(keys)
    if reader is None:
        raise FormatError("no value has the keys {}".format(list(keys)))
    try:
        return reader(data)
    except FormatError:
        raise
    except (TypeError, ValueError, KeyError) as error:
        raise FormatError("a value with the keys {} is malformed: {}".format(list(keys), error)) from error


_READERS = {
    ("scalar",): lambda data: decode(data["scalar"])[()],
    ("int",): lambda data: int(data["int"]),
    ("float",): lambda data: float(data["float"]),
    ("array", "dtype", "shape"): lambda data: _decode_array(data),
    ("shape",): lambda data: TensorShape(data["shape"]),
    ("fields", "items", "namedtuple"): lambda data: namedtuple_type(data["namedtuple"], data["fields"])(
        *map(decode, data["items"])
    ),
    ("tuple",): lambda data: tuple(map(decode, data["tuple"])),
    ("list",): lambda data: list(map(decode, data["list"])),
    ("dict",): lambda data: {decode(key): decode(item) for key, item in data["dict"]},
    ("cell",): lambda data: CellRef(data["cell"]),
    ("wrong",): lambda data: Wrong(data["wrong"]),
    ("dtype", "form"): lambda data: DType(data["dtype"], data["form"]),
    ("function", "options"): lambda data: Function(data["function"], _decode_mapping(data["options"])),
    ("initializer", "reuse", "scope"): lambda data: Scope(
        data["scope"], decode(data["reuse"]), decode(data["initializer"])
    ),
}  # type: Dict[Tuple[str, ...], Any]


def _float_text(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(float(value))


def _encode_array(array: "np.ndarray[Any, Any]") -> Any:
    if array.dtype.kind not in "biufcSU":
        raise FormatError("no form for an array of dtype {}".format(array.dtype))
    little = array.astype(array.dtype.newbyteorder("<"), order="C")
    text = base64.b64encode(little.tobytes()).decode("ascii")
    return {"array": text, "dtype": little.dtype.str, "shape": list(array.shape)}


def _decode_array(data: Any) -> "np.ndarray[Any, Any]":
    dtype = np.dtype(data["dtype"])
    raw = base64.b64decode(data["array"].encode("ascii"), validate=True)
    return _read_only(np.frombuffer(raw, dtype=dtype).reshape(data["shape"]).astype(dtype.newbyteorder("=")))


def _read_only(value: Any) -> "np.ndarray[Any, Any]":
    array = np.array(value)
    array.flags.writeable = False
    return array


def _encode_mapping(values: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: encode(value) for name, value in values.items()}


def _decode_mapping(data: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: decode(value) for name, value in data.items()}


def _expect_keys(what: str, data: Any, keys: Sequence[str], optional: Sequence[str] = ()) -> None:
    found: List[str] = sorted(data) if isinstance(data, dict) else []
    if [key for key in found if key not in optional] != sorted(keys):
        raise FormatError("{} has the keys {}, got {}".format(what, sorted(keys), found or type(data).__name__))
