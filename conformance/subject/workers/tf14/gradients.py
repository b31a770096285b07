"""Builds the gradients of one call as tensors, by tf.gradients."""

from typing import Any, List, Mapping, Sequence

import tensorflow as tf
from tensorflow.python.ops.variables import PartitionedVariable

from dynamic_rnn_spec.vocabulary.gradients import Gradients
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure

from .graph import name_of


def gradients_of(pair: Any, cotangents: Sequence[Any], given: Mapping[str, Any]) -> Gradients:
    """What tf.gradients gives for a pair (outputs, state) of a call and the cotangents of both.

    An array whose cotangent is None is not among those that are differentiated: to tf.gradients a None stands for
    ones. Where nothing leads from an array or variable to what is, its gradient is TensorFlow's own None.
    """
    ys: List[Any] = []
    grad_ys: List[Any] = []
    for value, cotangent in zip(pair, cotangents):
        if cotangent is not None:
            leaves, theirs = flatten(value), flatten(cotangent)
            if len(leaves) == len(theirs):
                wanted = [index for index, leaf in enumerate(theirs) if leaf is not None]
                leaves, theirs = [leaves[index] for index in wanted], [theirs[index] for index in wanted]
            ys.extend(leaves)
            grad_ys.extend(theirs)
    inputs, initial_state = given["inputs"], given.get("initial_state")
    variables = _variables(given["cell"])
    arrays = [leaf for leaf in flatten([inputs, initial_state]) if isinstance(leaf, tf.Tensor)]
    asked = [*arrays, *variables]
    with tf.name_scope("gradients") as scope:  # by which tf.gradients knows a gradient that goes into a loop
        named = [tf.identity(cotangent) for cotangent in grad_ys]
    found = dict(zip(asked, tf.gradients(ys, asked, named, name=scope)))
    return Gradients(
        map_structure(found.get, inputs),
        map_structure(found.get, initial_state),
        {name_of(variable): found[variable] for variable in variables},
    )


def _variables(cell: Any) -> List[Any]:
    """The variables of a cell, each once. Cells of cells and wrappers have none but those of the cells inside, and a
    wrapper can't even be asked."""
    inner = getattr(cell, "_cells", [cell._cell] if hasattr(cell, "_cell") else None)
    if inner is not None:
        found = [variable for one in inner for variable in _variables(one)]
    else:
        found = [part for whole in cell.variables for part in _parts(whole)]
    return list(dict.fromkeys(found))


def _parts(variable: Any) -> List[Any]:
    """A variable in parts as those, any other alone."""
    return list(variable) if isinstance(variable, PartitionedVariable) else [variable]
