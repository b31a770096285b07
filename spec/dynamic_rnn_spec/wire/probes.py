"""Makes probe cells, whose arithmetic is exact, so that what the loop does to them can be seen bit for bit.

Each is written once, on top of the implementation's RNNCell, with the functions of an array library that ``ops`` gives
(NumPyOps below; an adapter for another library gives its own). All values are whole numbers below MODULUS, which
float16 and int8 hold exactly.

Kinds (``CellSpec("probe:<Kind>", options)``):

* ``Tally``: every state leaf and output leaf depends on all inputs and all of the old state, in any nesting, shape
  and dtype.
  Options: ``state_size``, ``output_size`` (structures), ``state_dtypes`` (structure of names, or one name, or None:
  those of the state), ``output_dtype`` (a name, or None: that of the first state leaf), ``zero_state`` (the leaves of
  one row, to override zero_state).
* ``Echo``: the output is the input, leaf by leaf and bit by bit; the state [batch, 1] counts the steps.
  Options: ``sizes``, the structure of TensorShapes of the input's rows.
* ``LastInput``: the new state is the input (one leaf), the output is the old state. Option: ``size``, a TensorShape.
* ``ScalarCounter``: zero_state is overridden with a rank-0 counter beside a row [batch, 1] that counts too; the
  output is both.
* ``Affine``: a cell with weights: ``h' = (x K + h R + b) mod MODULUS``. Options: ``units``, ``class_name``.
* ``Linear``: a cell with weights that pulls gradients back: ``h' = x K + h R + b``, its output ``2 h' + h``. Options:
  ``units``, ``class_name``. Whole numbers stay whole, and exact as long as they are small.
* ``Rogue``: breaks its own contract. Options: ``fault`` (one of FAULTS), ``units``.

``Echo``, ``LastInput`` and ``Linear`` pull gradients back, the first two bit by bit; the others have no ``call_vjp``.
"""

from typing import Any, Dict, List, Optional

import numpy as np

from ..vocabulary.structure import flatten, map_structure, pack_sequence_as
from ..vocabulary.tensor_shape import dims_of
from .case import PROBES

MODULUS = 97
FAULTS = (
    "raises",
    "state_list",
    "state_missing",
    "state_extra",
    "state_shape",
    "state_dtype",
    "output_missing",
    "output_extra",
    "output_shape",
    "output_dtype",
)


class ProbeError(RuntimeError):
    """What ``Rogue`` raises on purpose."""


class NumPyOps:
    """The functions of an array library that probe cells use, for NumPy; subclass it for another."""

    def digest(self, leaf: Any) -> Any:
        """The sum of each row as float64 [batch]; the real part of a complex number, 0 and 1 for a bool."""
        numbers = np.real(leaf) if np.iscomplexobj(leaf) else leaf
        with np.errstate(invalid="ignore"):
            return np.sum(np.asarray(numbers, np.float64), axis=tuple(range(1, leaf.ndim)))

    def modulo(self, row: Any) -> Any:
        """``row`` modulo MODULUS, at least 0."""
        with np.errstate(invalid="ignore"):
            return np.mod(row, MODULUS)

    def spread(self, row: Any, dims: Any, dtype: str) -> Any:
        """An array [batch] + dims of that dtype: element p of a row is ``(row + 7 p) mod MODULUS``, or its parity."""
        positions = 7.0 * np.arange(int(np.prod(dims, dtype=int))).reshape(tuple(dims))
        values = self.modulo(np.reshape(row, (-1,) + (1,) * len(dims)) + positions)
        with np.errstate(invalid="ignore"):
            return np.mod(values, 2) == 1 if dtype == "bool" else values.astype(dtype)

    def dims(self, size: Any) -> Any:
        """The dimensions of one row: of an integer, or of a TensorShape as the library has it."""
        return dims_of(size)

    def numpy_dtype(self, dtype: Any) -> Any:
        """The NumPy dtype that a dtype of the library stands for."""
        return np.dtype(dtype)

    def dtype_name(self, leaf: Any) -> str:
        """The dtype of an array by NumPy's name."""
        return str(np.dtype(leaf.dtype).name)

    def plus_one(self, leaf: Any) -> Any:
        """``leaf + 1`` in the dtype of ``leaf``."""
        return leaf + np.ones((), leaf.dtype)

    def matmul(self, left: Any, right: Any) -> Any:
        """The matrix product, ``right`` being a weight as ``add_variable`` returned it."""
        return left @ right.read(left)

    def add_row(self, matrix: Any, row: Any) -> Any:
        """``matrix`` + a weight of one row."""
        return matrix + row.read(matrix)

    def matmul_transposed(self, left: Any, right: Any) -> Any:
        """The product of ``left`` and the transpose of a weight."""
        return left @ right.read(left).T

    def weight_gradient(self, left: Any, right: Any) -> Any:
        """The product of the transpose of ``left`` [batch, d] and ``right`` [batch, n]."""
        return left.T @ right

    def sum_rows(self, matrix: Any) -> Any:
        """The sum of all rows."""
        return matrix.sum(axis=0)

    def constant(self, value: Any) -> Any:
        """A NumPy array as an array of the library."""
        return np.array(value)

    def repeat_row(self, row: Any, batch_size: Any) -> Any:
        """A NumPy array as [batch] + its shape, every row the same."""
        return np.array(np.broadcast_to(row, (batch_size, *row.shape)))


