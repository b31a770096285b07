"""Lists cotangents that are refused, each with the kind of its error, and calls for gradients of cells that have none.

``WRONG`` lists the cotangents by name; they are put in place of the right ones of a call of an LSTMCell with two rows
and three steps or, where a cotangent is for an array without a gradient, of an Echo.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from conformance.strategies import arrays
from conformance.strategies.builtin import KINDS, spec_case
from conformance.strategies.cotangents import asking
from conformance.strategies.derive import cotangents, with_cotangents
from conformance.strategies.frame import Frame
from conformance.strategies.probes import affine_case, echo_case, scalar_counter_case, tally_case
from conformance.strategies.structures import Pair
from dynamic_rnn_spec.case import Case, CellRef, CellSpec, Function, Wrong
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

B, T, N = 2, 3, 2
TYPE, VALUE = "TypeError", "ValueError"
FRAME = Frame(batch=B, steps=T, pattern="ragged", raw=9)


class WrongCotangent(NamedTuple):
    """``value`` in place of ``parameter`` ("d_outputs" or "d_state") is refused with an error of ``kind``.

    ``without`` a gradient: the outputs are whole numbers, and so is the state.
    """

    name: str
    parameter: str
    kind: str
    value: Any
    without: bool = False

    @property
    def case(self) -> Case:
        """The call with that wrong cotangent."""
        right = self.right
        outputs, state = cotangents(right)
        if self.parameter == "d_outputs":
            return with_cotangents(right, self.value, state)
        return with_cotangents(right, outputs, self.value)

    @property
    def right(self) -> Case:
        """The call with the right ones."""
        if self.without:
            return asking(echo_case(FRAME._replace(given=True), TensorShape([N]), "int32"))
        return asking(spec_case(FRAME, KINDS["LSTMCell"](N, N), N))


def _d(*shape: int, dtype: str = "float32") -> arrays.Array:
    return arrays.small(shape, dtype)


def _each(parameter: str, kind: str, values: Mapping[str, Any], without: bool = False) -> list[WrongCotangent]:
    return [WrongCotangent(name, parameter, kind, value, without) for name, value in values.items()]


_OUTPUT_TYPES: dict[str, Any] = {
    "a tuple for an array": (_d(B, T, N),),
    "a list for an array": [_d(B, T, N)],
    "a dict for an array": {"a": _d(B, T, N)},
    "a number": 1.0,
    "a string": "ones",
    "an object": Wrong("object"),
    "float64 for float32": _d(B, T, N, dtype="float64"),
    "float16 for float32": _d(B, T, N, dtype="float16"),
    "integers": _d(B, T, N, dtype="int32"),
}
_OUTPUT_SHAPES = {
    "batch and time exchanged": _d(T, B, N),
    "a step too few": _d(B, T - 1, N),
    "a row too many": _d(B + 1, T, N),
    "too wide": _d(B, T, N + 1),
    "width of 1": _d(B, T, 1),
    "rank 2": _d(B, T),
    "rank 0": np.array(1.0, "float32"),
}
_STATE_TYPES: dict[str, Any] = {
    "an array for a tuple": _d(B, N),
    "a list for a tuple": [_d(B, N), _d(B, N)],
    "a dict for a tuple": {"c": _d(B, N), "h": _d(B, N)},
    "another named tuple": Pair(_d(B, N), _d(B, N)),
    "a tuple in place of an array": LSTMStateTuple(_d(B, N), (_d(B, N),)),
    "a number in place of an array": LSTMStateTuple(_d(B, N), 1.0),
    "float64 for float32": LSTMStateTuple(_d(B, N, dtype="float64"), _d(B, N)),
    "integers": LSTMStateTuple(_d(B, N), _d(B, N, dtype="int64")),
    "an object": Wrong("object"),
}
_STATE_SHAPES: dict[str, Any] = {
    "a row too many": LSTMStateTuple(_d(B + 1, N), _d(B, N)),
    "too wide": LSTMStateTuple(_d(B, N), _d(B, N + 1)),
    "rank 3": LSTMStateTuple(_d(B, N, 1), _d(B, N)),
    "one array too few": (_d(B, N),),
    "one array too many": (_d(B, N), _d(B, N), _d(B, N)),
    "an empty tuple": (),
}

WRONG: tuple[WrongCotangent, ...] = (
    *_each("d_outputs", TYPE, _OUTPUT_TYPES),
    *_each("d_outputs", TYPE, {"integers for integers": _d(B, T, N, dtype="int32"), "floats": _d(B, T, N)}, True),
    *_each("d_outputs", VALUE, _OUTPUT_SHAPES),
    *_each("d_state", TYPE, _STATE_TYPES),
    *_each("d_state", TYPE, {"integers for integers": _d(B, 1, dtype="int32"), "floats": _d(B, 1)}, True),
    *_each("d_state", VALUE, _STATE_SHAPES),
)
"""Every wrong cotangent; the other one of the call is right."""

_CUBED = {"activation": Function("cubed")}


def _of_inner(spec: CellSpec) -> CellSpec:
    """The cell inside a wrapper inside a stack."""
    wrapper = CellSpec("DeviceWrapper", {"device": "/cpu:0"}, [spec])
    return CellSpec("MultiRNNCell", {}, [CellSpec("GRUCell", {"num_units": N}), wrapper])


def without_gradients() -> list[Case]:
    """Calls that ask for gradients of a cell without call_vjp, or with a function without vjp, alone and inside."""
    affine = affine_case(FRAME, N, N)
    wrapped = CellSpec("MultiRNNCell", {}, [CellRef("cell")])
    stacked = Case({**affine.cells, "stack": wrapped}, affine.calls, {})
    (call,) = stacked.calls
    found = [
        affine,
        tally_case(FRAME),
        scalar_counter_case(FRAME),
        stacked.replace(calls=[call.replace(arguments={**call.arguments, "cell": CellRef("stack")})]),
    ]
    cells = [
        *(CellSpec(kind, {"num_units": N, **_CUBED}) for kind in ("BasicRNNCell", "GRUCell", "BasicLSTMCell")),
        CellSpec("LSTMCell", {"num_units": N, "num_proj": N, **_CUBED}),
        CellSpec("ResidualWrapper", {"residual_fn": Function("subtracted")}, [CellSpec("GRUCell", {"num_units": N})]),
    ]
    cells += [_of_inner(cells[1]), _of_inner(cells[-1])]
    found += [spec_case(FRAME, spec, N) for spec in cells]
    return [with_cotangents(case, None, None) for case in found]
