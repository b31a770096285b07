"""Holds implementations to VAR-1 to 7, 15 and 16 (names, shapes and order of the built-in cells' variables) by the
suite's own list of them and, for shards, by what is computed with them."""

from typing import Any

import numpy as np

from conformance.law.laws import Check, law
from conformance.model.agreement import allowed, input_dtype
from conformance.model.variables import expected_shapes, shapes_of, variables
from conformance.strategies import options
from conformance.strategies.builtin import spec_case
from conformance.strategies.derive import argument, repeated, the_call, with_arguments
from conformance.strategies.frame import Frame, choice
from conformance.strategies.options import leaf, spec_cases, stacks, wrapped
from conformance.strategies.probes import affine_case
from dynamic_rnn_spec.case import Case, CellRef, CellSpec

ANY = leaf(choice(options.WEIGHTED))
EITHER = choice((False, True))
LSTM = leaf(
    "LSTMCell",
    use_peepholes=EITHER,
    num_proj=choice((None, 2, 1)),
    cell_clip=choice((None, 0.5)),
    state_is_tuple=EITHER,
)
WRAPPED = (
    wrapped("DropoutWrapper", ANY, output_keep_prob=0.5)
    | wrapped("ResidualWrapper", ANY)
    | wrapped("DeviceWrapper", ANY, device="/cpu:0")
    | wrapped("DeviceWrapper", wrapped("DropoutWrapper", ANY, input_keep_prob=0.5), device="/cpu:0")
)
SHARDED = leaf("LSTMCell", num_unit_shards=choice((2, 3, 1)), use_peepholes=EITHER) | leaf(
    "LSTMCell", num_proj=choice((2, 1)), num_unit_shards=choice((3, 2, None)), num_proj_shards=choice((None, 2, 3))
)


def fresh(case: Case) -> Case:
    """The case without weights: every variable starts as the cell starts it."""
    return Case(case.cells, case.calls)


def depth_of(case: Case) -> int:
    """The depth of the inputs."""
    return int(argument(case, "inputs").shape[-1])


def has_its_variables(check: Check, case: Case) -> None:
    """Names, shapes and order are those of the cell under the default scope."""
    check.returned(case)
    wanted = expected_shapes(case.cells["cell"], depth_of(case))
    found = shapes_of(variables(check, case))
    check.that(found == wanted, f"expected the variables {wanted}, got {found}", wanted, found, "variables")
    check.reach(f"{len(wanted)} variables")


@law("VAR-1", cases=spec_cases(leaf("BasicRNNCell")).map(fresh))
def test_basic_rnn_has_kernel_and_bias(check: Check, case: Case) -> None:
    has_its_variables(check, case)


@law("VAR-2", cases=spec_cases(leaf("GRUCell")).map(fresh))
def test_gru_has_two_kernels_and_two_biases(check: Check, case: Case) -> None:
    has_its_variables(check, case)


@law("VAR-3", cases=spec_cases(leaf("BasicLSTMCell", state_is_tuple=EITHER)).map(fresh))
def test_basic_lstm_has_kernel_and_bias(check: Check, case: Case) -> None:
    has_its_variables(check, case)


@law("VAR-4", cases=spec_cases(LSTM).map(fresh))
def test_lstm_has_what_its_options_need_in_order(check: Check, case: Case) -> None:
    has_its_variables(check, case)


@law(
    "VAR-5", cases=spec_cases(stacks(ANY | LSTM.filter(lambda maker: maker(1, 1).options["state_is_tuple"]))).map(fresh)
)
def test_the_cells_of_a_stack_are_numbered(check: Check, case: Case) -> None:
    has_its_variables(check, case)


@law("VAR-6", cases=spec_cases(WRAPPED, depth=choice((2, 3))).map(fresh))
def test_a_wrapper_adds_no_name(check: Check, case: Case) -> None:
    has_its_variables(check, case)
    check.reach(case.cells["cell"].kind)


CLASS_NAMES = {
    "MyCellTwo": "my_cell_two",
    "Plain": "plain",
    "MyLSTM": "my_lstm",
    "HTTPCell": "http_cell",
    "Cell2D": "cell2d",
}


@law("VAR-7", cases=[affine_case(Frame(seed=3), class_name=name).replace(weights={}) for name in CLASS_NAMES])
def test_a_users_class_names_its_scope(check: Check, case: Case) -> None:
    check.returned(case)
    scope = CLASS_NAMES[case.cells["cell"].options["class_name"]]
    wanted = [f"rnn/{scope}/{name}" for name in ("kernel", "recurrent", "bias")]
    found = [variable.name for variable in variables(check, case)]
    check.that(found == wanted, f"expected the variables {wanted}, got {found}", wanted, found, "variables")
    check.reach(scope)


@law("VAR-15", cases=spec_cases(SHARDED, units=choice((3, 4)), depth=choice((2, 3))).map(fresh))
def test_shards_split_on_axis_0(check: Check, case: Case) -> None:
    has_its_variables(check, case)
    sizes = {name: shape[0] for name, shape in expected_shapes(case.cells["cell"], depth_of(case)) if "/part_" in name}
    check.reach("uneven parts" if len(set(sizes.values())) > 1 else "even parts")


def whole(case: Case) -> Case:
    """The case with its cell in one piece: every kernel joined from its parts."""
    (spec,) = case.cells.values()
    joined: dict[str, list[Any]] = {}
    for name, value in case.weights.items():
        joined.setdefault(name.split("/part_")[0], []).append(value)
    weights = {name: np.concatenate(parts) for name, parts in joined.items()}
    kept = {name: value for name, value in spec.options.items() if not name.endswith("_shards")}
    return Case({"cell": spec.replace(options=kept)}, case.calls, weights)


@law("VAR-15", cases=spec_cases(SHARDED, units=choice((3, 4)), depth=choice((2, 3))))
def test_shards_compute_what_the_whole_computes(check: Check, case: Case) -> None:
    answer, reference, near = check.returned(case), check.returned(whole(case)), 2 * allowed(case, input_dtype(case))
    check.close(answer.outputs, reference.outputs, near, where="outputs")
    check.close(answer.state, reference.state, near, where="state")
    check.reach(str(input_dtype(case)))


@law("VAR-16", cases=spec_cases(ANY | stacks(ANY, most=2), depth=choice((2, 3)), dtype=choice(("float32", "float64"))))
def test_another_depth_than_before(check: Check, case: Case) -> None:
    narrower = with_arguments(case, inputs=argument(case, "inputs")[..., 1:])
    wider = with_arguments(case, inputs=np.repeat(argument(case, "inputs"), 2, axis=-1))
    for label, other in (("narrower", narrower), ("wider", wider)):
        both = repeated(case, the_call(other))
        check.returned(both, 0)
        check.raised(both, "ValueError", index=1)
        check.reach(label)


def _twice(units: int, depth: int) -> Case:
    """A stack of one instance twice; its second level sees ``units`` columns where the first sees ``depth``."""
    case = spec_case(Frame(seed=units), CellSpec("GRUCell", {"num_units": units}), depth)
    stack = CellSpec("MultiRNNCell", {}, [CellRef("inner"), CellRef("inner")])
    return Case({"inner": case.cells["cell"], "cell": stack}, case.calls)


@law("VAR-16", cases=[_twice(2, 3), _twice(3, 2), _twice(1, 2)])
def test_an_instance_at_two_levels_of_different_depth(check: Check, case: Case) -> None:
    check.raised(case, "ValueError")
    check.reach("one instance at two depths")
