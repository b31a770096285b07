"""Holds implementations to SIG-1 to 6 (the nine parameters, and the pair that comes back) by calls that give the
parameters by position, by name or not at all."""

from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import expected, judge, same_pair
from conformance.model.traces import changed_arguments
from conformance.strategies.derive import by_keyword, frame_sizes, is_time_major, with_arguments, with_positional
from conformance.strategies.frame import Frame, choice
from conformance.strategies.lengths import ALL_ZERO, ANY, EARLY, FULL, RAGGED, ZERO
from conformance.strategies.probes import affine_case, affine_cases, echo_cases, last_input_cases, tally_cases
from conformance.strategies.structures import CONTAINERS, INPUT_SHAPES, structures
from dynamic_rnn_spec.case import Case

SCOPE = "elsewhere"
OPTIONAL = ("sequence_length", "initial_state", "dtype", "parallel_iterations", "swap_memory", "time_major", "scope")
GIVEN_LENGTHS = choice((RAGGED, ZERO, FULL, EARLY, ALL_ZERO))


def _nine(case: Case) -> Case:
    """All nine arguments, none with its default where another value can be told from it.

    The weights of the case lie under SCOPE, so a scope that is not taken for one gives other values.
    """
    return with_arguments(
        case, parallel_iterations=5, swap_memory=not is_time_major(case), time_major=is_time_major(case), scope=SCOPE
    )


NINE = affine_cases(scope=SCOPE, lengths=GIVEN_LENGTHS, initial_state=True, time_major=st.booleans()).map(_nine)


@law("SIG-1", cases=NINE)
def test_nine_arguments_by_position(check: Check, case: Case) -> None:
    """Nine arguments in the page's order mean what the page says each of them means."""
    answer = check.returned(with_positional(case, 9), own=True)
    check.reach("time-major" if is_time_major(case) else "batch-major")
    judge(check, answer, case)


def _some_by_position() -> list[Case]:
    """2 to 8 of the nine by position, in both layouts."""
    layouts = [
        _nine(affine_case(Frame(batch, 3, RAGGED, 9 + batch, given=True, time_major=bool(batch % 2)), scope=SCOPE))
        for batch in (2, 3)
    ]
    return [with_positional(case, count) for case in layouts for count in range(2, 9)]


@law("SIG-1", cases=_some_by_position)
def test_any_number_of_them_by_position(check: Check, case: Case) -> None:
    """The first few by position and the others by name are the same call."""
    answer = check.returned(case, own=True)
    check.reach(f"{case.calls[0].positional} by position")
    judge(check, answer, case)


@law("SIG-2", cases=NINE)
def test_nine_arguments_by_name(check: Check, case: Case) -> None:
    """All nine by name, the cell and the inputs too."""
    answer = check.returned(by_keyword(case), own=True)
    check.reach("by name")
    judge(check, answer, case)


@law("SIG-2", cases=tally_cases(lengths=choice(ANY), time_major=st.booleans()))
def test_by_name_as_by_position(check: Check, case: Case) -> None:
    """By name and, as far as none is left out, by position: the same result."""
    by_name = check.returned(by_keyword(case), own=True)
    by_position = check.returned(with_positional(case, 9))
    check.reach("by name and by position")
    same_pair(check, by_name.result, by_position.result)


@law("SIG-3", cases=tally_cases(lengths="none", initial_state=True, dtype_given=False))
def test_all_optional_ones_left_out(check: Check, case: Case) -> None:
    """Beside a given state of one dtype, cell and inputs are all that a call needs; None and False are the defaults."""
    bare = check.returned(case, own=True)
    defaults = dict.fromkeys(OPTIONAL) | {"swap_memory": False, "time_major": False}
    del defaults["initial_state"]
    if "dtype" in case.calls[0].arguments:
        del defaults["dtype"]
    else:
        check.reach("dtype left out")
    spelled = check.returned(with_arguments(case, **defaults), own=True)
    check.reach("left out")
    same_pair(check, spelled.result, bare.result)
    judge(check, bare, case)


@law("SIG-3", cases=tally_cases(time_major=False))
def test_each_optional_one_left_out(check: Check, case: Case) -> None:
    """Each argument that is left out means its default: for every one that the case leaves out, alone."""
    bare = check.returned(case, own=True)
    judge(check, bare, case)
    left_out = [name for name in OPTIONAL if name not in case.calls[0].arguments]
    batch, steps = frame_sizes(case)
    name = left_out[(batch * 5 + steps) % len(left_out)]
    default = False if name in ("swap_memory", "time_major") else None
    spelled = check.returned(with_arguments(case, **{name: default}), own=True)
    check.reach(f"{name} left out")
    same_pair(check, spelled.result, bare.result)


@law("SIG-4", cases=tally_cases(lengths=choice(ANY), time_major=st.booleans()))
def test_outputs_come_first_and_the_state_second(check: Check, case: Case) -> None:
    """Two things come back, and they are not exchanged."""
    answer = check.returned(case, own=True)
    outputs, state = expected(case)
    check.reach("a pair")
    check.equal(answer.result[0], outputs, where="outputs")
    check.equal(answer.result[1], state, where="state")


@law("SIG-5", cases=tally_cases(output_size=structures(containers=CONTAINERS)))
def test_the_pair_is_a_plain_tuple(check: Check, case: Case) -> None:
    """The type is tuple itself, whatever the outputs and the state are."""
    result = check.returned(case, own=True).result
    check.reach("a pair")
    check.that(type(result) is tuple, f"expected a plain tuple, got {type(result).__name__}", tuple(result), result)


@law("SIG-6", cases=tally_cases(inputs=structures(INPUT_SHAPES, CONTAINERS), lengths=choice(ANY), initial_state=True))
def test_no_argument_is_written_to(check: Check, case: Case) -> None:
    """Inputs, lengths and the given state hold after the call what they held before, also inside structures."""
    changed = changed_arguments(check.returned(case))
    check.reach("initial_state given")
    check.that(not changed, f"expected no argument to be changed, got {', '.join(changed)}", [], list(changed))


@law("SIG-6", cases=st.one_of(echo_cases(content="wild"), last_input_cases(content="wild", initial_state=True)))
def test_no_argument_is_written_to_where_the_cell_hands_it_on(check: Check, case: Case) -> None:
    """The same with cells that return their very arguments as output or state: masking in place is seen."""
    changed = changed_arguments(check.returned(case))
    check.reach("lengths" if "sequence_length" in case.calls[0].arguments else "no lengths")
    check.that(not changed, f"expected no argument to be changed, got {', '.join(changed)}", [], list(changed))
