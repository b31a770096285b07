"""Gives each of the reference's tests a fresh store, and a way to look at a refusal."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dynamic_rnn_spec import ArgumentError, VariableStore, use_store


@pytest.fixture(autouse=True)
def store() -> Iterator[VariableStore]:
    """A fresh store with fixed draws, in use throughout the test."""
    with use_store(VariableStore(seed=0)) as fresh:
        yield fresh


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
        fields = (error.argument, error.wanted, error.got, error.clause, error.hint)
        assert fields == (argument, wanted, got, clause, hint)

    return block
