"""Tests what a DropoutWrapper drops, in which order and by which noise."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple, TensorShape
from impl_ref import BasicRNNCell, DropoutWrapper, LSTMCell, RNNCell, dynamic_rnn, new_sequence
from impl_ref.arrays import Array

Asked = list[tuple[str, int, tuple[int, ...], Any]]


class Pass(RNNCell):
    """Emits its inputs, and keeps an LSTMStateTuple beside an array, each plus the inputs."""

    state_size = (LSTMStateTuple(2, 2), 2)
    output_size = 2

    def call(self, inputs: Any, state: Any) -> Any:
        (c, h), rest = state
        return inputs, (LSTMStateTuple(c + inputs, h + inputs), rest + inputs)


def noisy(wrapper: DropoutWrapper, values: dict[str, list[float]]) -> Asked:
    """Have the wrapper's noise be these numbers for each row, and note what it asks for."""
    asked: Asked = []

    def uniform(purpose: str, leaf: int, shape: tuple[int, ...], dtype: Any) -> Array:
        asked.append((purpose, leaf, shape, dtype))
        return np.broadcast_to(np.array(values[purpose], dtype), shape)

    wrapper.uniform = uniform
    return asked


X: Array = np.array([[[1.0, 3.0], [5.0, 7.0]]])


def test_inputs_state_and_output_are_dropped_each_by_its_own_noise() -> None:
    wrapper = DropoutWrapper(Pass(), 0.5, 0.25, 0.8)
    asked = noisy(wrapper, {"input": [0.5, 0.6], "state": [0.1, 0.2], "output": [0.75, 0.5]})
    outputs, ((c, h), rest) = dynamic_rnn(wrapper, X, dtype=np.float64)
    assert outputs.tolist() == [[[2 * 4, 0], [10 * 4, 0]]]
    assert c.tolist() == [[2 + 10, 6 + 14]]
    assert h.tolist() == [[0, (6 / 0.8 + 14) / 0.8]]
    assert rest.tolist() == h.tolist()
    one_step = [("input", 0), ("state", 1), ("state", 2), ("output", 0)]
    assert asked == [(purpose, leaf, (1, 2), np.float64) for _ in range(2) for purpose, leaf in one_step]


def test_lengths_take_effect_after_the_drops() -> None:
    wrapper = DropoutWrapper(Pass(), state_keep_prob=0.5)
    noisy(wrapper, {"state": [0.5, 0.5]})
    _, ((c, h), _) = dynamic_rnn(wrapper, X, [1], dtype=np.float64)
    assert (c.tolist(), h.tolist()) == ([[1, 3]], [[2, 6]])


def test_what_is_kept_wholly_is_untouched_and_draws_nothing() -> None:
    wrapper = DropoutWrapper(Pass(), 1, 1.0, np.float32(1))
    asked = noisy(wrapper, {})
    outputs, _ = dynamic_rnn(wrapper, X, dtype=np.float64)
    np.testing.assert_array_equal(outputs, X)
    assert asked == []


@pytest.mark.parametrize(
    ("visitor", "leaves"),
    [
        (None, [1, 2]),
        (lambda part: False, []),
        (lambda part: True, [0, 1, 2]),
        (lambda part: (True, False) if type(part) is tuple else True, [0, 1]),
        (lambda part: LSTMStateTuple(True, np.bool_(False)) if isinstance(part, LSTMStateTuple) else True, [0, 2]),
        (lambda part: not isinstance(part, LSTMStateTuple), [2]),
    ],
)
def test_a_visitor_chooses_the_leaves_of_the_state(visitor: Any, leaves: list[int]) -> None:
    wrapper = DropoutWrapper(Pass(), state_keep_prob=0.5, dropout_state_filter_visitor=visitor)
    asked = noisy(wrapper, {"state": [0, 0]})
    dynamic_rnn(wrapper, X[:, :1], dtype=np.float64)
    assert [leaf for _, leaf, _, _ in asked] == leaves


def test_a_visitor_that_answers_otherwise_is_refused(refused: Any) -> None:
    def run(visitor: Any) -> None:
        dynamic_rnn(
            DropoutWrapper(Pass(), state_keep_prob=0.5, dropout_state_filter_visitor=visitor), X, dtype=np.float64
        )

    name = "dropout_state_filter_visitor"
    with refused(TypeError, name, "a bool, or bools in the form of the part", "None", "EQ-20"):
        run(lambda part: None)
    with refused(TypeError, name, "2 bools from dropout_state_filter_visitor", "3", "EQ-20"):
        run(lambda part: (True, True, True))
    with refused(TypeError, name, "a function or None", "True", "EQ-20"):
        run(True)


