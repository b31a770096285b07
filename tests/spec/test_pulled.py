"""Tests what a cell's call_vjp and its pull may give, and the whole message where it is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, RNNCell, VariableStore, use_store, variable_scope
from dynamic_rnn_spec.initializers import Zeros

X, S = np.ones((2, 3), np.float32), np.zeros((2, 1), np.float32)
D_X = np.zeros_like(X)


class Given(RNNCell):
    """A cell with a whole weight, one in two parts and one of whole numbers, whose call_vjp gives what it is told."""

    state_size = output_size = 1

    def __init__(self, give: Callable[["Given"], Any]) -> None:
        super().__init__()
        self.give = give

    def build(self, inputs_shape: Any) -> None:
        self.w = self.add_variable("w", [2], initializer=Zeros())
        self.parted = self.add_variable("parted", [3, 2], initializer=Zeros(), partitions=2)
        self.count = self.add_variable("count", [1], np.int32, Zeros())

    def call(self, inputs: Any, state: Any) -> Any:
        return state, state

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        return self.give(self)


def pulling(d_variables: Callable[[Given], Any]) -> Given:
    """A cell whose pull gives these."""
    return Given(lambda cell: ((S, S), lambda d_output, d_new: (D_X, S, d_variables(cell))))


def pull(cell: RNNCell) -> Any:
    with use_store(VariableStore(seed=0)), variable_scope("rnn"):
        _, pulled = cell.vjp(X, S)
    return pulled(S, S)


def gradients(cell: Given, **instead: Any) -> Any:
    whole = {"w": np.ones(2, np.float32), "parted": np.arange(6, dtype=np.float32).reshape(3, 2), **instead}
    return {getattr(cell, name): d for name, d in whole.items()}


@pytest.mark.parametrize(
    ("given", "got"),
    [
        (None, "None"),
        ((S, S), "a tuple of 2 whose last is an object of type ndarray"),
        ((S, S, len), "a tuple of 3"),
        ([(S, S), len], "a list of 2"),
        (((S, S), None), "a tuple of 2 whose last is None"),
        (len, "an object of type builtin_function_or_method"),
    ],
)
def test_call_vjp_gives_a_step_and_a_function(given: Any, got: str) -> None:
    cell = Given(lambda _: given)
    with use_store(VariableStore()) as store, pytest.raises(ArgumentTypeError) as caught:
        cell.vjp(X, S)
    wanted = "((output, new_state), pull) from call_vjp, pull a function"
    assert str(caught.value) == f"cell: expected {wanted}, got {got} [GRAD-5]"
    assert not store.variables  # a first step that fails leaves nothing
    assert not cell.built


@pytest.mark.parametrize(
    ("pulled", "got"),
    [
        (None, "None"),
        ((D_X, S), "a tuple of 2"),
        ([D_X, S, {}], "a list of 3"),
        ((D_X, S, None), "a tuple of 3 whose last is None"),
        ((D_X, S, [1]), "a tuple of 3 whose last is a list of 1"),
        (1.5, "1.5"),
    ],
)
def test_a_pull_gives_a_triple(pulled: Any, got: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        pull(Given(lambda _: ((S, S), lambda d_output, d_new: pulled)))
    wanted = "(d_inputs, d_state, d_variables) from the pull of call_vjp, d_variables a dict"
    assert str(caught.value) == f"cell: expected {wanted}, got {got} [GRAD-5]"


@pytest.mark.parametrize(
    ("key", "got"),
    [(lambda cell: cell.variables[0], "the Variable rnn/given/w"), (lambda cell: 3, "3")],
)
def test_gradients_stand_under_weights_or_names(key: Any, got: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        pull(pulling(lambda cell: {key(cell): np.ones(2, np.float32)}))
    wanted = "what add_variable returned, or names, as keys of d_variables from the pull of call_vjp"
    assert str(caught.value) == f"cell: expected {wanted}, got {got} [GRAD-3]"


@pytest.mark.parametrize("rows", [0, 2, 4])
def test_the_gradient_of_a_weight_in_parts_has_its_shape(rows: int) -> None:
    """A part with too few rows is refused, and so are too many rows."""
    with pytest.raises(ArgumentValueError) as caught:
        pull(pulling(lambda cell: gradients(cell, parted=np.ones((rows, 2), np.float32))))
    wanted = "shape (3, 2) in the gradient of rnn/given/parted"
    assert str(caught.value) == f"cell: expected {wanted}, got ({rows}, 2) [GRAD-5]"


def test_the_gradient_of_a_weight_in_parts_is_an_array() -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        pull(pulling(lambda cell: gradients(cell, parted=[[1.0, 2.0]] * 3)))
    wanted = "an array for the gradient of rnn/given/parted"
    assert str(caught.value) == f"cell: expected {wanted}, got a list of 3 [GRAD-5]"


@pytest.mark.parametrize(("left_out", "name"), [("w", "w"), ("parted", "parted/part_0")])
def test_a_floating_variable_that_is_left_out_is_missed(left_out: str, name: str) -> None:
    """It would never be trained, and nothing would show it."""
    with pytest.raises(ArgumentValueError) as caught:
        pull(pulling(lambda cell: {k: d for k, d in gradients(cell).items() if k is not getattr(cell, left_out)}))
    wanted = f"a gradient, or None, for rnn/given/{name} from the pull of call_vjp"
    assert str(caught.value) == f"cell: expected {wanted}, got no such key [GRAD-3]"


def test_a_cell_of_cells_that_forgets_an_inner_one_is_told_so() -> None:
    class Outer(RNNCell):
        state_size = output_size = 1

        def __init__(self) -> None:
            super().__init__()
            self.inner = pulling(gradients)

        @property
        def variables(self) -> Any:
            return self.inner.variables

        def call(self, inputs: Any, state: Any) -> Any:
            return self.inner(inputs, state)

        def call_vjp(self, inputs: Any, state: Any) -> Any:
            result, pull_inner = self.inner.vjp(inputs, state)
            return result, lambda d_output, d_new: (*pull_inner(d_output, d_new)[:2], {})

    with pytest.raises(ArgumentValueError, match=r"a gradient, or None, for rnn/outer/given/w from the pull"):
        pull(Outer())


def test_gradients_by_weights_come_back_by_names() -> None:
    _, _, found = pull(pulling(gradients))
    assert {name: d.tolist() for name, d in found.items()} == {
        "rnn/given/w": [1, 1],
        "rnn/given/parted/part_0": [[0, 1], [2, 3]],
        "rnn/given/parted/part_1": [[4, 5]],
    }


def test_none_says_that_there_is_no_gradient() -> None:
    """An inner cell says so to the one around it, which must tell no gradient from one that was forgotten."""
    _, _, found = pull(pulling(lambda cell: gradients(cell, w=None, parted=None, count=None)))
    names = ["w", "parted/part_0", "parted/part_1", "count"]
    assert found == dict.fromkeys(f"rnn/given/{name}" for name in names)


@pytest.mark.parametrize("first", ["weight", "name"])
@pytest.mark.parametrize(("by_weight", "by_name", "total"), [(1, 2, 3), (None, 2, 2), (1, None, 1)])
def test_what_stands_under_weight_and_name_is_summed(first: str, by_weight: Any, by_name: Any, total: float) -> None:
    def both(cell: Given) -> Any:
        one = {"rnn/given/w": None if by_name is None else np.full(2, by_name, np.float32)}
        other = gradients(cell, w=None if by_weight is None else np.full(2, by_weight, np.float32))
        return {**one, **other} if first == "name" else {**other, **one}

    _, _, found = pull(pulling(both))
    assert found["rnn/given/w"].tolist() == [total, total]
