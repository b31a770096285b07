"""Tests the loop backwards: laws that gradients keep exactly, rows past their lengths, and what is refused."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import Gradients, LSTMStateTuple, VariableStore, use_store
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure
from impl_ref import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
    RNNCell,
    dynamic_rnn,
    dynamic_rnn_vjp,
)
from impl_ref.arrays import Array

LENGTHS = [4, 0, 2, -1, 9]
COUNTS = [4, 0, 2, 0, 4]


class Decay(RNNCell):
    """``h' = 2 h + 3 x w``, its output ``h' + h``: whole numbers stay whole. It notes every call and every pull."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []

    @property
    def state_size(self) -> int:
        return 2

    @property
    def output_size(self) -> int:
        return 2

    def build(self, inputs_shape: Any) -> None:
        self._w = self.add_variable("w", [2], initializer=lambda shape, dtype, draw: np.array([1, 2], dtype))

    def call(self, inputs: Any, state: Any) -> Any:
        return self.call_vjp(inputs, state)[0]

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        t, w = len(self.steps), self._w.read(inputs)
        self.steps.append(f"step {t}")
        new = 2 * state + 3 * inputs * w

        def pull(d_output: Any, d_new_state: Any) -> Any:
            self.steps.append(f"pull {t}")
            d_new = d_new_state + d_output
            return 3 * d_new * w, 2 * d_new + d_output, {self._w: (3 * d_new * inputs).sum(axis=0)}

        return (new + state, new), pull


def whole(seed: int, *shape: int, dtype: Any = np.float32) -> Array:
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)


def by_rows(x: Array, h: Array, d_y: Array, d_s: Array) -> tuple[Array, Array, Array]:
    """The gradients of Decay, each row alone, for as many steps as it has."""
    d_x, d_h, d_w = np.zeros_like(x), d_s.copy(), np.zeros(2, x.dtype)
    for row, count in enumerate(COUNTS):
        for t in reversed(range(count)):
            d_new = d_h[row] + d_y[row, t]
            d_x[row, t] = 3 * d_new * [1, 2]
            d_w += 3 * d_new * x[row, t]
            d_h[row] = 2 * d_new + d_y[row, t]
    return d_x, d_h, d_w


def same(found: Any, wanted: Any) -> None:
    for one, other in zip(flatten(tuple(found)), flatten(tuple(wanted)), strict=True):
        if one is None or other is None:
            assert one is other
        else:
            np.testing.assert_array_equal(one, other, strict=True)


def test_the_signature_is_that_of_dynamic_rnn() -> None:
    ours, theirs = inspect.signature(dynamic_rnn_vjp), inspect.signature(dynamic_rnn)
    assert list(ours.parameters.values()) == list(theirs.parameters.values())


@pytest.mark.parametrize("time_major", [False, True])
def test_each_row_is_pulled_back_from_its_last_step_to_its_first(time_major: bool) -> None:
    x, h, d_y, d_s = whole(0, 5, 4, 2), whole(1, 5, 2), whole(2, 5, 4, 2), whole(3, 5, 2)
    wanted_x, wanted_h, wanted_w = by_rows(x, h, d_y, d_s)
    for row, count in enumerate(COUNTS):
        d_y[row, count:] = np.nan  # GRAD-8
    cell = Decay()

    def layout(array: Array) -> Array:
        return array.swapaxes(0, 1) if time_major else array

    _, vjp = dynamic_rnn_vjp(cell, layout(x), LENGTHS, h, np.float32, time_major=time_major)
    found = vjp(layout(d_y), d_s)
    assert cell.steps == [f"step {t}" for t in range(4)] + [f"pull {t}" for t in (3, 2, 1, 0)]
    assert type(found) is Gradients
    same(found, Gradients(layout(wanted_x), wanted_h, {"rnn/decay/w": wanted_w}))
    assert not any(np.signbit(layout(found.inputs)[row, count:]).any() for row, count in enumerate(COUNTS))


