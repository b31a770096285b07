"""Lets a test of the kernels choose between the entry points for vectors and the plain ones."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from impl_gpu.kernels import geometry


@pytest.fixture
def force_vectors(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], contextlib.AbstractContextManager[None]]:
    """``with force_vectors(True)``: 16-byte accesses wherever they are legal, however small; False: nowhere."""

    @contextlib.contextmanager
    def forced(wanted: bool) -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(geometry, "LEAST_VECTOR_THREADS", 0 if wanted else 2**60)
            yield

    return forced
