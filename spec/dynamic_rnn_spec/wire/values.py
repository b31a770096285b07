"""Defines the values of a case or an outcome, and converts them exactly to and from JSON that any language can read.

On the wire an array is little-endian bytes in base64 with dtype and shape, a float is the shortest decimal that gives
the same double (or NaN, Infinity, -Infinity), an integer that JavaScript could not hold is a string, and every other
value is an object with one telling key. ``schema/case.schema.json`` says the same to a machine.
"""

import base64
import json
from collections import namedtuple
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type

import numpy as np

from ..vocabulary.rnn_cell import LSTMStateTuple
from ..vocabulary.structure import is_namedtuple
from ..vocabulary.tensor_shape import TensorShape


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
        return {"function": self.name, "options": encode_mapping(self.options)}


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
    ("function", "options"): lambda data: Function(data["function"], decode_mapping(data["options"])),
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
    return read_only(np.frombuffer(raw, dtype=dtype).reshape(data["shape"]).astype(dtype.newbyteorder("=")))


def read_only(value: Any) -> "np.ndarray[Any, Any]":
    array = np.array(value)
    array.flags.writeable = False
    return array


def encode_mapping(values: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: encode(value) for name, value in values.items()}


def decode_mapping(data: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: decode(value) for name, value in data.items()}


def expect_keys(what: str, data: Any, keys: Sequence[str], optional: Sequence[str] = ()) -> None:
    found: List[str] = sorted(data) if isinstance(data, dict) else []
    if [key for key in found if key not in optional] != sorted(keys):
        raise FormatError("{} has the keys {}, got {}".format(what, sorted(keys), found or type(data).__name__))
