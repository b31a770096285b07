"""Holds implementations to SWAP-1 to 3 (swap_memory is a bool and never changes a value) by the same call with and
without it; where memory lies is not observed."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import expected
from conformance.properties import rows
from conformance.strategies.builtin import PLAIN, builtin_cases
from conformance.strategies.derive import argument, with_arguments, without
from conformance.strategies.frame import choice
from conformance.strategies.lengths import VALID
from conformance.strategies.probes import tally_cases
from conformance.strategies.structures import structures
from conformance.strategies.wrong import wrong_cases
from dynamic_rnn_spec.case import Case

LAYOUTS = st.booleans()
FLAGS: tuple[Any, ...] = (True, np.True_)


def _same(check: Check, case: Case, other: Case) -> None:
    """Both work and give the same bits."""
    one, another = check.returned(case, own=True), check.returned(other, own=True)
    check.equal(another.outputs, one.outputs, where="outputs")
    check.equal(another.state, one.state, where="state")


@law("SWAP-1", cases=tally_cases(lengths=choice(VALID), time_major=LAYOUTS))
def test_left_out_is_false(check: Check, case: Case) -> None:
    """Leaving swap_memory out gives what False gives."""
    _same(check, case, with_arguments(case, swap_memory=False))
    check.reach("left out")


@law(
    "SWAP-2",
    cases=st.builds(
        lambda case, flag: with_arguments(case, swap_memory=flag),
        tally_cases(state_size=structures(), output_size=structures(), lengths=choice(VALID), time_major=LAYOUTS),
        choice(FLAGS),
    ),
)
def test_true_and_false_give_the_same(check: Check, case: Case) -> None:
    """True, of Python or of NumPy, gives the bits of False, and what the cell's definition says."""
    _same(check, with_arguments(case, swap_memory=False), case)
    answer = check.returned(case)
    outputs, state = expected(case)
    check.equal(answer.outputs, outputs, where="outputs")
    check.equal(answer.state, state, where="state")
    check.reach("Python's True" if argument(case, "swap_memory") is True else "NumPy's True")


@law("SWAP-2", cases=builtin_cases(kinds=choice(PLAIN), lengths=choice(VALID), time_major=LAYOUTS))
def test_true_and_false_give_the_same_on_built_in_cells(check: Check, case: Case) -> None:
    """The same on the built-in cells, within tolerance: a library's products may sum in another order."""
    one, another = check.returned(case), check.returned(with_arguments(case, swap_memory=True), own=True)
    check.close(another.outputs, one.outputs, rows.allowed(case), where="outputs")
    check.close(another.state, one.state, rows.allowed(case), where="state")
    check.reach("built-in cell")


@law("SWAP-3", cases=wrong_cases("SWAP-3"))
def test_what_is_no_bool(check: Check, case: Case) -> None:
    """Numbers, None, strings, arrays: TypeError."""
    check.raised(case, "TypeError")
    check.returned(without(case, "swap_memory"))
    check.reach("refused")