def test_variational_noise_is_one_draw_for_all_steps_and_rows_of_a_call() -> None:
    x = np.ones((3, 4, 2), np.float32)
    wrapper = DropoutWrapper(
        BasicRNNCell(2),
        0.5,
        0.5,
        0.5,
        variational_recurrent=True,
        input_size=TensorShape([2]),
        dtype=np.float32,
        seed=3,
    )
    asked: Asked = []
    draw = wrapper.uniform

    def uniform(purpose: str, leaf: int, shape: tuple[int, ...], dtype: Any) -> Array:
        asked.append((purpose, leaf, shape, dtype))
        return draw(purpose, leaf, shape, dtype)

    wrapper.uniform = uniform
    for _ in range(2):
        dynamic_rnn(wrapper, x, dtype=np.float32)
    assert asked == 2 * [(purpose, 0, (1, 2), np.float32) for purpose in ("input", "state", "output")]


def test_a_loop_by_hand_opens_its_own_sequence() -> None:
    wrapper = DropoutWrapper(Pass(), output_keep_prob=0.5, variational_recurrent=True, dtype=np.float64)
    asked = noisy(wrapper, {"output": [0.6, 0.2]})
    for _ in range(2):
        with new_sequence():
            for t in range(2):
                output, _ = wrapper(X[:, t], wrapper.zero_state(1, np.float64))
                assert output.tolist() == [[2 * X[0, t, 0], 0]]
    assert len(asked) == 2


def test_a_seed_fixes_the_drops() -> None:
    x = np.ones((4, 5, 6))

    def run(seed: Any) -> Array:
        outputs, _ = dynamic_rnn(
            DropoutWrapper(BasicRNNCell(6, reuse="AUTO_REUSE"), 0.5, seed=seed), x, dtype=np.float64
        )
        array: Array = outputs
        return array

    np.testing.assert_array_equal(run(1), run(1))
    assert (run(1) != run(2)).any()


@pytest.mark.parametrize("name", ["input_keep_prob", "output_keep_prob", "state_keep_prob"])
def test_a_keep_probability_out_of_range_is_refused(name: str, refused: Any) -> None:
    for value in (-0.1, 1.1, 0.0, float("nan")):
        with refused(ValueError, name, "a number above 0 and at most 1", str(value), "EQ-18"):
            DropoutWrapper(LSTMCell(2), **{name: value})
    for other, got in [("0.5", "'0.5'"), (None, "None"), (True, "True")]:
        with refused(TypeError, name, "a number", got, "EQ-18"):
            DropoutWrapper(LSTMCell(2), **{name: other})


def test_what_variational_dropout_needs_is_asked_for(refused: Any) -> None:
    with refused(ValueError, "dtype", "a dtype, since variational_recurrent is True", "None", "EQ-10"):
        DropoutWrapper(LSTMCell(2), variational_recurrent=True)
    wanted = "sizes, since variational_recurrent is True and inputs are dropped"
    with refused(ValueError, "input_size", wanted, "None", "EQ-10"):
        DropoutWrapper(LSTMCell(2), 0.5, variational_recurrent=True, dtype="float32")


def test_what_can_t_be_dropped_is_refused(refused: Any) -> None:
    with refused(TypeError, "input", "arrays of a floating dtype to drop", "int64", "EQ-9"):
        dynamic_rnn(DropoutWrapper(Pass(), 0.5), X.astype(np.int64), dtype=np.int64)

    def variational(input_size: Any, dtype: Any) -> None:
        wrapper = DropoutWrapper(Pass(), 0.5, variational_recurrent=True, input_size=input_size, dtype=dtype)
        dynamic_rnn(wrapper, X, dtype=np.float64)

    with refused(TypeError, "input", "dtype float32, the one of the noise", "float64", "EQ-10"):
        variational(2, np.float32)
    with refused(ValueError, "inputs", "rows of shape (3,), as input_size says", "(2,)", "EQ-10"):
        variational(3, np.float64)
    with refused(ValueError, "inputs", "2 arrays, as input_size says", "1", "EQ-10"):
        variational((2, 2), np.float64)
