"""Asks a worker in another process, over the pipe of ``dynamic_rnn_spec.worker``, and refuses malformed replies.

What can go wrong, and what it means:

* the command cannot be started, or no greeting comes in time: HarnessError, nothing was run;
* a line is no JSON object, or has another id or no outcome: HarnessError, since the suite or the worker is at fault and
  not the implementation. The worker is stopped; the next case gets a fresh one;
* the pipe ends during a case: the implementation crashed on it. Every call of the case is answered "crashed", with the
  exit status and the end of stderr. The next case gets a fresh worker;
* no reply comes in time: the worker is killed and every call answered "timed out". The next case gets a fresh worker.

Three threads serve a worker, so that no pipe can fill up and stall both sides: one writes its stdin, one reads its
stdout, one keeps the end of its stderr. A worker has its own process group, and all of the group is killed with it.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO, Any

from dynamic_rnn_spec.case import Answer, Case, FormatError, Outcome, dumps
from dynamic_rnn_spec.worker import PROTOCOL

TAIL_LINES = 20
START_TIMEOUT = 60.0
CASE_TIMEOUT = 20.0
END_TIMEOUT = 5.0


class HarnessError(Exception):
    """The suite could not run the implementation: nothing is said about the implementation itself."""


class WorkerStartError(HarnessError):
    """The worker never greeted. ``status``: its exit status, None if it had to be killed or could not be started."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Process:
    """One running worker: lines in, lines out, and the end of its stderr."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        try:
            self._popen = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=None if environment is None else dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerStartError(f"the worker {command[0]!r} cannot be started: {error}") from error
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        work = ((self._write, self._popen.stdin), (self._read, self._popen.stdout), (self._drain, self._popen.stderr))
        self._threads = [threading.Thread(target=target, args=(pipe,), daemon=True) for target, pipe in work]
        for thread in self._threads:
            thread.start()

    def send(self, line: bytes) -> None:
        """Hand a line to the thread that writes."""
        self._requests.put(line)

    def receive(self, timeout: float) -> bytes:
        """The next line; empty when the pipe has ended.

        Raises:
            queue.Empty: none came in ``timeout`` seconds.
        """
        return self._lines.get(timeout=timeout)

    def end(self, timeout: float) -> int:
        """Close stdin, wait, kill what is still there; the exit status (negative: the signal)."""
        self._requests.put(None)
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()
        return self._reap()

    def kill(self) -> int:
        """Kill the worker and its children now; the exit status."""
        self._kill_group()
        self._popen.wait()
        self._requests.put(None)
        return self._reap()

    def stderr_tail(self) -> str:
        """The last lines of stderr."""
        return "\n".join(self._tail)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has already ended
            os.killpg(self._popen.pid, signal.SIGKILL)

    def _reap(self) -> int:
        self._kill_group()  # a grandchild would keep the pipes open
        for thread in self._threads:
            thread.join(END_TIMEOUT)
        return self._popen.returncode

    def _write(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(BrokenPipeError), pipe:  # a dead worker shows at the end of its stdout
            while (line := self._requests.get()) is not None:
                pipe.write(line)
                pipe.flush()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self._lines.put(line)
        self._lines.put(b"")

    def _drain(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self._tail.append(line.decode("utf-8", "replace").rstrip()[:500])


class WorkerClient:
    """A worker that is started when it is first needed, and again after it has died.

    Args:
        command: the program and its arguments.
        timeout: seconds for one case.
        start_timeout: seconds until the greeting.
        environment: of the process; None is this one's.
    """

    def __init__(
        self,
        command: Sequence[str],
        timeout: float = CASE_TIMEOUT,
        start_timeout: float = START_TIMEOUT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.command = tuple(command)
        self.timeout = timeout
        self.start_timeout = start_timeout
        self._environment = environment
        self._process: Process | None = None
        self._hello: dict[str, Any] | None = None
        self._number = 0

    def start(self) -> dict[str, Any]:
        """Start the worker unless it runs; what it said in its greeting.

        Raises:
            WorkerStartError: it cannot be started, ends before it greets, or does not greet in time.
            HarnessError: its greeting is malformed, or of another protocol.
        """
        if self._process is not None and self._hello is not None:
            return self._hello
        process = Process(self.command, self._environment)
        try:
            line = process.receive(self.start_timeout)
        except queue.Empty:
            process.kill()
            raise WorkerStartError(self._text(process, f"did not greet in {self.start_timeout:g} s")) from None
        if not line:
            status = process.end(END_TIMEOUT)
            raise WorkerStartError(self._text(process, f"ended before it greeted: {_status(status)}"), status)
        hello = self._object(process, line).get("hello")
        if not isinstance(hello, dict) or hello.get("protocol") != PROTOCOL or not isinstance(hello.get("name"), str):
            process.kill()
            raise HarnessError(self._text(process, f"greeted with {line[:200]!r}, which is not protocol {PROTOCOL}"))
        self._process, self._hello = process, hello
        return hello

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        """The outcome of the case: the worker's, or "crashed" or "timed out" for each of its calls.

        ``schedule`` asks for another order of the same work, of a worker whose greeting says that it has some.

        Raises:
            HarnessError: the worker cannot be started, or its reply is malformed.
        """
        self.start()
        process = self._process
        assert process is not None
        self._number += 1
        request = {"id": self._number, "case": case.to_json(), **({} if schedule is None else {"schedule": schedule})}
        process.send((dumps(request) + "\n").encode("ascii"))
        began = time.monotonic()
        try:
            line = process.receive(self.timeout)
        except queue.Empty:
            self._forget(process)
            why = f"no reply in {self.timeout:g} s"
            return Outcome.of(Answer("timed out", what=f"{time.monotonic() - began:.1f} s", why=why), case)
        if not line:
            self._process = None
            status = process.end(END_TIMEOUT)
            return Outcome.of(Answer("crashed", what=_status(status), why=process.stderr_tail()), case)
        return self._outcome(process, line, case)

    def close(self) -> None:
        """End the worker, by the end of its input or else by force; it may be started again."""
        process, self._process = self._process, None
        if process is not None:
            process.end(END_TIMEOUT)

    def _outcome(self, process: Process, line: bytes, case: Case) -> Outcome:
        reply = self._object(process, line)
        if reply.get("id") != self._number:
            self._forget(process)
            raise HarnessError(self._text(process, f"answered {reply.get('id')!r}, asked was {self._number}"))
        if "error" in reply:
            raise HarnessError(self._text(process, f"could not read the case: {reply['error']}"))
        try:
            outcome = Outcome.from_json(reply.get("outcome"))
        except (FormatError, TypeError, ValueError, KeyError, AttributeError) as error:
            self._forget(process)
            raise HarnessError(self._text(process, f"gave an outcome that cannot be read: {error}")) from error
        if len(outcome.answers) != len(case.calls):
            self._forget(process)
            given, calls = len(outcome.answers), len(case.calls)
            raise HarnessError(self._text(process, f"gave {given} answers to {calls} calls"))
        return outcome

    def _object(self, process: Process, line: bytes) -> dict[str, Any]:
        try:
            data = json.loads(line)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            self._forget(process)
            raise HarnessError(self._text(process, f"wrote {line[:200]!r}, which is no JSON object"))
        return data

    def _forget(self, process: Process) -> None:
        self._process = None
        process.kill()

    def _text(self, process: Process, what: str) -> str:
        tail = process.stderr_tail()
        return f"the worker {' '.join(self.command)!r} {what}" + (f"; its stderr ends:\n{tail}" if tail else "")


def _status(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    name = signal.Signals(-status).name if -status in {member.value for member in signal.Signals} else str(-status)
    return f"killed by {name}"
