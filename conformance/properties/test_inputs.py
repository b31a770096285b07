"""Holds implementations to IN-1 to 4, 8, 13, 14 and 16 (layouts, structures and dtypes of the inputs) by the
definitions of the probe cells, and by traces of what reached them."""

from typing import Any

from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import judge
from conformance.model.traces import cell_calls, inputs_at, key_orders
from conformance.strategies.arrays import DTYPES
from conformance.strategies.derive import argument, frame_sizes, steps_of_rows
from conformance.strategies.frame import Frame, choice
from conformance.strategies.lengths import ANY
from conformance.strategies.probes import echo_case, echo_cases, last_input_cases, tally_case, tally_cases
from conformance.strategies.structures import INPUT_SHAPES, RANK_TWO_SHAPES, Pair, nests, structures
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import flatten
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

LAYOUTS = st.booleans()
LENGTHS = choice(ANY)


def _judge(check: Check, case: Case) -> Any:
    """The answer, which must be that of the definition; that the case works is part of the promise."""
    answer = check.returned(case, own=True)
    judge(check, answer, case)
    return answer


def _seen(check: Check, case: Case) -> list[Any]:
    """What the cell was given at each step, which must be the structure of the inputs at that step, bit for bit."""
    seen = [call["inputs"] for call in cell_calls(check.returned(case, own=True))]
    check.that(len(seen) == frame_sizes(case)[1], f"expected {frame_sizes(case)[1]} calls of the cell, got {len(seen)}")
    for step, value in enumerate(seen):
        check.equal(value, inputs_at(case, step), where=f"trace[{step}].inputs")
    return seen


@law("IN-1", cases=echo_cases(content="wild", max_time=st.integers(2, 5), lengths=LENGTHS))
def test_step_t_sees_the_column_t(check: Check, case: Case) -> None:
    """An Echo gives back x[:, t] at step t, bit for bit, as far as the lengths go."""
    _judge(check, case)
    batch, steps = frame_sizes(case)
    check.reach("B is T" if batch == steps else "B is not T")


@law("IN-1", cases=last_input_cases(content="wild", lengths=LENGTHS))
def test_the_last_step_sees_the_last_column(check: Check, case: Case) -> None:
    """A LastInput ends with the input of each row's last step as its state."""
    _judge(check, case)
    check.reach("some step" if max(steps_of_rows(case)) else "no step")


@law("IN-1", cases=tally_cases(lengths=LENGTHS))
def test_each_call_of_the_cell_is_given_one_column(check: Check, case: Case) -> None:
    """The trace of a cell shows x[:, 0], x[:, 1] and so on."""
    _seen(check, case)
    check.reach("traced")


@law("IN-2", cases=tally_cases(inputs=nests(INPUT_SHAPES), lengths=LENGTHS, time_major=LAYOUTS))
def test_every_member_of_nested_tuples_reaches_its_place(check: Check, case: Case) -> None:
    """A Tally weighs each member by its place, so members that are lost or exchanged are seen."""
    _judge(check, case)
    check.reach(f"{len(flatten(argument(case, 'inputs')))} members")


@law("IN-2", cases=tally_cases(inputs=nests(INPUT_SHAPES), time_major=LAYOUTS))
def test_nested_tuples_are_replicated_at_each_step(check: Check, case: Case) -> None:
    """The cell is given tuples nested as the inputs are."""
    _seen(check, case)
    check.reach("nested tuples")


VARIED = choice(
    (
        (TensorShape([2]), TensorShape([2, 3])),
        (TensorShape([1, 2, 2]), TensorShape([3])),
        (TensorShape([3]), (TensorShape([1]), TensorShape([2, 1]))),
        ((TensorShape([2]),), TensorShape([4]), TensorShape([1, 1, 1, 2])),
    )
)


@law("IN-3", cases=tally_cases(inputs=VARIED, lengths=LENGTHS, time_major=LAYOUTS))
def test_members_may_differ_in_rank_and_dimensions(check: Check, case: Case) -> None:
    """Ranks 3 to 6 and various dimensions side by side."""
    _judge(check, case)
    ranks = {leaf.ndim for leaf in flatten(argument(case, "inputs"))}
    check.reach("ranks " + ", ".join(map(str, sorted(ranks))))


@law("IN-4", cases=tally_cases(inputs=structures(INPUT_SHAPES), time_major=LAYOUTS))
def test_a_member_at_a_step_has_lost_its_time_axis_only(check: Check, case: Case) -> None:
    """[B, ...]: the shape of the member without time."""
    batch = frame_sizes(case)[0]
    shapes = [(batch, *leaf.shape[2:]) for leaf in flatten(argument(case, "inputs"))]
    for step, call in enumerate(cell_calls(check.returned(case, own=True))):
        got = [leaf.shape for leaf in flatten(call["inputs"])]
        check.that(got == shapes, f"expected shapes {shapes}, got {got}", shapes, got, f"trace[{step}].inputs")
    check.reach("traced")


