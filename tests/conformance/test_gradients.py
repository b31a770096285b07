"""Tests what the suite expects of gradients, by hand and by differences, in every form of a case, and of
implementations that have none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import report
from conformance.commands.replay import replay_on
from conformance.law import compare
from conformance.law.engine import Settings
from conformance.law.laws import Check, Unsupported, Violation
from conformance.machine.exit_status import BROKEN, HOLDS
from conformance.model import derivatives, equations, tolerance
from conformance.model.agreement import gradient_allowed, is_exact, sizes
from conformance.model.expected_gradients import expected_gradients, stays_whole
from conformance.model.gradient_agreement import same_bits, same_gradients
from conformance.properties.pulled import pulled
from conformance.report import explain
from conformance.report.model import Implementation
from conformance.run import known, runner
from conformance.run.runner import Plan, Watcher
from conformance.run.verdicts import exit_status
from conformance.strategies.builtin import builtin_case
from conformance.strategies.cotangents import asking, linear_case, uneven, with_zeros
from conformance.strategies.derive import (
    cotangents,
    one_row,
    other_layout,
    take_rows,
    time_slice,
    with_arguments,
    with_cotangents,
    with_lengths,
    with_options,
    without_cotangents,
)
from conformance.strategies.frame import Frame
from conformance.strategies.probes import affine_case, echo_case, last_input_case
from conformance.strategies.wrong_cotangents import WRONG, without_gradients
from conformance.subject.targets import Target
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Answer, Call, Case, CellRef, CellSpec, Function, Outcome
from dynamic_rnn_spec.page import clauses
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

RAGGED = Frame(batch=3, steps=3, pattern="ragged", raw=40, given=True)


def linear(lengths: Sequence[int] | None = None, dtype: str = "float64") -> Case:
    """A Linear of one row, two steps and numbers for which gradients are easily worked out."""
    weights = {"rnn/linear/kernel": [[2]], "rnn/linear/recurrent": [[3]], "rnn/linear/bias": [1]}
    arguments = {
        "cell": CellRef("cell"),
        "inputs": np.array([[[1], [2]]], dtype),
        "initial_state": np.array([[1]], dtype),
        "dtype": dtype,
    }
    cells = {"cell": CellSpec("probe:Linear", {"units": 1})}
    case = Case(cells, [Call(arguments)], {name: np.array(value, dtype) for name, value in weights.items()})
    return with_cotangents(with_lengths(case, lengths), np.array([[[1], [10]]], dtype), np.array([[5]], dtype))


def listed(gradients: Gradients) -> Any:
    return [
        gradients.inputs.ravel().tolist(),
        gradients.initial_state.ravel().tolist(),
        [value.item() for value in gradients.variables.values()],
    ]


def test_a_linear_by_hand() -> None:
    # h is 1, then 6, then 23; d of the second h is 5 + 2 * 10 = 25, of the first 3 * 25 + 10 + 2 * 1 = 87.
    assert listed(expected_gradients(linear())) == [[174, 50], [3 * 87 + 1], [87 + 2 * 25, 87 + 6 * 25, 112]]
    assert listed(expected_gradients(linear([1]))) == [[14, 0], [22], [7, 7, 7]]
    assert listed(expected_gradients(linear([0]))) == [[0, 0], [5], [0, 0, 0]]


def test_a_linear_by_differences() -> None:
    def outcome(case: Case) -> Answer:
        x, h = case.calls[0].arguments["inputs"], case.calls[0].arguments["initial_state"]
        kernel, recurrent, bias = case.weights.values()
        outputs = []
        for step in range(2):
            new = x[:, step] @ kernel + h @ recurrent + bias
            outputs.append(2 * new + h)
            h = new
        return Answer.returned(np.stack(outputs, axis=1), h)

    case = linear()
    towards, found = derivatives.direction(case), expected_gradients(case)
    off = abs(derivatives.along(found, towards) - derivatives.slope(case, towards, outcome))
    assert off < derivatives.PROMISED * derivatives.size(found, towards)
    spoilt = found._replace(initial_state=found.initial_state * 1.0001)
    assert abs(derivatives.along(spoilt, towards) - derivatives.along(found, towards)) > 100 * off


def test_numbers_that_a_dtype_does_not_hold_are_told() -> None:
    assert stays_whole(linear(dtype="float16"))
    large = with_arguments(linear(dtype="float16"), inputs=np.array([[[100], [200]]], "float16"))
    assert not stays_whole(large)
    assert stays_whole(with_arguments(linear(), inputs=np.array([[[100], [200]]], "float64")))


def test_copying_cells_hand_bits_on() -> None:
    odd = np.array([[[-0.0, np.nan], [np.inf, 1.0], [2.0, 3.0]]], "float32")
    frame = Frame(batch=1, steps=3, given=True)
    echo = with_lengths(asking(echo_case(frame, (TensorShape([2]),), "float32")), [2])
    found = expected_gradients(with_cotangents(echo, (odd,), None))
    assert compare.exact_difference(found.inputs, (np.where([[[1], [1], [0]]], odd, np.float32(0)),)) is None
    assert found.initial_state is None, "it counts in whole numbers"
    last = with_lengths(asking(last_input_case(frame, TensorShape([2]), "float32")), [2])
    found = expected_gradients(with_cotangents(last, odd, np.array([[7, 8]], "float32")))
    assert found.inputs.tolist() == [[[np.inf, 1], [7, 8], [0, 0]]]
    assert compare.exact_difference(found.initial_state, odd[:, 0]) is None


def test_a_kink_between_two_points_is_seen() -> None:
    frame = Frame(batch=2, steps=3, given=True)
    for kind, kinked in (("BasicRNNCell relu", True), ("BasicRNNCell", False), ("LSTMCell cell_clip", True)):
        case = asking(builtin_case(frame, kind, dtype="float64"))
        far = Gradients(*(_times(part, 2.0**14) for part in derivatives.direction(case)))
        assert derivatives.crosses_a_kink(case, far) is kinked
        assert not derivatives.crosses_a_kink(uneven(case), derivatives.direction(case))
    stack = Case({"cell": CellSpec("MultiRNNCell", {}, [CellSpec("GRUCell", {"activation": Function("relu")})])}, [])
    assert any(map(derivatives.has_kinks, stack.cells.values()))
    clipped = equations.expected(builtin_case(frame, "LSTMCell cell_clip"))
    assert len(clipped.sides) == 2 * 3 * 2


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, dict):
        return {name: part * factor for name, part in value.items()}
    return LSTMStateTuple(*(part * factor for part in value)) if isinstance(value, tuple) else value * factor


def test_cotangents_come_in_every_form() -> None:
    case = builtin_case(RAGGED, "MultiRNNCell of LSTM", units=1)
    outputs, state = cotangents(asking(case))
    assert outputs.shape == (3, 3, 2)
    assert [[leaf.shape for leaf in part] for part in state] == [[(3, 1), (3, 1)], [(3, 2), (3, 2)]]
    assert cotangents(asking(case, "outputs"))[1] is None
    assert cotangents(asking(case, "state"))[0] is None
    assert cotangents(asking(case, "neither")) == (None, None)
    assert cotangents(asking(case, "in part"))[1][0].c is None
    for form in ("outputs", "state", "in part", "neither"):
        filled = cotangents(with_zeros(asking(case, form)))
        assert compare.exact_difference(_shapes(filled), _shapes((outputs, state))) is None
    assert cotangents(asking(echo_case(RAGGED, (1, 2), "int32"))) == ((None, None), None)


def _shapes(value: Any) -> Any:
    if isinstance(value, LSTMStateTuple):
        return LSTMStateTuple(*map(_shapes, value))
    return tuple(map(_shapes, value)) if isinstance(value, tuple) else np.zeros_like(value)


def test_what_cuts_a_case_cuts_its_cotangents() -> None:
    case = linear_case(RAGGED, dtype="float64")
    whole = expected_gradients(case)
    turned = expected_gradients(other_layout(case))
    assert compare.exact_difference(np.swapaxes(turned.inputs, 0, 1), whole.inputs) is None
    assert compare.exact_difference(turned.variables, whole.variables) is None
    picked = expected_gradients(take_rows(case, [2, 0]))
    assert compare.exact_difference(picked.inputs, whole.inputs[[2, 0]]) is None
    first = expected_gradients(with_lengths(time_slice(one_row(case, 0), 0, 2), None))
    ended = expected_gradients(with_lengths(one_row(case, 0), [2]))
    assert compare.exact_difference(first.inputs, ended.inputs[:, :2]) is None
    assert with_options(case, units=2).calls[0].cotangents is not None


def checking(answer: Answer) -> Check:
    return Check(lambda case: Outcome([answer]), lambda case: Outcome([answer]))


def test_an_answer_without_gradients_is_unsupported() -> None:
    pair = Answer.returned(np.zeros((1, 2, 1)), np.zeros((1, 1)))
    with pytest.raises(Unsupported, match="gradients: the answer has none"):
        checking(pair).gradients(linear())
    with pytest.raises(Unsupported, match="gradients: the answer has none"):
        checking(pair).raised(linear(), "TypeError")
    assert checking(pair).returned(without_cotangents(linear())) is pair
    found = expected_gradients(linear())
    assert checking(Answer.returned(1, 2, gradients=found)).gradients(linear()) is found


def test_none_is_zeros_where_there_could_be_a_gradient() -> None:
    found = Gradients(None, None, {"rnn/linear/kernel": None, "rnn/linear/bias": np.ones(1)})
    got = pulled(checking(Answer.returned(1, 2, gradients=found)), linear())
    assert got.inputs.tolist() == [[[0], [0]]]
    assert got.initial_state.tolist() == [[0]]
    assert {name: value.tolist() for name, value in got.variables.items()} == {
        "rnn/linear/kernel": [[0]],
        "rnn/linear/bias": [1],
    }


def test_gradients_are_compared_part_by_part() -> None:
    check, case = checking(Answer.returned(1, 2)), linear()
    found = expected_gradients(case)
    negative = found._replace(inputs=found.inputs * 0)
    # Sums do not promise the sign of a zero.
    same_gradients(check, case, negative._replace(inputs=-negative.inputs), negative)
    with pytest.raises(Violation, match=r"at gradients\.inputs\[0, 0, 0\]: expected 0\.0, got -0\.0"):
        same_bits(check, negative._replace(inputs=-negative.inputs), negative)
    other = found._replace(variables={**found.variables, "rnn/linear/bias": np.array([113.0])})
    with pytest.raises(Violation, match=r"gradients\.variables\['rnn/linear/bias'\]\[0\]: expected 112\.0, got 113\.0"):
        same_gradients(check, case, other, found)
    with pytest.raises(Violation, match=r"gradients\.variables: expected a list of 3, got a list of 2"):
        same_gradients(check, case, found._replace(variables=dict(list(found.variables.items())[1:])), found)
    builtin = asking(builtin_case(RAGGED, "GRUCell", dtype="float64"))
    near = Gradients(np.array([1000.0, 0.0]), None, {})
    same_gradients(check, builtin, near._replace(inputs=np.array([1000.0, 1e-12])), near)
    with pytest.raises(Violation, match=r"allowed is .* times max\(1, the largest of all\)"):
        same_gradients(check, builtin, near._replace(inputs=np.array([1000.0, 1e-9])), near)
    off = Gradients(np.array([1.0 + 1.5 * gradient_allowed(builtin, "float64")]), None, {})
    same_gradients(check, builtin, off, off._replace(inputs=np.ones(1)), sides=2)
    with pytest.raises(Violation, match=r"at call 1: gradients\.inputs\[0\]"):
        same_gradients(check, builtin, off, off._replace(inputs=np.ones(1)), where="call 1: ")


def test_a_tolerance_knows_the_cells_that_are_called() -> None:
    kinds = ("LSTMCell shards", "LSTMCell projection")
    shards, whole = (builtin_case(RAGGED, kind, units=3, depth=2) for kind in kinds)
    assert sizes(shards) == sizes(whole) == (4, 1)
    assert sizes(builtin_case(RAGGED, "MultiRNNCell of GRU", units=3, depth=2))[1] == 3
    stack = CellSpec("MultiRNNCell", {}, [CellRef("cell"), CellRef("cell")])
    twice = with_arguments(Case({**whole.cells, "stack": stack}, whole.calls, whole.weights), cell=CellRef("stack"))
    assert sizes(twice) == (4, 2)
    assert (is_exact(linear()), is_exact(whole), is_exact(twice)) == (True, False, False)


def test_the_tolerance_of_gradients_grows_with_what_is_summed() -> None:
    small = tolerance.for_gradient("float64", 3, 4)
    assert small < tolerance.for_gradient("float64", 6, 4) < tolerance.for_gradient("float64", 6, 4, layers=2)
    assert small < tolerance.for_gradient("float64", 3, 8) < tolerance.for_gradient("float64", 3, 8, rows=400)
    ratio = tolerance.for_gradient("float16", 3, 4) / tolerance.for_gradient("float32", 3, 4)
    assert ratio == 2**13
    assert small < 1e-13
    assert tolerance.for_gradient("float16", 5, 8, 3, 4) < 0.5


def test_every_refused_cotangent_is_one_change_to_a_right_call() -> None:
    for wrong in WRONG:
        right, changed = wrong.right, wrong.case
        assert changed.calls[0].arguments.keys() == right.calls[0].arguments.keys()
        place = 0 if wrong.parameter == "d_outputs" else 1
        assert cotangents(changed)[place] is wrong.value
    assert len({(wrong.parameter, wrong.name, wrong.without) for wrong in WRONG}) == len(WRONG)
    assert all(case.calls[0].cotangents is not None for case in without_gradients())
    assert affine_case(Frame()).calls[0].cotangents is None


def column(own: bool, **verdicts: str) -> Implementation:
    said = [{"clause": id.replace("_", "-"), "verdict": verdict} for id, verdict in verdicts.items()]
    return {"own": own, "verdicts": said}  # type: ignore[typeddict-item]  # nothing else is read


@pytest.mark.parametrize(
    ("own", "verdicts", "status"),
    [
        (False, {"SWAP_2": "pass", "GRAD_14": "unsupported", "GRAD_5": "unsupported"}, HOLDS),
        (True, {"SWAP_2": "pass", "GRAD_14": "unsupported", "GRAD_5": "unsupported"}, BROKEN),
        (False, {"SWAP_2": "pass", "GRAD_14": "unsupported", "GRAD_5": "pass"}, BROKEN),
        (False, {"SWAP_2": "pass", "GRAD_14": "fail", "GRAD_5": "unsupported"}, BROKEN),
        (False, {"SWAP_2": "pass", "GRAD_14": "pass", "GRAD_5": "fail"}, HOLDS),
        (False, {"SWAP_2": "unsupported", "GRAD_14": "unsupported", "GRAD_5": "unsupported"}, BROKEN),
    ],
)
def test_who_lacks_gradients_as_a_whole_is_not_held_to_them(own: bool, verdicts: dict[str, str], status: int) -> None:
    asked = [clauses.clause(id) for id in ("SWAP-2", "GRAD-14", "GRAD-5")]
    assert exit_status([column(own, **verdicts)], asked, []) == status


def run(toy: Path, name: str, out: Path) -> Implementation:
    """What becomes of GRAD-7 and GRAD-21 on a toy of that name; the report lies in ``out``."""
    target = Target(f"toy_subjects:{name}", name=name.lower(), description={"name": name, "versions": {}})
    plan = Plan(targets=[target], chosen=["GRAD-7", "GRAD-21"], settings=Settings("smoke"), jobs=1, out=out)
    report.write(runner.run(plan, Watcher()).report, out)
    return report.read(out)["implementations"][0]


def said(column: Implementation) -> dict[str, str]:
    return {one["clause"]: one["verdict"] for one in column["verdicts"] if one["clause"] in ("GRAD-7", "GRAD-21")}


def test_a_wrong_gradient_is_drawn_and_replayed(toy: Path, tmp_path: Path) -> None:
    assert said(run(toy, "LeakyGradients", tmp_path)) == {"GRAD-7": "fail", "GRAD-21": "pass"}
    stored = known.read_counterexample(tmp_path / "cases" / "leakygradients" / "GRAD-7.json")
    assert stored.where is not None
    assert stored.where.startswith("gradients.inputs[")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert ", and vjp(" in page
    assert "d_outputs: float" in page
    assert ", and vjp(" in explain.case_text(stored.case)
    assert replay_on(Target("toy_subjects:LeakyGradients").open(), stored).verdict == "fail"
    assert replay_on(Target("impl_ref").open(), stored).verdict == "pass"


def test_who_passes_over_cotangents_has_no_gradients(toy: Path, tmp_path: Path) -> None:
    column = run(toy, "WithoutGradients", tmp_path)
    assert said(column) == {"GRAD-7": "unsupported", "GRAD-21": "unsupported"}
    assert {one["reason"] for one in column["verdicts"] if one["clause"] == "GRAD-7"} == {
        "gradients: the answer has none"
    }
    for file in ("report.md", "junit.xml", "index.html"):
        assert "gradients: the answer has none" in (tmp_path / file).read_text(encoding="utf-8")
