"""Opens a graph for one case, with its session, variables and feeds, and replays the noise of a DropoutWrapper in
it."""

import contextlib
from typing import Any, Dict, Iterator, List, Mapping

import tensorflow as tf
from tensorflow.python.framework import tensor_util
from tensorflow.python.ops import control_flow_ops, random_ops, script_ops

from dynamic_rnn_spec.case import VariableRecord
from dynamic_rnn_spec.vocabulary.structure import flatten

from .probe_cells import to_array

WHILE_LOOP = control_flow_ops.while_loop
RANDOM_UNIFORM = random_ops.random_uniform


class Noise:
    """Stands for the seed of one random_uniform of a DropoutWrapper whose noise the case gives."""

    def __init__(self, purpose: str, leaf: int, stored: Any) -> None:
        self.place = "{} {}".format(purpose, leaf)
        self.stored = stored


class ReplayedDropout(tf.nn.rnn_cell.DropoutWrapper):  # type: ignore[misc]  # TensorFlow has no types
    """DropoutWrapper with all its code, but its seeds say which noise of the case to take."""

    def __init__(self, cell: Any, noise: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self._noise = noise
        super().__init__(cell, **options)

    def _gen_seed(self, salt_prefix: str, index: int) -> Any:
        leaves = self._noise.get(salt_prefix)
        return None if leaves is None else Noise(salt_prefix, index, leaves[index])


class Store:
    """The graph, the session and the variables of one case."""

    def __init__(self, weights: Mapping[str, Any], session: Any) -> None:
        self.weights = {name[:-2] if name.endswith(":0") else name: value for name, value in weights.items()}
        self.session = session
        self.feeds: Dict[Any, Any] = {}
        self.records: List[VariableRecord] = []
        self.values: Dict[Any, Any] = {}
        self.time: Any = None

    def initialise(self) -> List[Any]:
        """Initialise the variables that are new, with their weights; give those whose weight does not fit."""
        known = tf.global_variables()
        new = known[len(self.records) :]
        if not new:
            return []
        given = {variable: self.weights[name_of(variable)] for variable in new if name_of(variable) in self.weights}
        misfits = [variable for variable in given if given[variable].shape != tuple(variable.shape.as_list())]
        feeds = {v.initializer.inputs[1]: value for v, value in given.items() if v not in misfits}
        values = self.session.run([variable.initializer.outputs[0] for variable in new], feeds)
        trainable = tf.trainable_variables()
        for variable, value in zip(new, values):
            self.records.append(VariableRecord(name_of(variable), value, variable in trainable))
        return misfits

    def run(self, result: Any) -> None:
        """Run all tensors of a structure in one go; ``values`` then has what they gave."""
        tensors = [leaf for leaf in flatten(result) if isinstance(leaf, tf.Tensor)]
        try:
            values = self.session.run(tensors, self.feeds)
        except tf.errors.OpError as error:
            error._op = None  # else its text holds the stack of this process
            raise
        self.values = dict(zip(tensors, map(to_array, values)))

    def while_loop(self, cond: Any, body: Any, loop_vars: Any, **options: Any) -> Any:
        """TensorFlow's while_loop; it notes the tensor of the step, by which noise is replayed."""

        def noting_the_step(time: Any, *rest: Any) -> Any:
            self.time = time
            return body(time, *rest)

        return WHILE_LOOP(cond=cond, body=noting_the_step, loop_vars=loop_vars, **options)

    def random_uniform(self, shape: Any, *args: Any, **options: Any) -> Any:
        """TensorFlow's random_uniform, or the noise of the case for this step."""
        noise = options.get("seed")
        if not isinstance(noise, Noise):
            return RANDOM_UNIFORM(shape, *args, **options)
        stored = noise.stored.astype(tf.as_dtype(options["dtype"]).as_numpy_dtype)
        asked = tensor_util.constant_value(tf.convert_to_tensor(shape))
        for_each_step = stored.ndim != len(asked)
        had = stored.shape[1:] if for_each_step else stored.shape
        if had != tuple(asked):
            raise ValueError("noise for {}: the case has {}, asked for {}".format(noise.place, had, tuple(asked)))
        return tf.gather(tf.constant(stored), self.time) if for_each_step else tf.constant(stored)


@contextlib.contextmanager
def open_store(weights: Mapping[str, Any], seed: int) -> Iterator[Store]:
    """A fresh graph and session; TensorFlow's loop and noise go through the store while it is open."""
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    with tf.Graph().as_default(), tf.Session(config=config) as session:
        tf.set_random_seed(seed)
        store = Store(weights, session)
        control_flow_ops.while_loop = store.while_loop
        random_ops.random_uniform = store.random_uniform
        try:
            yield store
        finally:
            control_flow_ops.while_loop, random_ops.random_uniform = WHILE_LOOP, RANDOM_UNIFORM
            # TensorFlow's registry of Python functions holds the recorder's, and through it the whole graph, for ever.
            script_ops._py_funcs._funcs.clear()


def name_of(variable: Any) -> str:
    """The name of a variable without its ``:0``."""
    return str(variable.name[:-2])
