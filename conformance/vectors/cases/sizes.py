"""Defines the vectors of output_size and state_size: the structures and shapes of what is returned."""

from collections.abc import Iterator
from typing import Any

from conformance.vectors.cases.making import Definition, one, rng_of, tally, vector, whole
from dynamic_rnn_spec.case import namedtuple_type
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

SIZES: dict[str, tuple[str, Any]] = {
    "int": ("OUT-1 OUT-2", 3),
    "one": ("OUT-1 OUT-2", 1),
    "shape": ("OUT-3", TensorShape([2, 3])),
    "shape-of-one": ("OUT-3", TensorShape([2])),
    "deep-shape": ("OUT-3", TensorShape([1, 2, 1, 2])),
    "empty-axis": ("OUT-3", TensorShape([2, 0])),
    "scalar-shape": ("OUT-6", TensorShape([])),
    "nothing": ("OUT-6", ()),
    "two": ("OUT-8 OUT-4", (2, 1)),
    "one-tuple": ("OUT-8 OUT-4", (3,)),
    "nested": ("OUT-4", (2, (1, (3, TensorShape([2, 2]))))),
    "deep": ("OUT-4", (((1,), 2), ((TensorShape([]),),))),
    "list": ("OUT-5", [2, 1]),
    "dict": ("OUT-5", {"b": 2, "a": TensorShape([1, 2])}),
    "namedtuple": ("OUT-5", namedtuple_type("Pair", ("left", "right"))(2, 1)),
    "lstm": ("OUT-5", LSTMStateTuple(2, 3)),
    "mixed": ("OUT-5 OUT-4", {"z": (1, [2]), "y": TensorShape([2])}),
}


def definitions() -> Iterator[Definition]:
    """All of this section."""
    for name, (clauses, size) in SIZES.items():
        for major in (False, True):
            for lengths in (None, [2, 0, 3]):
                suffix = f"{'time' if major else 'batch'}-major-{'all' if lengths is None else 'ragged'}"
                rng = rng_of(f"outputs/{name}-{suffix}")
                arguments: dict[str, Any] = {"time_major": major, "dtype": "float32"}
                if lengths is not None:
                    arguments.update(sequence_length=lengths)
                case = one(tally(2, size), whole(rng, (3, 3, 2)), **arguments)
                more = "TIME-3" if major else "TIME-1"
                yield vector(f"outputs/{name}-{suffix}", f"{clauses} {more}", case)
