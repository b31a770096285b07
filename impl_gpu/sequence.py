"""Tells which sequence is being run, for cells that keep one draw of noise for all of its steps.

A cell that draws once for a sequence keeps ``current_sequence()`` beside the draw, and draws anew when that is
another: so it hears of a new sequence wherever it is nested, in a user's own cell too.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_RUNNING: ContextVar[object | None] = ContextVar("impl_gpu_sequence", default=None)


def current_sequence() -> object | None:
    """A token of the sequence that is being run; None outside of any."""
    return _RUNNING.get()


@contextlib.contextmanager
def new_sequence() -> Iterator[None]:
    """The steps within the block belong to one sequence: a call of dynamic_rnn opens one, a loop by hand its own."""
    before = _RUNNING.set(object())
    try:
        yield
    finally:
        _RUNNING.reset(before)
