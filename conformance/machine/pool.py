"""Runs tasks side by side in processes of their own, and carries on when one of them dies or hangs.

Written by hand because `concurrent.futures` gives up all its work when one process dies, and limits no task's time.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""One thread for each process: the processes share the cores, and a sum keeps its order."""


@dataclass(frozen=True)
class Done:
    """A task that ended: its ``value``, or in ``trouble`` why it has none."""

    task: Any
    value: Any = None
    trouble: str | None = None


@dataclass
class _Child:
    process: Any
    pipe: Connection
    task: Any = None
    started: float = 0.0


def run(
    work: str, tasks: Sequence[Any], jobs: int, limit: float, started: Callable[[Any], None] = lambda task: None
) -> Iterator[Done]:
    """Yields every task as it ends, in whatever order they end.

    Args:
        work: ``module:function``, called in a process of its own with one task after another.
        tasks: picklable.
        jobs: how many processes.
        limit: seconds for one task; then its process is killed.
        started: told of each task as a process takes it up.
    """
    waiting = list(reversed(tasks))
    children: list[_Child] = []
    try:
        while waiting or children:
            while waiting and len(children) < jobs:
                children.append(_start(work))
                _give(children[-1], waiting.pop(), started)
            for child in _ended(children, limit):
                yield _collect(child, limit)
                if child.process.is_alive() and waiting:
                    _give(child, waiting.pop(), started)
                else:
                    children.remove(child)
                    _stop(child)
    finally:
        for child in children:
            child.process.kill()
            _stop(child)


def _start(work: str) -> _Child:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(work, theirs), daemon=False)
    with _one_thread():
        process.start()
    theirs.close()
    return _Child(process, ours)


def _give(child: _Child, task: Any, started: Callable[[Any], None]) -> None:
    child.task, child.started = task, time.monotonic()
    started(task)
    with contextlib.suppress(BrokenPipeError):  # it died at once, which the end of the pipe will show
        child.pipe.send(task)


def _ended(children: list[_Child], limit: float) -> list[_Child]:
    """The children that answered, died or ran out of time; waits until there is one."""
    while True:
        ready = wait([child.pipe for child in children], timeout=0.5)
        now = time.monotonic()
        ended = [child for child in children if child.pipe in ready or now - child.started > limit]
        if ended:
            return ended


def _collect(child: _Child, limit: float) -> Done:
    if not child.pipe.poll():
        child.process.kill()
        child.process.join()
        return Done(child.task, trouble=f"still running after {limit:g} s")
    try:
        value, trouble = child.pipe.recv()
    except (EOFError, OSError):
        child.process.join()
        return Done(child.task, trouble=f"its process died: {_exit(child.process.exitcode)}")
    return Done(child.task, value, trouble)


def _stop(child: _Child) -> None:
    child.pipe.close()
    child.process.join(10)
    if child.process.is_alive():
        child.process.kill()
        child.process.join()


def _exit(code: int | None) -> str:
    return f"killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit status {code}"


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    missing = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, "1"))
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _serve(work: str, pipe: Connection) -> None:
    """What a process does: answer tasks until the pipe ends. Ctrl-C is for the parent to act on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    module, _, name = work.partition(":")
    function: Callable[[Any], Any] | None = None
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            function = function or getattr(importlib.import_module(module), name)
            answer: tuple[Any, str | None] = (function(task), None)
        except Exception:  # noqa: BLE001  # a fault of the harness travels to the parent as text
            answer = (None, traceback.format_exc())
        pipe.send(answer)
