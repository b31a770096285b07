"""Draws sizes and structures for cases: what stands in state_size, output_size and the inputs.

A structure is drawn as a short program on a stack (push a leaf, wrap the last two in a tuple, ...), which is fast to
draw and loses an instruction at a time when it shrinks.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from dynamic_rnn_spec.case import namedtuple_type
from dynamic_rnn_spec.vocabulary.structure import is_sequence, map_structure
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

TUPLES = ("tuple",)
CONTAINERS = ("tuple", "list", "dict", "namedtuple")
Pair = namedtuple_type("Pair", ("left", "right"))
One = namedtuple_type("One", ("only",))

INTEGER_SIZES: tuple[Any, ...] = (1, 2, 3)
SHAPES: tuple[Any, ...] = tuple(TensorShape(dims) for dims in ([2], [1, 2], [], [3], [2, 1, 2], [1]))
SIZES: tuple[Any, ...] = (1, 2, TensorShape([2, 1]), 3, TensorShape([]), TensorShape([1, 2, 2]))
INPUT_SHAPES: tuple[Any, ...] = tuple(TensorShape(dims) for dims in ([1], [2], [3], [2, 1], [1, 2, 2]))
RANK_TWO_SHAPES: tuple[Any, ...] = (TensorShape([]), TensorShape([2]), TensorShape([1, 2]))

_WRAPPERS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "tuple": (lambda a: (a,), lambda a, b: (a, b)),
    "list": (lambda a: [a], lambda a, b: [a, b]),
    "dict": (lambda a: {"key": a}, lambda a, b: {"z": a, "a": b}),
    "namedtuple": (lambda a: One(a), lambda a, b: Pair(a, b)),
}
"""For each container, how one or two children are put in it; the keys of a dict are put in out of order on purpose."""


def structures(
    leaves: Sequence[Any] = SIZES, containers: Sequence[str] = TUPLES, nested: bool = True, most: int = 5
) -> st.SearchStrategy[Any]:
    """A lone leaf or a structure of leaves; ``nested=True`` allows a lone leaf, see ``nests`` for containers only."""
    count = len(leaves)
    highest = count + 2 * len(containers) - 1 if nested else count - 1
    programs = st.lists(st.integers(0, highest), min_size=1, max_size=most if nested else 1)
    return programs.map(lambda program: _run(program, leaves, containers))


def nests(leaves: Sequence[Any] = SIZES, containers: Sequence[str] = TUPLES, most: int = 5) -> st.SearchStrategy[Any]:
    """A container of leaves, with containers inside to any depth: never a lone leaf."""
    top = st.sampled_from(list(containers))
    return st.builds(_contain, top, structures(leaves, containers, most=most), structures(leaves, containers, most=2))


def flat_tuples(leaves: Sequence[Any] = SIZES) -> st.SearchStrategy[Any]:
    """A tuple of one to three leaves."""
    return st.lists(st.sampled_from(list(leaves)), min_size=1, max_size=3).map(tuple)


def _contain(container: str, first: Any, second: Any) -> Any:
    return _WRAPPERS[container][1](first, second)


def _run(program: Sequence[int], leaves: Sequence[Any], containers: Sequence[str]) -> Any:
    stack: list[Any] = []
    for code in program:
        if code < len(leaves):
            stack.append(leaves[code])
            continue
        kind, two = divmod(code - len(leaves), 2)
        one, both = _WRAPPERS[containers[kind]]
        if not stack:
            stack.append(leaves[0])
        if two and len(stack) > 1:
            last = stack.pop()
            stack.append(both(stack.pop(), last))
        else:
            stack.append(one(stack.pop()))
    return stack[0] if len(stack) == 1 else _row(stack, containers[0])


def _row(children: Sequence[Any], container: str) -> Any:
    if container == "list":
        return list(children)
    if container == "dict":
        return {f"k{len(children) - index}": child for index, child in enumerate(children)}
    if container == "namedtuple":
        return Pair(children[0], children[1] if len(children) == 2 else tuple(children[1:]))
    return tuple(children)


def map_leaves(function: Callable[[int, Any], Any], structure: Any) -> Any:
    """``function(number, leaf)`` for every leaf in order, in the same structure; a lone leaf is leaf 0."""
    if not is_sequence(structure):
        return function(0, structure)
    numbers = iter(range(1_000_000))
    return map_structure(lambda leaf: function(next(numbers), leaf), structure)
