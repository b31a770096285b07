"""Tests that the adapter says what it lacks, takes schedules, and drops the pool under a memory checker."""

from collections.abc import Iterator
from typing import Any

import cupy
import numpy as np
import pytest

from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec
from impl_gpu import adapter, launch_log
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice


@pytest.fixture
def host() -> Iterator[HostDevice]:
    """A host side in use."""
    device = HostDevice()
    with use_device(device):
        yield device


def a_case() -> Case:
    inputs = np.arange(24, dtype=np.float32).reshape(2, 4, 3) / 32
    call = Call({"cell": CellRef("cell"), "inputs": inputs, "dtype": "float32", "parallel_iterations": 2})
    return Case({"cell": CellSpec("GRUCell", {"num_units": 3})}, [call], {})


def test_what_is_missing_is_said(host: HostDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    assert adapter.implementation().missing() is None

    def absent() -> Any:
        raise RuntimeError("impl_gpu: no CUDA device: no driver")

    monkeypatch.setattr(adapter, "current_device", absent)
    assert adapter.implementation().missing() == "impl_gpu: no CUDA device: no driver"


def test_another_schedule_is_another_seed_of_the_same_case(host: HostDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    restart = host.restart

    def watched(seed: int) -> None:
        seeds.append(seed)
        restart(seed)

    monkeypatch.setattr(host, "restart", watched)
    made = adapter.implementation()
    assert made.schedules
    answers = [made.run(a_case(), schedule).answers[0] for schedule in (None, 0, 1, 2)]
    assert {answer.kind for answer in answers} == {"returned"}
    assert seeds[0] == seeds[1]
    assert len(set(seeds)) == 3


def test_an_odd_schedule_replays_graphs_with_the_same_bits(host: HostDevice) -> None:
    made = adapter.implementation()
    inputs = np.arange(48, dtype=np.float32).reshape(2, 8, 3) / 64
    call = Call({"cell": CellRef("cell"), "inputs": inputs, "dtype": "float32", "parallel_iterations": 2})
    shapes = {"gates/kernel": (6, 6), "gates/bias": (6,), "candidate/kernel": (6, 3), "candidate/bias": (3,)}
    weights = {
        f"rnn/gru_cell/{name}": (np.arange(np.prod(shape), dtype=np.float32) % 7 / 8 - 0.375).reshape(shape)
        for name, shape in shapes.items()
    }
    case = Case({"cell": CellSpec("GRUCell", {"num_units": 3})}, [call] * 3, weights)
    results = []
    for schedule, replays in ((0, False), (1, True)):
        with launch_log() as log:
            (*_, last) = made.run(case, schedule).answers
        assert any(entry.kind == "replay" for entry in log.entries) == replays
        results.append([leaf.tobytes() for leaf in last.result])
    assert results[0] == results[1]
    assert any(results[0][0])


def test_where_memory_is_checked_no_pool_stands_between(host: HostDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(cupy.cuda, "set_allocator", asked.append)
    adapter.implementation()
    assert asked == []
    monkeypatch.setenv(adapter.MEMORY_CHECKED, "1")
    adapter.implementation()
    assert asked == [None]
