"""Lists wrong arguments: for each parameter the values that are refused, the clause that refuses them and the kind of
its error.

``WRONG`` lists them by name; ``wrong_cases`` puts them in otherwise valid calls of a Tally (whose cell calls can be
traced) with two rows and three steps. What a value is wrong *for* is stated here from the clauses; what an
implementation answers is not known.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from conformance.strategies import arrays
from conformance.strategies.derive import with_arguments, without
from conformance.strategies.frame import Frame
from conformance.strategies.probes import tally_case
from conformance.strategies.structures import Pair
from dynamic_rnn_spec.case import Case, Wrong
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

B, T = 2, 3
TYPE, VALUE = "TypeError", "ValueError"


class WrongArgument(NamedTuple):
    """``changes`` to a valid call make ``parameter`` wrong; ``clause`` refuses it with an error of ``kind``.

    ``state_size`` is that of the cell. ``omit`` leaves arguments out of the call as well.
    """

    name: str
    clause: str
    parameter: str
    kind: str
    changes: Mapping[str, Any]
    state_size: Any = 2
    omit: Sequence[str] = ()

    def case(self) -> Case:
        """The call with that wrong argument."""
        base = tally_case(Frame(batch=B, steps=T, pattern="ragged", raw=9), TensorShape([2]), self.state_size, 2)
        return with_arguments(without(base, *self.omit), **self.changes)


def _x(*shape: int, dtype: str = "float32") -> arrays.Array:
    return arrays.small(shape, dtype)


def _each(parameter: str, clause: str, kind: str, values: Mapping[str, Any], **more: Any) -> list[WrongArgument]:
    return [
        WrongArgument(f"{parameter}: {name}", clause, parameter, kind, {parameter: value}, **more)
        for name, value in values.items()
    ]


_CELLS = {
    "an integer": 3,
    "None": None,
    "a string": "LSTMCell",
    "a cell class": Wrong("cell class"),
    "a list of cells": Wrong("list of cells"),
    "a function": Wrong("function"),
}
_WITHOUT_ARRAYS: dict[str, Any] = {
    "an empty tuple": (),
    "an empty list in a list": [[]],
    "empty tuples in a tuple": ((), ()),
    "an empty dict": {},
}
_LOW_RANK = {
    "rank 1": _x(B),
    "rank 0": np.array(1.0, "float32"),
    "a member of rank 1": (_x(B, T, 2), _x(B)),
    "a member of rank 0": [_x(B, T, 2), np.array(1.0, "float32")],
}
_NUMBER_LISTS = {
    "a list of numbers": [1.0, 2.0, 3.0],
    "nested lists of numbers": [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]],
    "an array beside a number": [_x(B, T, 2), 1.0],
}
_NO_ARRAYS: dict[str, Any] = {
    "a string": "text",
    "an object": Wrong("object"),
    "a function": Wrong("function"),
    "a string beside an array": (_x(B, T, 2), "text"),
}
_MISMATCHES = {
    "batch differs": (_x(B, T, 2), _x(B + 1, T, 2)),
    "time differs": (_x(B, T, 2), _x(B, T + 1, 2)),
    "batch and time exchanged": (_x(B, T, 2), _x(T, B, 2)),
    "time of 1": (_x(B, T, 2), (_x(B, 1, 2),)),
}
_LENGTH_RANKS = {
    "a number": 2,
    "an array of rank 0": np.array(2, "int32"),
    "rank 2": np.array([[2], [1]], "int32"),
    "rank 2, a row": np.array([[2, 1]], "int32"),
    "False": False,
    "nested lists": [[2], [1]],
}
_LENGTH_SIZES = {
    "one too few": np.array([2], "int32"),
    "one too many": np.array([2, 1, 3], "int64"),
    "none": np.array([], "int32"),
    "a list, one too many": [2, 1, 3],
}
_LENGTH_DTYPES = {
    f"{dtype}": np.array([2, 1], dtype)
    for dtype in ("float32", "float64", "float16", "int8", "int16", "uint8", "uint16", "bool", "complex64")
}
_LENGTH_ITEMS: dict[str, Any] = {
    "strings": np.array([b"2", b"1"]),
    "NaN": np.array([np.nan, 1.0], "float32"),
    "a list of floats": [2.0, 1.0],
    "a list of bools": [True, False],
    "a list of strings": ["2", "1"],
    "a string": "21",
    "an object": Wrong("object"),
}
_STATE_SHAPES: dict[str, Any] = {
    "batch too large": _x(B + 1, 2),
    "batch of 1": _x(1, 2),
    "too wide": _x(B, 3),
    "width of 1": _x(B, 1),
    "rank 1": _x(2),
    "rank 3": _x(B, 2, 1),
    "rank 0": np.array(0.0, "float32"),
}
_STATE_TYPES: dict[str, Any] = {
    "a list for a tuple": [_x(B, 2), _x(B, 1)],
    "a dict for a tuple": {"a": _x(B, 2), "b": _x(B, 1)},
    "a number in place of an array": (_x(B, 2), 0.0),
    "None in place of an array": (_x(B, 2), None),
    "a tuple where there is none": (_x(B, 2), (_x(B, 1),)),
}
_STATE_NO_ARRAYS: dict[str, Any] = {
    "a tuple for an array": (_x(B, 2),),
    "a number": 0.0,
    "a string": "zeros",
    "an object": Wrong("object"),
}
_STATE_COUNTS: dict[str, Any] = {
    "one array too few": (_x(B, 2),),
    "one array too many": (_x(B, 2), _x(B, 1), _x(B, 1)),
    "an empty tuple": (),
}
_DTYPES = {
    "float": Wrong("float type"),
    "int": Wrong("int type"),
    "complex": Wrong("complex type"),
    "a word": "floaty",
    "an object": Wrong("object"),
    "a number": 1.5,
    "an array": _x(2),
}
_NOT_INTEGERS = {
    "True": True,
    "False": False,
    "a float": 4.0,
    "a string": "4",
    "a list": [4],
    "an object": Wrong("object"),
}
_NOT_BOOLS = {"0": 0, "1": 1, "None": None, "a string": "no", "a float": 0.0, "an array": np.array([True])}
_NOT_SCOPES = {
    "a number": 1,
    "0": 0,
    "True": True,
    "bytes": Wrong("bytes"),
    "a list": ["rnn"],
    "an object": Wrong("object"),
}
_NO_NAMES = {"an empty string": "", "a space": "my scope", "a sign": "rnn$", "a slash at the front": "/rnn"}

WRONG: tuple[WrongArgument, ...] = (
    *_each("cell", "CELL-2", TYPE, _CELLS),
    *_each("cell", "CELL-3", TYPE, {"a look-alike": Wrong("look-alike")}),
    *_each("inputs", "IN-5", VALUE, {"None": None}),
    WrongArgument("inputs: None, time-major", "IN-6", "inputs", VALUE, {"inputs": None, "time_major": True}),
    *_each("inputs", "IN-7", VALUE, {"an empty list": []}),
    WrongArgument("inputs: an empty list, time-major", "IN-7", "inputs", VALUE, {"inputs": [], "time_major": True}),
    *_each("inputs", "IN-9", VALUE, _WITHOUT_ARRAYS),
    *_each("inputs", "IN-10", VALUE, _MISMATCHES),
    *_each("inputs", "IN-11", VALUE, _LOW_RANK),
    *_each("inputs", "IN-12", VALUE, {"None in a tuple": (_x(B, T, 2), None), "None in a list": [None, _x(B, T, 2)]}),
    *_each("inputs", "IN-15", VALUE, _NUMBER_LISTS),
    *_each("inputs", "IN-17", TYPE, _NO_ARRAYS),
    *_each("sequence_length", "SEQ-16", VALUE, _LENGTH_RANKS),
    *_each("sequence_length", "SEQ-17", VALUE, _LENGTH_SIZES),
    *_each("sequence_length", "SEQ-18", TYPE, {**_LENGTH_DTYPES, **_LENGTH_ITEMS}),
    *_each("initial_state", "INIT-8", VALUE, _STATE_SHAPES),
    *_each("initial_state", "INIT-9", TYPE, _STATE_TYPES, state_size=(2, 1)),
    *_each("initial_state", "INIT-9", VALUE, _STATE_COUNTS, state_size=(2, 1)),
    *_each("initial_state", "INIT-9", TYPE, _STATE_NO_ARRAYS),
    *_each("initial_state", "INIT-9", TYPE, {"a named tuple for a list": Pair(_x(B, 2), _x(B, 1))}, state_size=[2, 1]),
    WrongArgument("dtype: missing", "DTYPE-3", "dtype", VALUE, {}, omit=("dtype",)),
    WrongArgument("dtype: None", "DTYPE-3", "dtype", VALUE, {"dtype": None}),
    WrongArgument(
        "dtype: missing, the state being of two dtypes",
        "DTYPE-4",
        "dtype",
        VALUE,
        {"initial_state": (_x(B, 2), _x(B, 1, dtype="int32"))},
        state_size=(2, 1),
        omit=("dtype",),
    ),
    *_each("dtype", "DTYPE-12", TYPE, _DTYPES),
    *_each("dtype", "DTYPE-13", TYPE, {"bool": Wrong("bool type"), "an empty string": ""}),
    *_each("parallel_iterations", "PAR-3", VALUE, {"0": 0, "-1": -1, "a NumPy 0": np.int64(0)}),
    *_each("parallel_iterations", "PAR-3", TYPE, _NOT_INTEGERS),
    *_each("swap_memory", "SWAP-3", TYPE, _NOT_BOOLS),
    *_each("time_major", "TIME-6", TYPE, _NOT_BOOLS),
    *_each("scope", "SCOPE-9", TYPE, _NOT_SCOPES),
    *_each("scope", "SCOPE-10", VALUE, _NO_NAMES),
)
"""Every wrong argument; where its rank matters to the place of the refusal, the rest of the call is valid."""


def wrong_arguments(clause: str | None = None, parameter: str | None = None) -> list[WrongArgument]:
    """Those of a clause, of a parameter, or all."""
    return [wrong for wrong in WRONG if clause in (None, wrong.clause) and parameter in (None, wrong.parameter)]


def wrong_cases(clause: str) -> list[Case]:
    """The cases of a clause."""
    return [wrong.case() for wrong in wrong_arguments(clause)]


def around(case: Case) -> list[Case]:
    """A wrong call, and the same with other arguments besides the wrong one: a refusal must not depend on these."""
    given = with_arguments(case, initial_state=_x(B, 2))
    return [case, without(case, "sequence_length"), given, without(given, "dtype")]
