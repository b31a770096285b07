"""Tests streams, events and graphs of the host side: every order is legal, and every legal order comes up."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from impl_gpu.device.host_streams import HostStream, Model
from impl_gpu.device.seam import SeamError

SEEDS = range(300)


def orders(program: Callable[[Model, Callable[[HostStream, str], None], list[str]], None]) -> set[str]:
    """What ran in which order, over many seeds; all has run at the end."""
    seen = set()
    for seed in SEEDS:
        model, ran = Model(seed), list[str]()

        def do(stream: HostStream, name: str, model: Model = model, ran: list[str] = ran) -> None:
            model.enqueue(stream, ran.append, name)

        program(model, do, ran)
        model.drain()
        seen.add("".join(ran))
    return seen


def test_a_stream_keeps_its_order_and_two_take_all_orders() -> None:
    def program(model: Model, do: Any, ran: list[str]) -> None:
        first, second = model.default, model.new_stream()
        do(first, "a"), do(second, "x"), do(first, "b"), do(second, "y")

    legal = {
        "".join(order)
        for order in itertools.permutations("abxy")
        if order.index("a") < order.index("b") and order.index("x") < order.index("y")
    }
    assert orders(program) == legal


def test_nothing_has_to_run_before_a_synchronisation() -> None:
    early = set()

    def program(model: Model, do: Any, ran: list[str]) -> None:
        do(model.default, "a")
        do(model.default, "b")
        early.add("".join(ran))
        model.synchronize(model.default)
        assert ran == ["a", "b"]

    assert orders(program) == {"ab"}
    assert early == {"", "a", "ab"}


def test_a_synchronisation_waits_for_what_its_stream_waits_for_and_no_more() -> None:
    left = set()

    def program(model: Model, do: Any, ran: list[str]) -> None:
        first, second, third = model.default, model.new_stream(), model.new_stream()
        event = model_event(model, second, lambda: do(second, "x"))
        do(second, "y")
        do(third, "z")
        model.wait(first, event)
        do(first, "a")
        model.synchronize(first)
        assert ran.index("x") < ran.index("a")
        left.add(frozenset("yz") - set(ran))

    orders(program)
    assert left == {frozenset(), frozenset("y"), frozenset("z"), frozenset("yz")}


def test_a_wait_is_for_what_the_event_stands_for_at_the_call() -> None:
    def program(model: Model, do: Any, ran: list[str]) -> None:
        first, second = model.default, model.new_stream()
        event = model_event(model, second, lambda: do(second, "x"))
        model.wait(first, event)
        do(second, "y")
        model.record(event, second)  # too late for the wait
        do(first, "a")

    assert orders(program) == {"xay", "xya"}


def test_a_wait_for_an_event_never_recorded_is_none() -> None:
    def program(model: Model, do: Any, ran: list[str]) -> None:
        first, second = model.default, model.new_stream()
        event = new_event(model)
        model.wait(first, event)
        do(first, "a")
        do(second, "x")
        model.record(event, second)
        model.synchronize(first)

    assert orders(program) == {"ax", "xa"}


def test_the_host_waits_for_an_event() -> None:
    later = set()

    def program(model: Model, do: Any, ran: list[str]) -> None:
        event = model_event(model, model.default, lambda: do(model.default, "a"))
        assert event.passed() == (ran == ["a"])
        do(model.default, "b")
        model.synchronize_event(event)
        assert ran[0] == "a"
        assert event.passed()
        later.add("b" in ran)

    assert orders(program) == {"ab"}
    assert later == {True, False}


def test_one_seed_is_one_order() -> None:
    def run(seed: int) -> list[str]:
        model, ran = Model(seed), list[str]()
        streams = [model.new_stream() for _ in range(3)]
        for name in "abcdefghi":
            model.enqueue(streams[ord(name) % 3], ran.append, name)
        model.drain()
        return ran

    assert all(run(seed) == run(seed) for seed in range(20))
    assert len({tuple(run(seed)) for seed in range(20)}) > 5


def test_a_graph_runs_its_operations_in_order_each_time() -> None:
    def program(model: Model, do: Any, ran: list[str]) -> None:
        own = model.new_stream()
        model.begin_capture(own)
        do(own, "a"), do(own, "b")
        graph = model.end_capture(own)
        assert ran == []
        model.replay(graph, own)
        do(own, "c")
        model.replay(graph, own)

    assert orders(program) == {"abcab"}


def test_a_graph_does_not_run_beside_itself() -> None:
    def program(model: Model, do: Any, ran: list[str]) -> None:
        own, other = model.new_stream(), model.new_stream()
        model.begin_capture(own)
        do(own, "a"), do(own, "b")
        graph = model.end_capture(own)
        model.replay(graph, own)
        model.replay(graph, other)

    assert orders(program) == {"abab"}


def test_other_streams_run_on_during_a_capture() -> None:
    during = set()

    def program(model: Model, do: Any, ran: list[str]) -> None:
        own = model.new_stream()
        do(model.default, "x")
        model.begin_capture(own)
        do(own, "a")
        during.add("".join(ran))
        model.abandon_capture(own)

    assert orders(program) == {"x"}
    assert during == {"", "x"}


def test_what_a_capture_refuses() -> None:
    model = Model(0)
    own, other = model.new_stream(), model.new_stream()
    event = new_event(model)

    def refused(message: str, call: Callable[..., object], *arguments: Any) -> None:
        model.begin_capture(own)
        with pytest.raises(SeamError, match=f"^{message}"):
            call(*arguments)
        with pytest.raises(SeamError, match=r"^cudaErrorStreamCaptureInvalidated"):
            model.end_capture(own)

    unsupported = "cudaErrorStreamCaptureUnsupported: "
    refused(unsupported + "a synchronisation during a capture", model.synchronize, other)
    refused(unsupported + "a synchronisation during a capture", model.synchronize_event, event)
    refused(unsupported + "an event recorded during a capture", model.record, event, own)
    refused(unsupported + "a wait for an event during a capture", model.wait, own, event)
    refused("cudaErrorStreamCaptureIsolation: ", model.enqueue, other, print)

    with pytest.raises(SeamError, match=unsupported + "a capture of the default stream"):
        model.begin_capture(model.default)
    model.begin_capture(own)
    with pytest.raises(SeamError, match=r"^cudaErrorIllegalState: a capture within a capture"):
        model.begin_capture(other)
    graph = model.end_capture(own)
    refused(unsupported + "a replay during a capture", model.replay, graph, own)
    model.drain()


def test_what_another_model_made_is_refused() -> None:
    model, former = Model(0), Model(0)
    stream, event = former.new_stream(), new_event(former)
    former.begin_capture(stream)
    graph = former.end_capture(stream)
    for kind, call, arguments in [
        ("stream", model.enqueue, (stream, print)),
        ("event", model.record, (event, model.default)),
        ("graph", model.replay, (graph, model.default)),
        ("stream", model.synchronize, (stream,)),
    ]:
        with pytest.raises(SeamError, match=f"^this {kind} was made before the host device was restarted"):
            call(*arguments)  # type: ignore[operator]


def new_event(model: Model) -> Any:
    from impl_gpu.device.host_streams import HostEvent

    return HostEvent(model)


def model_event(model: Model, stream: HostStream, work: Callable[[], None]) -> Any:
    """An event recorded behind some work."""
    event = new_event(model)
    work()
    model.record(event, stream)
    return event
