"""Tests the bench: what it measures, that it refuses what is wrong, and how it spends its time."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from impl_gpu.bench import __main__ as command
from impl_gpu.bench import measure, oracle, stage, table
from impl_gpu.bench.measure import Bench
from impl_gpu.bench.networks import Inputs, Network, results
from impl_gpu.bench.points import SHAPES, Point, Shape, describe, flops, lengths_of, points
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice

TINY = (Shape("tiny", 5, 4, 8),)


@pytest.fixture
def device() -> Iterator[HostDevice]:
    host = HostDevice()
    with use_device(host):
        yield host


def bench(device: HostDevice, seconds: float = 60, shapes: tuple[Shape, ...] = TINY) -> Bench:
    return Bench(device, shapes, seconds, repeats=1, parallel_iterations=2, rival="none here")


def test_the_shapes_are_those_of_the_plan() -> None:
    assert [tuple(shape) for shape in SHAPES] == [
        ("A", 512, 64, 1024),
        ("B", 128, 128, 512),
        ("C", 1024, 16, 256),
        ("D", 256, 256, 2048),
    ]
    assert len(list(points(SHAPES))) == 4 * 2 * 3 * 3


def test_points_that_share_a_network_are_next_to_each_other() -> None:
    networks = [(point.shape.name, point.cell, point.dtype) for point in points(SHAPES)]

    assert [key for at, key in enumerate(networks) if networks[at - 1 : at] != [key]] == list(dict.fromkeys(networks))


@pytest.mark.parametrize(("lengths", "least", "short"), [("uniform 1..T", 1, 0), ("90% short", 10, 90)])
def test_lengths_are_unsorted_and_within_the_steps(lengths: str, least: int, short: int) -> None:
    found = lengths_of(Point(Shape("x", 100, 100, 8), "GRU", "fp32", lengths), seed=0)

    assert found is not None
    assert found != sorted(found)
    assert least <= min(found) <= max(found) <= 100
    assert short == 0 or sorted(found) == [10] * 90 + [100] * 10


def test_flops_count_the_steps_that_count() -> None:
    point = Point(Shape("x", 3, 2, 5), "LSTM", "fp32", "dense")

    assert flops(point, None) == 2 * (3 * 2) * (5 + 5) * (4 * 5)
    assert flops(point, [1, 2]) == flops(point, None) // 2


def test_the_oracle_keeps_the_equations() -> None:
    # One unit and one step, by hand: i, j, f, o = 0, 1, 2, 3 without weights on x and h.
    weights = {"kernel": np.zeros((2, 4)), "bias": np.array([0.0, 1.0, 2.0, 3.0])}
    got = oracle.run(np, "LSTM", weights, np.ones((1, 1, 1)), None)
    c = np.tanh(1) / 2
    assert got["c"] == pytest.approx(c)
    assert got["h"] == pytest.approx(np.tanh(c) / (1 + np.exp(-3)))
    # r, u = 0, 1/2 of h = 0: half of the candidate.
    gru = {
        "gates/kernel": np.zeros((2, 2)),
        "gates/bias": np.zeros(2),
        "candidate/kernel": np.zeros((2, 1)),
        "candidate/bias": np.ones(1),
    }
    assert oracle.run(np, "GRU", gru, np.ones((1, 1, 1)), None)["h"] == pytest.approx(np.tanh(1) / 2)


def test_the_oracle_stops_where_a_row_ends() -> None:
    weights = {"kernel": np.full((4, 8), 0.1), "bias": np.full(8, 0.1)}
    x = np.ones((3, 2, 2))
    got = oracle.run(np, "LSTM", weights, x, [3, 1])

    assert (got["h"][1] == got["outputs"][0, 1]).all()
    assert oracle.padding_is_zero(np, got["outputs"], [3, 1])
    assert not oracle.padding_is_zero(np, got["outputs"] + 1e-30, [3, 1])


def test_an_error_with_nan_is_no_small_error() -> None:
    assert not oracle.error(np, np.array([np.nan, 1]), np.ones(2)) <= 1


def test_every_point_is_correct_and_timed(device: HostDevice) -> None:
    entries = list(bench(device).run())

    assert len(entries) == 2 * 3 * 3
    for entry in entries:
        assert set(entry["medians"]) == {"eager", "graph"}, entry
        assert all(set(found) >= {"outputs", "h"} for found in entry["errors"].values())
        assert entry["tflops"] > 0


def test_what_is_wrong_is_refused_and_not_timed(device: HostDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*args: Any) -> dict[str, Any]:
        return {name: value * 1.1 for name, value in right(*args).items()}

    right = oracle.run
    monkeypatch.setattr(oracle, "run", wrong)
    entries = list(bench(device).run())

    assert all(entry["refused"].startswith("eager: outputs differ from float64 by 0.091") for entry in entries)
    assert not any("medians" in entry for entry in entries)


class FakeRival:
    """PyTorch's place taken by the LSTM of another Network; its GRU is another network."""

    SAME_NETWORK: ClassVar = {"LSTM": True, "GRU": False}

    def __init__(self, forget: float) -> None:
        self.forget = forget

    def Rival(self, point: Point, weights: dict[str, Any], inputs: Inputs) -> Any:  # noqa: N802  (rival.py's class)
        network = Network(point, 4)
        network.build(inputs.sets[0])
        for variable in network.cell.variables:
            name = variable.name.split("_cell/")[1]
            variable.assign(weights[name] - np.float32(self.forget if name == "bias" else 0))
        return SimpleNamespace(
            first=lambda lengths, tf32: results(network.work(inputs, lengths, tf32, False)()),
            work=lambda lengths, tf32: network.work(inputs, lengths, tf32, False),
        )


