"""Walks, compares and rebuilds nested structures: lists, tuples, namedtuples and dicts of leaves (what TensorFlow calls
nest).

Everything that is not a list, tuple, namedtuple or mapping is a leaf: an array, a TensorShape, a string, None. A dict
is walked in sorted key order and handed back in its own order of insertion, as TensorFlow 1.4.1 does.
"""

from collections import abc
from typing import Any, Callable, Iterator, List, Sequence, Tuple

import numpy as np


def is_sequence(value: Any) -> bool:
    """Whether ``value`` is a structure (list, tuple, namedtuple, dict) and not a leaf."""
    if isinstance(value, (tuple, list, dict)):
        return True
    if isinstance(value, (np.ndarray, str, bytes, bytearray)):
        return False
    return isinstance(value, (abc.Mapping, abc.Sequence))


def is_namedtuple(value: Any) -> bool:
    """Whether ``value`` is an instance of a class made by ``collections.namedtuple``."""
    return isinstance(value, tuple) and isinstance(getattr(value, "_fields", None), tuple)


def values_of(structure: Any) -> Sequence[Any]:
    """The direct children in the order in which they are flattened.

    Raises:
        TypeError: the keys of a dict can't be sorted.
    """
    return [structure[key] for key in _sorted_keys(structure)] if isinstance(structure, abc.Mapping) else structure


def children_of(structure: Any) -> List[Tuple[str, Any]]:
    """The direct children with their path pieces, in the order in which they are flattened.

    Raises:
        TypeError: the keys of a dict can't be sorted.
    """
    if isinstance(structure, abc.Mapping):
        return [("[{!r}]".format(key), structure[key]) for key in _sorted_keys(structure)]
    if is_namedtuple(structure):
        return [("." + field, child) for field, child in zip(structure._fields, structure)]
    return [("[{}]".format(index), child) for index, child in enumerate(structure)]


def _sorted_keys(structure: Any) -> List[Any]:
    try:
        return sorted(structure)
    except TypeError:
        raise TypeError("a dict needs keys that can be sorted, got {!r}".format(list(structure))) from None


def flatten_with_paths(structure: Any, path: str = "") -> List[Tuple[str, Any]]:
    """Every leaf with its path (``"[0].h"``), depth first; a lone leaf has the path ``""``."""
    if not is_sequence(structure):
        return [(path, structure)]
    leaves: List[Tuple[str, Any]] = []
    for piece, child in children_of(structure):
        leaves.extend(flatten_with_paths(child, path + piece))
    return leaves


def flatten(structure: Any) -> List[Any]:
    """Every leaf, depth first; a lone leaf is a list of one."""
    if not is_sequence(structure):
        return [structure]
    leaves: List[Any] = []
    for child in values_of(structure):
        leaves.extend(flatten(child))
    return leaves


def rebuild(structure: Any, children: Sequence[Any]) -> Any:
    """A structure of the type of ``structure`` whose direct children are ``children``, given in flattening order.

    Raises:
        TypeError: its class makes no instance from them, as defaultdict, range and read-only mappings do.
    """
    make: Any = type(structure)
    try:
        if isinstance(structure, abc.Mapping):
            by_key = dict(zip(sorted(structure), children))
            pairs = [(key, by_key[key]) for key in structure]
            return make(pairs)
        if is_namedtuple(structure):
            return make(*children)
        return make(children)
    except TypeError as error:
        raise TypeError("a {} can't be made from its members: {}".format(make.__name__, error)) from error


def pack_sequence_as(structure: Any, flat: Sequence[Any]) -> Any:
    """The leaves ``flat`` in the form of ``structure``.

    Raises:
        ValueError: the number of leaves differs.
        TypeError: a container can't be made, see ``rebuild``.
    """
    expected = len(flatten(structure))
    if len(flat) != expected:
        raise ValueError("expected {} leaves for the structure, got {}".format(expected, len(flat)))
    leaves = iter(flat)
    return _pack(structure, leaves)


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if not is_sequence(structure):
        return next(leaves)
    return rebuild(structure, [_pack(child, leaves) for child in values_of(structure)])  # IN-16: empty ones too


def assert_same_structure(first: Any, second: Any, check_types: bool = True, path: str = "") -> None:
    """Refuse two structures that differ in nesting or, with ``check_types``, in the type of a container.

    Raises:
        TypeError: containers of different types stand at one place.
        ValueError: a leaf stands where the other has a container, or the number (or the keys) of children differ.
    """
    place = path or "the top"
    if is_sequence(first) != is_sequence(second):
        raise ValueError("at {}: {} against {}".format(place, _describe(first), _describe(second)))
    if not is_sequence(first):
        return
    if check_types and type(first) is not type(second):
        raise TypeError("at {}: {} against {}".format(place, type(first).__name__, type(second).__name__))
    ours, theirs = children_of(first), children_of(second)
    if len(ours) != len(theirs) or (check_types and [piece for piece, _ in ours] != [piece for piece, _ in theirs]):
        raise ValueError("at {}: {} against {}".format(place, _describe(first), _describe(second)))
    for (piece, one), (_, other) in zip(ours, theirs):
        assert_same_structure(one, other, check_types, path + piece)


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """``function`` applied leaf by leaf; the result has the form of the first structure.

    Raises:
        TypeError, ValueError: the structures differ.
    """
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    columns = zip(*[flatten(structure) for structure in structures])
    return pack_sequence_as(structures[0], [function(*leaves) for leaves in columns])


def _describe(value: Any) -> str:
    if is_sequence(value):
        return "{} of {}".format(type(value).__name__, len(value))
    return "a single {}".format(type(value).__name__)
