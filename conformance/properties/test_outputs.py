"""Holds implementations to OUT-1 to 8 (the shapes and the structure of the outputs) by the definitions of probe cells
with every kind of output_size."""

from typing import Any

from hypothesis import strategies as st

from conformance.law.laws import Check, law
from conformance.model.expected import expected, same_pair
from conformance.model.traces import key_orders
from conformance.strategies.derive import argument, containers, frame_sizes, steps_of_rows, with_arguments
from conformance.strategies.frame import Frame, choice
from conformance.strategies.lengths import ANY
from conformance.strategies.probes import echo_cases, rogue_cases, tally_case, tally_cases
from conformance.strategies.structures import INPUT_SHAPES, INTEGER_SIZES, SHAPES, Pair, flat_tuples, nests, structures
from dynamic_rnn_spec.case import Case
from dynamic_rnn_spec.vocabulary.structure import flatten, is_sequence
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

LAYOUTS = st.booleans()


def _judge(check: Check, case: Case) -> Any:
    """The outputs, which must be those of the definition in containers, shapes, dtype and bits."""
    answer = check.returned(case, own=True)
    check.equal(answer.outputs, expected(case)[0], where="outputs")
    return answer.outputs


@law("OUT-1", cases=tally_cases(output_size=choice(INTEGER_SIZES), lengths=choice(ANY)))
def test_batch_major_is_batch_time_size(check: Check, case: Case) -> None:
    """One array [B, T, n], filled with what the cell returned."""
    outputs = _judge(check, case)
    batch, steps = frame_sizes(case)
    check.that(outputs.shape[:2] == (batch, steps), f"expected the axes {(batch, steps)} first, got {outputs.shape}")
    check.reach("ragged" if min(steps_of_rows(case)) < steps else "full")


@law("OUT-2", cases=tally_cases(output_size=choice(INTEGER_SIZES), lengths=choice(ANY), time_major=True))
def test_time_major_is_time_batch_size(check: Check, case: Case) -> None:
    """One array [T, B, n]."""
    outputs = _judge(check, case)
    batch, steps = frame_sizes(case)
    check.that(outputs.shape[:2] == (steps, batch), f"expected the axes {(steps, batch)} first, got {outputs.shape}")
    check.reach("B is T" if batch == steps else "B is not T")


@law("OUT-3", cases=tally_cases(output_size=choice(SHAPES), time_major=LAYOUTS))
def test_a_tensor_shape_follows_the_two_axes(check: Check, case: Case) -> None:
    """One array of two leading axes and the shape."""
    shape = _judge(check, case).shape
    dims = case.cells["cell"].options["output_size"].dims
    check.that(shape[2:] == dims, f"expected {dims} behind the first two axes, got {shape}")
    check.reach(f"rank {len(dims)}")


@law("OUT-3", cases=tally_cases(output_size=nests(SHAPES), time_major=LAYOUTS))
def test_a_tensor_shape_as_a_member(check: Check, case: Case) -> None:
    """The same for each member of a structure."""
    _judge(check, case)
    check.reach("in a tuple")


@law("OUT-4", cases=tally_cases(output_size=nests(), lengths=choice(ANY), time_major=LAYOUTS))
def test_nested_tuples_as_output_size_has_them(check: Check, case: Case) -> None:
    """Tuples within tuples come back as they stand in output_size, each array shaped by its size."""
    outputs = _judge(check, case)
    check.reach("nested" if containers(outputs) > 1 else "flat")


EACH_CONTAINER = [
    tally_case(Frame(2, 3, "ragged", 9, time_major=time_major), output_size=sizes)
    for sizes in ([2, 1], {"z": 2, "a": 1}, Pair(TensorShape([2]), 1), ([2, {"k": 1, "b": [3], "c": 2}], Pair(2, [1])))
    for time_major in (False, True)
]
ANY_CONTAINERS = nests(containers=("list", "dict", "namedtuple", "tuple"))


