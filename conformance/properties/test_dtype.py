"""Holds implementations to DTYPE-1, 2, 5 to 9 and 11 (what dtype is the type of, and when it may be left out) by the
dtypes of the results and the definitions of the probe cells."""

from typing import Any

from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import expected
from conformance.model.traces import cell_calls
from conformance.properties import rows
from conformance.strategies.arrays import DTYPES
from conformance.strategies.builtin import PLAIN, builtin_cases
from conformance.strategies.derive import argument, frame_sizes, with_arguments, with_state, without
from conformance.strategies.frame import Frame, choice
from conformance.strategies.lengths import ALL_ZERO, SHORTENING, VALID
from conformance.strategies.probes import echo_cases, last_input_cases, state_rows, tally_cases
from conformance.strategies.structures import nests, structures
from dynamic_rnn_spec.case import Case, DType
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure

LAYOUTS = st.booleans()
ANY_TIME = choice((2, 1, 3, 0))
MIXED = choice((("float32", "int32"), ("int64", "bool", "float64"), ("complex64", "int8"), ("uint8", "float16")))
ONE_DTYPE = choice((("int32",), ("float64",), ("float16",), ("bool",), ("complex64",), ("int64",)))


def _dtypes(value: Any) -> Any:
    """The name of the dtype of every leaf."""
    return map_structure(lambda leaf: getattr(getattr(leaf, "dtype", type(leaf)), "name", "none"), value)


def _as_defined(check: Check, case: Case) -> None:
    """The case works and gives what the probe's definition says."""
    answer = check.returned(case, own=True)
    outputs, state = expected(case)
    check.equal(answer.outputs, outputs, where="outputs")
    check.equal(answer.state, state, where="state")


@law("DTYPE-1", cases=tally_cases(initial_state=False, input_dtypes=choice(DTYPES), max_time=ANY_TIME))
def test_the_made_state_is_of_the_dtype(check: Check, case: Case) -> None:
    """A Tally's final state has the dtype of its first: that is the given one, whatever the inputs are of."""
    state = check.returned(case).state
    check.equal(_dtypes(state), _dtypes(expected(case)[1]), where="state")
    check.reach(argument(case, "dtype"))


@law("DTYPE-1", cases=builtin_cases(kinds=choice(PLAIN), initial_state=False, lengths=ALL_ZERO))
def test_the_made_state_of_built_in_cells_is_of_the_dtype(check: Check, case: Case) -> None:
    """The same for the built-in cells."""
    state = check.returned(case).state
    check.equal(_dtypes(state), map_structure(lambda leaf: argument(case, "dtype"), state), where="state")
    check.reach(argument(case, "dtype"))


@law("DTYPE-2", cases=tally_cases(output_size=structures(), max_time=ANY_TIME, lengths=choice(VALID)))
def test_tally_outputs_are_of_the_dtype(check: Check, case: Case) -> None:
    """Every output leaf of a Tally has the given dtype, also where there are no steps."""
    outputs = check.returned(case).outputs
    check.equal(_dtypes(outputs), _dtypes(expected(case)[0]), where="outputs")
    check.reach("no steps" if frame_sizes(case)[1] == 0 else argument(case, "dtype"))


@law("DTYPE-2", cases=echo_cases(lengths=choice(SHORTENING), time_major=LAYOUTS))
def test_echo_outputs_are_of_the_dtype(check: Check, case: Case) -> None:
    """Every output leaf of an Echo has the given dtype, with padding as well."""
    outputs = check.returned(case).outputs
    check.equal(_dtypes(outputs), _dtypes(expected(case)[0]), where="outputs")
    check.reach(argument(case, "dtype"))


@law("DTYPE-2", cases=builtin_cases(kinds=choice(PLAIN)))
def test_outputs_of_built_in_cells_are_of_the_dtype(check: Check, case: Case) -> None:
    """The same for the built-in cells."""
    check.equal(_dtypes(check.returned(case).outputs), argument(case, "dtype"), where="outputs")
    check.reach(argument(case, "dtype"))


@law("DTYPE-5", cases=tally_cases(initial_state=True, dtype_given=False, lengths=choice(VALID), time_major=LAYOUTS))
def test_a_state_of_one_dtype_needs_no_dtype(check: Check, case: Case) -> None:
    """A Tally goes on from a state of one dtype, and its outputs have that dtype too."""
    _as_defined(check, case)
    check.reach("outputs of the state's dtype")


def _without_dtype(case: Case) -> Case:
    return without(case, "dtype")


@law("DTYPE-5", cases=builtin_cases(kinds=choice(PLAIN), initial_state=True).map(_without_dtype))
def test_a_built_in_cell_with_a_state_needs_no_dtype(check: Check, case: Case) -> None:
    """A built-in cell with a given state gives the same without a dtype as with it."""
    answer = check.returned(case, own=True)
    told = check.returned(with_arguments(case, dtype=flatten(argument(case, "initial_state"))[0].dtype.name))
    check.close(answer.outputs, told.outputs, rows.allowed(case), where="outputs")
    check.close(answer.state, told.state, rows.allowed(case), where="state")
    check.reach("built-in cell")


def _counting_in(case: Case, dtype: str) -> Case:
    """The Echo without a dtype and with a given state of this one."""
    batch, _ = frame_sizes(case)
    return without(with_state(case, state_rows(Frame(batch=batch), 1, dtype)), "dtype")


