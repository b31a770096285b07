"""Tests the switches of impl_gpu: blocks, environment, refusals."""

import re

import numpy as np
import pytest

from impl_gpu.settings import Options, current, options


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Options._fields:
        monkeypatch.delenv(f"IMPL_GPU_{name.upper()}", raising=False)


def test_the_defaults() -> None:
    assert current() == Options(
        tf32=False,
        graph=False,
        overlap=True,
        path="auto",
        sync=False,
        gemm="own",
        shadow=False,
        swap="auto",
        memory_budget=None,
    )


def test_a_block_sets_and_its_end_takes_back() -> None:
    with options(tf32=True, path="cell") as chosen:
        assert chosen == current() == Options(tf32=True, path="cell")
    assert current() == Options()


def test_an_inner_block_keeps_what_it_does_not_name() -> None:
    with options(graph=True, overlap=False), options(graph=False):
        assert current() == Options(graph=False, overlap=False)


def test_numpys_bools_are_bools() -> None:
    with options(tf32=np.True_, graph=np.False_):  # type: ignore[arg-type]
        assert current().tf32 is True
        assert current().graph is False


def test_a_block_that_fails_takes_back_too() -> None:
    with pytest.raises(KeyError), options(tf32=True):
        raise KeyError
    assert current() == Options()


@pytest.mark.parametrize(("text", "value"), [("1", True), ("0", False), ("ON", True), ("false", False)])
def test_the_environment_sets(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    monkeypatch.setenv("IMPL_GPU_OVERLAP", text)
    monkeypatch.setenv("IMPL_GPU_PATH", "cell")
    assert current() == Options(overlap=value, path="cell")


def test_the_environment_sets_how_to_swap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPL_GPU_SWAP", "recompute")
    monkeypatch.setenv("IMPL_GPU_MEMORY_BUDGET", "1048576")
    assert current() == Options(swap="recompute", memory_budget=2**20)
    with options(swap="move", memory_budget=np.int64(7)):  # type: ignore[arg-type]
        assert current() == Options(swap="move", memory_budget=7)


def test_a_block_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPL_GPU_GRAPH", "1")
    with options(graph=False):
        assert current() == Options()
    assert current() == Options(graph=True)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"path": "fused"}, ValueError, "path: expected 'auto' or 'cell', got 'fused'"),
        ({"gemm": 1}, TypeError, "gemm: expected 'own' or 'cupy', got a int"),
        ({"swap": "off"}, ValueError, "swap: expected 'auto' or 'move' or 'recompute', got 'off'"),
        ({"memory_budget": 0}, ValueError, "memory_budget: expected a number of bytes above 0, got 0"),
        ({"memory_budget": 1e9}, TypeError, "memory_budget: expected a number of bytes or None, got a float"),
        ({"memory_budget": True}, TypeError, "memory_budget: expected a number of bytes or None, got a bool"),
        ({"tf32": 1}, TypeError, "tf32: expected True, False or None, got a int"),
        (
            {"graph": True, "gemm": "cupy"},
            ValueError,
            "gemm: expected 'own', since graph is on, got 'cupy', which can't be captured",
        ),
    ],
)
def test_other_values_are_refused(given: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught, options(**given):  # type: ignore[arg-type]
        pass
    assert str(caught.value) == message
    assert current() == Options()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("IMPL_GPU_TF32", "yes", "IMPL_GPU_TF32: expected 1 or 0, got 'yes'"),
        ("IMPL_GPU_SWAP", "1", "IMPL_GPU_SWAP: expected 'auto' or 'move' or 'recompute', got '1'"),
        ("IMPL_GPU_MEMORY_BUDGET", "2GiB", "IMPL_GPU_MEMORY_BUDGET: expected a number of bytes above 0, got '2GiB'"),
        ("IMPL_GPU_MEMORY_BUDGET", "0", "IMPL_GPU_MEMORY_BUDGET: expected a number of bytes above 0, got '0'"),
        ("IMPL_GPU_GEMM", "cublas", "IMPL_GPU_GEMM: expected 'own' or 'cupy', got 'cublas'"),
    ],
)
def test_another_environment_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, text: str, message: str) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ValueError, match=re.escape(message)):
        current()
