"""Models streams, events and graphs on the host side: queues of operations that run in some legal order.

An operation runs when it stands at the head of its queue and what it waits for has run. Between two calls of the host
the device runs what the schedule's dice say: nothing, something, or all that may run. One seed, one order.
"""

import functools
import random
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .seam import SeamError

Operation = tuple[Callable[..., object] | None, tuple[Any, ...]]
"""A function and its arguments; None waits for (stream, position)."""

PACES = (0.0, 0.3, 0.7, 0.1, 0.5, 1.0)
"""How likely the device is to run one more operation before the host goes on: a lazy device, a fast one, others."""
TURNING = 0.1
"""How likely a stream becomes faster or slower between two calls of the host."""
MIXING = (0.0, 0.5, 0.8)
"""How likely another stream runs an operation for one of a stream that the host waits for."""
OVERTAKING = (0.0, 0.5, 1.0)
"""How likely all others run ahead before it goes on."""
SPEEDS = (0, 1, 8)
"""How often a stream is chosen, compared with another one; 0 sleeps until somebody waits for it."""


class HostStream:
    """A queue; ``done`` counts what has left it. A position is the number of operations up to and with one."""

    __slots__ = ("capture", "default", "done", "model", "operations", "speed")

    def __init__(self, model: "Model", speed: int, default: bool = False) -> None:
        self.model = model
        self.speed = speed
        self.default = default
        self.operations: deque[Operation] = deque()
        self.done = 0
        self.capture: list[Operation] | None = None

    @property
    def end(self) -> int:
        """The position of the last operation enqueued."""
        return self.done + len(self.operations)


class HostEvent:
    """What a stream had been given when the event was recorded last; nothing before that."""

    __slots__ = ("model", "position", "stream")

    def __init__(self, model: "Model") -> None:
        self.model = model
        self.stream: HostStream | None = None
        self.position = 0

    def passed(self) -> bool:
        """Whether all that it stands for has run."""
        return self.stream is None or self.stream.done >= self.position


class HostGraph:
    """Operations with the addresses and values they were captured with; ``last`` is where it was replayed last."""

    __slots__ = ("last", "model", "operations")

    def __init__(self, model: "Model", operations: tuple[Operation, ...]) -> None:
        self.model = model
        self.operations = operations
        self.last: tuple[HostStream, int] | None = None


class Capture(threading.local):
    """The stream that this thread captures, and whether a refused call has broken the capture."""

    stream: HostStream | None = None
    broken: bool = False


Method = TypeVar("Method", bound=Callable[..., Any])


def alone(method: Method) -> Method:
    """One thread at a time."""

    @functools.wraps(method)
    def locked(model: "Model", *arguments: Any) -> Any:
        with model.lock:
            return method(model, *arguments)

    return cast(Method, locked)