@law("IN-4", cases=echo_cases(sizes=structures(INPUT_SHAPES), time_major=LAYOUTS))
def test_a_member_comes_through_a_cell_in_its_shape(check: Check, case: Case) -> None:
    """An Echo hands each member [B, ...] on as an output, and the outputs have the members' shapes."""
    outputs = check.returned(case, own=True).outputs
    shapes = [leaf.shape for leaf in flatten(argument(case, "inputs"))]
    got = [leaf.shape for leaf in flatten(outputs)]
    check.that(got == shapes, f"expected shapes {shapes}, got {got}", shapes, got, "outputs")
    check.reach("echoed")


ANY_CONTAINERS = nests(INPUT_SHAPES, ("list", "dict", "namedtuple", "tuple"))
_A, _B = INPUT_SHAPES[1], INPUT_SHAPES[3]
EACH_CONTAINER = [
    tally_case(Frame(2, 3, time_major=time_major), shapes)
    for shapes in ([_A, _B], {"z": _A, "a": _B}, Pair(_A, _B), ({"z": [_A], "b": _B, "c": Pair(_B, _A)}, [_B]))
    for time_major in (False, True)
]


@law("IN-8", cases=tally_cases(inputs=ANY_CONTAINERS, lengths=LENGTHS, time_major=LAYOUTS))
def test_every_member_of_lists_dicts_and_named_tuples_reaches_its_place(check: Check, case: Case) -> None:
    """A Tally weighs each member by its place; a dict counts in the order of its sorted keys."""
    _judge(check, case)
    check.reach(type(argument(case, "inputs")).__name__)


@law("IN-8", cases=EACH_CONTAINER)
def test_lists_dicts_and_named_tuples_are_replicated(check: Check, case: Case) -> None:
    """The cell is given containers of the same types, a dict with its keys in the order in which they were put in."""
    wanted = key_orders(argument(case, "inputs"))
    for step, value in enumerate(_seen(check, case)):
        got = key_orders(value)
        check.that(got == wanted, f"expected the keys in the order {wanted}, got {got}", wanted, got, f"trace[{step}]")
    check.reach(type(argument(case, "inputs")).__name__)


@law("IN-13", cases=tally_cases(inputs=TensorShape([]), lengths=LENGTHS, time_major=LAYOUTS))
def test_rank_two_is_enough(check: Check, case: Case) -> None:
    """[B, T] alone."""
    _judge(check, case)
    check.reach("alone")


@law(
    "IN-13",
    cases=echo_cases(
        sizes=st.builds(lambda other: (RANK_TWO_SHAPES[0], other), choice(INPUT_SHAPES)), time_major=LAYOUTS
    ),
)
def test_rank_two_is_enough_beside_others(check: Check, case: Case) -> None:
    """[B, T] as a member, which an Echo gives back."""
    _judge(check, case)
    check.reach("as a member")


MIXED = st.lists(choice(DTYPES), min_size=2, max_size=4).map(tuple)


EVERY_DTYPE = [
    echo_case(Frame(2, 3, pattern, 9, time_major=time_major, seed=number), TensorShape([2, 2]), dtype, "wild")
    for number, dtype in enumerate((*DTYPES, "bytes"))
    for pattern, time_major in (("none", False), ("ragged", True))
]


@law("IN-14", cases=EVERY_DTYPE)
def test_inputs_of_any_dtype_come_through_bit_for_bit(check: Check, case: Case) -> None:
    """An Echo of each dtype, with NaN, infinities, -0.0 and the extremes of the integers."""
    _judge(check, case)
    check.reach(flatten(argument(case, "inputs"))[0].dtype.name)


@law("IN-14", cases=tally_cases(inputs=nests(INPUT_SHAPES), input_dtypes=MIXED, dtype=choice(("float32", "int32"))))
def test_inputs_of_several_dtypes_are_not_cast(check: Check, case: Case) -> None:
    """Members of several dtypes, none of them that of the state, reach the cell in their own."""
    _seen(check, case)
    _judge(check, case)
    check.reach(f"{len({leaf.dtype for leaf in flatten(argument(case, 'inputs'))})} dtypes")


WITH_EMPTY: Any = tally_cases(
    inputs=choice(([TensorShape([2]), []], (TensorShape([1]), []), ([], (TensorShape([2, 1]), TensorShape([1]))))),
    lengths=LENGTHS,
)


@law("IN-16", cases=WITH_EMPTY)
def test_an_empty_list_beside_an_array_is_allowed(check: Check, case: Case) -> None:
    """The call gives what the arrays alone give."""
    _judge(check, case)
    check.reach("beside an array")


@law("IN-16", cases=WITH_EMPTY)
def test_an_empty_list_is_found_again_at_each_step(check: Check, case: Case) -> None:
    """The cell finds it in its place."""
    _seen(check, case)
    check.reach("traced")