class Recorder:
    """What the cell saw: one event for each request of a zero state and each call, with the arrays as they were."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Forget what was seen: another call of dynamic_rnn begins."""
        self.events: List[Dict[str, Any]] = []
        self.calls = 0

    def zero_state(self, batch_size: Any, dtype: Any) -> None:
        """The cell was asked for its zero state."""
        self.events.append({"event": "zero_state", "batch_size": int(batch_size), "dtype": str(np.dtype(dtype).name)})

    def call(self, positional: Any, keywords: Any) -> None:
        """The cell was called with these arguments."""
        self.calls += 1
        arguments = map_structure(self.to_numpy, tuple(positional))
        self.events.append(
            {
                "event": "call",
                "positional": len(positional),
                "keywords": sorted(keywords),
                "inputs": arguments[0] if arguments else None,
                "state": arguments[1] if len(arguments) > 1 else None,
            }
        )

    def to_numpy(self, array: Any) -> "np.ndarray[Any, Any]":
        """A NumPy copy of an array of the implementation; an adapter for another library overrides it."""
        return np.array(array)


def make_probe(kind: str, options: Dict[str, Any], base: Any, ops: Any, recorder: Optional[Any] = None) -> Any:
    """A probe cell of that kind on top of ``base``, the implementation's RNNCell.

    Raises:
        ValueError: no such kind, or an option that it does not have.
    """
    if kind not in PROBES:
        raise ValueError("no probe of kind {!r}; there are {}".format(kind, ", ".join(PROBES)))
    name = str(options.get("class_name", kind))
    return type(name, (_CLASSES[kind], base), {})(base, ops, recorder, options)


