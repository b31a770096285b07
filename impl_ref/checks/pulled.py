"""Checks what a cell's pull gives back at a step."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.pulled import check_triple
from dynamic_rnn_spec.vocabulary.structure import flatten

from ..arrays import Array, is_array
from ..dtypes import describe_type
from .arguments import Arguments
from .cotangents import has_gradient


def check_pulled(
    pulled: Any, given: Arguments, d_states: list[Array | None], variables: dict[str, Array]
) -> tuple[list[Array | None], list[Array | None], dict[str, Array]]:
    """(d_inputs, d_state, d_variables) of one step as leaves, zeros for None where there is a gradient.

    Args:
        pulled: what ``pull`` gave.
        given: the checked arguments; a step of their inputs is what the cell was given.
        d_states: the gradients of the new state, which the old one's are like.
        variables: arrays like those of the cell, by name. It may have gradients of others too, which a user's cell of
            cells does not tell of.

    Raises:
        TypeError: it is no triple with a dict at its end, or a gradient is no array or of another dtype [GRAD-5].
        ValueError: another number of gradients, or another shape [GRAD-5].
    """
    d_inputs, d_state, d_variables = check_triple(pulled)
    likes = [np.zeros((given.batch_size, *x.shape[2:]), x.dtype) if has_gradient(x) else None for x in given.inputs]
    checked = {name: _variable(name, d, variables.get(name)) for name, d in d_variables.items()}
    own = {name: d for name, d in checked.items() if d is not None}
    return _leaves("d_inputs", d_inputs, likes), _leaves("d_state", d_state, d_states), own


def _variable(name: str, d: Any, variable: Array | None) -> Array | None:
    if d is None or (variable is not None and not has_gradient(variable)):
        return None
    place = f"the gradient of {name}"
    if not is_array(d):
        raise ArgumentTypeError("cell", f"an array for {place}", describe_type(d), "GRAD-5")
    return _leaf(place, d, d if variable is None else variable)


def _leaves(name: str, value: Any, likes: list[Array | None]) -> list[Array | None]:
    leaves = flatten(value)
    if len(leaves) != len(likes):
        raise ArgumentValueError("cell", f"{len(likes)} gradients in {name} of its pull", str(len(leaves)), "GRAD-5")
    return [_leaf(f"{name} of its pull", leaf, like) for leaf, like in zip(leaves, likes, strict=True)]


def _leaf(place: str, d: Any, like: Array | None) -> Array | None:
    if like is None:
        return None
    if d is None:
        return np.zeros_like(like)
    if not is_array(d):
        raise ArgumentTypeError("cell", f"arrays in {place}", describe_type(d), "GRAD-5")
    if d.dtype.newbyteorder("=") != like.dtype.newbyteorder("="):
        raise ArgumentTypeError("cell", f"dtype {like.dtype} in {place}", str(d.dtype), "GRAD-5")
    if d.shape != like.shape:
        raise ArgumentValueError("cell", f"shape {like.shape} in {place}", str(d.shape), "GRAD-5")
    return np.asarray(d)
