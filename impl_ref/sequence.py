"""Says which sequence is being run, so that a cell can keep one draw of noise for all of its steps.

A cell that draws once per sequence remembers ``current_sequence()`` with the draw, and draws again when that has
changed. So it hears of a new sequence at any depth of nesting, inside a user's own cell too.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_CURRENT: ContextVar[object | None] = ContextVar("impl_ref_sequence", default=None)


def current_sequence() -> object | None:
    """What identifies the sequence that is being run; None outside of any."""
    return _CURRENT.get()


@contextlib.contextmanager
def new_sequence() -> Iterator[None]:
    """The steps within the block are one sequence: dynamic_rnn opens one per call, a loop by hand its own."""
    token = _CURRENT.set(object())
    try:
        yield
    finally:
        _CURRENT.reset(token)
