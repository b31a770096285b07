"""Tests what the launch log writes down, counts and prints, with graphs and without."""

from collections.abc import Callable
from typing import Any

import numpy as np

from impl_gpu.device.log import KINDS, Entry, launch_log, note

FILL = 'extern "C" __global__ void fill(float* y) { y[threadIdx.x] = 1; }'


def warm_up(desk: Any) -> None:
    """What is captured has been used before."""
    desk.launch("fill", desk.upload(np.zeros(32)).ptr)


def test_every_device_call_is_written_down(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0, FILL)
    device, own = desk.device, desk.device.new_stream()
    warm_up(desk)
    with launch_log() as log:
        x = device.allocate(128, own, "x")
        staging = device.pinned(128, "staging")
        device.put(x.ptr, staging.ptr, 128, own, "upload")
        device.zero(x.ptr, 64, own, "clear")
        device.copy(x.ptr + 64, x.ptr, 64, own, "double")
        event = device.new_event()
        device.record_event(event, own)
        device.wait_event(desk.stream, event)
        device.synchronize_event(event, "slot")
        device.begin_capture(own)
        desk.launch("fill", x.ptr, stream=own)
        graph = device.end_capture(own)
        device.replay(graph, own, "chunk")
        device.get(staging.ptr, x.ptr, 128, own, "result")
        device.synchronize(own, "result")
        device.zero(x.ptr, 0, own, "nothing to do")
    assert log.entries == [
        Entry("allocate", "x", 128),
        Entry("pinned", "staging", 128),
        Entry("put", "upload", 128),
        Entry("zero", "clear", 64),
        Entry("copy", "double", 64),
        Entry("record", "event"),
        Entry("wait", "event"),
        Entry("synchronize", "slot"),
        Entry("capture", "begin"),
        Entry("kernel", "fill", 0, "fill", captured=True),
        Entry("capture", "end"),
        Entry("replay", "chunk", detail=graph),
        Entry("get", "result", 128),
        Entry("synchronize", "result"),
    ]
    assert {entry.kind for entry in log.entries} == set(KINDS) - {"gemm"}
    assert graph.entries == (Entry("kernel", "fill", 0, "fill", captured=True),)
    assert (desk.view(staging) == 1).all()


def test_what_a_graph_holds_counts_when_it_runs(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0, FILL)
    device, own = desk.device, desk.device.new_stream()
    x = desk.upload(np.zeros(32), stream=own)
    warm_up(desk)
    with launch_log() as captured:
        device.begin_capture(own)
        desk.launch("fill", x.ptr, stream=own)
        device.zero(x.ptr, 4, own, "clear")
        graph = device.end_capture(own)
    assert (captured.count("kernel"), captured.count("capture")) == (0, 2)
    with launch_log() as log:
        device.replay(graph, own, "chunk")
        device.replay(graph, own, "chunk")
        desk.launch("fill", x.ptr, stream=own)
    assert log.count("kernel", "fill") == log.count("kernel") == 3
    assert log.count("kernel", "another") == 0
    assert str(log).splitlines() == [
        "     2  replay       chunk  0 bytes",
        "     3  kernel       fill   0 bytes",
        "     2  zero         clear  8 bytes",
    ]


def test_an_abandoned_capture_leaves_no_trace_on_what_follows(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0, FILL)
    own = desk.device.new_stream()
    x = desk.upload(np.zeros(32), stream=own)
    warm_up(desk)
    with launch_log() as log:
        desk.device.begin_capture(own)
        desk.launch("fill", x.ptr, stream=own)
        desk.device.abandon_capture(own)
        desk.launch("fill", x.ptr, stream=own)
    assert [(entry.kind, entry.captured) for entry in log.entries] == [
        ("capture", False),
        ("kernel", True),
        ("capture", False),
        ("kernel", False),
    ]
    assert log.count("kernel") == 1


def test_notes_and_nested_logs(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)
    note("to nobody")
    with launch_log() as outer:
        note("any-cell path")
        with launch_log() as inner:
            desk.device.pinned(4, "inner")
        desk.device.pinned(4, "outer")
    assert [entry.purpose for entry in outer.entries] == ["outer"]
    assert [entry.purpose for entry in inner.entries] == ["inner"]
    assert outer.notes == ["any-cell path"]
    assert str(outer) == "any-cell path\n     1  pinned       outer  4 bytes"
    assert str(inner) == "     1  pinned       inner  4 bytes"
