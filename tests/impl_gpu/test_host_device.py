"""Tests the host device as a whole, and how the device is chosen."""

import ctypes
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cupy
import numpy as np
import pytest

from impl_gpu import device as devices
from impl_gpu.device import current_device, use_device
from impl_gpu.device.host import HostDevice
from impl_gpu.device.seam import SeamError

FILL = """
extern "C" __global__ void fill(float* y, float value, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = value;
}
"""


def test_fresh_memory_is_nan_and_zeroed_memory_is_zero(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)
    buffer = desk.device.allocate(16, desk.stream, "fresh")
    assert np.isnan(desk.download(buffer)).all()
    assert np.isnan(desk.view(desk.device.pinned(16, "fresh"))).all()
    desk.device.zero(buffer.ptr, 12, desk.stream, "zero")
    np.testing.assert_array_equal(desk.download(buffer), [0, 0, 0, np.nan])


def test_nothing_is_a_buffer_without_an_address(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)
    for buffer in (desk.device.allocate(0, desk.stream, "none"), desk.device.pinned(0, "none")):
        assert (buffer.ptr, buffer.nbytes) == (0, 0)
    desk.device.put(0, 0, 0, desk.stream, "none")
    desk.device.finish()
    assert desk.device.live() == []


def test_memory_is_given_back_in_the_order_of_its_stream(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)  # its device runs nothing unless it must
    device = desk.device
    x, y = desk.upload(np.ones(4), purpose="x"), desk.upload(np.zeros(4), purpose="y")
    device.copy(y.ptr, x.ptr, 16, desk.stream, "use")
    del x
    assert ("x", 16) in device.live()
    assert desk.download(y).tolist() == [1] * 4
    assert device.live() == [("y", 16)]


def test_finish_names_an_overrun_and_restart_begins_anew(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0, FILL)
    y = desk.upload(np.zeros(4), purpose="result")
    desk.launch("fill", y.ptr, 1.0, 5)
    with pytest.raises(SeamError, match=r"^overrun of 'result'"):
        desk.device.finish()
    with pytest.raises(SeamError, match=r"^overrun of 'result'"):
        desk.device.restart(1)
    assert desk.device.current_stream() is not desk.stream


def test_restart_keeps_live_buffers_and_refuses_old_streams(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0, FILL)
    device, old = desk.device, desk.stream
    kept = desk.upload(np.ones(4), purpose="weights")
    device.zero(kept.ptr, 4, old, "late")
    with device.stream(device.new_stream()):
        device.restart(7)
        assert device.current_stream() is not old
    desk.stream = device.current_stream()
    assert desk.download(kept).tolist() == [0, 1, 1, 1]
    with pytest.raises(SeamError, match=r"^this stream was made before the host device was restarted"):
        device.allocate(4, old, "x")
    del kept  # its stream is done for, so it goes at once
    assert device.live() == []


def test_restart_after_an_error_forgets_the_work_but_takes_memory_back(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0, FILL)
    y = desk.upload(np.zeros(4), purpose="result")
    desk.launch("fill", y.ptr + 1, 1.0, 4)
    with pytest.raises(SeamError, match="is not aligned to 4 bytes"):
        desk.device.synchronize(desk.stream, "end")
    desk.launch("fill", y.ptr + 1, 1.0, 4)
    del y
    desk.device.restart(0)
    assert desk.device.live() == []
    desk.device.finish()


def test_an_overrun_of_dying_pinned_memory_is_told_later(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)
    staging = desk.pinned(np.ones(4))
    ctypes.memset(staging.ptr + 16, 0, 1)
    del staging
    with pytest.raises(SeamError, match=r"^overrun of 'staging'"):
        desk.device.synchronize(desk.stream, "end")
    desk.device.finish()


def test_the_current_stream(make_desk: Callable[..., Any]) -> None:
    device = make_desk(0).device
    default, one, two = device.current_stream(), device.new_stream(), device.new_stream()
    with device.stream(one) as inner:
        assert device.current_stream() is inner is one
        with device.stream(two):
            assert device.current_stream() is two
        assert device.current_stream() is one
    assert device.current_stream() is default


