"""Tests the loop: what each row and step sees and leaves, with cells small enough to follow by hand."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic_rnn_spec
from dynamic_rnn_spec import LSTMStateTuple, TensorShape, VariableStore
from impl_ref import BasicRNNCell, LSTMCell, RNNCell, dynamic_rnn, get_variable, variable_scope
from impl_ref.arrays import Array


class Step(RNNCell):
    """A cell made of its sizes and a function."""

    state_size: Any = None
    output_size: Any = None

    def __init__(self, state_size: Any, output_size: Any, step: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.state_size, self.output_size, self.step = state_size, output_size, step

    def call(self, inputs: Any, state: Any) -> Any:
        return self.step(inputs, state)


def adder() -> Step:
    """Adds each input [B, 2] to its state and emits the new state."""
    return Step(2, 2, lambda x, h: (h + x, h + x))


def counting(*shape: int, dtype: Any = np.float32) -> Array:
    return np.arange(1, 1 + np.prod(shape, dtype=int)).reshape(shape).astype(dtype)


def test_the_signature_is_the_page_s() -> None:
    parameters = inspect.signature(dynamic_rnn).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "cell": inspect.Parameter.empty,
        "inputs": inspect.Parameter.empty,
        "sequence_length": None,
        "initial_state": None,
        "dtype": None,
        "parallel_iterations": None,
        "swap_memory": False,
        "time_major": False,
        "scope": None,
    }
    assert list(parameters)[2:5] == ["sequence_length", "initial_state", "dtype"]


def test_each_step_is_given_the_state_of_the_step_before() -> None:
    x = counting(2, 3, 2)
    result = dynamic_rnn(adder(), x, dtype=np.float32)
    assert type(result) is tuple
    np.testing.assert_array_equal(result[0], np.cumsum(x, axis=1))
    np.testing.assert_array_equal(result[1], x.sum(axis=1))
    assert result[0].flags.c_contiguous


def test_lengths_zero_the_outputs_and_hold_the_state() -> None:
    x = -counting(5, 3, 2)
    lengths = [0, 1, 3, -1, 2**40]
    outputs, state = dynamic_rnn(adder(), x, lengths, dtype=np.float32)
    expected = np.cumsum(x, axis=1)
    for row, length in enumerate([0, 1, 3, 0, 3]):
        expected[row, length:] = 0
        np.testing.assert_array_equal(state[row], x[row, :length].sum(axis=0))
    np.testing.assert_array_equal(outputs, expected)
    assert not np.signbit(outputs[0]).any()


def test_a_held_state_keeps_its_bits_in_every_dtype() -> None:
    sizes = {"f": 1, "s": TensorShape([2]), "b": 1}
    cell = Step(sizes, (), lambda x, h: ((), {"f": h["f"] + 1, "s": np.full_like(h["s"], b"new"), "b": ~h["b"]}))
    floats = np.array([[0xFFC00123], [0x80000000], [0]], np.uint32).view(np.float32)
    text = np.array([[b"abc", b""], [b"d", b"e"], [b"f", b"g"]])
    given = {"f": floats, "s": text, "b": np.array([[True], [False], [True]])}
    outputs, state = dynamic_rnn(cell, np.zeros((3, 2)), np.array([0, 0, 1]), given, np.float32)
    assert outputs == ()
    assert list(state) == ["f", "s", "b"]
    assert state["f"].tobytes() == floats[:2].tobytes() + np.float32(1).tobytes()
    assert state["s"].tolist() == [[b"abc", b""], [b"d", b"e"], [b"new", b"new"]]
    assert state["b"].tolist() == [[True], [False], [False]]


def test_a_byte_order_is_not_changed() -> None:
    x = counting(2, 2, 2, dtype=">f4")
    cell = Step(2, 2, lambda x, h: (x, x))
    outputs, state = dynamic_rnn(cell, x, [1, 2], np.zeros((2, 2), ">f4"))
    assert (outputs.dtype.str, state.dtype.str) == (">f4", ">f4")
    assert state.tolist() == [[1, 2], [7, 8]]


def test_a_state_leaf_of_rank_0_advances_at_every_step() -> None:
    class Counter(Step):
        def zero_state(self, batch_size: int, dtype: Any) -> Any:
            return np.zeros((), dtype), np.zeros((batch_size, 1), dtype)

    cell = Counter((1, 1), (), lambda x, h: ((), (h[0] + 1, h[1] + 1)))
    _, (count, rows) = dynamic_rnn(cell, np.zeros((2, 3, 1)), [1, 2], dtype=np.int32)
    assert (count.tolist(), rows.tolist()) == (3, [[1], [2]])


def test_time_major_swaps_inputs_and_outputs_and_nothing_else() -> None:
    x, start = counting(2, 3, 2), counting(2, 2)
    outputs, state = dynamic_rnn(adder(), x, [2, 3], start)
    swapped, same = dynamic_rnn(adder(), x.swapaxes(0, 1), [2, 3], start, time_major=True)
    assert swapped.shape == (3, 2, 2)
    np.testing.assert_array_equal(swapped.swapaxes(0, 1), outputs)
    np.testing.assert_array_equal(same, state)


def test_structures_reach_the_cell_and_come_back() -> None:
    seen: list[Any] = []

    def step(inputs: Any, state: Any) -> Any:
        seen.append(inputs)
        return (inputs["b"][0], [inputs["a"]]), state

    inputs: dict[str, Any] = {"b": (counting(2, 3, 4, dtype=np.int8), []), "a": counting(2, 3, dtype=complex)}
    outputs, state = dynamic_rnn(Step((), [4, (TensorShape([]),)], step), inputs, None, ())
    assert [list(given) for given in seen] == [["b", "a"]] * 3
    assert [given["b"][1] for given in seen] == [[], [], []]
    assert type(outputs) is list
    assert type(outputs[1]) is tuple
    np.testing.assert_array_equal(outputs[0], inputs["b"][0])
    np.testing.assert_array_equal(outputs[1][0], inputs["a"])
    assert (outputs[0].dtype, outputs[1][0].dtype, state) == (np.int8, complex, ())


def test_the_cell_is_called_once_for_each_step_with_two_arguments() -> None:
    calls: list[Any] = []

    class Recording(Step):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            calls.append((len(args), kwargs, args[0].tolist()))
            return super().__call__(*args, **kwargs)

    dynamic_rnn(Recording(2, 2, lambda x, h: (h + x, h + x)), counting(1, 3, 2), [0], dtype=np.float32)
    assert calls == [(2, {}, [[1, 2]]), (2, {}, [[3, 4]]), (2, {}, [[5, 6]])]


@pytest.mark.parametrize("time_major", [False, True])
def test_no_steps_give_empty_outputs_and_the_initial_state(time_major: bool) -> None:
    x = np.zeros((0, 2, 3) if time_major else (2, 0, 3))
    start = counting(2, 2, dtype=np.float16)
    outputs, state = dynamic_rnn(adder(), x, initial_state=start, time_major=time_major)
    assert outputs.shape == ((0, 2, 2) if time_major else (2, 0, 2))
    assert outputs.dtype == np.float16
    np.testing.assert_array_equal(state, start)
    assert not np.shares_memory(state, start)


def test_an_empty_batch_works() -> None:
    outputs, state = dynamic_rnn(adder(), np.zeros((0, 3, 2), np.float32), [], dtype=np.float32)
    assert (outputs.shape, state.shape) == ((0, 3, 2), (0, 2))


def test_outputs_keep_the_cell_s_dtype_when_none_is_asked_for() -> None:
    cell = Step(2, (2, 2), lambda x, h: ((x.astype(np.float64), x > 2), h))
    outputs, state = dynamic_rnn(cell, counting(1, 2, 2), initial_state=np.zeros((1, 2), np.int32))
    assert ([o.dtype for o in outputs], state.dtype) == ([np.float64, np.bool_], np.int32)


def test_a_plain_tuple_serves_for_a_named_one() -> None:
    cell, x = LSTMCell(2), counting(1, 2, 3)
    c, h = counting(1, 2), -counting(1, 2)
    _, plain = dynamic_rnn(cell, x, None, (c, h))
    _, named = dynamic_rnn(cell, x, None, LSTMStateTuple(c, h))
    assert type(plain) is LSTMStateTuple
    np.testing.assert_array_equal(plain, named)


def test_the_final_state_shares_memory_with_nothing() -> None:
    x, start = counting(2, 2, 2), counting(2, 2)
    _, state = dynamic_rnn(Step(2, 2, lambda x, h: (x, h)), x, None, start)
    assert not np.shares_memory(state, start)
    _, state = dynamic_rnn(Step(2, 2, lambda x, h: (x, x)), x, None, start)
    assert not np.shares_memory(state, x)
    assert state.flags.writeable


@pytest.mark.parametrize("target", [0, 1])
def test_a_cell_can_t_write_into_what_it_is_given(target: int) -> None:
    def step(*given: Any) -> Any:
        given[target][...] = 0
        return given

    x, start = counting(2, 2, 2), counting(2, 2)
    with pytest.raises(ValueError, match="read-only"):
        dynamic_rnn(Step(2, 2, step), x, None, start)
    assert x.all()
    assert start.all()


def test_the_cell_s_own_exception_comes_through() -> None:
    class OwnError(Exception):
        pass

    def step(x: Any, h: Any) -> Any:
        raise OwnError("mine")

    with pytest.raises(OwnError, match=r"^mine$"):
        dynamic_rnn(Step(2, 2, step), counting(1, 1, 2), dtype=np.float32)


def test_a_failed_call_leaves_no_variable_and_an_unbuilt_cell(store: VariableStore) -> None:
    class Failing(BasicRNNCell):
        fails = True

        def call(self, inputs: Any, state: Any) -> Any:
            output, new = super().call(inputs, state)
            return (output.astype(np.float64) if self.fails else output), new

    cell, x = Failing(2), counting(1, 2, 3)
    with pytest.raises(TypeError, match=r"\[DTYPE-10\]"):
        dynamic_rnn(cell, x, dtype=np.float32)
    assert (store.variables, cell.built, store.scope.name) == ({}, False, "")
    cell.fails = False
    after_failure, _ = dynamic_rnn(cell, x, dtype=np.float32)
    with dynamic_rnn_spec.use_store(VariableStore(seed=0)):
        untroubled, _ = dynamic_rnn(BasicRNNCell(2), x, dtype=np.float32)
    np.testing.assert_array_equal(after_failure, untroubled)
    assert list(store.variables) == ["rnn/failing/kernel", "rnn/failing/bias"]


class Handmade(Step):
    """Asks for its variable at each step, under a numbered scope, as cells were written before they had ``build``."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        with variable_scope(None, default_name="handmade"):
            return state, state + inputs * get_variable("weight", [2]).read(inputs)


