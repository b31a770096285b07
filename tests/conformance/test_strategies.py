"""Tests the strategies: every case they draw survives its JSON, and a variant changes what its name says."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.strategies.arrays import DTYPES, STRING, small, wild
from conformance.strategies.builtin import KINDS, builtin_case, builtin_cases, weight_shapes
from conformance.strategies.derive import (
    argument,
    by_keyword,
    frame_sizes,
    is_time_major,
    one_row,
    other_layout,
    steps_of_rows,
    take_rows,
    time_slice,
    with_arguments,
    with_padding,
    with_positional,
    without,
)
from conformance.strategies.frame import Frame, choice
from conformance.strategies.lengths import ALL_ZERO, ANY, EARLY, FULL, LONG, NEGATIVE, NONE, RAGGED, ZERO
from conformance.strategies.probes import (
    affine_cases,
    echo_cases,
    last_input_cases,
    rogue_cases,
    scalar_counter_cases,
    tally_case,
    tally_cases,
)
from conformance.strategies.wrong import WRONG
from dynamic_rnn_spec.case import Case, CellSpec, dumps
from dynamic_rnn_spec.page import clauses
from dynamic_rnn_spec.vocabulary.structure import flatten

EVERY = st.one_of(
    tally_cases(lengths=choice(ANY), time_major=st.booleans()),
    echo_cases(lengths=choice(ANY), content="wild", time_major=st.booleans()),
    last_input_cases(lengths=choice(ANY)),
    affine_cases(lengths=choice(ANY)),
    scalar_counter_cases(),
    rogue_cases("raises"),
    builtin_cases(),
)
QUIET = settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@QUIET
@given(EVERY)
def test_a_drawn_case_survives_its_json(case: Case) -> None:
    assert Case.from_json(json.loads(dumps(case.to_json()))).digest() == case.digest()


@QUIET
@given(EVERY)
def test_the_other_layout_of_the_other_layout_is_the_case(case: Case) -> None:
    turned = other_layout(case)
    assert frame_sizes(turned) == frame_sizes(case)
    assert is_time_major(turned) is not is_time_major(case)
    back = other_layout(turned)
    assert [a.tobytes() for a in flatten(argument(back, "inputs"))] == [
        a.tobytes() for a in flatten(argument(case, "inputs"))
    ]


@QUIET
@given(tally_cases(lengths=choice(ANY), time_major=st.booleans()))
def test_rows_and_steps_are_cut_from_everything_that_has_them(case: Case) -> None:
    batch, steps = frame_sizes(case)
    alone, first = one_row(case, batch - 1), time_slice(case, 0, 1)
    assert (frame_sizes(alone), frame_sizes(first)) == ((1, steps), (batch, 1))
    assert steps_of_rows(alone) == steps_of_rows(case)[-1:]
    assert steps_of_rows(first) == [min(count, 1) for count in steps_of_rows(case)]
    assert take_rows(case, range(batch)).digest() == take_rows(take_rows(case, range(batch)), range(batch)).digest()


@pytest.mark.parametrize("pattern", ANY)
@pytest.mark.parametrize("raw", [0, 9, 777, 1295])
@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (2, 3), (4, 5), (3, 0)])
def test_lengths_keep_what_their_pattern_promises(pattern: str, raw: int, batch: int, steps: int) -> None:
    lengths = Frame(batch, steps, pattern, raw).lengths
    if pattern == NONE:
        assert lengths is None
        return
    assert lengths is not None
    assert len(lengths) == batch
    kept = {
        FULL: set(lengths) == {steps},
        ALL_ZERO: set(lengths) == {0},
        RAGGED: min(lengths) < steps or steps == 0,
        ZERO: min(lengths) == 0,
        EARLY: max(lengths) < steps or steps == 0,
        NEGATIVE: min(lengths) < 0,
        LONG: max(lengths) > steps,
    }
    assert kept[pattern]
    assert pattern in (NEGATIVE, LONG) or (min(lengths) >= 0 and max(lengths) <= steps)


@pytest.mark.parametrize("dtype", [*DTYPES, STRING])
def test_arrays_have_their_dtype_and_follow_from_their_seed(dtype: str) -> None:
    for fill in (small, wild):
        array = fill((3, 4, 2), dtype, 1)
        assert array.shape == (3, 4, 2)
        assert array.dtype == np.dtype("S3" if dtype == STRING else dtype)
        assert array.tobytes() == fill((3, 4, 2), dtype, 1).tobytes()
        assert array.tobytes() != fill((3, 4, 2), dtype, 2).tobytes()


def test_wild_floats_have_what_only_a_copy_keeps() -> None:
    values = wild((40,), "float32")
    assert np.isnan(values).any()
    assert np.isinf(values).any()
    assert (np.signbit(values) & (values == 0)).any()


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_a_wrong_argument_names_a_clause_and_changes_a_valid_call(wrong: Any) -> None:
    assert clauses.clause(wrong.clause).testable
    assert wrong.kind in ("TypeError", "ValueError")
    given_names = set(wrong.case().calls[0].arguments)
    assert set(wrong.changes) <= given_names
    assert not set(wrong.omit) & given_names


def test_wrong_arguments_have_names_of_their_own() -> None:
    places = [(wrong.name, repr(wrong.state_size)) for wrong in WRONG]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_built_in_case_brings_all_of_its_weights(kind: str) -> None:
    case = builtin_case(Frame(seed=2), kind, units=3, depth=2)
    shapes = weight_shapes(case.cells["cell"], 2)
    assert {name: value.shape for name, value in case.weights.items()} == shapes
    assert all(np.abs(value).max() <= 1 for value in case.weights.values())


def test_weights_of_a_stack_of_everything() -> None:
    lstm = CellSpec("LSTMCell", {"num_units": 3, "num_proj": 2, "use_peepholes": True, "num_unit_shards": 2})
    shapes = weight_shapes(CellSpec("MultiRNNCell", {}, [lstm, CellSpec("GRUCell", {"num_units": 1})]), 3, "outer/rnn")
    assert shapes == {
        "outer/rnn/multi_rnn_cell/cell_0/lstm_cell/kernel/part_0": (3, 12),
        "outer/rnn/multi_rnn_cell/cell_0/lstm_cell/kernel/part_1": (2, 12),
        "outer/rnn/multi_rnn_cell/cell_0/lstm_cell/bias": (12,),
        "outer/rnn/multi_rnn_cell/cell_0/lstm_cell/w_f_diag": (3,),
        "outer/rnn/multi_rnn_cell/cell_0/lstm_cell/w_i_diag": (3,),
        "outer/rnn/multi_rnn_cell/cell_0/lstm_cell/w_o_diag": (3,),
        "outer/rnn/multi_rnn_cell/cell_0/lstm_cell/projection/kernel": (3, 2),
        "outer/rnn/multi_rnn_cell/cell_1/gru_cell/gates/kernel": (3, 2),
        "outer/rnn/multi_rnn_cell/cell_1/gru_cell/gates/bias": (2,),
        "outer/rnn/multi_rnn_cell/cell_1/gru_cell/candidate/kernel": (3, 1),
        "outer/rnn/multi_rnn_cell/cell_1/gru_cell/candidate/bias": (1,),
    }


def test_arguments_are_added_left_out_and_passed_otherwise() -> None:
    case = tally_case(Frame(pattern=RAGGED, raw=9))
    assert argument(with_arguments(case, swap_memory=True), "swap_memory") is True
    assert "dtype" not in without(case, "dtype").calls[0].arguments
    assert by_keyword(case).calls[0].positional == 0
    assert with_positional(case, 9).calls[0].positional == 3
    assert without(with_positional(case, 3), "sequence_length").calls[0].positional == 2


def test_padding_is_all_that_with_padding_changes() -> None:
    case = tally_case(Frame(2, 3, RAGGED, 9))
    before, after = argument(case, "inputs"), argument(with_padding(case, float("nan")), "inputs")
    for row, count in enumerate(steps_of_rows(case)):
        assert after[row, :count].tobytes() == before[row, :count].tobytes()
        assert np.isnan(after[row, count:]).all()