def test_bits_of_d_state_arrive_where_no_step_counts() -> None:
    odd = np.array([[-0.0, np.inf], [np.float32(1e-45), np.nan]], np.float32)
    bits = odd.view(np.uint32) | np.array([[0, 0], [0, 0x80012345]], np.uint32)  # a NaN of its own
    for x, lengths in ((np.ones((2, 3, 2), np.float32), [0, -5]), (np.ones((2, 0, 2), np.float32), None)):
        _, vjp = dynamic_rnn_vjp(Decay(), x, lengths, np.ones((2, 2), np.float32), np.float32, scope=f"t{x.shape[1]}")
        d_state = bits.view(np.float32)
        found = vjp(None, d_state)
        np.testing.assert_array_equal(found.initial_state.view(np.uint32), bits)
        assert not np.shares_memory(found.initial_state, d_state)
        np.testing.assert_array_equal(found.inputs, np.zeros_like(x), strict=True)
        assert not any(gradient.any() for gradient in found.variables.values())


def test_a_built_cell_without_steps_has_zeros_for_its_variables() -> None:
    cell, x = GRUCell(2), np.ones((1, 2, 3), np.float32)
    dynamic_rnn(cell, x, dtype=np.float32)
    _, vjp = dynamic_rnn_vjp(cell, x[:, :0], dtype=np.float32)
    found = vjp(None, None).variables
    assert list(found) == [variable.name for variable in cell.variables]
    for variable in cell.variables:
        np.testing.assert_array_equal(found[variable.name], np.zeros_like(variable.value), strict=True)


def test_structures_are_those_that_were_given() -> None:
    stack = MultiRNNCell([BasicLSTMCell(2), GRUCell(3)])
    x, start = np.ones((2, 3, 4)), ((np.ones((2, 2)), np.ones((2, 2))), np.ones((2, 3)))  # plain tuples
    (_, state), vjp = dynamic_rnn_vjp(stack, x, initial_state=start)
    assert type(state[0]) is LSTMStateTuple
    found = vjp(None, state)
    assert type(found.initial_state[0]) is tuple
    assert [leaf.shape for leaf in flatten(found.initial_state)] == [(2, 2), (2, 2), (2, 3)]
    same(found, vjp(None, (tuple(state[0]), state[1])))  # a plain tuple serves for a named one
    _, vjp = dynamic_rnn_vjp(GRUCell(3), x, dtype=np.float64, scope="without")
    assert vjp(None, None).initial_state is None


def wrapped() -> DropoutWrapper:
    return DropoutWrapper(ResidualWrapper(LSTMCell(3, True, 0.4, None, 3, 0.2)), 0.5, 0.5, 0.5, seed=1)


CELLS: dict[str, Callable[[], Any]] = {
    "rnn": lambda: BasicRNNCell(2),
    "gru": lambda: GRUCell(2),
    "basic lstm": lambda: BasicLSTMCell(2, state_is_tuple=False),
    "stack": lambda: MultiRNNCell([DeviceWrapper(wrapped(), None), GRUCell(2)]),
}


def pulled(make: Any, x: Array, lengths: Any, start: Any = None, **options: Any) -> Any:
    """The pair and the gradients for cotangents of ones, in a store with fixed draws."""
    with use_store(VariableStore(seed=0)):
        pair, vjp = dynamic_rnn_vjp(make(), x, lengths, start, np.float32, **options)
    return pair, vjp(*(map_structure(np.ones_like, part) for part in pair))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
def test_what_stands_in_the_padding_reaches_no_gradient(name: str, bad: float) -> None:
    x = np.random.default_rng(0).standard_normal((5, 4, 3)).astype(np.float32)
    start = map_structure(lambda leaf: leaf + np.float32(0.1), CELLS[name]().zero_state(5, np.float32))
    _, wanted = pulled(CELLS[name], x, LENGTHS, start)
    for row, count in enumerate(COUNTS):
        x[row, count:] = bad
        for leaf in flatten(start) if count == 0 else ():
            leaf[row] = bad
    pair, found = pulled(CELLS[name], x, LENGTHS, start)
    same(found, wanted)
    assert all(np.isfinite(gradient).all() for gradient in found.variables.values())
    with use_store(VariableStore(seed=0)):
        same(pair, dynamic_rnn(CELLS[name](), x, LENGTHS, start, np.float32))  # GRAD-18


