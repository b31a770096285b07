"""Tests the bench of training: that it refuses wrong gradients, and how long the sequences are that it finds."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from impl_gpu.bench import __main__ as command
from impl_gpu.bench import oracle as forward_oracle
from impl_gpu.bench.networks import Inputs
from impl_gpu.bench.points import Point, Shape, describe
from impl_gpu.bench.training import longest, oracle, stage, table
from impl_gpu.bench.training.longest import Longest
from impl_gpu.bench.training.measure import TrainingBench
from impl_gpu.bench.training.network import Cotangents, TrainedNetwork, named
from impl_gpu.bench.training.points import KEPT, MOVED, WAYS, Limit, Way, ceiling, points
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice
from impl_gpu.device.seam import OutOfDeviceMemory

TINY = Shape("tiny", 9, 4, 8)
POINT = Point(TINY, "LSTM", "fp32", "dense")
LIMIT = Limit(80_000, 2)
STEP = 1e-6


@pytest.fixture
def device() -> Iterator[HostDevice]:
    host = HostDevice()
    with use_device(host):
        yield host


def bench(device: HostDevice, seconds: float = 60, rival: Any = "none here") -> TrainingBench:
    return TrainingBench(device, (TINY,), seconds, repeats=1, parallel_iterations=2, rival=rival)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_the_oracle_gives_the_derivative_of_what_the_other_one_computes(cell: str) -> None:
    T, B, H = 3, 2, 2
    rng = np.random.default_rng(0)
    sizes = {"kernel": (2 * H, 4 * H), "bias": (4 * H,)} if cell == "LSTM" else {
        "gates/kernel": (2 * H, 2 * H), "gates/bias": (2 * H,), "candidate/kernel": (2 * H, H), "candidate/bias": (H,)
    }  # fmt: skip
    weights = {name: rng.standard_normal(size) for name, size in sizes.items()}
    states = ("c", "h")[2 - forward_oracle.STEPS[cell][1] :]
    x, d_outputs = rng.standard_normal((T, B, H)), rng.standard_normal((T, B, H))
    d_state = {name: rng.standard_normal((B, H)) for name in states}
    lengths = [3, 1]

    def loss(at: dict[str, Any]) -> float:
        found = forward_oracle.run(np, cell, {name: at[name] for name in weights}, at["inputs"], lengths)
        return float((found["outputs"] * d_outputs).sum() + sum((found[name] * d_state[name]).sum() for name in states))

    at = {"inputs": x, **weights}
    gradients = oracle.run(np, cell, weights, x, lengths, d_outputs, d_state)

    assert set(gradients) == set(at)
    assert not gradients["inputs"][1:, 1].any()
    for name, value in at.items():
        direction = rng.standard_normal(value.shape)
        up, down = (loss({**at, name: value + sign * STEP * direction}) for sign in (1, -1))
        assert (gradients[name] * direction).sum() == pytest.approx((up - down) / (2 * STEP), rel=1e-7), name


def test_every_point_is_correct_in_every_way_and_timed(device: HostDevice) -> None:
    entries = list(bench(device).run())

    assert len(entries) == len(list(points((TINY,)))) == 2 * 3 + 1
    names = [way.name for way in WAYS]
    for entry in entries:
        assert list(entry["medians"]) == list(entry["memory"]) == list(entry["peak_bytes"]) == names, entry
        assert all("inputs" in found for found in entry["errors"].values())
        kept, swapped, moved, recomputed = (entry["memory"][name] for name in names)
        assert kept["moved_bytes"] == 0
        assert swapped["moved_bytes"] > 0
        assert moved["moved_bytes"] == kept["saved_bytes"] > moved["saved_bytes"]
        assert 0 < recomputed["moved_bytes"] < moved["moved_bytes"]
        assert recomputed["recomputed_bytes"] > 0
        assert entry["peak_bytes"]["moved"] < entry["peak_bytes"]["kept"]


def test_wrong_gradients_are_refused_and_not_timed(device: HostDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*args: Any) -> dict[str, Any]:
        return {name: value * (1.1 if name == "bias" else 1) for name, value in right(*args).items()}

    right = oracle.run
    monkeypatch.setattr(oracle, "run", wrong)
    entry = bench(device)._measure(POINT, 1)

    assert entry["refused"] == "kept: gradients of bias differ from float64 by 0.091, more than 0.0002"
    assert "medians" not in entry


def test_moving_may_change_no_bit(device: HostDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(self: TrainedNetwork, inputs: Any, cotangents: Any, lengths: Any, way: Way, tf32: bool) -> Any:
        work = training(self, inputs, cotangents, lengths, way, tf32)

        def call() -> Any:
            gradients, report = work()
            if way == MOVED:
                bias = next(name for name in gradients.variables if name.endswith("bias"))
                gradients.variables[bias] = gradients.variables[bias] * np.float32(1 + 2**-20)
            return gradients, report

        return call

    training = TrainedNetwork.training
    monkeypatch.setattr(TrainedNetwork, "training", other)
    entry = bench(device)._measure(POINT, 1)

    assert entry["refused"] == "moved: gradients of bias are not bit for bit those without swapping"


class FakeRival:
    """PyTorch's place taken by another network of impl_gpu; its GRU is another network."""

    SAME_NETWORK: ClassVar = {"LSTM": True, "GRU": False}

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def TrainedRival(  # noqa: N802  (rival.py's class)
        self, point: Point, weights: dict[str, Any], inputs: Inputs, cotangents: Cotangents
    ) -> Any:
        network = TrainedNetwork(point, 4)
        network.build(inputs.sets[0])
        for variable in network.cell.variables:
            variable.assign(weights[variable.name.split("_cell/")[1]] * np.float32(self.factor))

        def first(lengths: list[int] | None, tf32: bool) -> tuple[dict[str, Any], int]:
            return named(network.training(Inputs(inputs.sets[:1]), cotangents, lengths, KEPT, tf32)()[0]), 12345

        return SimpleNamespace(
            first_gradients=first,
            work=lambda lengths, tf32: network.training(inputs, cotangents, lengths, KEPT, tf32),
        )


