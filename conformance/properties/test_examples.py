"""Holds implementations to EX-1 and 2, the page's two examples, written anew because their code is lost, by the shapes
and structure of what they return."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import same_pair
from conformance.strategies.builtin import builtin_cases
from conformance.strategies.derive import argument, frame_sizes, with_state
from conformance.strategies.frame import Frame, case_of
from conformance.strategies.probes import members
from dynamic_rnn_spec.case import Case, CellSpec
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape


def _from_zero_state(case: Case) -> Case:
    """The state that the cell's own zero_state makes, given as initial_state."""
    units = int(case.cells["cell"].options["num_units"])
    return with_state(case, np.zeros((frame_sizes(case)[0], units), argument(case, "dtype")))


BASIC = builtin_cases(kinds="BasicRNNCell", units=st.integers(1, 6), lengths="none", initial_state=False)


@law("EX-1", cases=BASIC.map(_from_zero_state))
def test_a_basic_cell_from_an_explicit_zero_state(check: Check, case: Case) -> None:
    """Outputs [B, T, n], and a final state [B, n] that equals the outputs' last step."""
    answer = check.returned(case, own=True)
    batch, steps = frame_sizes(case)
    units, dtype = int(case.cells["cell"].options["num_units"]), argument(case, "dtype")
    told = (answer.outputs.shape, answer.outputs.dtype.name)
    wanted = ((batch, steps, units), dtype)
    check.that(told == wanted, f"expected outputs {wanted}, got {told}", wanted, told, "outputs")
    check.equal(answer.state, np.ascontiguousarray(answer.outputs[:, -1]), where="state")
    check.reach("explicit zero state")


@law("EX-1", cases=BASIC)
def test_the_zero_state_may_as_well_be_left_to_the_call(check: Check, case: Case) -> None:
    """With a dtype in place of the explicit zero state the result is the same."""
    made, given = check.returned(case), check.returned(_from_zero_state(case), own=True)
    same_pair(check, given.result, made.result)
    check.reach("left to the call")


LOWER, UPPER = 128, 256


def _two_layers(frame: Frame, depth: int) -> Case:
    """Two stacked LSTM cells with weights that the implementation draws: only shapes and structure follow."""
    cells = [CellSpec("LSTMCell", {"num_units": units}) for units in (LOWER, UPPER)]
    x = members(frame, TensorShape([depth]), "float32", content="fractions")
    return case_of(frame, CellSpec("MultiRNNCell", {}, cells), x, None, "float32")


TWO_LAYERS = [
    _two_layers(Frame(batch=batch, steps=steps, seed=seed), depth)
    for seed, (batch, steps, depth) in enumerate(((1, 1, 1), (2, 3, 4), (3, 2, 8), (4, 5, 2)))
]


@law("EX-2", cases=TWO_LAYERS)
def test_two_stacked_lstm_cells(check: Check, case: Case) -> None:
    """Outputs [B, T, 256] and two LSTMStateTuples in a tuple, 128 and 256 wide; the upper h is the last output."""
    answer = check.returned(case, own=True)
    batch, steps = frame_sizes(case)
    shape = (batch, steps, UPPER)
    check.that(np.shape(answer.outputs) == shape, f"expected outputs {shape}, got {np.shape(answer.outputs)}")
    wanted = tuple(LSTMStateTuple(f"{[batch, n]}", f"{[batch, n]}") for n in (LOWER, UPPER))
    check.equal(_shapes(answer.state), wanted, where="state")
    check.equal(answer.state[1].h, np.ascontiguousarray(answer.outputs[:, -1]), where="state[1].h")
    check.reach("two layers")


def _shapes(state: Any) -> Any:
    """The state with each array replaced by its shape, as words."""
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*[_shapes(child) for child in state])
    if isinstance(state, (tuple, list)):
        return type(state)(_shapes(child) for child in state)
    return f"{list(np.shape(state))}"