class Model:
    """The streams of one run, and the dice that choose between the legal orders."""

    def __init__(self, seed: int, lock: Any = None) -> None:
        self.lock = lock or threading.RLock()
        self._dice = random.Random(seed)
        self._pace = PACES[seed % len(PACES)]
        self._mixing = self._dice.choice(MIXING)
        self._overtaking = self._dice.choice(OVERTAKING)
        self._busy: dict[HostStream, None] = {}  # a set that keeps its order
        self._capture = Capture()
        self.failed = False
        self.default = HostStream(self, self._speed(), default=True)

    @alone
    def new_stream(self) -> HostStream:
        """A stream that waits for no other one."""
        return HostStream(self, self._speed())

    @alone
    def seed(self) -> int:
        """A number for the order within a kernel."""
        return self._dice.getrandbits(31)

    # Work.

    @alone
    def enqueue(self, stream: HostStream, function: Callable[..., object], *arguments: Any) -> None:
        """Work for a stream, or for the graph that is being captured on it."""
        self.own(stream)
        if self._capture.stream is None and stream.capture is None:
            self._add(stream, function, arguments)
        else:
            self._captured(stream).append((function, arguments))
        self._noise()

    @alone
    def enqueue_reclaim(self, stream: HostStream, function: Callable[..., object], argument: Any) -> None:
        """Work that the death of a Python object asks for: never captured, and nothing runs at once."""
        self._add(stream, function, (argument,))

    @alone
    def record(self, event: HostEvent, stream: HostStream) -> None:
        """The event stands for all that the stream has been given."""
        self.own(stream)
        self.own(event)
        self.refuse_capture("an event recorded")
        event.stream, event.position = stream, stream.end
        self._noise()

    @alone
    def wait(self, stream: HostStream, event: HostEvent) -> None:
        """Later work on the stream waits for what the event stands for now; for nothing if it was never recorded."""
        self.own(stream)
        self.own(event)
        self.refuse_capture("a wait for an event")
        if event.stream is not None:
            self._enqueue_wait(stream, event.stream, event.position)
        self._noise()

    @alone
    def synchronize(self, stream: HostStream) -> None:
        """All work of the stream, and what it waits for, runs now."""
        self.own(stream)
        self.refuse_capture("a synchronisation")
        self._overtake(stream)
        self._advance(stream, stream.end)
        self._noise()

    @alone
    def synchronize_event(self, event: HostEvent) -> None:
        """All that the event stands for runs now."""
        self.own(event)
        self.refuse_capture("a synchronisation")
        if event.stream is not None:
            self._overtake(event.stream)
            self._advance(event.stream, event.position)
        self._noise()

    @alone
    def drain(self) -> None:
        """Everything runs."""
        while self._busy:
            stream = next(iter(self._busy))
            self._advance(stream, stream.end)

    @alone
    def abandoned(self) -> list[Operation]:
        """What has not run and never will."""
        return [operation for stream in self._busy for operation in stream.operations]

    # Graphs.

    def refuse_capture(self, what: str) -> None:
        """Raise during a capture, which CUDA would break off or, worse, let through."""
        if self._capture.stream is not None:
            self._capture.broken = True
            raise SeamError(f"cudaErrorStreamCaptureUnsupported: {what} during a capture")

    @alone
    def begin_capture(self, stream: HostStream) -> None:
        """Work of the stream goes into a graph."""
        self.own(stream)
        if stream.default:
            raise SeamError("cudaErrorStreamCaptureUnsupported: a capture of the default stream")
        if self._capture.stream is not None or stream.capture is not None:
            raise SeamError("cudaErrorIllegalState: a capture within a capture")
        self._capture.stream, self._capture.broken = stream, False
        stream.capture = []

    @alone
    def end_capture(self, stream: HostStream) -> HostGraph:
        """The graph of what the stream was given since."""
        operations = self._captured(stream)
        broken = self._capture.broken
        self.abandon_capture(stream)
        if broken:
            raise SeamError("cudaErrorStreamCaptureInvalidated: the capture was broken by a refused call")
        return HostGraph(self, tuple(operations))

    @alone
    def abandon_capture(self, stream: HostStream) -> None:
        """Forget what was captured."""
        self._captured(stream)
        stream.capture = None
        self._capture.stream = None

    @alone
    def replay(self, graph: HostGraph, stream: HostStream) -> None:
        """The operations of a graph, one after the other; a graph does not run beside itself."""
        self.own(stream)
        self.own(graph)
        self.refuse_capture("a replay")
        if graph.last is not None and graph.last[0] is not stream:
            self._enqueue_wait(stream, *graph.last)
        for function, arguments in graph.operations:
            self._add(stream, function, arguments)
        graph.last = (stream, stream.end)
        self._noise()

    # The order.

    def _speed(self) -> int:
        return self._dice.choice(SPEEDS)

    def own(self, thing: HostStream | HostEvent | HostGraph) -> None:
        """Refuse what another model made."""
        if thing.model is not self:
            kind = type(thing).__name__.removeprefix("Host").lower()
            raise SeamError(f"this {kind} was made before the host device was restarted, and must not be kept")

    def _captured(self, stream: HostStream) -> list[Operation]:
        if stream.capture is None or stream is not self._capture.stream:
            self._capture.broken = True
            raise SeamError("cudaErrorStreamCaptureIsolation: during a capture only its stream is used")
        return stream.capture

    def _enqueue_wait(self, stream: HostStream, other: HostStream, position: int) -> None:
        if other is not stream and other.done < position:
            self._add(stream, None, (other, position))

    def _add(self, stream: HostStream, function: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
        stream.operations.append((function, arguments))
        self._busy[stream] = None

    def _noise(self) -> None:
        """What the device does between two calls of the host."""
        dice = self._dice.random
        if self._busy and dice() < TURNING:
            self._dice.choice(list(self._busy)).speed = self._speed()
        while self._busy and dice() < self._pace:
            if not self._run_some():
                return

    def _run_some(self) -> bool:
        """Try one operation of any stream; false when it has to wait, or all sleep."""
        busy = list(self._busy)
        speeds = [stream.speed for stream in busy]
        if not any(speeds):
            return False
        return self._step(busy[0] if len(busy) == 1 else self._dice.choices(busy, speeds)[0])

    def _overtake(self, stream: HostStream) -> None:
        """At times others get some way ahead, or as far as they can, before a stream that is waited for goes on."""
        if self._dice.random() < self._overtaking:
            for other in [other for other in self._busy if other is not stream]:
                steps = len(other.operations)
                for _ in range(self._dice.choice((steps, self._dice.randint(0, steps)))):
                    if not other.operations or not self._step(other):
                        break

    def _step(self, stream: HostStream) -> bool:
        """Run the head of a queue if it may run."""
        function, arguments = stream.operations[0]
        if function is None and arguments[0].done < arguments[1]:
            return False
        # It counts as run before it is: what it does may give memory back, and so enqueue.
        stream.operations.popleft()
        stream.done += 1
        if not stream.operations:
            del self._busy[stream]
            if stream.operations:  # an object died in between, and gave its memory back
                self._busy[stream] = None
        if function is not None:
            try:
                function(*arguments)
            except BaseException:
                self.failed = True
                raise
        return True

    def _advance(self, stream: HostStream, position: int) -> None:
        """Run what is needed to get a stream to a position; other streams run beside it as the dice say."""
        dice = self._dice.random
        while stream.done < position:
            if not self._step(stream):
                other, needed = stream.operations[0][1]
                self._advance(other, needed)
            elif len(self._busy) > 1 and dice() < self._mixing:
                self._run_some()