def handmade() -> Handmade:
    return Handmade(2, 2, lambda x, h: None)


def test_a_cell_without_build_has_one_set_of_variables_for_all_steps(store: VariableStore) -> None:
    _, state = dynamic_rnn(handmade(), counting(1, 3, 2), dtype=np.float32)
    assert list(store.variables) == ["rnn/handmade/weight"]
    expected = store.variables["rnn/handmade/weight"].value * counting(1, 3, 2).sum(axis=1)
    np.testing.assert_allclose(state, expected, rtol=1e-6)


@pytest.mark.parametrize("make", [handmade, lambda: BasicRNNCell(2)])
def test_a_second_cell_in_the_same_scope_must_say_that_it_shares(make: Callable[[], Any], refused: Any) -> None:
    x = counting(1, 3, 2)
    first, _ = dynamic_rnn(make(), x, dtype=np.float32)
    name = "rnn/handmade/weight" if make is handmade else "rnn/basic_rnn_cell/kernel"
    wanted = f"no variable {name!r} yet, since reuse is off"
    with refused(ValueError, "scope", wanted, "one", "SCOPE-6", "share it with reuse=True"):
        dynamic_rnn(make(), x, dtype=np.float32)
    with variable_scope("rnn", reuse=True) as sharing:
        pass
    second, _ = dynamic_rnn(make(), x, dtype=np.float32, scope=sharing)
    np.testing.assert_array_equal(first, second)


