"""Tests nested structures, walked as TensorFlow walks them, and the shapes that stand in them."""

from collections import OrderedDict, UserDict, defaultdict, deque, namedtuple
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple, TensorShape
from dynamic_rnn_spec.vocabulary.structure import (
    assert_same_structure,
    flatten,
    flatten_with_paths,
    is_sequence,
    map_structure,
    pack_sequence_as,
)
from dynamic_rnn_spec.vocabulary.tensor_shape import dims_of

Pair = namedtuple("Pair", ["a", "b"])


@pytest.mark.parametrize("value", [[], (), {}, [1], Pair(1, 2), OrderedDict()])
def test_containers_are_structures(value: Any) -> None:
    assert is_sequence(value)


@pytest.mark.parametrize("value", [None, 1, "text", b"bytes", np.zeros(3), TensorShape([1, 2]), {1, 2}])
def test_everything_else_is_a_leaf(value: Any) -> None:
    assert not is_sequence(value)
    assert flatten(value) == [value] if not isinstance(value, np.ndarray) else len(flatten(value)) == 1


def test_paths_lead_to_every_leaf_and_dicts_are_sorted() -> None:
    structure = ({"b": 1, "a": [2]}, LSTMStateTuple(3, Pair(4, 5)))
    assert flatten_with_paths(structure) == [
        ("[0]['a'][0]", 2),
        ("[0]['b']", 1),
        ("[1].c", 3),
        ("[1].h.a", 4),
        ("[1].h.b", 5),
    ]


def test_packing_undoes_flattening_with_types_and_a_dicts_own_order() -> None:
    structure = OrderedDict([("b", (1, [2])), ("a", Pair(3, {"x": 4}))])
    packed = pack_sequence_as(structure, flatten(structure))
    assert packed == structure
    assert list(packed) == ["b", "a"]
    assert type(packed) is OrderedDict
    assert type(packed["a"]) is Pair


class Own(list[Any]):
    """A class that a user derives from a container."""


class OwnTuple(tuple[Any, ...]):
    """The same for a tuple."""


@pytest.mark.parametrize("structure", [Own([1, 2]), OwnTuple((1, 2)), OrderedDict(b=1, a=2), UserDict(a=1), deque([1])])
def test_packing_keeps_derived_containers(structure: Any) -> None:
    packed = pack_sequence_as(structure, flatten(structure))
    assert (type(packed), packed) == (type(structure), structure)


@pytest.mark.parametrize("structure", [range(2), defaultdict(int, a=1), MappingProxyType({"a": 1})])
def test_packing_refuses_containers_that_can_t_be_made_anew(structure: Any) -> None:
    with pytest.raises(TypeError, match=f"a {type(structure).__name__} can't be made from its members: "):
        pack_sequence_as(structure, flatten(structure))


def test_packing_refuses_another_number_of_leaves() -> None:
    with pytest.raises(ValueError, match="expected 2 leaves for the structure, got 3"):
        pack_sequence_as((1, 2), [1, 2, 3])


def test_map_structure_goes_leaf_by_leaf() -> None:
    assert map_structure(lambda a, b: a + b, (1, [2]), (10, [20])) == (11, [22])


@pytest.mark.parametrize(
    ("first", "second", "error", "message"),
    [
        ((1, 2), [1, 2], TypeError, "at the top: tuple against list"),
        ((1, (2,)), (1, 2), ValueError, "at [1]: tuple of 1 against a single int"),
        ((1, 2), (1, 2, 3), ValueError, "at the top: tuple of 2 against tuple of 3"),
        ({"a": 1}, {"b": 1}, ValueError, "at the top: dict of 1 against dict of 1"),
        ((LSTMStateTuple(1, 2),), ((1, 2),), TypeError, "at [0]: LSTMStateTuple against tuple"),
    ],
)
def test_structures_that_differ_are_refused(first: Any, second: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        assert_same_structure(first, second)
    assert str(caught.value) == message


def test_types_can_be_let_go() -> None:
    assert_same_structure((1, LSTMStateTuple(1, 2)), [1, (1, 2)], check_types=False)


def test_unsortable_keys_are_refused() -> None:
    with pytest.raises(TypeError, match=r"a dict needs keys that can be sorted, got \[1, 'a'\]"):
        flatten({1: 0, "a": 0})


def test_a_tensor_shape_is_a_value() -> None:
    shape = TensorShape(np.array([2, 3]))
    assert (shape.dims, shape.ndims, shape.num_elements(), list(shape), shape[1]) == ((2, 3), 2, 6, [2, 3], 3)
    assert shape == TensorShape((2, 3))
    assert hash(shape) == hash(TensorShape((2, 3)))
    assert shape != (2, 3)
    assert repr(shape) == "TensorShape([2, 3])"
    assert TensorShape([]).num_elements() == 1
    with pytest.raises(AttributeError, match="immutable"):
        shape.dims = (1,)


@pytest.mark.parametrize(
    ("dims", "error", "message"),
    [
        ([None, 3], TypeError, "TensorShape: expected integer dimensions, got None"),
        ([True], TypeError, "TensorShape: expected integer dimensions, got True"),
        ([1.0], TypeError, "TensorShape: expected integer dimensions, got 1.0"),
        ([-1], ValueError, "TensorShape: expected dimensions of at least 0, got -1"),
        ("12", TypeError, "TensorShape: expected a sequence of integers, got '12'"),
        (3, TypeError, "TensorShape: expected a sequence of integers, got 3"),
    ],
)
def test_a_tensor_shape_of_something_else_is_refused(dims: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        TensorShape(dims)
    assert str(caught.value) == message


def test_sizes_are_integers_or_tensor_shapes() -> None:
    assert dims_of(np.int64(5)) == (5,)
    assert dims_of(TensorShape([])) == ()
    with pytest.raises(TypeError, match="expected integer dimensions, got 'a'"):
        dims_of("a")
