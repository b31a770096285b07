"""Tests the worker of TensorFlow 1.4.1 itself, and is skipped where no Python 3.6 with TensorFlow is found."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import conformance
import dynamic_rnn_spec
from conformance.machine.interpreters import NotAvailable, find_python36
from conformance.subject.subjects import Subject, load
from conformance.subject.worker_client import WorkerClient
from conformance.vectors import stored, verify
from dynamic_rnn_spec.case import Answer, Call, Case, CellRef, CellSpec, Cotangents, Function, Scope
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

CELL = CellRef("cell")
INPUTS = np.arange(12, dtype=np.float32).reshape(2, 3, 2)


@pytest.fixture(scope="module")
def tensorflow() -> Iterator[Subject]:
    try:
        subject = load("tensorflow14", timeout=60)
    except NotAvailable as missing:
        pytest.skip(str(missing))
    yield subject
    subject.close()


def one(spec: CellSpec, weights: Any = None, **arguments: Any) -> Case:
    return Case({"cell": spec}, [Call({"cell": CELL, "inputs": INPUTS, "dtype": "float32", **arguments})], weights)


def answer(subject: Subject, case: Case) -> Answer:
    (found,) = subject.run(case).answers
    return found


def test_it_says_what_it_is(tensorflow: Subject) -> None:
    described = tensorflow.describe()

    assert (tensorflow.name, described["device"]) == ("tensorflow", "cpu")
    assert sorted(described["versions"]) == ["numpy", "python", "tensorflow"]
    assert described["versions"]["tensorflow"] == "1.4.1"


def test_it_gives_the_recorded_outcomes_again(tensorflow: Subject) -> None:
    sample = stored.load()[::40]

    differing = [
        (vector.name, found)
        for vector in sample
        if (found := verify.difference(vector, tensorflow.run(vector.case), vector.outcome)) is not None
    ]

    assert len(sample) >= 20
    assert differing == []


def test_a_trace_has_the_values_of_each_step_in_order(tensorflow: Subject) -> None:
    spec = CellSpec("probe:LastInput", {"size": TensorShape([2])})

    found = answer(tensorflow, one(spec, sequence_length=np.array([3, 1], np.int32)))

    assert found.trace is not None
    assert [event["event"] for event in found.trace] == ["call"] * 3
    assert [event["inputs"].tolist() for event in found.trace] == [INPUTS[:, step].tolist() for step in range(3)]
    assert found.trace[2]["state"].tolist() == [INPUTS[0, 1].tolist(), INPUTS[1, 0].tolist()]
    assert found.state.tolist() == [INPUTS[0, 2].tolist(), INPUTS[1, 0].tolist()]


def test_a_call_that_fails_when_it_runs_leaves_the_others_alone(tensorflow: Subject) -> None:
    spec = CellSpec("probe:Tally", {"state_size": 2, "output_size": 1, "output_dtype": "float64"})
    good = {"cell": CELL, "inputs": INPUTS, "dtype": "float64", "initial_state": np.zeros((2, 2), np.float32)}
    case = Case({"cell": spec}, [Call(good), Call({**good, "dtype": "float32"}), Call(good)])

    first, failed, last = tensorflow.run(case).answers

    assert (first.kind, failed.kind, last.kind) == ("returned", "raised", "returned")
    assert failed.error is not None
    assert (failed.error.kind, failed.error.phase) == ("other", "after")
    assert failed.error.native.endswith("InvalidArgumentError")
    assert "File" not in failed.error.message  # no stack of the worker
    assert first.outputs.tolist() == last.outputs.tolist()


def test_it_breaks_the_page_where_tensorflow_does(tensorflow: Subject) -> None:
    found = answer(tensorflow, one(CellSpec("GRUCell", {"num_units": 2}), inputs=[]))

    assert found.error is not None
    assert (found.error.kind, found.error.native) == ("other", "builtins.IndexError")


def test_weights_are_loaded_by_name_and_a_wrong_shape_fails_its_call(tensorflow: Subject) -> None:
    spec = CellSpec("BasicRNNCell", {"num_units": 1, "activation": Function("identity")})
    kernel, bias = np.array([[1], [0], [0]], np.float32), np.array([5], np.float32)
    names = ("rnn/basic_rnn_cell/kernel", "rnn/basic_rnn_cell/bias")

    right = tensorflow.run(one(spec, dict(zip(names, (kernel, bias), strict=True))))
    wrong = answer(tensorflow, one(spec, {names[0]: kernel[:2]}))

    assert right.answers[0].outputs[..., 0].tolist() == (INPUTS[..., 0] + 5).tolist()
    assert right.variables is not None
    assert [variable.name for variable in right.variables] == list(names)
    assert wrong.error is not None
    assert wrong.error.kind == "ValueError"


def test_initial_values_are_the_same_whenever_a_case_is_run(tensorflow: Subject) -> None:
    case = one(CellSpec("GRUCell", {"num_units": 2}))

    assert tensorflow.run(case) == tensorflow.run(case)


def test_the_noise_of_a_case_is_what_is_dropped(tensorflow: Subject) -> None:
    noise = np.where(np.arange(12).reshape(3, 2, 2) % 3 == 0, 0.75, 0.25)  # 0.5 + 0.75 keeps, 0.5 + 0.25 drops
    echo = CellSpec("probe:Echo", {"sizes": TensorShape([2])})
    spec = CellSpec("DropoutWrapper", {"output_keep_prob": 0.5, "noise": {"output": [noise]}}, [echo])

    found = answer(tensorflow, one(spec))

    kept = np.swapaxes(noise, 0, 1) == 0.75
    assert found.outputs.tolist() == np.where(kept, INPUTS / 0.5, 0).tolist()


def pulled(subject: Subject, spec: CellSpec, d_outputs: Any, d_state: Any, weights: Any = None, **given: Any) -> Answer:
    case = one(spec, weights, **given)
    return answer(subject, case.replace(calls=[case.calls[0].replace(cotangents=Cotangents(d_outputs, d_state))]))


def test_gradients_come_of_the_run_that_gives_the_values(tensorflow: Subject) -> None:
    spec = CellSpec("probe:Linear", {"units": 1})
    weights = {
        "rnn/linear/kernel": np.array([[1], [2]], np.float32),
        "rnn/linear/recurrent": np.array([[1]], np.float32),
        "rnn/linear/bias": np.array([0], np.float32),
    }
    ones = np.ones((2, 3, 1), np.float32)

    found = pulled(tensorflow, spec, ones, np.ones((2, 1), np.float32), weights, sequence_length=[1, 0])

    assert found.trace is not None
    assert found.gradients is not None
    assert [event["event"] for event in found.trace if event["event"] == "call"] == ["call"] * 3
    assert found.gradients.inputs.tolist() == [[[3, 6], [0, 0], [0, 0]], [[0, 0]] * 3]  # twice d_output and d_state
    assert found.gradients.initial_state is None
    assert {name: gradient.tolist() for name, gradient in found.gradients.variables.items()} == {
        "rnn/linear/kernel": [[0], [3]],
        "rnn/linear/recurrent": [[0]],
        "rnn/linear/bias": [3],
    }


def test_gradients_have_the_structures_of_the_case_and_an_absent_cotangent_asks_for_nothing(
    tensorflow: Subject,
) -> None:
    spec, start = CellSpec("LSTMCell", {"num_units": 2}), LSTMStateTuple(*np.ones((2, 3, 2), np.float32))
    given = {"initial_state": start, "time_major": True}

    some = pulled(tensorflow, spec, INPUTS, LSTMStateTuple(None, start.h), **given)
    none = pulled(tensorflow, spec, None, None, **given)

    assert some.gradients is not None
    assert none.gradients is not None
    assert type(some.gradients.initial_state) is LSTMStateTuple
    assert some.gradients.inputs.shape == INPUTS.shape
    assert sorted(some.gradients.variables) == ["rnn/lstm_cell/bias", "rnn/lstm_cell/kernel"]
    assert (none.gradients.inputs, none.gradients.initial_state) == (None, LSTMStateTuple(None, None))
    assert none.gradients.variables == {"rnn/lstm_cell/bias": None, "rnn/lstm_cell/kernel": None}


def test_wrappers_and_parts_give_the_gradients_of_all_variables(tensorflow: Subject) -> None:
    inner = CellSpec("LSTMCell", {"num_units": 2, "num_unit_shards": 2})
    layers = [CellSpec("ResidualWrapper", {}, [inner]), CellSpec("GRUCell", {"num_units": 1})]

    found = pulled(tensorflow, CellSpec("MultiRNNCell", {}, layers), np.ones((2, 3, 1), np.float32), None)

    assert found.gradients is not None
    assert found.variables is not None
    assert sorted(found.gradients.variables) == sorted(found.variables)
    assert len(found.variables) == 7


def test_what_tensorflow_says_of_cotangents_is_an_answer(tensorflow: Subject) -> None:
    ones, spec = np.ones((2, 3, 2), np.float32), CellSpec("GRUCell", {"num_units": 2})

    counted = pulled(tensorflow, spec, [ones, ones], None)
    shaped = pulled(tensorflow, spec, ones[:, :2], None)

    assert (counted.error and counted.error.message) == "Passed 2 grad_ys for 1 ys"
    assert shaped.kind == "raised"


def test_structures_come_back_in_the_types_of_the_specification(tensorflow: Subject) -> None:
    found = answer(tensorflow, one(CellSpec("LSTMCell", {"num_units": 2}), scope=Scope("here")))

    assert type(found.result) is tuple
    assert type(found.state) is LSTMStateTuple
    assert found.variables == ("here/lstm_cell/kernel", "here/lstm_cell/bias")


def test_a_dtype_that_has_no_tensor_is_unsupported(tensorflow: Subject) -> None:
    spec = CellSpec("probe:Tally", {"state_size": 2, "output_size": 1, "output_dtype": "float32"})

    found = answer(tensorflow, one(spec, inputs=INPUTS.astype(np.uint32)))

    assert (found.kind, found.what) == ("unsupported", "dtype uint32")


def test_the_script_finds_the_specification_where_a_wheel_puts_it(tensorflow: Subject, tmp_path: Path) -> None:
    worker = Path(str(conformance.__file__)).parent / "subject" / "workers"
    shutil.copytree(worker, tmp_path / "conformance" / "subject" / "workers")
    shutil.copytree(Path(dynamic_rnn_spec.__file__).parent, tmp_path / "dynamic_rnn_spec")
    (tmp_path / "numpy.py").write_text("raise ImportError('that of another Python')", encoding="utf-8")
    script = str(tmp_path / "conformance" / "subject" / "workers" / "tensorflow14.py")

    client = WorkerClient([str(find_python36("tensorflow")), "-W", "ignore", script])

    assert client.run(one(CellSpec("GRUCell", {"num_units": 2}))).answers[0].kind == "returned"
    client.close()
