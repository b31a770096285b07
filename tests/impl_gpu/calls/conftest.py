"""Gives the tests of whole calls a host device and a store each, and one way to look at a refusal."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dynamic_rnn_spec import ArgumentError, VariableStore, use_store
from impl_gpu import clear_caches
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice


@pytest.fixture(autouse=True)
def store() -> Iterator[VariableStore]:
    """A fresh store with fixed draws, in use throughout the test."""
    with use_store(VariableStore(seed=0)) as fresh:
        yield fresh


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostDevice]:
    """A host device of its own, in use throughout the test; at its end all work is done and every guard intact."""
    for name in ("PATH", "GRAPH", "TF32", "SHADOW"):
        monkeypatch.delenv(f"IMPL_GPU_{name}", raising=False)
    host = HostDevice(seed=1)
    with use_device(host):
        yield host
        host.finish()
    clear_caches()


@pytest.fixture
def refused() -> Callable[..., contextlib.AbstractContextManager[None]]:
    """``with refused(TypeError, argument, wanted, got, clause):`` the block raises that, in message and fields."""

    @contextlib.contextmanager
    def block(
        kind: type[Exception], argument: str, wanted: str, got: str, clause: str, hint: str | None = None
    ) -> Iterator[None]:
        with pytest.raises(kind) as caught:
            yield
        error: Any = caught.value
        assert isinstance(error, ArgumentError)
        tail = "" if hint is None else f"; {hint}"
        assert str(error) == f"{argument}: expected {wanted}, got {got} [{clause}]{tail}"
        assert (error.argument, error.wanted, error.got, error.clause) == (argument, wanted, got, clause)

    return block
