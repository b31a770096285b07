"""Holds implementations to EQ-1 to 7 (the equations of the built-in cells with weights) by the suite's own float64
model and a second implementation."""

from typing import Any

import numpy as np

from conformance.law.laws import Check, law
from conformance.model.agreement import (
    agrees_with_oracle,
    expected_pair,
    follows_equations,
    reach,
)
from conformance.strategies import options
from conformance.strategies.derive import steps_of_rows
from conformance.strategies.frame import choice
from conformance.strategies.options import leaf, spec_cases
from dynamic_rnn_spec.case import Case

LONG: Any = {
    "units": choice((3, 2)),
    "batch": choice((2, 3)),
    "max_time": choice((4, 3, 5)),
    "lengths": choice(("none", "full", "ragged")),
}
"""Frames where what is limited or dropped is hardly ever missed."""
BASIC = spec_cases(leaf("BasicRNNCell"))
GRU = spec_cases(leaf("GRUCell"))
BASIC_LSTM = spec_cases(leaf("BasicLSTMCell"))
LSTM = spec_cases(leaf("LSTMCell"))
PEEPHOLES = spec_cases(
    leaf(
        "LSTMCell",
        use_peepholes=True,
        cell_clip=choice((None, 0.25)),
        num_proj=choice((None, 2)),
        forget_bias=choice((1.0, -0.5)),
    )
)
CELL_CLIP = spec_cases(leaf("LSTMCell", cell_clip=choice(options.CLIPS), use_peepholes=choice((False, True))), **LONG)
NUM_PROJ = spec_cases(
    leaf("LSTMCell", num_proj=choice(options.PROJECTIONS), use_peepholes=choice((False, True)), cell_clip=None)
)
PROJ_CLIP = spec_cases(
    leaf("LSTMCell", num_proj=choice(options.PROJECTIONS), proj_clip=choice((0.0625, 0.03125, 0.125))), **LONG
)


@law("EQ-1", cases=BASIC)
def test_basic_rnn_follows_its_equation(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-1", cases=BASIC, oracle=True)
def test_basic_rnn_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-2", cases=GRU)
def test_gru_follows_its_equations(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-2", cases=GRU, oracle=True)
def test_gru_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-3", cases=BASIC_LSTM)
def test_basic_lstm_follows_its_equations(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-3", cases=BASIC_LSTM, oracle=True)
def test_basic_lstm_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-4", cases=LSTM)
def test_lstm_follows_its_equations(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-4", cases=LSTM, oracle=True)
def test_lstm_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-5", cases=PEEPHOLES)
def test_peepholes_follow_their_equations(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-5", cases=PEEPHOLES, oracle=True)
def test_peepholes_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-6", cases=CELL_CLIP)
def test_cell_clip_limits_c(check: Check, case: Case) -> None:
    follows_equations(check, case, "clipped")


@law("EQ-6", cases=CELL_CLIP)
def test_no_c_is_beyond_cell_clip(check: Check, case: Case) -> None:
    limit = case.cells["cell"].options["cell_clip"]
    stepped = [row for row, count in enumerate(steps_of_rows(case)) if count > 0]
    got = check.returned(case).state.c[stepped]
    check.that(bool(np.all(np.abs(got) <= limit)), f"c is beyond cell_clip = {limit}", got=got, where="state.c")
    if "clipped" in expected_pair(case)[0].seen:
        reach(check, case, "clipped")


@law("EQ-6", cases=CELL_CLIP, oracle=True)
def test_cell_clip_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)


@law("EQ-7", cases=NUM_PROJ)
def test_projection_follows_its_equation(check: Check, case: Case) -> None:
    follows_equations(check, case)


@law("EQ-7", cases=PROJ_CLIP)
def test_proj_clip_limits_the_projection(check: Check, case: Case) -> None:
    follows_equations(check, case, "projection clipped")


@law("EQ-7", cases=NUM_PROJ, oracle=True)
def test_projection_as_the_oracle(check: Check, case: Case) -> None:
    agrees_with_oracle(check, case)