def test_a_cell_of_the_user_s_is_given_the_padding() -> None:
    x = np.full((2, 2, 2), np.nan, np.float32)
    _, vjp = dynamic_rnn_vjp(Decay(), x, [0, 0], dtype=np.float32)
    assert np.isnan(vjp(None, None).variables["rnn/decay/w"]).all()


@pytest.mark.parametrize("options", [{"swap_memory": True}, {"parallel_iterations": 1}, {"scope": "elsewhere"}])
def test_options_without_effect(options: Any) -> None:
    x = np.random.default_rng(0).standard_normal((5, 4, 3)).astype(np.float32)
    wanted, found = pulled(CELLS["stack"], x, LENGTHS)[1], pulled(CELLS["stack"], x, LENGTHS, **options)[1]
    prefix = options.get("scope", "rnn")
    named = {name.replace("rnn/", f"{prefix}/", 1): gradient for name, gradient in wanted.variables.items()}
    assert list(found.variables) == list(named)
    same(found, wanted._replace(variables=named))


def test_time_major_transposes_the_gradient_of_the_inputs_only() -> None:
    x = np.random.default_rng(0).standard_normal((5, 4, 3)).astype(np.float32)
    wanted = pulled(CELLS["gru"], x, LENGTHS)[1]
    found = pulled(CELLS["gru"], x.swapaxes(0, 1), LENGTHS, time_major=True)[1]
    same(found, wanted._replace(inputs=wanted.inputs.swapaxes(0, 1)))


def test_pulling_back_again_gives_the_same_and_shares_nothing(store: VariableStore) -> None:
    x = np.random.default_rng(0).standard_normal((5, 4, 3)).astype(np.float32)
    (outputs, state), vjp = dynamic_rnn_vjp(CELLS["stack"](), x, LENGTHS, dtype=np.float32)
    cotangents = outputs + 1, map_structure(np.copy, state)
    given = [x, *flatten((outputs, state)), *flatten(cotangents)]
    before = [array.tobytes() for array in given]
    first = vjp(*cotangents)
    arrays = [leaf for leaf in flatten(tuple(first)) if leaf is not None]
    kept = [array.tobytes() for array in arrays]
    for variable in store.variables.values():
        variable.assign(variable.value + 1)  # since the forward pass
    same(vjp(*cotangents), first)
    for array in arrays:
        assert not any(np.shares_memory(array, one) for one in given)
        array[...] = 7
    again = [leaf.tobytes() for leaf in flatten(tuple(vjp(*cotangents))) if leaf is not None]
    assert again == kept
    assert [array.tobytes() for array in given] == before


def test_a_cell_that_stands_twice_has_the_sum(store: VariableStore) -> None:
    cell, x = BasicRNNCell(2), np.random.default_rng(0).standard_normal((3, 1, 2))
    (outputs, _), vjp = dynamic_rnn_vjp(MultiRNNCell([cell, cell]), x, dtype=np.float64)
    K = store.variables["rnn/multi_rnn_cell/cell_0/basic_rnn_cell/kernel"].value[:2]
    below = np.tanh(x[:, 0] @ K)
    d_above = 1 - outputs[:, 0] ** 2
    d_below = d_above @ K.T * (1 - below**2)
    found = vjp(np.ones_like(outputs), None).variables
    assert list(found) == list(store.variables)
    wanted = below.T @ d_above + x[:, 0].T @ d_below
    np.testing.assert_allclose(found["rnn/multi_rnn_cell/cell_0/basic_rnn_cell/kernel"][:2], wanted, rtol=1e-12)


def test_dropped_inputs_have_no_gradient_and_kept_ones_more() -> None:
    noise = iter(np.array([[[0.9, 0.1]], [[0.2, 0.3]]]))  # keep 0.5: dropped below 0.5
    cell = DropoutWrapper(Decay(), input_keep_prob=0.5)
    cell.uniform = lambda purpose, leaf, shape, dtype: next(noise).astype(dtype)
    _, vjp = dynamic_rnn_vjp(cell, np.ones((1, 2, 2), np.float32), dtype=np.float32)
    np.testing.assert_array_equal(vjp(None, np.ones((1, 2), np.float32)).inputs, [[[12, 0], [0, 0]]])