OTHER_OUTPUTS = st.builds(
    _counting_in,
    echo_cases(dtype=choice(("float32", "float64", "bool", "complex64")), lengths=choice(VALID), time_major=LAYOUTS),
    choice(("int32", "int64", "float16")),
)


@law("DTYPE-5", cases=OTHER_OUTPUTS)
def test_outputs_of_another_dtype_than_the_states(check: Check, case: Case) -> None:
    """An Echo that counts in one dtype gives its outputs in another, which is that of its inputs."""
    _as_defined(check, case)
    check.reach("outputs of another dtype")


def _of_several_dtypes(case: Case, dtypes: tuple[str, ...]) -> Case:
    """The Echo without a dtype, its members being of these dtypes in turn."""
    number = iter(range(1000))
    inputs = map_structure(lambda leaf: leaf.astype(dtypes[next(number) % len(dtypes)]), argument(case, "inputs"))
    return _counting_in(with_arguments(case, inputs=inputs), "int32")


@law(
    "DTYPE-5",
    cases=st.builds(_of_several_dtypes, echo_cases(sizes=nests((2, 1)), dtype="float32", lengths=choice(VALID)), MIXED),
)
def test_outputs_of_several_dtypes(check: Check, case: Case) -> None:
    """The outputs of an Echo each have the dtype of their own member of the inputs."""
    _as_defined(check, case)
    check.reach("outputs of several dtypes")


@law(
    "DTYPE-6",
    cases=tally_cases(state_size=choice(((), [], ((), ()))), initial_state=True, time_major=LAYOUTS).map(
        _without_dtype
    ),
)
def test_an_empty_state_needs_no_dtype(check: Check, case: Case) -> None:
    """With a given empty state and no dtype, the outputs have the dtype in which the cell gives them."""
    _as_defined(check, case)
    check.reach("empty")


@law("DTYPE-7", cases=tally_cases(state_size=nests(), state_dtypes=MIXED, lengths=choice(VALID), time_major=LAYOUTS))
def test_a_mixed_state_works_with_a_dtype(check: Check, case: Case) -> None:
    """A state of several dtypes is accepted beside a dtype, and a Tally goes on from it."""
    _as_defined(check, case)
    check.reach("mixed")


@law("DTYPE-8", cases=tally_cases(state_dtypes=st.one_of(MIXED, ONE_DTYPE), lengths=choice((*VALID, ALL_ZERO))))
def test_a_given_state_is_never_cast(check: Check, case: Case) -> None:
    """The final state has the dtypes of the given one, whatever dtype is."""
    state = check.returned(case, own=True).state
    check.equal(_dtypes(state), _dtypes(argument(case, "initial_state")), where="state")
    check.equal(state, expected(case)[1], where="state")
    check.reach("dtype is another" if argument(case, "dtype") != flatten(_dtypes(state))[0] else "dtype is the same")


@law("DTYPE-8", cases=tally_cases(state_dtypes=st.one_of(MIXED, ONE_DTYPE)))
def test_the_first_step_sees_the_given_dtypes(check: Check, case: Case) -> None:
    """The first call of the cell is given the state as it came, bit for bit."""
    first = cell_calls(check.returned(case, own=True))[0]
    check.equal(first["state"], argument(case, "initial_state"), where="state of the first step")
    check.reach("first step")


@law(
    "DTYPE-9",
    cases=tally_cases(initial_state=True, dtype_given=False, output_size=structures(), max_time=choice((2, 0, 1, 3))),
)
def test_outputs_take_the_states_dtype(check: Check, case: Case) -> None:
    """Where dtype is missing, the outputs of a Tally have the state's, also where there are no steps."""
    outputs = check.returned(case, own=True).outputs
    check.equal(_dtypes(outputs), _dtypes(expected(case)[0]), where="outputs")
    check.reach("no steps" if frame_sizes(case)[1] == 0 else "steps")


@law(
    "DTYPE-9",
    cases=last_input_cases(initial_state=True, dtype=choice(DTYPES), max_time=choice((1, 0, 2))).map(_without_dtype),
)
def test_outputs_of_a_last_input_take_the_states_dtype(check: Check, case: Case) -> None:
    """The same for a LastInput."""
    outputs = check.returned(case, own=True).outputs
    check.equal(_dtypes(outputs), _dtypes(expected(case)[0]), where="outputs")
    check.reach("no steps" if frame_sizes(case)[1] == 0 else "steps")


NAMED = choice(("float32", "float64", "int32", "float16", "complex64", "bool", "int64", "uint8"))


@law("DTYPE-11", cases=tally_cases(dtype=NAMED, initial_state=False))
def test_name_type_and_object_are_the_same(check: Check, case: Case) -> None:
    """The name, NumPy's scalar type and the dtype object give the same."""
    named = check.returned(case, own=True)
    for form in ("dtype", "type"):
        other = check.returned(with_arguments(case, dtype=DType(argument(case, "dtype"), form)), own=True)
        check.equal(other.outputs, named.outputs, where="outputs")
        check.equal(other.state, named.state, where="state")
    check.equal(_dtypes(named.outputs), _dtypes(expected(case)[0]), where="outputs")
    check.reach(argument(case, "dtype"))
