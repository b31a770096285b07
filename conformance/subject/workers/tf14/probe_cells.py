"""Runs probe cells on TensorFlow 1.4.1: gives them its operations, and records each step as the graph runs it."""

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.util import nest

from dynamic_rnn_spec import adapter
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.structure import flatten, is_sequence, map_structure
from dynamic_rnn_spec.wire import probes

RNN_CELL = tf.nn.rnn_cell


class TensorOps(probes.NumPyOps):
    """What probe cells ask of an array library, in TensorFlow's operations."""

    def digest(self, leaf: Any) -> Any:
        real = tf.real(leaf) if leaf.dtype.is_complex else leaf
        return tf.reduce_sum(tf.cast(real, tf.float64), axis=list(range(1, leaf.shape.ndims)))

    def modulo(self, row: Any) -> Any:
        # float64 holds every value here exactly, and has the kernel that float16 lacks
        return tf.cast(tf.floormod(tf.cast(row, tf.float64), np.float64(probes.MODULUS)), row.dtype)

    def spread(self, row: Any, dims: Any, dtype: str) -> Any:
        positions = 7.0 * np.arange(int(np.prod(dims, dtype=int)), dtype=np.float64).reshape(tuple(dims))
        values = self.modulo(tf.reshape(row, (-1,) + (1,) * len(dims)) + positions)
        return tf.equal(tf.floormod(values, np.float64(2)), 1.0) if dtype == "bool" else tf.cast(values, dtype)

    def dims(self, size: Any) -> Any:
        return tuple(size.as_list()) if isinstance(size, tf.TensorShape) else super().dims(size)

    def numpy_dtype(self, dtype: Any) -> Any:
        return np.dtype(tf.as_dtype(dtype).as_numpy_dtype)

    def dtype_name(self, leaf: Any) -> str:
        return str(leaf.dtype.base_dtype.name)

    def plus_one(self, leaf: Any) -> Any:
        return leaf + tf.ones((), leaf.dtype)

    def matmul(self, left: Any, right: Any) -> Any:
        return tf.matmul(left, right)

    def add_row(self, matrix: Any, row: Any) -> Any:
        return matrix + row

    def constant(self, value: Any) -> Any:
        return tf.constant(value)

    def repeat_row(self, row: Any, batch_size: Any) -> Any:
        return tf.constant(np.broadcast_to(row, (batch_size, *row.shape)))


class GraphRecorder(probes.Recorder):
    """Records what a probe cell gets each time that the graph runs it, in the order of execution."""

    def zero_state(self, batch_size: Any, dtype: Any) -> None:
        try:
            name = str(tf.as_dtype(dtype).name)
        except TypeError:  # zero_state itself refuses it in a moment
            name = repr(dtype)
        self.events.append({"event": "zero_state", "batch_size": int(batch_size), "dtype": name})

    def call(self, positional: Any, keywords: Any) -> None:
        self.calls += 1
        events = self.events
        told = {"event": "call", "positional": len(positional), "keywords": sorted(keywords)}
        seen = (*positional, None, None)[:2]
        tensors = [leaf for leaf in flatten(seen) if isinstance(leaf, tf.Tensor)]

        def record(*arrays: Any) -> None:
            values = iter(arrays)
            inputs, state = to_plain(map_structure(lambda leaf: to_array(next(values)), seen))
            events.append(dict(told, inputs=inputs, state=state))

        self.operation = tf.py_func(record, tensors, [])


class ProbeBase(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]  # TensorFlow has no types
    """RNNCell, whose results wait until the step has been recorded; values and static shapes are untouched."""

    call: Any  # the probe's

    def __init__(self) -> None:
        annotated = self.call
        self.call = lambda inputs, state: annotated(inputs, state)  # Layer refuses a function with annotations
        super().__init__()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recorded = self.recorder.operation
        results = super().__call__(*args, **kwargs)
        with tf.control_dependencies([recorded]):
            return nest.map_structure(tf.identity, results)


def to_array(value: Any) -> Any:
    """A value of the session as NumPy: a rank-0 one too, a string as bytes."""
    array = np.array(value)
    return array.astype("S") if array.dtype.kind == "O" else array


def to_plain(value: Any) -> Any:
    """A structure with the LSTMStateTuple of the specification."""
    if isinstance(value, RNN_CELL.LSTMStateTuple):
        return LSTMStateTuple(*map(to_plain, value))
    return adapter.map_children(to_plain, value) if is_sequence(value) else value
