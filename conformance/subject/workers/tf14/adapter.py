"""Runs a case on the real TensorFlow 1.4.1 and returns what it gave, unchanged."""

import contextlib
import platform
from typing import Any, Iterator, List, Mapping, Optional

import numpy as np
import tensorflow as tf
from tensorflow.python.util import nest

from dynamic_rnn_spec import adapter
from dynamic_rnn_spec.case import PARAMETERS, Answer, Case, CellSpec, DType, Function, Outcome, Scope, VariableRecord
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.structure import flatten, is_sequence
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape
from dynamic_rnn_spec.wire import probes

from .gradients import gradients_of
from .graph import ReplayedDropout, Store, name_of, open_store
from .probe_cells import GraphRecorder, ProbeBase, TensorOps, to_plain

RNN_CELL = tf.nn.rnn_cell

FUNCTIONS: Mapping[str, Any] = {
    "tanh": lambda: tf.tanh,
    "relu": lambda: tf.nn.relu,
    "identity": lambda: tf.identity,
    "sigmoid": lambda: tf.sigmoid,
    "softsign": lambda: tf.nn.softsign,
    "cubed": lambda: lambda x: x * x * x,
    "zeros": tf.zeros_initializer,
    "ones": tf.ones_initializer,
    "constant": tf.constant_initializer,
    "random_uniform": tf.random_uniform_initializer,
    "glorot_uniform": tf.glorot_uniform_initializer,
    "add_twice": lambda: lambda inputs, outputs: nest.map_structure(lambda i, o: i + o + i, inputs, outputs),
    "subtracted": lambda: lambda inputs, outputs: nest.map_structure(lambda i, o: o - i, inputs, outputs),
    "drop_none": lambda: lambda substate: False,
    "drop_all": lambda: lambda substate: True,
}


class TensorFlow14(adapter.PythonAdapter):
    """TensorFlow 1.4.1 behind the contract."""

    def __init__(self) -> None:
        versions = {"tensorflow": tf.__version__, "numpy": np.__version__, "python": platform.python_version()}
        super().__init__(
            "tensorflow", self.build_and_run, RNN_CELL, versions, dynamic_rnn_vjp=self.build_and_pull_back
        )
        self.ops = TensorOps()
        self.seed = 0

    def run(self, case: Case) -> Outcome:
        for call in case.calls:
            for leaf in flatten(list(call.arguments.values())):
                if isinstance(leaf, np.ndarray) and not _has_placeholder(leaf):
                    why = "TensorFlow 1.4.1 has no tensor of this dtype"
                    return Outcome.of(Answer.unsupported("dtype {}".format(leaf.dtype.name), why), case)
        self.seed = int(case.digest()[:7], 16)
        return super().run(case)

    def build_and_run(self, *args: Any, **kwargs: Any) -> Any:
        """One call: the graph, its new variables, its values."""
        result = self.build(*args, **kwargs)
        self.store.run(result)
        return result

    def build_and_pull_back(self, *args: Any, **kwargs: Any) -> Any:
        """The same with gradients: values and gradients come of one run, so that each step runs once."""
        result = self.build(*args, **kwargs)
        given = dict(zip(PARAMETERS, args), **kwargs)

        def vjp(*cotangents: Any) -> Any:
            gradients = gradients_of(result, cotangents, given)
            self.store.run((result, gradients))
            return gradients

        return result, vjp

    def build(self, *args: Any, **kwargs: Any) -> Any:
        """The graph of one call, and its new variables with their weights."""
        result = tf.nn.dynamic_rnn(*args, **kwargs)
        for variable in self.store.initialise():
            variable.load(self.store.weights[name_of(variable)], self.store.session)
        return result

    @contextlib.contextmanager
    def fresh_store(self, weights: Mapping[str, Any]) -> Iterator[Store]:
        with open_store(weights, self.seed) as self.store:
            yield self.store

    def variables(self, store: Store) -> Optional[List[VariableRecord]]:
        store.initialise()
        return list(store.records)

    def recorder(self) -> probes.Recorder:
        self.recording = GraphRecorder()
        return self.recording

    def _repeats(self, pulled: Any, vjp: Any, cotangents: Any) -> bool:
        # Pulling back again runs the session, and so all steps, once more; those are not part of the trace.
        events, first = list(self.recording.events), self.store.values
        self.store.run(list(first))
        self.recording.events[:] = events
        again, self.store.values = self.store.values, first
        return all(first[tensor].tobytes() == again[tensor].tobytes() for tensor in first)

    def function(self, function: Function) -> Any:
        return FUNCTIONS[function.name](**dict(function.options))

    def to_array(self, array: "np.ndarray[Any, Any]") -> Any:
        tensor = tf.placeholder(tf.as_dtype(array.dtype), array.shape)
        self.store.feeds[tensor] = array.astype(object) if array.dtype.kind in "SU" else array
        return tensor

    def to_numpy(self, array: Any) -> Any:
        return self.store.values[array] if isinstance(array, tf.Tensor) else super().to_numpy(array)

    def plain(self, value: Any) -> Any:
        return to_plain(super().plain(value))

    def dtype(self, dtype: DType) -> Any:
        return tf.as_dtype(np.dtype(dtype.name)) if dtype.form == "dtype" else super().dtype(dtype)

    def open_scope(self, scope: Scope) -> Any:
        initializer = None if scope.initializer is None else self.function(scope.initializer)
        return tf.variable_scope(scope.name, reuse=_reuse(scope.reuse), initializer=initializer)

    def value(self, value: Any) -> Any:
        return _native(super().value(value))

    def option(self, value: Any) -> Any:
        """A value of a cell's options: as an argument, but an array stays NumPy."""
        if isinstance(value, np.ndarray):
            return value
        if is_sequence(value):
            return _native(adapter.map_children(self.option, value))
        return self.value(value)

    def make_cell(self, spec: CellSpec, children: List[Any], recorder: Any) -> Any:
        options = {name: self.option(value) for name, value in spec.options.items() if name != "noise"}
        if spec.kind.startswith("probe:"):
            return probes.make_probe(spec.kind[len("probe:") :], options, ProbeBase, self.ops, recorder)
        if "reuse" in options:
            options["reuse"] = _reuse(options["reuse"])
        if spec.kind == "MultiRNNCell":
            return RNN_CELL.MultiRNNCell(children, **options)
        if "noise" in spec.options:
            return ReplayedDropout(children[0], spec.options["noise"], options)
        return getattr(RNN_CELL, spec.kind)(*children, **options)


def _native(value: Any) -> Any:
    """TensorFlow's own LSTMStateTuple or TensorShape for that of the specification."""
    if isinstance(value, LSTMStateTuple):
        return RNN_CELL.LSTMStateTuple(*value)
    return tf.TensorShape(value.dims) if isinstance(value, TensorShape) else value


def _reuse(reuse: Any) -> Any:
    return tf.AUTO_REUSE if reuse == "AUTO_REUSE" else reuse


def _has_placeholder(array: Any) -> bool:
    try:
        tf.as_dtype(array.dtype)
    except TypeError:
        return False
    return True
