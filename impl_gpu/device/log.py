"""Writes the launch log: what one call asked of the device, entry by entry, for debugging.

with launch_log() as log:
    dynamic_rnn(cell, x, dtype="float32")
print(log)                       # a table
log.count("kernel", "lstm step") # how many of a kind and purpose, those inside replayed graphs included
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

KINDS = (
    "allocate",
    "pinned",
    "zero",
    "put",
    "get",
    "copy",
    "gemm",
    "kernel",
    "record",
    "wait",
    "synchronize",
    "capture",
    "replay",
)


class Entry(NamedTuple):
    """One device call: its kind (one of KINDS), what it is for, the bytes it moves, and what is special about it.

    ``detail`` is the Gemm tuple of a product, the entry point of a kernel, the Graph of a replay. ``captured`` marks
    what went into a graph and did not run there and then.
    """

    kind: str
    purpose: str
    nbytes: int = 0
    detail: Any = None
    captured: bool = False


class LaunchLog:
    """The entries of the calls within a ``launch_log()`` block, in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.notes: list[str] = []

    def executed(self) -> list[Entry]:
        """What the device was made to run: captured entries left out, each replay followed by what its graph holds."""
        ran: list[Entry] = []
        for entry in self.entries:
            if entry.captured:
                continue
            ran.append(entry)
            if entry.kind == "replay":
                ran.extend(entry.detail.entries)
        return ran

    def count(self, kind: str, purpose: str | None = None) -> int:
        """How many executed entries are of this kind and purpose (None: any)."""
        return sum(1 for e in self.executed() if e.kind == kind and (purpose is None or e.purpose == purpose))

    def __str__(self) -> str:
        counted = Counter((entry.kind, entry.purpose) for entry in self.executed())
        moved: Counter[tuple[str, str]] = Counter()
        for entry in self.executed():
            moved[entry.kind, entry.purpose] += entry.nbytes
        width = max((len(purpose) for _, purpose in counted), default=0)
        lines = [
            f"{count:6d}  {kind:11s}  {purpose:{width}s}  {moved[kind, purpose]} bytes"
            for (kind, purpose), count in counted.items()
        ]
        return "\n".join([*self.notes, *lines])


_CURRENT: ContextVar[LaunchLog | None] = ContextVar("impl_gpu_launch_log", default=None)
_CAPTURED: ContextVar[list[Entry] | None] = ContextVar("impl_gpu_captured", default=None)


@contextlib.contextmanager
def launch_log() -> Iterator[LaunchLog]:
    """Write down every device call within the block."""
    log = LaunchLog()
    token = _CURRENT.set(log)
    try:
        yield log
    finally:
        _CURRENT.reset(token)


def record(entry: Entry) -> None:
    """Add an entry to the log in use and to the graph that is being captured, where there are such."""
    captured = _CAPTURED.get()
    if captured is not None:
        entry = entry._replace(captured=True)
        captured.append(entry)
    log = _CURRENT.get()
    if log is not None:
        log.entries.append(entry)


def open_capture() -> None:
    """What is recorded from now on goes into a graph."""
    _CAPTURED.set([])


def close_capture() -> tuple[Entry, ...]:
    """What was recorded since ``open_capture``."""
    captured = _CAPTURED.get() or []
    _CAPTURED.set(None)
    return tuple(captured)


def note(text: str) -> None:
    """Say in the log in use what is no device call, such as which path was taken and why."""
    log = _CURRENT.get()
    if log is not None:
        log.notes.append(text)