WRONG = "not comparable, PyTorch's outputs differ from float64"


@pytest.mark.parametrize(("forget", "note"), [(0.0, None), (1.0, WRONG)])
def test_a_rival_is_measured_beside_and_judged_too(device: HostDevice, forget: float, note: str | None) -> None:
    made = Bench(device, TINY, 60, repeats=1, parallel_iterations=2, rival=FakeRival(forget))
    # One set of inputs: the first is the one that is judged.
    made._kept["inputs"] = ((TINY[0], "float32"), Inputs.drawn(TINY[0], "float32", device, 1))
    made._kept["inputs"][1].sets[1:] = []
    entries = [made._measure(Point(TINY[0], cell, "fp32", "uniform 1..T"), 1) for cell in ("LSTM", "GRU")]

    lstm, gru = entries
    assert lstm["ratio"] == lstm["medians"]["torch"] / min(lstm["medians"]["eager"], lstm["medians"]["graph"])
    assert lstm.get("note", "")[: len(note or "")] == (note or "")
    assert ("note" in lstm) == (note is not None)
    assert gru["errors"]["torch"] is None
    assert gru["note"] == "another network: cuDNN's GRU resets after the candidate's product"


def test_a_spent_budget_drops_points_and_says_so(device: HostDevice) -> None:
    assert [entry["dropped"] for entry in bench(device, seconds=0).run()] == ["the time budget is spent"] * 18


