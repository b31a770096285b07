"""Holds implementations to IN-5 to 7, 9 to 12, 15 and 17 by the errors for inputs that are refused."""

from typing import Any

from conformance.law.laws import Check, law
from conformance.strategies.derive import argument, with_arguments, without
from conformance.strategies.wrong import around, wrong_cases
from dynamic_rnn_spec.case import Case


def _refused(clause: str) -> Any:
    return lambda: [variant for case in wrong_cases(clause) for variant in around(case)]


@law("IN-5", cases=_refused("IN-5"))
def test_none_is_refused_batch_major(check: Check, case: Case) -> None:
    """ValueError."""
    check.raised(case, "ValueError")
    check.reach("None")


@law("IN-6", cases=_refused("IN-6"))
def test_none_is_refused_time_major(check: Check, case: Case) -> None:
    """ValueError as well."""
    check.raised(case, "ValueError")
    check.reach("None, time-major")


@law("IN-7", cases=_refused("IN-7"))
def test_an_empty_list_is_refused(check: Check, case: Case) -> None:
    """ValueError in both layouts."""
    check.raised(case, "ValueError")
    check.reach("time-major" if argument(case, "time_major") else "batch-major")


def _both_layouts(clause: str) -> Any:
    """The wrong calls of a clause, batch-major and with the array members laid out time-major."""

    def cases() -> list[Case]:
        batch_major = wrong_cases(clause)
        return batch_major + [with_arguments(case, time_major=True) for case in batch_major]

    return cases


@law("IN-9", cases=_both_layouts("IN-9"))
def test_a_structure_without_any_array_is_refused(check: Check, case: Case) -> None:
    """ValueError for (), {}, [[]] and ((), ())."""
    check.raised(case, "ValueError")
    check.reach(type(argument(case, "inputs")).__name__)


def _without_lengths(clause: str) -> Any:
    return lambda: [without(case, "sequence_length") for case in _both_layouts(clause)()]


@law("IN-10", cases=_without_lengths("IN-10"))
def test_members_that_disagree_on_batch_or_time_are_refused(check: Check, case: Case) -> None:
    """ValueError, also where a dimension of 1 could be spread."""
    check.raised(case, "ValueError")
    check.reach("time-major" if argument(case, "time_major") else "batch-major")


@law("IN-11", cases=_without_lengths("IN-11"))
def test_an_input_of_rank_below_two_is_refused(check: Check, case: Case) -> None:
    """ValueError for rank 0 and 1, alone and as a member."""
    check.raised(case, "ValueError")
    check.reach("time-major" if argument(case, "time_major") else "batch-major")


@law("IN-12", cases=lambda: wrong_cases("IN-12") + [without(case, "sequence_length") for case in wrong_cases("IN-12")])
def test_none_as_a_member_is_refused(check: Check, case: Case) -> None:
    """ValueError."""
    check.raised(case, "ValueError")
    check.reach(type(argument(case, "inputs")).__name__)


@law("IN-15", cases=wrong_cases("IN-15"))
def test_lists_of_numbers_are_refused(check: Check, case: Case) -> None:
    """ValueError: a list is a structure, and a number in it has no batch and no time."""
    check.raised(case, "ValueError")
    check.reach("numbers")


@law("IN-17", cases=_both_layouts("IN-17"))
def test_what_is_neither_array_nor_structure_is_refused(check: Check, case: Case) -> None:
    """TypeError, alone and beside an array."""
    check.raised(case, "TypeError")
    check.reach(type(argument(case, "inputs")).__name__)
