"""Tests a shadow with one host device over another: quiet where all is well, and naming each planted fault."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec.vocabulary.variable_scope import AUTO_REUSE, VariableStore, use_store, variable_scope
from impl_gpu import kernels
from impl_gpu.device import current_device, use_device
from impl_gpu.device.host import HostDevice
from impl_gpu.device.log import launch_log
from impl_gpu.device.seam import Device, Gemm, Kernel
from impl_gpu.device.shadow import Shadow, ShadowError
from impl_gpu.device.shadow_compare import far, kernel_bounds, product_bounds
from impl_gpu.device.wrapped import Synchronous, switched
from impl_gpu.settings import Options

LENGTHS = [7, 3, 0, 5]


def cell(kind: str) -> Any:
    if kind == "LSTMCell":
        return impl_gpu.LSTMCell(5, num_proj=3, use_peepholes=True)
    return getattr(impl_gpu, kind)(5)


def run(device: Device, kind: str = "LSTMCell", dtype: str = "float32", times: int = 1, **options: Any) -> Any:
    """The outputs of a small ragged call, repeated ``times``."""
    x = np.random.RandomState(0).standard_normal((4, 7, 3)).astype(np.dtype(dtype))
    made = cell(kind)
    outputs = None
    with use_device(device), impl_gpu.options(**options), use_store(VariableStore(seed=1)):
        for _ in range(times):
            with variable_scope("rnn", reuse=AUTO_REUSE):
                outputs, _ = impl_gpu.dynamic_rnn(
                    made, x, sequence_length=LENGTHS, dtype=x.dtype, parallel_iterations=3
                )
        result = current_device().to_numpy(outputs)
    impl_gpu.clear_caches()
    return result


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("kind", ["BasicRNNCell", "BasicLSTMCell", "LSTMCell", "GRUCell"])
def test_what_is_right_is_quiet(kind: str, dtype: str) -> None:
    shadow = Shadow(HostDevice(3))

    run(shadow, kind, dtype)

    assert sum(shadow.checked.values()) >= 20
    assert not shadow.unchecked
    assert {"input product", "recurrent product", "weights", "tables"} <= set(shadow.checked)


def test_a_graph_is_run_call_by_call() -> None:
    eager, graph = Shadow(HostDevice(3)), Shadow(HostDevice(3))

    one = run(eager, times=3, graph=False)
    with launch_log() as log:
        two = run(graph, times=3, graph=True)

    assert log.count("replay") > 0
    assert any("calls are run one by one" in text for text in log.notes)
    assert eager.checked["lstm step"] == graph.checked["lstm step"] == 21
    np.testing.assert_array_equal(one, two)


def test_a_shadow_changes_nothing() -> None:
    np.testing.assert_array_equal(run(Shadow(HostDevice(3))), run(HostDevice(3)))


def test_a_users_cell_is_checked_too() -> None:
    shadow = Shadow(HostDevice(3))

    run(shadow, path="cell")

    assert shadow.checked["masked copy"] > 0
    assert not shadow.unchecked


def test_memory_that_the_shadow_was_never_shown_is_counted_as_unchecked() -> None:
    device = HostDevice(3)
    shadow, stream = Shadow(device), device.current_stream()
    unknown, known = device.allocate(64, stream, "its own"), shadow.allocate(64, stream, "test")
    shadow.zero(unknown.ptr, 64, stream, "clearing")

    with launch_log() as log:
        kernels.launch_move_rows(
            shadow,
            stream,
            itemsize=4,
            dst=known.ptr,
            src=unknown.ptr,
            order=None,
            gather=1,
            rows=4,
            row_elements=4,
            dst_row=4,
            src_row=4,
        )

    assert dict(shadow.unchecked) == {"load state": 1}
    assert log.notes == ["shadow: load state: unchecked, it reaches memory of an unknown owner"]


def faulty_source(module: str, old: str, new: str) -> Any:
    """The sources of the kernels, one module with its text changed."""
    text = kernels.registry.text(module)
    assert old in text

    def source(asked: str, dtype: str) -> str:
        whole = kernels.source(asked, dtype)
        return whole.replace(text, text.replace(old, new)) if asked == module else whole

    return source


@pytest.mark.parametrize(
    ("kind", "module", "old", "new", "named"),
    [
        ("GRUCell", "gru", "hyperbolic(", "sigmoid(", "gru candidate: gru_candidate_masked (float32): h[0]: expected"),
        (
            "BasicRNNCell",
            "basic_rnn",
            "hyperbolic(",
            "sigmoid(",
            "basic rnn step: basic_rnn_step_masked (float32): h[0]:",
        ),
    ],
)
def test_a_kernel_that_computes_something_else_is_named(kind: str, module: str, old: str, new: str, named: str) -> None:
    shadow = Shadow(HostDevice(3, faulty_source(module, old, new)))

    with pytest.raises(ShadowError) as raised:
        run(shadow, kind)

    assert str(raised.value).startswith(named)


class Faulty(HostDevice):
    """A host device with one call that goes wrong, by ``fault``."""

    def __init__(self, fault: str) -> None:
        super().__init__(3)
        self.fault = fault

    def _do_gemm(self, call: Gemm, stream: Any) -> None:
        if self.fault == "gemm" and self.purpose == "recurrent product":
            call = call._replace(transpose_b=not call.transpose_b, ldb=max(call.n, call.k), k=min(call.n, call.k))
        if self.fault == "alpha" and self.purpose == "projection product":
            call = call._replace(alpha=1.0 + 1e-3)
        super()._do_gemm(call, stream)

    def _do_launch(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: Sequence[Any],
        shared: int,
        stream: Any,
    ) -> None:
        if self.fault == "grid" and kernel.entry == "move_rows":
            grid = (1, 1, 1)
            block = (1, 1, 1)
        super()._do_launch(kernel, grid, block, arguments, shared, stream)

    def _do_zero(self, ptr: int, nbytes: int, stream: Any) -> None:
        super()._do_zero(ptr, nbytes - 1 if self.fault == "zero" else nbytes, stream)

    def _do_put(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        super()._do_put(ptr, source, nbytes // 2 if self.fault == "put" else nbytes, stream)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("gemm", "recurrent product: gemm: C["),
        ("alpha", "projection product: gemm: C["),
        ("grid", "store state: move_rows: byte "),
        ("put", "weights: put: byte "),
    ],
)
def test_a_call_that_goes_wrong_is_named(fault: str, named: str) -> None:
    with pytest.raises(ShadowError) as raised:
        run(Shadow(Faulty(fault)))

    assert str(raised.value).startswith(named)


def test_memory_that_is_not_zeroed_or_copied_is_named() -> None:
    shadow = Shadow(Faulty("zero"))
    stream = shadow.current_stream()
    buffer = shadow.allocate(64, stream, "test")

    with pytest.raises(ShadowError, match="clearing: zero: byte 63 of 64: expected 0, got 255"):
        shadow.zero(buffer.ptr, 64, stream, "clearing")


def test_memory_to_memory_is_checked() -> None:
    shadow = Shadow(HostDevice(3))
    stream = shadow.current_stream()
    one, two = (shadow.allocate(64, stream, "test") for _ in range(2))
    pinned = shadow.pinned(64, "test")
    shadow.zero(one.ptr, 64, stream, "clearing")
    shadow.copy(two.ptr, one.ptr, 64, stream, "copying")
    shadow.get(pinned.ptr, two.ptr, 64, stream, "reading")

    assert dict(shadow.checked) == {"clearing": 1, "copying": 1, "reading": 1}


# How far is far.


def test_near_numbers() -> None:
    host = np.array([1.0, 0.0, np.nan, np.inf, 1000.0], np.float32)
    before = np.zeros(5, np.float32)
    bounds = kernel_bounds("float32", host, before)

    near = host + np.array([1e-6, 1e-6, 0.0, 0.0, 1e-3], np.float32)
    off = np.array([1.00001, 1e-5, 0.0, 3e38, 1000.01], np.float32)

    assert far(near, host, bounds).tolist() == [False] * 5
    assert far(off, host, bounds).tolist() == [True] * 5


def test_a_sum_may_be_off_by_its_summands_and_no_more() -> None:
    call = Gemm(False, False, 1, 1, 4, 1.0, 1, "float32", 1, 2, "float32", 4, 0.0, 3, "float32", 1, "32F")
    a, b = np.full((1, 4), 1e3, np.float32), np.array([[1.0], [-1.0], [1.0], [-1.0]], np.float32)
    c = np.zeros((1, 1), np.float32)

    (allowed,) = product_bounds(call, a, b, c, c).ravel()

    assert allowed == pytest.approx(20 * 2.0**-23 * 4e3)
    (tf32,) = product_bounds(call._replace(compute="32F_FAST_TF32"), a, b, c, c).ravel()
    assert tf32 == pytest.approx(20 * 2.0**-10 * 4e3)


# The switches.


def test_switches_put_wrappers_around_the_device() -> None:
    device = HostDevice(3)

    assert switched(device, Options()) is device
    both = switched(device, Options(shadow=True, sync=True))
    assert isinstance(both, Synchronous)
    assert isinstance(both.inner, Shadow)
    assert both.inner.inner is device
    assert switched(device, Options(shadow=True, sync=True)) is both
    assert switched(both, Options(shadow=True, sync=True)) is both
    assert both.describe()["around"] == ["Synchronous", "Shadow"]
    assert both.kind == "host"


def test_a_call_is_told_where_it_is_made_when_the_host_waits() -> None:
    class Waits(HostDevice):
        def __init__(self) -> None:
            super().__init__(0)
            self.waited = 0

        def _do_synchronize(self, stream: Any) -> None:
            self.waited += 1
            super()._do_synchronize(stream)

    device = Waits()
    with launch_log() as log:
        run(device, sync=True)
    done = [entry for entry in log.executed() if entry.kind in ("put", "zero", "copy", "gemm", "kernel", "get")]

    assert device.waited >= len(done) > 20


def test_what_is_captured_is_not_waited_for() -> None:
    np.testing.assert_array_equal(run(HostDevice(3), times=3, graph=True, sync=True), run(HostDevice(3)))