WRONG = "not comparable, PyTorch's gradients of inputs differ from float64"


@pytest.mark.parametrize(("factor", "note"), [(1.0, None), (1.1, WRONG)])
def test_a_rival_is_measured_beside_and_judged_too(device: HostDevice, factor: float, note: str | None) -> None:
    made = bench(device, rival=FakeRival(factor))
    lstm, gru = (made._measure(POINT._replace(cell=cell), 1) for cell in ("LSTM", "GRU"))

    assert lstm["ratio"] == lstm["medians"]["torch"] / lstm["medians"]["kept"]
    assert lstm["peak_bytes"]["torch"] == 12345
    assert lstm.get("note", "")[: len(note or "")] == (note or "")
    assert ("note" in lstm) == (note is not None)
    assert "torch" not in gru["errors"]
    assert gru["note"] == "another network: cuDNN's GRU resets after the candidate's product"


def test_a_spent_budget_drops_points_and_says_so(device: HostDevice) -> None:
    assert [entry["dropped"] for entry in bench(device, seconds=0).run()] == ["the time budget is spent"] * 7


def test_the_ceiling_is_the_formula() -> None:
    # 10 bytes of weights and 10 of their gradients; 4 arrays [2, 8] float32 a step, which are 256 bytes.
    assert ceiling(20 + 7 * 256, TINY._replace(B=2), 4, weights=10, saved=0, slots=0) == 7
    assert ceiling(20 + 7 * 256 - 1, TINY._replace(B=2), 4, weights=10, saved=0, slots=0) == 6
    assert ceiling(20 + 60 + 7 * 300, TINY._replace(B=2), 4, weights=10, saved=44, slots=60) == 7


def test_the_longest_sequence_is_more_than_twice_as_long_with_swapping(device: HostDevice) -> None:
    found = Longest(device, TINY, LIMIT).run()

    assert "refused" not in found
    kept, swapped = found["kept"], found["swapped"]
    assert found["times_longer"] == swapped["steps"] / kept["steps"] > 2
    for side in (kept, swapped):
        assert side["ceiling"] >= side["steps"] > 0.85 * side["ceiling"]
        assert side["memory"]["peak_bytes"] <= LIMIT.nbytes
    assert kept["memory"]["moved_bytes"] == 0
    assert swapped["memory"]["moved_bytes"] > LIMIT.nbytes
    assert longest.NAMES_SWAPPING in kept["why_not_more"]
    assert device.memory_limit is None
    assert device.live_bytes() == 0


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [("advice", "the error does not name swap_memory: "), ("bits", "gradients of kernel, bias are not bit for bit")],
)
def test_what_is_wrong_at_the_limit_is_refused(
    device: HostDevice, monkeypatch: pytest.MonkeyPatch, wrong: str, refused: str
) -> None:
    def trained(self: Longest, network: TrainedNetwork, steps: int, way: Way) -> Any:
        if way == KEPT and steps > 20:
            raise OutOfDeviceMemory(2, 1, "saved", "" if wrong == "advice" else longest.NAMES_SWAPPING)
        values = np.full(1, 1.0 if wrong == "advice" or way == KEPT else 2.0, "float32")
        variables = {"rnn/lstm_cell/kernel": values, "rnn/lstm_cell/bias": values}
        return SimpleNamespace(inputs=values, variables=variables), None

    monkeypatch.setattr(Longest, "_trained", trained)
    monkeypatch.setattr(device, "to_numpy", lambda value: value)

    assert Longest(device, TINY, LIMIT).run()["refused"].startswith(refused)


