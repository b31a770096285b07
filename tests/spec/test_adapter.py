"""Tests the adapter: every part of a case reaches the implementation as it stands, and every way to answer is an
Outcome."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import ArgumentValueError, RNNCell, VariableScope, get_variable, get_variable_scope
from dynamic_rnn_spec.adapter import FUNCTIONS, WRONG, PythonAdapter, Replay
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec, DType, Function, Scope, Wrong


class Cell(RNNCell):
    """A cell that keeps what it was made with."""

    state_size = 1
    output_size = 1

    def __init__(self, *children: Any, **options: Any) -> None:
        super().__init__()
        self.children, self.options = children, options

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        return np.zeros((batch_size, 1), dtype)


CELLS = SimpleNamespace(RNNCell=Cell, BasicRNNCell=Cell, MultiRNNCell=Cell, DropoutWrapper=Cell)


def run(function: Any, case: Case) -> Any:
    return PythonAdapter("toy", dynamic_rnn=function, cells=CELLS).run(case)


def case(cells: Any = None, positional: int = 2, scopes: Any = (), **arguments: Any) -> Case:
    given = {"cell": CellRef("a"), "inputs": np.ones((2, 3, 1)), **arguments}
    return Case(cells or {"a": CellSpec("BasicRNNCell")}, [Call(given, positional, scopes)])


def test_arguments_arrive_by_position_and_by_keyword_and_left_out() -> None:
    seen: dict[str, Any] = {}

    def spy(*args: Any, **kwargs: Any) -> Any:
        seen.update(args=args, kwargs=kwargs)
        return args[1], None

    answer = run(spy, case(positional=3, sequence_length=np.array([1, 2]), swap_memory=False)).answers[0]
    assert [type(arg) for arg in seen["args"]] == [Cell, np.ndarray, np.ndarray]
    assert seen["kwargs"] == {"swap_memory": False}
    assert answer.kind == "returned"
    assert answer.outputs.tolist() == np.ones((2, 3, 1)).tolist()
    assert (answer.changed, answer.variables, answer.trace) == ((), (), None)


def test_values_become_objects() -> None:
    seen: dict[str, Any] = {}

    def spy(cell: Any, inputs: Any, **kwargs: Any) -> Any:
        seen.update(kwargs, scope_now=get_variable_scope().name)
        return inputs, None

    run(
        spy,
        case(
            dtype=DType("float32", "type"), scope=Scope("absolute"), scopes=[Scope("outer")], swap_memory=Wrong("set")
        ),
    )
    assert seen["dtype"] is np.float32
    assert isinstance(seen["scope"], VariableScope)
    assert (seen["scope"].name, seen["scope_now"]) == ("absolute", "outer")
    assert seen["swap_memory"] == {1, 2}


def test_cells_are_built_with_options_and_children_and_shared_by_name() -> None:
    cells = {
        "a": CellSpec("MultiRNNCell", {}, [CellRef("b"), CellRef("b"), CellSpec("BasicRNNCell")]),
        "b": CellSpec("BasicRNNCell", {"num_units": 2, "activation": Function("relu")}),
    }
    seen: list[Any] = []

    def spy(cell: Any, inputs: Any) -> Any:
        seen.append(cell)
        return inputs, None

    one = case(cells).calls[0]
    run(spy, Case(cells, [one, one]))
    assert seen[0] is seen[1]
    first, second, third = seen[0].children[0]
    assert first is second
    assert first is not third
    assert first.options["num_units"] == 2
    assert first.options["activation"](np.array([-1.0, 2.0])).tolist() == [0, 2]


def test_an_exception_is_an_answer_with_what_it_says_of_itself() -> None:
    def refuse(cell: Any, inputs: Any) -> Any:
        raise ArgumentValueError("inputs", "arrays", "None", "IN-5")

    def fail(cell: Any, inputs: Any) -> Any:
        raise IndexError("tuple index out of range")

    error = run(refuse, case()).answers[0].error
    assert (error.kind, error.clause, error.argument, error.wanted, error.got) == (
        "ValueError",
        "IN-5",
        "inputs",
        "arrays",
        "None",
    )
    assert error.message == "inputs: expected arrays, got None [IN-5]"
    error = run(fail, case()).answers[0].error
    assert (error.kind, error.native, error.clause) == ("other", "builtins.IndexError", None)


def test_the_phase_tells_whether_a_probe_cell_was_called() -> None:
    cells = {"a": CellSpec("probe:LastInput", {"size": 1})}

    def early(cell: Any, inputs: Any) -> Any:
        raise ValueError("early")

    def late(cell: Any, inputs: Any) -> Any:
        cell(inputs[:, 0], np.zeros((2, 1)))
        raise ValueError("late")

    assert run(early, case(cells)).answers[0].error.phase == "before"
    answer = run(late, case(cells)).answers[0]
    assert answer.error.phase == "after"
    assert [event["event"] for event in answer.trace] == ["call"]
    assert run(early, case()).answers[0].error.phase is None


def test_changed_arrays_are_named() -> None:
    def spoil(cell: Any, inputs: Any, initial_state: Any) -> Any:
        initial_state[0][0] = 5
        return inputs, None

    answer = run(spoil, case(initial_state=(np.zeros((2, 1)),))).answers[0]
    assert answer.changed == ("initial_state",)


def test_changed_arrays_of_another_library_are_named() -> None:
    class Box:
        """An array of another library."""

        def __init__(self, array: Any) -> None:
            self.array = array

    class Boxed(PythonAdapter):
        def to_array(self, array: Any) -> Any:
            return Box(array.copy())

        def snapshot(self, value: Any) -> Any:
            return super().snapshot(value.array if isinstance(value, Box) else value)

    def change(cell: Any, inputs: Any, initial_state: Any) -> Any:
        initial_state.array[0] = 7
        return inputs, initial_state

    answer = Boxed("toy", change, CELLS).run(case(initial_state=np.zeros((2, 1)))).answers[0]
    assert answer.changed == ("initial_state",)


def test_arguments_that_come_back_as_they_are_are_named() -> None:
    def alias(cell: Any, inputs: Any, initial_state: Any) -> Any:
        return inputs + 1, {"state": initial_state[0][:1]}

    answer = run(alias, case(initial_state=(np.zeros((2, 1)),))).answers[0]
    assert answer.aliased == ("initial_state",)


def test_variables_and_weights_by_name() -> None:
    def make(cell: Any, inputs: Any) -> Any:
        return get_variable("w", [2]).value, None

    one = case()
    outcome = run(make, Case(one.cells, one.calls, {"w": np.array([1, 2], np.float32)}))
    assert outcome.answers[0].variables == ("w",)
    (record,) = outcome.variables
    assert (record.name, record.value.tolist(), record.trainable) == ("w", [1, 2], True)


def test_what_the_namespace_lacks_is_unsupported() -> None:
    cells = {"a": CellSpec("BasicRNNCell", {}, [CellSpec("GRUCell")])}
    answer = run(lambda cell, inputs: (inputs, None), case(cells)).answers[0]
    assert (answer.kind, answer.what, answer.why) == ("unsupported", "GRUCell", "toy has no GRUCell")


def test_noise_is_replayed_step_by_step() -> None:
    noise = {"input": [np.arange(4.0).reshape(2, 2, 1)], "output": [np.full((1, 1), 0.5)]}
    replay = Replay(noise, np.array)
    assert replay("input", 0, (2, 1), np.float32).tolist() == [[0], [1]]
    assert replay("input", 0, (2, 1), np.float32).tolist() == [[2], [3]]
    assert [replay("output", 0, (1, 1), np.float32).tolist() for _ in range(2)] == [[[0.5]]] * 2
    with pytest.raises(ValueError, match=r"noise for output 0: the case has \(1, 1\), asked for \(2, 1\)"):
        replay("output", 0, (2, 1), np.float32)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_can_be_made(name: str) -> None:
    assert callable(PythonAdapter("toy", dynamic_rnn=None, cells=CELLS).function(Function(name)))


def test_every_wrong_object_can_be_made() -> None:
    adapter = PythonAdapter("toy", dynamic_rnn=None, cells=CELLS)
    made = {name: make(adapter) for name, make in WRONG.items()}
    assert not isinstance(made["look-alike"], RNNCell)
    assert made["cell class"] is Cell
    assert made["float type"] is float


def test_functions_compute_what_they_are_called() -> None:
    x = np.array([-2.0, 0.5])
    adapter = PythonAdapter("toy", dynamic_rnn=None, cells=CELLS)
    assert np.allclose(adapter.function(Function("sigmoid"))(x), 1 / (1 + np.exp(-x)))
    assert adapter.function(Function("softsign"))(x).tolist() == [-2 / 3, 0.5 / 1.5]
    assert adapter.function(Function("identity"))(x) is x
    assert adapter.function(Function("add_twice"))((1.0,), (3.0,)) == (5.0,)
    assert adapter.function(Function("drop_all"))((1, (2,))) is True
    assert adapter.function(Function("drop_none"))(3) is False