@law("OUT-5", cases=tally_cases(output_size=ANY_CONTAINERS, lengths=choice(ANY), time_major=LAYOUTS))
def test_any_nest_of_containers_as_output_size_has_it(check: Check, case: Case) -> None:
    """Lists, dicts, named tuples and tuples within one another."""
    _judge(check, case)
    check.reach(type(case.cells["cell"].options["output_size"]).__name__)


@law("OUT-5", cases=EACH_CONTAINER)
def test_lists_and_dicts_as_output_size_has_them(check: Check, case: Case) -> None:
    """Lists, dicts and named tuples come back as such, a dict in its own order of keys."""
    outputs = _judge(check, case)
    orders, wanted = key_orders(outputs), key_orders(case.cells["cell"].options["output_size"])
    check.that(orders == wanted, f"expected the keys in the order {wanted}, got {orders}", wanted, orders, "outputs")
    check.reach(type(outputs).__name__)


@law("OUT-5", cases=echo_cases(sizes=nests(INPUT_SHAPES, ("list", "dict", "namedtuple")), time_major=LAYOUTS))
def test_the_container_that_the_cell_returns_does_not_matter(check: Check, case: Case) -> None:
    """An Echo returns its inputs in tuples; the outputs are in the containers of output_size all the same."""
    loose = with_arguments(case, inputs=_as_tuples(argument(case, "inputs")))
    outputs = check.returned(loose, own=True).outputs
    check.equal(outputs, expected(case)[0], where="outputs")
    check.reach(f"{type(outputs).__name__} from a tuple")


def _as_tuples(structure: Any) -> Any:
    if not is_sequence(structure):
        return structure
    children = [structure[key] for key in sorted(structure)] if hasattr(structure, "keys") else structure
    return tuple(_as_tuples(child) for child in children)


@law("OUT-6", cases=tally_cases(output_size=TensorShape([]), lengths=choice(ANY), time_major=LAYOUTS))
def test_the_empty_shape_gives_one_number_a_step(check: Check, case: Case) -> None:
    """One array of the two leading axes alone."""
    outputs = _judge(check, case)
    check.that(outputs.ndim == 2, f"expected rank 2, got shape {outputs.shape}")
    check.reach("TensorShape([])")


@law("OUT-6", cases=tally_cases(output_size=(), lengths=choice(ANY), time_major=LAYOUTS))
def test_no_outputs_at_all(check: Check, case: Case) -> None:
    """An output_size of () gives (), and the state goes on as ever."""
    answer = check.returned(case, own=True)
    same_pair(check, answer.result, ((), expected(case)[1]))
    check.reach("()")


@law("OUT-7", cases=rogue_cases("output_shape"))
def test_an_output_of_another_shape_is_refused(check: Check, case: Case) -> None:
    """A cell whose second output is wider than its output_size says."""
    check.raised(case, "ValueError")
    check.reach("wider")


@law("OUT-8", cases=tally_cases(output_size=flat_tuples(INTEGER_SIZES), time_major=LAYOUTS))
def test_a_tuple_of_integers_is_so_many_outputs(check: Check, case: Case) -> None:
    """(2, 1) is two arrays, (n,) a tuple of one."""
    sizes = case.cells["cell"].options["output_size"]
    outputs = _judge(check, case)
    check.that(len(outputs) == len(sizes), f"expected {len(sizes)} outputs, got {len(outputs)}")
    check.reach(f"{len(sizes)} sizes")


@law("OUT-4", cases=tally_cases(state_size=structures(), output_size=nests(), max_time=st.integers(1, 3)))
def test_the_structure_does_not_depend_on_the_state(check: Check, case: Case) -> None:
    """Outputs in tuples beside a state of any other structure."""
    outputs = _judge(check, case)
    same = containers(outputs) == containers(case.cells["cell"].options["state_size"])
    check.reach("like the state" if same else "other than the state")
    check.that(len(flatten(outputs)) >= 2, "expected two arrays at least")