def test_a_limit_in_which_nothing_trains_is_refused(device: HostDevice) -> None:
    found = Longest(device, TINY, Limit(12_000, 2)).run()

    assert found["refused"].startswith("nothing trains: ")


def test_the_tables_give_ways_and_what_was_not_timed() -> None:
    memory = {"saved_bytes": 3 * 2**20, "moved_bytes": 0, "recomputed_bytes": 0}
    names = [way.name for way in WAYS]
    measured = describe(POINT) | {
        "medians": {**dict.fromkeys(names, 8.0), "torch": 6.0},
        "penalty": dict.fromkeys(names[1:], 0.0625),
        "memory": {**dict.fromkeys(names, memory), "swapped": memory | {"recomputed_bytes": 1, "moved_bytes": 2**19}},
        "peak_bytes": dict.fromkeys([*names, "torch"], 2**20),
        "errors": {name: {"inputs": 1e-6, "bias": 3e-6} for name in [*names, "torch"]},
    }
    search = {
        "shape": TINY._asdict(),
        "limit_bytes": 2**31,
        "kept": {"steps": 100, "part_of_ceiling": 0.9},
        "swapped": {"steps": 250, "part_of_ceiling": 0.95},
    }
    stages = [
        {"points": [measured, describe(POINT) | {"refused": "kept: wrong"}], "longest": search | {"times_longer": 2.5}},
        {"points": [describe(POINT) | {"dropped": "out of memory"}], "longest": search | {"refused": "other bits"}},
        {"why": "crashed"},
    ]
    facts = {"device": {"device": "a GPU"}, "rival": {"torch": "2.0"}, "host_executed": None}
    shown = table.show({"subject": "training", "facts": facts, "stages": stages}).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")][4:] for line in shown if line.startswith("| tiny 9")]

    assert shown[0] == "Training with impl_gpu on a GPU, beside PyTorch 2.0"
    assert rows == [
        ["kept", "8.00", "", "1", "3", "0", "3.0e-06"],
        ["swapped, recomputed", "8.00", "+6.2 %", "1", "3", "0.5", "3.0e-06"],
        ["moved", "8.00", "+6.2 %", "1", "3", "0", "3.0e-06"],
        ["recomputed", "8.00", "+6.2 %", "1", "3", "0", "3.0e-06"],
        ["torch", "6.00", "", "1", "-", "-", "3.0e-06"],
        ["", "-", "-", "-", "-", "-", "kept: wrong"],
        ["", "-", "-", "-", "-", "-", "out of memory"],
    ]
    assert [line for line in shown if "B 4, H 8" in line] == [
        "| tiny B 4, H 8 | 100    | 90 %       | 250       | 95 %       | 2.50         |",
        "| tiny B 4, H 8 | 100    | 90 %       | 250       | 95 %       | other bits   |",
    ]
    assert "The most steps that train in 2048 MiB of device memory: LSTM, fp32, dense." in shown
    assert shown[-1] == "1 of 3 points were dropped."


@pytest.mark.parametrize("refused", [None, "nothing trains: too little"])
def test_a_stage_writes_its_points_and_what_it_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: HostDevice, refused: str | None
) -> None:
    entry = {"medians": {"kept": 1.0}}
    monkeypatch.setenv("EVIDENCE_RESULT", str(tmp_path / "result.json"))
    monkeypatch.setattr(command, "SMALL", (TINY,))
    monkeypatch.setattr(TrainingBench, "run", lambda self: iter([entry]))
    monkeypatch.setattr(Longest, "run", lambda self: {"refused": refused} if refused else {"times_longer": 2.5})

    status = command.main(["--training", "--stage=tiny", "--seconds=60", "--parallel-iterations=2"])
    result: dict[str, Any] = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))

    assert result["points"] == [entry]
    assert (result["verdict"], status) == (("failed", 1) if refused else ("passed", 0))
    assert result.get("first_failure") == refused
    assert result["facts"]["parallel_iterations"] == 2


def test_a_stage_without_a_device_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing() -> None:
        raise RuntimeError("impl_gpu: no CUDA device: none")

    monkeypatch.setenv("EVIDENCE_RESULT", str(tmp_path / "result.json"))
    monkeypatch.setattr(stage, "current_device", missing)

    assert stage.run(TINY, 60, 1, 2) == "not run"
