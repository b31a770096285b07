"""Tests the adapter: cases in, outcomes out; schedules of the host side, and what CuPy can't hold."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec.adapter import PythonAdapter
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec, Cotangents, DType
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape
from impl_gpu import launch_log
from impl_gpu.adapter import SCHEDULE, GpuAdapter, implementation
from impl_gpu.device.seam import SeamError

X = np.arange(24, dtype="float32").reshape(2, 3, 4) / 24


def case(kind: str, options: dict[str, Any], inputs: Any = X, **arguments: Any) -> Case:
    call = Call({"cell": CellRef("cell"), "inputs": inputs, "dtype": DType("float32"), **arguments})
    return Case({"cell": CellSpec(kind, options)}, [call])


def test_it_is_the_entry_point_and_says_what_it_runs_on() -> None:
    adapter = implementation()
    assert isinstance(adapter, PythonAdapter)
    described = adapter.describe()
    assert described["name"] == "impl_gpu"
    assert described["device"] == "host-executed kernels, no GPU"
    assert set(described["versions"]) == {"numpy", "cupy"}


def test_an_outcome_is_all_numpy() -> None:
    outcome: Any = GpuAdapter().run(case("LSTMCell", {"num_units": 5}, sequence_length=[3, 1]))
    (answer,) = outcome.answers
    assert answer.kind == "returned"
    assert isinstance(answer.outputs, np.ndarray)
    assert answer.outputs.shape == (2, 3, 5)
    assert not answer.outputs[1, 1:].any()
    assert (answer.changed, answer.aliased) == ((), ())
    assert [variable.name for variable in outcome.variables] == ["rnn/lstm_cell/kernel", "rnn/lstm_cell/bias"]


def asking(one: Case, **changes: Any) -> Case:
    (call,) = one.calls
    wanted = Cotangents(np.ones((2, 3, 5), "float32"), None)
    return Case(one.cells, [call.replace(arguments={**call.arguments, **changes}, cotangents=wanted)], one.weights)


def test_gradients_are_all_numpy() -> None:
    outcome: Any = GpuAdapter().run(asking(case("LSTMCell", {"num_units": 5}, sequence_length=[3, 1])))
    (answer,) = outcome.answers
    assert (answer.kind, answer.changed, answer.aliased) == ("returned", (), ())
    assert isinstance(answer.gradients.inputs, np.ndarray)
    assert answer.gradients.inputs[0].all()
    assert not answer.gradients.inputs[1, 1:].any()
    assert answer.gradients.initial_state is None
    shapes = {name: gradient.shape for name, gradient in answer.gradients.variables.items()}
    assert shapes == {"rnn/lstm_cell/kernel": (9, 20), "rnn/lstm_cell/bias": (20,)}


def test_what_swaps_is_really_moved_or_computed_again() -> None:
    """Some cases one way, some the other; by themselves all would fit."""
    moved = recomputed = 0
    for number in range(6):
        one = case("LSTMCell", {"num_units": 5, "forget_bias": float(number)})
        with launch_log() as log:
            GpuAdapter().run(asking(one, swap_memory=True, parallel_iterations=1))
        moved += log.count("get", "swap out") > 0
        recomputed += log.count("gemm", "recomputed gates") > 0
    assert 0 < recomputed < moved


def test_a_probe_s_trace_is_read_from_the_device() -> None:
    options = {"state_size": 2, "output_size": 2, "state_dtypes": None, "output_dtype": None}
    outcome: Any = GpuAdapter().run(case("probe:Tally", options, sequence_length=[3, 1]))
    (answer,) = outcome.answers
    assert [event["event"] for event in answer.trace] == ["zero_state", "call", "call", "call"]
    assert [event["inputs"].tolist() for event in answer.trace[1:]] == [X[:, t].tolist() for t in range(3)]


@pytest.mark.parametrize(
    "arguments",
    [
        {"inputs": np.full((2, 3, 4), b"text")},
        {"initial_state": (np.zeros((2, 1), "f4"), {"a": [np.full((2, 1), "text")]})},
        {"dtype": DType("bytes")},
    ],
)
def test_text_is_unsupported_with_its_reason(arguments: Any) -> None:
    echo = case("probe:Echo", {"sizes": TensorShape([4])}, **arguments)
    (answer,) = GpuAdapter().run(echo).answers
    assert (answer.kind, answer.what, answer.why) == ("unsupported", "text", "CuPy has no arrays of text")


def test_lengths_of_text_are_refused_and_not_unsupported() -> None:
    outcome: Any = GpuAdapter().run(case("GRUCell", {"num_units": 2}, sequence_length=np.array([b"1", b"2"])))
    (answer,) = outcome.answers
    assert (answer.error.kind, answer.error.clause) == ("TypeError", "SEQ-18")


def test_every_case_has_a_schedule_of_its_own(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    monkeypatch.setattr(device, "restart", seeds.append)
    adapter, first, second = GpuAdapter(), case("GRUCell", {"num_units": 2}), case("GRUCell", {"num_units": 3})
    for one in (first, first, second):
        adapter.run(one)
    monkeypatch.setenv(SCHEDULE, "5")
    adapter.run(first)
    assert seeds[0] == seeds[1] == int(first.digest(), 16)
    assert seeds[2] == int(second.digest(), 16)
    assert seeds[3] == seeds[0] + 5


@pytest.mark.parametrize("switch", ["SYNC", "SHADOW", "GRAPH"])
@pytest.mark.parametrize("kind", ["GRUCell", "probe:Affine"])
def test_cases_run_one_after_the_other_under_every_switch(
    kind: str, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = case(kind, {"num_units" if kind == "GRUCell" else "units": 3}, sequence_length=[3, 2])
    adapter = GpuAdapter()
    # Loaded by name: what is drawn differs from store to store.
    names = adapter.run(one).variables or ()
    weights = {variable.name: np.ones_like(variable.value) for variable in names}
    loaded = Case(one.cells, one.calls, weights)
    wanted = adapter.run(loaded).answers[0].outputs
    monkeypatch.setenv(f"IMPL_GPU_{switch}", "1")
    for _ in range(2):
        (answer,) = adapter.run(loaded).answers
        assert answer.outputs.tolist() == wanted.tolist()


def test_what_a_device_would_not_survive_is_no_answer(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def overrun(*args: Any, **kwargs: Any) -> Any:
        buffer = device.allocate(4, device.current_stream(), "small")
        device.zero(buffer.ptr, 8, device.current_stream(), "too much")
        return np.zeros(1), np.zeros(1)

    adapter = GpuAdapter()
    adapter.dynamic_rnn = overrun
    with pytest.raises(SeamError, match="too much"):
        adapter.run(case("GRUCell", {"num_units": 2}))
    device.restart(0)


def test_arrays_of_a_case_lie_mostly_on_the_device() -> None:
    adapter = GpuAdapter()
    kinds = [isinstance(adapter.to_array(X), np.ndarray) for _ in range(200)]
    assert 20 < sum(kinds) < 80
    assert isinstance(adapter.to_array(np.array([b"text"])), np.ndarray)


def test_changed_and_shared_memory_is_seen(device: Any) -> None:
    adapter = GpuAdapter()
    array = device.enter(X)
    before = adapter.snapshot({"a": [array]})
    assert adapter.snapshot({"a": [array]}) == before
    array[0, 0, 0] = 7
    assert adapter.snapshot({"a": [array]}) != before
    assert adapter.share_memory((array[1:, ::-1],), [array])
    assert not adapter.share_memory((array[1:],), [array[:1]])
    assert not adapter.share_memory((array[:0], array + 1), [array, 3, None, X])