class Added(RNNCell):
    """``y = x + w`` in float16."""

    @property
    def state_size(self) -> int:
        return 1

    @property
    def output_size(self) -> int:
        return 1

    def build(self, inputs_shape: Any) -> None:
        self._w = self.add_variable("w", [1])

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs + self._w.read(inputs), state

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        return self.call(inputs, state), lambda d_output, d_new: (d_output, d_new, {self._w: d_output.sum(axis=0)})


def test_gradients_of_float16_variables_are_summed_in_float32() -> None:
    (outputs, _), vjp = dynamic_rnn_vjp(Added(), np.zeros((1, 101, 1), np.float16), dtype=np.float16)
    ones = np.ones_like(outputs)
    ones[0, -1] = 2048  # in float16 one more is none
    found = vjp(ones, None).variables["rnn/added/w"]
    np.testing.assert_array_equal(found, np.array([2148], np.float16), strict=True)
    np.testing.assert_array_equal(vjp(np.full_like(ones, 6e4), None).variables["rnn/added/w"], [np.inf])


class Changed(GRUCell):
    """A subclass with a step of its own and the gradients of another's."""

    def call(self, inputs: Any, state: Any) -> Any:
        raise AssertionError("it was called")


def own(x: Any) -> Any:
    raise AssertionError("it was called")


def add(inputs: Any, outputs: Any) -> Any:
    raise AssertionError("it was called")


@pytest.mark.parametrize("around", ["alone", "stack", "wrappers"])
@pytest.mark.parametrize(
    ("make", "argument", "wanted", "got"),
    [
        (lambda: Changed(2), "cell", "a cell with a method call_vjp(inputs, state) written for its call", "Changed"),
        (lambda: GRUCell(2, own), "activation", "a function with an attribute vjp, since gradients are wanted", None),
        (
            lambda: LSTMCell(2, activation=own),
            "activation",
            "a function with an attribute vjp, since gradients are wanted",
            None,
        ),
        (
            lambda: BasicLSTMCell(2, activation=own),
            "activation",
            "a function with an attribute vjp, since gradients are wanted",
            None,
        ),
        (
            lambda: BasicRNNCell(2, own),
            "activation",
            "a function with an attribute vjp, since gradients are wanted",
            None,
        ),
        (
            lambda: ResidualWrapper(GRUCell(2), add),
            "residual_fn",
            "a function with an attribute vjp, since gradients are wanted",
            None,
        ),
    ],
    ids=["subclass", "gru", "lstm", "basic lstm", "rnn", "residual"],
)
def test_who_cannot_pull_back_is_refused_before_anything_runs(
    make: Any, argument: str, wanted: str, got: str | None, around: str, refused: Any, store: VariableStore
) -> None:
    first = Decay()
    cell = make()
    if around == "stack":
        cell = MultiRNNCell([first, cell])
    elif around == "wrappers":
        cell = MultiRNNCell([first, DeviceWrapper(ResidualWrapper(DropoutWrapper(cell, 0.5)), None)])
    said = f"{got} without one" if got else "an object of type function without one"
    with refused(TypeError, argument, wanted, said, "GRAD-20"):
        dynamic_rnn_vjp(cell, np.ones((2, 3, 2), np.float32), dtype=np.float32)
    assert first.steps == []
    assert not store.variables


def test_cotangents_are_refused_by_their_names(refused: Any) -> None:
    (outputs, _), vjp = dynamic_rnn_vjp(GRUCell(2), np.ones((2, 3, 2), np.float32), dtype=np.float32)
    with refused(ValueError, "d_outputs", "shape (2, 3, 2)", "(2, 2)", "GRAD-21"):
        vjp(outputs[:, 0], None)
    with refused(TypeError, "d_state", "dtype float32", "float64", "GRAD-21"):
        vjp(None, np.ones((2, 2)))
    vjp(outputs, None)  # and after a refusal it still pulls back
