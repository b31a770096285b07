"""Draws a law's examples with Hypothesis, the same ones for the same seed."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.internal.conjecture import providers

PROFILES = {"smoke": 12, "default": 60, "thorough": 400}
"""Examples for each law by profile."""


def drive(body: Callable[[Any], None], strategy: Any, *, examples: int, seed: int, name: str, shrink: bool) -> None:
    """Calls ``body`` with examples of the strategy until it raises; then, with ``shrink``, with ever smaller ones.

    What is drawn depends on ``seed`` and ``name`` alone, and on no database, no clock and no constants of the modules
    that happen to be imported. The exception of the smallest failing example is raised at the end.
    """
    settings = hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        verbosity=Verbosity.quiet,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
    )

    @hypothesis.seed(derived_seed(seed, name))
    @settings
    @hypothesis.given(strategy)
    def every(example: Any) -> None:
        body(example)

    with _same_constants():
        every()


def derived_seed(seed: int, name: str) -> int:
    """A law's own seed, so that neither its neighbours nor the order of laws changes its examples."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big")


@contextlib.contextmanager
def _same_constants() -> Iterator[None]:
    """Keeps Hypothesis from drawing constants that it finds in the source of imported modules.

    It has no setting for that, and with it the examples would depend on which implementation is being tested.
    """
    internals: Any = providers
    if not hasattr(internals, "_get_local_constants"):  # a version of Hypothesis before it collected any
        yield
        return
    collect, cache, nothing = internals._get_local_constants, internals.CONSTANTS_CACHE, internals.Constants()
    internals._get_local_constants = lambda: nothing
    internals.CONSTANTS_CACHE = type(cache)(cache.max_size)
    try:
        yield
    finally:
        internals._get_local_constants, internals.CONSTANTS_CACHE = collect, cache