class _Probe:
    """What all probes share: they record, and their sizes are given."""

    allowed = ()  # type: tuple[str, ...]
    state_size: Any
    output_size: Any
    add_variable: Any  # the base's

    def __init__(self, base: Any, ops: Any, recorder: Any, options: Dict[str, Any]) -> None:
        unknown = sorted(set(options) - set(self.allowed))
        if unknown:
            raise ValueError("{} has no options {}".format(type(self).__name__, unknown))
        base.__init__(self)
        self.base, self.ops, self.recorder, self.options = base, ops, recorder, options
        self.prepare()

    def prepare(self) -> None:
        """Take what the options say."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.recorder is not None:
            self.recorder.call(args, kwargs)
        return self.base.__call__(self, *args, **kwargs)

    def vjp(self, *args: Any, **kwargs: Any) -> Any:
        if self.recorder is not None:
            self.recorder.call(args, kwargs)
        return self.base.vjp(self, *args, **kwargs)

    def build(self, inputs_shape: Any) -> None:
        """Only ``Affine`` has weights."""
        self.built = True


class _Tally(_Probe):
    allowed = ("state_size", "output_size", "state_dtypes", "output_dtype", "zero_state")

    def prepare(self) -> None:
        self.sizes = (self.options["state_size"], self.options["output_size"])

    @property
    def state_size(self) -> Any:
        return self.sizes[0]

    @property
    def output_size(self) -> Any:
        return self.sizes[1]

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        row = self.options.get("zero_state")
        if self.recorder is not None and isinstance(batch_size, int):
            self.recorder.zero_state(batch_size, dtype)
        if row is None:
            return self.base.zero_state(self, batch_size, dtype)
        return map_structure(lambda leaf: self.ops.repeat_row(leaf, batch_size), row)

    def call(self, inputs: Any, state: Any) -> Any:
        ops, old = self.ops, flatten(state)
        terms = [(k + 1) * ops.digest(leaf) for k, leaf in enumerate(flatten(inputs))]
        terms += [3.0 * (k + 1) * ops.digest(leaf) for k, leaf in enumerate(old)]
        total = terms[0]
        with np.errstate(invalid="ignore"):  # infinities of both signs may stand in the padding
            for term in terms[1:]:
                total = total + term
        row = ops.modulo(total + 1.0)
        dtypes = self.options.get("state_dtypes")
        sizes = flatten(self.sizes[0])
        names = (
            [dtypes or ops.dtype_name(leaf) for leaf in old]
            if dtypes is None or isinstance(dtypes, str)
            else flatten(dtypes)
        )
        new = [ops.spread(row + 11.0 * k, ops.dims(size), name) for k, (size, name) in enumerate(zip(sizes, names))]
        first = ops.dtype_name(old[0]) if old else ops.dtype_name(flatten(inputs)[0])
        emitted = self.options.get("output_dtype") or first
        sizes = flatten(self.sizes[1])
        out = [ops.spread(row + 5.0 * k + 1.0, ops.dims(size), emitted) for k, size in enumerate(sizes)]
        return pack_sequence_as(self.sizes[1], out), pack_sequence_as(self.sizes[0], new)


class _Echo(_Probe):
    allowed = ("sizes",)
    state_size = 1

    @property
    def output_size(self) -> Any:
        return self.options["sizes"]

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs, self.ops.plus_one(state)

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        return self.call(inputs, state), lambda d_output, d_new: (d_output, d_new, {})


class _LastInput(_Probe):
    allowed = ("size",)

    @property
    def state_size(self) -> Any:
        return self.options["size"]

    @property
    def output_size(self) -> Any:
        return self.options["size"]

    def call(self, inputs: Any, state: Any) -> Any:
        return state, inputs

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        return self.call(inputs, state), lambda d_output, d_new: (d_new, d_output, {})


class _ScalarCounter(_Probe):
    state_size = (1, 1)
    output_size = (1, 1)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        row = np.zeros((1,), self.ops.numpy_dtype(dtype))
        return self.ops.constant(np.zeros((), row.dtype)), self.ops.repeat_row(row, batch_size)

    def call(self, inputs: Any, state: Any) -> Any:
        count, rows = self.ops.plus_one(state[0]), self.ops.plus_one(state[1])
        return (state[1] * 0 + count, rows), (count, rows)


class _Affine(_Probe):
    allowed = ("units", "class_name")

    @property
    def state_size(self) -> Any:
        return self.options["units"]

    @property
    def output_size(self) -> Any:
        return self.options["units"]

    def build(self, inputs_shape: Any) -> None:
        units, depth = self.options["units"], int(inputs_shape[-1])
        self.kernel = self.add_variable("kernel", [depth, units])
        self.recurrent = self.add_variable("recurrent", [units, units])
        self.bias = self.add_variable("bias", [units])
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        ops = self.ops
        new = ops.modulo(ops.add_row(ops.matmul(inputs, self.kernel) + ops.matmul(state, self.recurrent), self.bias))
        return new, new


class _Linear(_Affine):
    def call(self, inputs: Any, state: Any) -> Any:
        ops = self.ops
        new = ops.add_row(ops.matmul(inputs, self.kernel) + ops.matmul(state, self.recurrent), self.bias)
        return new + new + state, new

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        ops = self.ops

        def pull(d_output: Any, d_new: Any) -> Any:
            d_new = d_new + d_output + d_output
            d_variables = {
                self.kernel: ops.weight_gradient(inputs, d_new),
                self.recurrent: ops.weight_gradient(state, d_new),
                self.bias: ops.sum_rows(d_new),
            }
            d_state = ops.matmul_transposed(d_new, self.recurrent) + d_output
            return ops.matmul_transposed(d_new, self.kernel), d_state, d_variables

        return self.call(inputs, state), pull


class _Rogue(_Probe):
    allowed = ("fault", "units")

    @property
    def state_size(self) -> Any:
        return (self.options["units"], self.options["units"])

    @property
    def output_size(self) -> Any:
        return (self.options["units"], self.options["units"])

    def call(self, inputs: Any, state: Any) -> Any:
        fault, units, (first, second), ops = self.options["fault"], self.options["units"], state, self.ops
        if fault == "raises":
            raise ProbeError("the probe cell raises on purpose")
        row, name = ops.digest(first), ops.dtype_name(first)
        wider, other = (
            ops.spread(row, (units + 1,), name),
            ops.spread(row, (units,), "int32" if name != "int32" else "float32"),
        )
        states = {
            "state_list": [first, second],
            "state_missing": (first,),
            "state_extra": (first, second, first),
            "state_shape": (first, wider),
            "state_dtype": (first, other),
        }
        outputs = {
            "output_missing": (first,),
            "output_extra": (first, second, first),
            "output_shape": (first, wider),
            "output_dtype": (first, other),
        }
        if fault not in FAULTS:
            raise ValueError("Rogue has no fault {!r}".format(fault))
        return outputs.get(fault, (first, second)), states.get(fault, (first, second))


_CLASSES = {
    "Tally": _Tally,
    "Echo": _Echo,
    "LastInput": _LastInput,
    "ScalarCounter": _ScalarCounter,
    "Affine": _Affine,
    "Linear": _Linear,
    "Rogue": _Rogue,
}  # type: Dict[str, Any]