def test_repeats_go_before_shapes(device: HostDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Bench(device, TINY, seconds=60, repeats=100, parallel_iterations=2, rival="none here")
    calls: list[str] = []

    class Clock:
        def milliseconds(self, work: Any) -> float:
            calls.append(work())
            return 1.0

    monkeypatch.setattr(made, "_clock", Clock())
    times = made._times({"a": lambda: "a", "b": lambda: "b"}, end=-1.0)

    assert times == {"a": [1.0] * measure.FEWEST, "b": [1.0] * measure.FEWEST}
    assert calls == ["a", "b"] * (1 + measure.FEWEST)


POINT = describe(Point(SHAPES[0], "GRU", "tf32", "dense"))
MEASURED = POINT | {
    "medians": {"eager": 8.0, "graph": 4.0, "torch": 6.0},
    "errors": {"eager": {"outputs": 1e-4, "h": 2e-4}, "graph": {"outputs": 1e-4, "h": 1e-4}, "torch": None},
    "ratio": 1.5,
    "tflops": 123.4,
    "note": "another network",
}


def test_the_table_gives_ratios_and_what_was_not_timed() -> None:
    points = [MEASURED, POINT | {"refused": "eager: outputs differ"}, POINT | {"dropped": "out of memory"}]
    facts = {"device": {"device": "a GPU"}, "rival": {"torch": "2.0"}, "host_executed": None}
    stages = [{"name": "A", "points": points}, {"name": "B"}]
    shown = table.show({"subject": "bench", "facts": facts, "stages": stages}).splitlines()

    assert shown[0] == "impl_gpu on a GPU, beside PyTorch 2.0"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown if line.startswith("| A")]
    point = ["A 512,64,1024", "GRU", "tf32", "dense"]
    assert rows[0] == [*point, "8.00", "4.00", "6.00", "1.50*", "123", "2.0e-04"]
    assert [row[-1] for row in rows[1:]] == ["eager: outputs differ", "out of memory"]
    assert shown[-2:] == ["1 of 3 points were dropped.", "* GRU: another network"]


def run_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What a stage of TINY leaves."""
    monkeypatch.setenv("EVIDENCE_RESULT", str(tmp_path / "result.json"))
    monkeypatch.setattr(command, "SMALL", TINY)
    status = command.main(["--stage=tiny", "--seconds=60", "--parallel-iterations=2"])
    result: dict[str, Any] = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert command.STATUS[result["verdict"]] == status
    return result


def test_a_stage_writes_its_points(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: HostDevice) -> None:
    result = run_stage(monkeypatch, tmp_path)

    assert result["verdict"] == "passed"
    assert len(result["points"]) == 18
    assert result["facts"]["host_executed"] == stage.HOST_EXECUTED
    assert result["facts"]["switches"]["tf32"] is False


def test_a_stage_with_a_wrong_result_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: HostDevice
) -> None:
    monkeypatch.setattr(oracle, "padding_is_zero", lambda *given: False)
    result = run_stage(monkeypatch, tmp_path)

    assert result["verdict"] == "failed"
    assert result["first_failure"] == "eager: outputs are not zero past the end of a row"


def test_a_stage_that_dies_leaves_what_it_has_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: HostDevice
) -> None:
    measured = [{"medians": {"eager": 1.0}}]

    def die(self: Bench, point: Point, share: float) -> dict[str, Any]:
        if not measured:
            raise RuntimeError("an illegal memory access")
        return measured.pop()

    monkeypatch.setattr(measure.Bench, "_measure", die)
    with pytest.raises(RuntimeError, match="an illegal memory access"):
        run_stage(monkeypatch, tmp_path)
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))

    assert (result["verdict"], result["why"]) == ("crashed", "in what comes after 1 points")
    assert [entry["medians"] for entry in result["points"]] == [{"eager": 1.0}]


def test_a_stage_that_timed_nothing_is_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: HostDevice
) -> None:
    monkeypatch.setattr(measure.Bench, "_measure", lambda *given: {"dropped": "out of memory"})

    assert run_stage(monkeypatch, tmp_path)["verdict"] == "not run"


def test_a_stage_without_a_device_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing() -> None:
        raise RuntimeError("impl_gpu: no CUDA device: none")

    monkeypatch.setattr(stage, "current_device", missing)

    assert run_stage(monkeypatch, tmp_path) == {
        "verdict": "not run",
        "why": "impl_gpu: no CUDA device: none",
        "go_on": False,
    }


def test_the_command_runs_a_process_for_each_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPL_GPU_DEVICE", "host")
    out = tmp_path / "bench.json"

    assert command.main(["--small", "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert stage.HOST_EXECUTED in shown.out
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["verdict"] == "passed"
    assert [(found["name"], len(found["points"])) for found in written["stages"]] == [("small", 18), ("small odd", 18)]
    assert written["facts"]["device"]["kind"] == "host"


def test_the_parts_of_the_budget_are_the_whole() -> None:
    assert sum(command.PARTS.values()) == pytest.approx(1)
    assert set(command.PARTS) == {shape.name for shape in SHAPES}