def test_threads_each_with_a_stream_of_their_own(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(1, FILL)
    device = desk.device

    def work(value: int) -> list[set[float]]:
        with device.stream(device.new_stream()) as own:
            results = []
            for size in range(1, 60):
                y = device.allocate(4 * size, device.current_stream(), "y")
                desk.launch("fill", y.ptr, float(value), size, threads=64, stream=own)
                results.append(set(desk.download(y, stream=own).tolist()))
            return results

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    assert found == [[{float(value)}] * 59 for value in range(4)]
    device.finish()
    assert device.live() == []


def test_a_copy_over_itself_is_refused(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0)
    x = desk.upload(np.zeros(8))
    with pytest.raises(SeamError, match=r"^shift: a copy of 8 bytes over itself$"):
        desk.device.copy(x.ptr + 4, x.ptr, 8, desk.stream, "shift")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "value",
    [
        np.arange(12.0).reshape(3, 4),
        np.arange(12.0).reshape(3, 4).T[1:],
        np.float32(3),
        np.zeros((0, 3), np.int8),
        [[1, 2], [3, 4]],
    ],
    ids=["rows", "a view", "a scalar", "empty", "lists"],
)
def test_arrays_enter_and_come_back(value: Any, seed: int) -> None:
    device = HostDevice(seed)

    def there_and_back() -> Any:
        array = device.enter(value)
        assert isinstance(array, cupy.ndarray)
        assert device.enter(array) is array
        return device.to_numpy(array)

    for stream in (device.current_stream(), device.new_stream()):
        with device.stream(stream):
            back = there_and_back()
        assert back.dtype == np.asarray(value).dtype
        np.testing.assert_array_equal(back, value)
    device.finish()
    assert device.live() == []


def test_an_upload_is_of_the_values_at_the_call() -> None:
    device = HostDevice(0)
    value = np.ones(4)
    array = device.enter(value)
    value[:] = 2
    assert device.to_numpy(array).tolist() == [1] * 4


def test_dlpack_enters_and_memory_of_a_gpu_does_not() -> None:
    class OfHost:
        def __dlpack__(self, **keywords: Any) -> Any:
            return np.arange(3).__dlpack__(**keywords)

        def __dlpack_device__(self) -> Any:
            return np.arange(3).__dlpack_device__()

    class OfGpu:
        @property
        def __cuda_array_interface__(self) -> dict[str, Any]:
            return {"shape": (2,), "typestr": "<f4", "data": (4096, False), "version": 3}

    device = HostDevice(0)
    assert device.to_numpy(device.enter(OfHost())).tolist() == [0, 1, 2]
    with pytest.raises(TypeError, match=r"^the host side takes no memory of a GPU, got OfGpu$"):
        device.enter(OfGpu())


def test_what_reports_say(make_desk: Callable[..., Any]) -> None:
    described = make_desk(0).device.describe()
    assert (described["kind"], described["device"]) == ("host", "host-executed kernels, no GPU")
    assert described["compiler"]


# Choosing.


@pytest.fixture
def fresh_choice() -> Iterator[None]:
    devices._host.cache_clear()
    yield
    devices._host.cache_clear()


@pytest.mark.usefixtures("fresh_choice")
def test_the_host_side_is_announced_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("IMPL_GPU_DEVICE", "host")
    assert current_device() is current_device()
    said = "impl_gpu: IMPL_GPU_DEVICE=host: kernels are executed on the processor, not on a GPU\n"
    assert capsys.readouterr().err == said


def test_an_unknown_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPL_GPU_DEVICE", "tpu")
    with pytest.raises(ValueError, match=r'^IMPL_GPU_DEVICE: expected "cuda" or "host", got .tpu.$'):
        current_device()


@pytest.mark.parametrize("asked", [None, "", "cuda"])
def test_no_gpu_says_why_and_what_else(asked: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise cupy.cuda.runtime.CUDARuntimeError(35)

    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceCount", fail)
    monkeypatch.delenv("IMPL_GPU_DEVICE", raising=False)
    if asked is not None:
        monkeypatch.setenv("IMPL_GPU_DEVICE", asked)
    devices._cuda.cache_clear()
    with pytest.raises(
        RuntimeError,
        match=r"^impl_gpu: no CUDA device: .+; IMPL_GPU_DEVICE=host executes the same kernels on the processor, sl",
    ):
        current_device()


def test_a_device_for_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPL_GPU_DEVICE", "tpu")  # not looked at
    outer, inner = HostDevice(0), HostDevice(1)
    with use_device(outer) as device:
        assert current_device() is device is outer
        with use_device(inner):
            assert current_device() is inner
        assert current_device() is outer