def test_a_name_nests_and_a_scope_is_absolute(store: VariableStore) -> None:
    x = counting(1, 1, 2)
    with variable_scope("here") as here:
        pass
    with variable_scope("outer"):
        dynamic_rnn(BasicRNNCell(2), x, dtype=np.float32, scope="inner")
        dynamic_rnn(BasicRNNCell(2), x, dtype=np.float32, scope=here)
    assert [name.rsplit("/", 2)[0] for name in store.variables][::2] == ["outer/inner", "here"]


def test_a_cell_of_the_bare_protocol_works() -> None:
    class Bare(dynamic_rnn_spec.RNNCell):
        state_size = 2
        output_size = 2

        def call(self, inputs: Any, state: Any) -> Any:
            return state + inputs, state + inputs

    outputs, _ = dynamic_rnn(Bare(), counting(1, 3, 2), dtype=np.float32)
    np.testing.assert_array_equal(outputs, np.cumsum(counting(1, 3, 2), axis=1))


@pytest.mark.parametrize("options", [{"parallel_iterations": 1}, {"swap_memory": True}, {"scope": "other"}])
def test_what_can_have_no_effect_has_none(options: dict[str, Any]) -> None:
    x = counting(2, 3, 2)
    np.testing.assert_array_equal(
        dynamic_rnn(adder(), x, dtype=np.float32)[0], dynamic_rnn(adder(), x, dtype=np.float32, **options)[0]
    )
