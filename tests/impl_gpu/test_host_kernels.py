"""Tests kernels executed on the processor: threads, barriers, faults, widths, halves, and the cache of modules."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impl_gpu.device import host_kernels
from impl_gpu.device.seam import Kernel, Parameter, SeamError

PLACES = """
extern "C" __global__ void places(int* out) {
    int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    out[block * (blockDim.x * blockDim.y * blockDim.z) + thread] += 1000 * block + thread;
}
extern "C" __global__ void scale(double* out, const float* x, float a, double b, int m, long long k) {
    out[0] = a; out[1] = b; out[2] = m; out[3] = (double)k; out[4] = x ? 1 : 0;
}
extern "C" __global__ void tiny(float* out) { out[0] *= 0.5f; }
extern "C" __global__ void tiny_double(double* out) { out[0] *= 0.5; }
extern "C" __global__ void wild(float* out) { reinterpret_cast<float*>(out[0] == 0 ? 8 : 0)[0] = 1; }
extern "C" __global__ void divide(int* out) { out[0] = 7 / out[0]; }
extern "C" __global__ void race(int* out) { out[threadIdx.x] = out[(threadIdx.x + 1) % blockDim.x]; }
extern "C" __global__ void to_float(float* out, const unsigned short* x, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = hc_half_to_float(x[i]);
}
extern "C" __global__ void to_half(unsigned short* out, const float* x, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = hc_float_to_half(x[i]);
}
"""

BARRIERS = """
extern "C" __global__ void block_sum(float* out, const float* x, int n) {
    extern __shared__ float part[];
    __shared__ float whole;
    const int t = threadIdx.x;
    part[t] = t < n ? x[blockIdx.x * n + t] : 0;
    for (int half = blockDim.x / 2; half; half /= 2) {
        __syncthreads();
        if (t < half) part[t] += part[t + half];
    }
    if (t == 0) whole = part[0];
    __syncthreads();
    if (t < n) out[blockIdx.x * n + t] = x[blockIdx.x * n + t] / whole;
}
extern "C" __global__ void warp_sum(float* out) {
    float value = out[threadIdx.x];
    for (int mask = 16; mask; mask /= 2) value += __shfl_xor_sync(~0u, value, mask);
    out[threadIdx.x] = value;
}
extern "C" __global__ void divergent(float* out) {
    if (threadIdx.x < 8) __syncthreads();
    else __syncwarp();
    out[threadIdx.x] = 1;
}
extern "C" __global__ void unwritten(float* out) {
    __shared__ float row[32];
    __syncthreads();
    out[threadIdx.x] = row[threadIdx.x];
}
"""


@pytest.fixture
def desk(make_desk: Callable[..., Any]) -> Any:
    return make_desk(0, PLACES)


def run(desk: Any, *arguments: Any, **more: Any) -> None:
    """A launch that has run, or said why not."""
    desk.launch(*arguments, **more)
    desk.device.synchronize(desk.stream, "end")


def test_every_thread_of_every_block_runs_once(desk: Any) -> None:
    out = desk.upload(np.zeros(2 * 3 * 2 * 4 * 2 * 2), np.int32)
    desk.device.launch(desk.kernel("places"), (2, 3, 2), (4, 2, 2), [out.ptr], desk.stream, "places", 0)
    block, thread = np.divmod(np.arange(12 * 16), 16)
    np.testing.assert_array_equal(desk.download(out, np.int32), 1000 * block + thread)


def test_arguments_arrive_whole(desk: Any) -> None:
    out = desk.upload(np.zeros(5), np.float64)
    desk.launch("scale", out.ptr, None, 1.1, 1.1, -(2**31), 2**40 + 1, threads=1)
    wanted = [float(np.float32(1.1)), 1.1, -(2.0**31), 2.0**40 + 1, 0]
    assert desk.download(out, np.float64).tolist() == wanted


def test_single_precision_flushes_denormals_and_double_keeps_them(desk: Any) -> None:
    single, double = desk.upload([1.2e-38], np.float32), desk.upload([2.3e-308], np.float64)
    desk.launch("tiny", single.ptr, threads=1)
    kernel = desk.kernel("tiny_double", "float64")
    desk.device.launch(kernel, (1, 1, 1), (1, 1, 1), [double.ptr], desk.stream, "tiny", 0)
    assert desk.download(single)[0] == 0
    assert desk.download(double, np.float64)[0] == 2.3e-308 / 2
    assert np.float32(1.2e-38) / np.float32(2) != 0  # the host's own arithmetic is as it was


def test_threads_that_race_differ_between_schedules(make_desk: Callable[..., Any]) -> None:
    results = set()
    for seed in range(20):
        desk = make_desk(seed, PLACES)
        out = desk.upload(np.arange(32), np.int32)
        desk.launch("race", out.ptr)
        results.add(tuple(desk.download(out, np.int32)))
    assert len(results) == 2


@pytest.mark.parametrize(("entry", "start"), [("wild", 0), ("divide", 0)])
def test_a_fault_ends_the_launch_and_names_the_thread(entry: str, start: int, desk: Any) -> None:
    out = desk.upload([start], np.int32)
    with pytest.raises(SeamError, match=rf"{entry}: {entry}: an access to 0x\w+, where no memory is, or a division by"):
        run(desk, entry, out.ptr, threads=1)
    desk.launch("tiny", out.ptr, threads=1)  # the process lives on
    desk.device.finish()


def test_halves_as_ieee_has_them(desk: Any) -> None:
    halves = np.arange(2**16).astype(np.uint16)
    floats, x = desk.upload(np.zeros(2**16)), desk.upload(halves, np.uint16)
    desk.launch("to_float", floats.ptr, x.ptr, 2**16, threads=128, blocks=512)
    # NaN compares as NaN, whatever its bits; all else bit for bit.
    np.testing.assert_array_equal(desk.download(floats), halves.view(np.float16).astype(np.float32))

    rng = np.random.default_rng(0)
    exact = halves.view(np.float16).astype(np.float32)
    exact = exact[np.isfinite(exact)]
    ties = (exact[:-1].astype(np.float64) + exact[1:]) / 2
    values = np.concatenate(
        [
            ties,
            np.nextafter(ties.astype(np.float32), np.float32(np.inf)),
            rng.normal(size=2000) * 1e-6,
            rng.normal(size=2000) * 1e4,
            [65519.99, 65520, 1e30, np.inf, -np.inf, 2**-25, 2**-25 * 1.0001, -0.0],
        ]
    ).astype(np.float32)
    out, x = desk.upload(np.zeros(values.size), np.uint16), desk.upload(values)
    desk.launch("to_half", out.ptr, x.ptr, values.size, threads=128, blocks=-(-values.size // 128))
    with np.errstate(over="ignore"):
        wanted = values.astype(np.float16).view(np.uint16)
    np.testing.assert_array_equal(desk.download(out, np.uint16), wanted)
    out, x = desk.upload([0], np.uint16), desk.upload([np.nan])
    desk.launch("to_half", out.ptr, x.ptr, 1)
    assert np.isnan(desk.download(out, np.float16)[0])


@pytest.mark.parametrize("seed", range(5))
def test_barriers_within_a_block(seed: int, make_desk: Callable[..., Any]) -> None:
    desk = make_desk(seed, BARRIERS)
    x = np.arange(1, 301).reshape(3, 100)
    out, given = desk.upload(np.zeros(300)), desk.upload(x)
    desk.launch("block_sum", out.ptr, given.ptr, 100, threads=128, blocks=3, shared=512)
    wanted = (x / x.sum(axis=1, keepdims=True)).ravel()
    np.testing.assert_allclose(desk.download(out), wanted, rtol=1e-6)


def test_exchanges_within_a_warp(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0, BARRIERS)
    out = desk.upload(np.arange(64))
    desk.launch("warp_sum", out.ptr, threads=64)
    assert desk.download(out).tolist() == [sum(range(32))] * 32 + [sum(range(32, 64))] * 32


def test_a_barrier_that_not_every_thread_reaches(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0, BARRIERS)
    out = desk.upload(np.zeros(32))
    with pytest.raises(SeamError, match="divergent: divergent: a barrier that not every thread of the block reaches"):
        run(desk, "divergent", out.ptr)


def test_shared_memory_starts_as_nan(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(0, BARRIERS)
    out = desk.upload(np.zeros(64))
    desk.launch("unwritten", out.ptr, blocks=1)
    assert np.isnan(desk.download(out)[:32]).all()


def test_refused_launches(desk: Any) -> None:
    device, stream = desk.device, desk.stream
    out = desk.upload(np.zeros(4))
    host = desk.pinned(np.zeros(4))
    grid, block = (1, 1, 1), (1, 1, 1)

    def launch(kernel: Kernel, *values: Any, shared: int = 0) -> None:
        device.launch(kernel, grid, block, values, stream, "it", 0, shared)
        device.synchronize(stream, "end")

    tiny = desk.kernel("tiny")
    with pytest.raises(SeamError, match=r"^nothing: no entry of module 'test'$"):
        launch(tiny._replace(entry="nothing"), out.ptr)
    with pytest.raises(SeamError, match=r"^tiny: takes 1 parameters, 2 are declared$"):
        launch(tiny._replace(parameters=(*tiny.parameters, Parameter("n", "int"))), out.ptr, 1)
    with pytest.raises(SeamError, match=r"^tiny: out: no parameter type 'size_t'$"):
        launch(tiny._replace(parameters=(Parameter("out", "size_t"),)), 1)
    with pytest.raises(SeamError, match=r"^tiny: shared memory of 0 to 232448 bytes, got 232449$"):
        launch(tiny, out.ptr, shared=232449)
    with pytest.raises(SeamError, match=r"^it: tiny: out: 0x8 lies in no memory of this device; \d+ bytes before"):
        launch(tiny, 8)
    with pytest.raises(SeamError, match=r"^it: tiny: out: 0x\w+ is not aligned to 4 bytes$"):
        launch(tiny, out.ptr + 2)
    with pytest.raises(
        SeamError, match=r"^it: tiny: out: 0x\w+ lies in no memory of this device; 0 bytes behind 'data'"
    ):
        launch(tiny, out.ptr + out.nbytes)
    with pytest.raises(SeamError, match=r"^it: tiny: out: expected device memory, got 'staging' \(16 bytes, pinned\)$"):
        launch(tiny, host.ptr)


# The cache.


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMPL_GPU_CACHE", str(tmp_path))
    return tmp_path


def test_a_module_is_built_once_for_its_source_and_flags(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = 'extern "C" __global__ void one(int* out) { out[0] = 1; }'
    host_kernels.load("cached", "float32", source)
    (built,) = cache.glob("*.so")
    assert built.name.startswith("cached-float32-")
    assert built.with_suffix(".cu").read_text() == source
    host_kernels.load.cache_clear()
    monkeypatch.setattr(host_kernels, "_build", None)  # must not be asked for
    host_kernels.load("cached", "float32", source)
    monkeypatch.undo()
    monkeypatch.setenv("IMPL_GPU_CACHE", str(cache))
    monkeypatch.setenv("IMPL_GPU_HOST_FLAGS", "-O0")
    host_kernels.load.cache_clear()
    host_kernels.load("cached", "float32", source)
    assert len(list(cache.glob("*.so"))) == 2


def test_what_the_compiler_does_not_take(cache: Path) -> None:
    with pytest.raises(SeamError, match=r"bad-float32-\w+\.cu:1:.*nothing"):
        host_kernels.load("bad", "float32", 'extern "C" __global__ void bad(int* out) { nothing; }')
    assert list(cache.glob("*.so")) == []


def test_no_compiler(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host_kernels._compiler.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    try:
        with pytest.raises(
            SeamError, match=r"^the host side builds kernels with a C\+\+ compiler: found none as \$CXX"
        ):
            host_kernels.load("none", "float32", "")
    finally:
        host_kernels._compiler.cache_clear()
