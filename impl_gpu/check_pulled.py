"""Checks what the pull of a cell gives; nothing is cast, broadcast or dropped to make it fit."""

from collections.abc import Mapping
from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError
from dynamic_rnn_spec.vocabulary.pulled import check_triple
from dynamic_rnn_spec.vocabulary.structure import flatten

from .abstract import Abstract
from .arguments import Arguments
from .arrays import described, known_of
from .check_cotangents import has_gradient
from .check_state import describe_given


def check_pulled(
    pulled: Any, given: Arguments, d_states: list[Any], variables: Mapping[str, Abstract]
) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """(d_inputs, d_state, d_variables) of one step: leaves, None where there is none, and arrays by name.

    Args:
        pulled: what the pull gave.
        given: the arguments of the call.
        d_states: the gradients of the new state, which those of the old one are like.
        variables: shapes and dtypes of those that the cell has, by name; a gradient of another is taken as it is.

    Raises:
        TypeError: no triple; a gradient that is no array, or of another dtype than what it belongs to [GRAD-5].
        ValueError: another number of gradients, or another shape [GRAD-5].
    """
    d_inputs, d_state, d_own = check_triple(pulled)
    steps = [Abstract((given.batch_size, *x.shape[2:]), x.dtype) for x in given.inputs]
    d_inputs = _check_leaves("d_inputs", d_inputs, [x if has_gradient(x.dtype) else None for x in steps])
    d_state = _check_leaves("d_state", d_state, [None if d is None else known_of(d) for d in d_states])
    d_variables = {}
    for name, d in d_own.items():
        like = variables.get(name)
        if d is not None and (like is None or has_gradient(like.dtype)):
            _check_leaf(f"the gradient of {name}", d, like)
            d_variables[name] = d
    return d_inputs, d_state, d_variables


def _check_leaves(name: str, value: Any, likes: list[Abstract | None]) -> list[Any]:
    leaves = flatten(value)
    if len(leaves) != len(likes):
        raise ArgumentValueError("cell", f"{len(likes)} gradients in {name} of its pull", str(len(leaves)), "GRAD-5")
    for leaf, like in zip(leaves, likes, strict=True):
        if leaf is not None and like is not None:
            _check_leaf(f"{name} of its pull", leaf, like)
    return leaves


def _check_leaf(place: str, d: Any, like: Abstract | None) -> None:
    known = described(d)
    if known is None:
        raise ArgumentTypeError("cell", f"an array in {place}", describe_given(d), "GRAD-5")
    if like is not None and known.dtype != like.dtype:
        raise ArgumentTypeError("cell", f"dtype {like.dtype} in {place}", str(known.dtype), "GRAD-5")
    if like is not None and known.shape != like.shape:
        raise ArgumentValueError("cell", f"shape {like.shape} in {place}", str(known.shape), "GRAD-5")
