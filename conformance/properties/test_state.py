"""Holds implementations to STATE-1 to 6 (the shapes and the structure of the final state) by the definitions of the
probe cells and the sizes of the LSTM cells."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model import tolerance
from conformance.model.expected import expected
from conformance.strategies.builtin import builtin_cases, output_width, state_sizes
from conformance.strategies.derive import argument, containers, frame_sizes, steps_of_rows, with_options, with_state
from conformance.strategies.frame import choice
from conformance.strategies.lengths import ANY
from conformance.strategies.probes import tally_cases
from conformance.strategies.structures import INTEGER_SIZES, SHAPES, nests
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.structure import map_structure

LAYOUTS = st.booleans()
LENGTHS = choice(ANY)
ONE_LSTM = (
    "LSTMCell",
    "BasicLSTMCell",
    "LSTMCell projection",
    "LSTMCell peepholes",
    "BasicLSTMCell forget_bias",
    "LSTMCell everything",
)
AS_ARRAY = ("LSTMCell array", "BasicLSTMCell array")


def _judge(check: Check, case: Case) -> Any:
    """The final state, which must be that of the definition in containers, shapes, dtypes and bits."""
    state = check.returned(case, own=True).state
    check.equal(state, expected(case)[1], where="state")
    return state


@law("STATE-1", cases=tally_cases(state_size=choice(INTEGER_SIZES), lengths=LENGTHS, time_major=LAYOUTS))
def test_an_integer_gives_batch_and_size(check: Check, case: Case) -> None:
    """One array [B, n], in both layouts."""
    shape, size = np.shape(_judge(check, case)), case.cells["cell"].options["state_size"]
    wanted = (frame_sizes(case)[0], size)
    check.that(shape == wanted, f"expected {wanted}, got {shape}", wanted, shape, "state")
    check.reach(f"n = {size}")


@law("STATE-2", cases=tally_cases(state_size=choice(SHAPES), lengths=LENGTHS, time_major=LAYOUTS))
def test_a_tensor_shape_follows_the_batch(check: Check, case: Case) -> None:
    """One array of the batch and the shape."""
    shape, dims = np.shape(_judge(check, case)), case.cells["cell"].options["state_size"].dims
    wanted = (frame_sizes(case)[0], *dims)
    check.that(shape == wanted, f"expected {wanted}, got {shape}", wanted, shape, "state")
    check.reach(f"rank {len(dims)}")


@law("STATE-3", cases=tally_cases(state_size=nests(), lengths=LENGTHS, time_major=LAYOUTS))
def test_nested_tuples_as_state_size_has_them(check: Check, case: Case) -> None:
    """Tuples within tuples come back as they stand in state_size, each array shaped by its size."""
    check.reach("nested" if containers(_judge(check, case)) > 1 else "flat")


def _shaped(check: Check, state: Any, case: Case) -> None:
    """The state has the containers of ``state_sizes`` and in each place an array [B, size] of the dtype."""
    batch, dtype = frame_sizes(case)[0], argument(case, "dtype")
    told = map_structure(lambda leaf: f"{leaf.dtype.name}{list(leaf.shape)}", state)
    wanted = map_structure(lambda size: f"{dtype}{[batch, size]}", state_sizes(case.cells["cell"]))
    check.equal(told, wanted, where="state")


@law("STATE-4", cases=builtin_cases(kinds=choice(("MultiRNNCell of LSTM", "MultiRNNCell of one")), lengths=LENGTHS))
def test_a_stack_of_lstm_cells_gives_one_pair_each(check: Check, case: Case) -> None:
    """A tuple with one LSTMStateTuple each, in order of the cells; the last one's h is the last output."""
    answer = check.returned(case, own=True)
    _shaped(check, answer.state, case)
    _last_output(check, case, answer.outputs, answer.state[-1].h, "state[-1].h")
    check.reach(f"{len(answer.state)} cells")


@law("STATE-5", cases=builtin_cases(kinds=choice(ONE_LSTM), lengths=LENGTHS, time_major=LAYOUTS, initial_state=False))
def test_one_lstm_cell_gives_one_pair(check: Check, case: Case) -> None:
    """One LSTMStateTuple (c, h), not in a tuple of its own; h is the last output."""
    answer = check.returned(case, own=True)
    check.that(type(answer.state) is LSTMStateTuple, f"expected LSTMStateTuple, got {type(answer.state).__name__}")
    _shaped(check, answer.state, case)
    outputs = np.swapaxes(answer.outputs, 0, 1) if argument(case, "time_major") else answer.outputs
    _last_output(check, case, outputs, answer.state.h, "state.h")
    check.reach(case.cells["cell"].kind)


def _last_output(check: Check, case: Case, outputs: Any, h: Any, where: str) -> None:
    """``h`` is the output [B, T, n] of each row's last step; a row of no steps is not judged."""
    for row, count in enumerate(steps_of_rows(case)):
        if count:
            check.equal(h[row], outputs[row, count - 1], where=f"{where}[{row}]")


@law("STATE-6", cases=builtin_cases(kinds=choice(AS_ARRAY), lengths=LENGTHS))
def test_without_the_tuple_the_state_is_one_array(check: Check, case: Case) -> None:
    """[B, 2 n], the last n columns being the last output."""
    answer = check.returned(case, own=True)
    _shaped(check, answer.state, case)
    width = output_width(case.cells["cell"])
    _last_output(check, case, answer.outputs, answer.state[:, -width:], "state")
    check.reach(case.cells["cell"].kind)


@law("STATE-6", cases=builtin_cases(kinds=choice(AS_ARRAY), lengths=LENGTHS))
def test_the_array_holds_c_and_then_h(check: Check, case: Case) -> None:
    """The same cell with a tuple as its state ends with the same numbers: c in the first columns, then h."""
    joined, given = check.returned(case, own=True), argument(case, "initial_state")
    units = int(case.cells["cell"].options["num_units"])
    state = None if given is None else LSTMStateTuple(given[:, :units].copy(), given[:, units:].copy())
    apart = check.returned(with_state(with_options(case, state_is_tuple=True), state))
    allowed = tolerance.for_cell(argument(case, "dtype"), frame_sizes(case)[1], 8)
    check.close(joined.state, np.concatenate(list(apart.state), axis=1), allowed, where="state")
    check.reach("given" if given is not None else "zeros")
