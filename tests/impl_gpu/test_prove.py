"""Rehearses the proof on the host side: it passes there, covers what it says, and fails where something is wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import impl_gpu
from impl_gpu import kernels
from impl_gpu.device.host import HostDevice
from impl_gpu.device.log import launch_log
from impl_gpu.device.seam import Gemm, Kernel
from impl_gpu.prove import calls, carried, kernel_cases, networks, products, seam_checks, stages, training
from impl_gpu.prove.carried import Carried
from impl_gpu.prove.desk import Desk
from impl_gpu.prove.findings import Findings

ROOT = Path(__file__).parents[2]
KNOWN = carried.load(carried.FILE)


@pytest.fixture(autouse=True)
def no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stage says goes to a file of the test's."""
    monkeypatch.setenv("EVIDENCE_RESULT", str(tmp_path / "result.json"))


def command(*arguments: str, device: str | None = "host") -> subprocess.CompletedProcess[str]:
    """The command line from the uninstalled tree."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("IMPL_GPU_DEVICE", "EVIDENCE_RESULT")
    }
    environment["PYTHONPATH"] = os.pathsep.join((str(ROOT / "spec"), str(ROOT)))
    if device:
        environment["IMPL_GPU_DEVICE"] = device
    asked = (sys.executable, "-m", "impl_gpu.prove", *arguments)
    return subprocess.run(asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


# What is carried.


def test_the_carried_file_is_small_and_of_these_cases() -> None:
    assert carried.FILE.stat().st_size < 2 * 2**20
    assert KNOWN.about["seed"] == 0
    assert KNOWN.about["by"]["device"] == "host-executed kernels, no GPU"
    assert KNOWN.about["cases"] == [case.name for case in kernel_cases.cases(0)]
    wanted = {network.name for network in (*networks.fixed(), *networks.drawn(0, calls.DRAWN))}
    assert {name.split("/")[1] for name in KNOWN.names() if name.startswith("network/")} == wanted


def test_what_is_carried_comes_back(tmp_path: Path) -> None:
    one = Carried({"seed": 3})
    arrays: dict[str, Any] = {
        "a": np.array([[1, 2]], np.uint16),
        "empty": np.zeros((0, 3), np.float32),
        "one": np.array(0.5),
    }
    for name, array in arrays.items():
        one.put(name, array)
    one.save(tmp_path / "it.npz")

    found = carried.load(tmp_path / "it.npz")

    assert found.about == {"seed": 3}
    for name, array in arrays.items():
        assert found.get(name).dtype == np.asarray(array).dtype
        np.testing.assert_array_equal(found.get(name), array)
    with pytest.raises(KeyError, match=r"b: not carried; python -m impl_gpu\.prove --carry FILE computes it"):
        found.get("b")
    with pytest.raises(ValueError, match="a: carried twice"):
        found.put("a", arrays["a"])


def test_the_results_of_a_gpu_are_not_carried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Gpu(HostDevice):
        kind = "cuda"

    monkeypatch.setattr(stages, "current_device", Gpu)

    with pytest.raises(ValueError, match="--carry: expected IMPL_GPU_DEVICE=host"):
        stages.carry(tmp_path / "it.npz", 0)


# What is covered.


def test_every_kernel_has_a_case_in_every_variant() -> None:
    desk = Desk(HostDevice(1))
    launched = set()
    for case in kernel_cases.cases(0):
        with launch_log() as log:
            kernel_cases.results(desk, case)
        launched |= {(case.module, entry.detail, case.dtype) for entry in log.entries if entry.kind == "kernel"}

    every = {(module, entry, variant) for module, variant in kernels.modules() for entry in kernels.entries(module)}
    assert every <= launched


def kind_of(call: Gemm) -> tuple[Any, ...]:
    """What of a product may take another way through cuBLAS, but for its sizes."""
    wide = (call.lda > call.m, call.ldb > call.k, call.ldc > call.m)
    return call.transpose_a, call.transpose_b, call.a_type, call.c_type, call.compute, call.beta, wide


def test_every_kind_of_product_that_calls_make_is_proven() -> None:
    made, proven = set(), set()
    device = HostDevice(1)
    for tf32 in (False, True):
        for network in networks.fixed():
            for dtype in networks.DTYPES if "float32" in network.dtype else ():
                with launch_log() as log:
                    networks.run(network._replace(dtype=dtype), device, tf32=tf32)
                made |= {kind_of(entry.detail) for entry in log.executed() if entry.kind == "gemm"}
        impl_gpu.clear_caches()
    desk = Desk(device)
    for case in products.cases():
        if case.rows * case.columns * case.inner < 10**5:
            with launch_log() as log:
                products._check_case(desk, Findings(), case, np.random.RandomState(0))
            proven |= {kind_of(entry.detail) for entry in log.entries if entry.kind == "gemm"}

    assert len(made) >= 10
    assert sorted(made - proven) == []


# It passes where all is well.


def findings_of(check: Callable[..., Any], device: HostDevice, *more: Any) -> Findings:
    findings = Findings()
    check(Desk(device), findings, *more)
    return findings


@pytest.mark.parametrize("seed", range(6))
def test_the_seam_passes_under_any_schedule(seed: int) -> None:
    device = HostDevice(seed, memory_limit=2**26 if seed % 2 else None)
    findings = findings_of(seam_checks.check, device, 0)
    device.finish()

    assert findings.failures == []
    assert findings.checks > 70


def test_kernels_pass() -> None:
    findings = findings_of(kernel_cases.check, HostDevice(2), 0, KNOWN)

    assert findings.failures == []
    assert findings.checks > 1500
    assert max(findings.worst.values()) < 0.5


SMALL = ((3, 5, 7), (8, 64, 32))


def test_products_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "SHAPES", SMALL)
    findings = findings_of(products.check, HostDevice(2), 0)

    assert findings.failures == []
    assert 0.0 < max(findings.worst.values()) < 0.5


def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only some networks, to be quick."""
    chosen = [network for network in networks.fixed() if network.name.startswith(("LSTMCell,", "GRU", "a user's"))]
    monkeypatch.setattr(networks, "fixed", lambda: iter(chosen))


@pytest.mark.parametrize("check", [calls.check_waiting, calls.check_eager, calls.check_graph])
def test_whole_calls_pass(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    findings = findings_of(check, HostDevice(2), 0, KNOWN)

    assert [failure for failure in findings.failures if "times only" not in failure] == []
    assert findings.checks > 20


def test_training_passes_and_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    findings = findings_of(training.check, HostDevice(2), 0, KNOWN)

    assert findings.failures == []
    assert findings.checks > 20
    assert findings.figures["LSTMCell, dense"]["path"] == "fused"


# It fails where something is wrong.


class Faulty(HostDevice):
    """A host device with one thing wrong."""

    def __init__(self, fault: str, seed: int = 0, source: Any = None) -> None:
        super().__init__(seed, source)
        self.fault = fault

    def _do_zero(self, ptr: int, nbytes: int, stream: Any) -> None:
        super()._do_zero(ptr, nbytes - 1 if self.fault == "zero" and nbytes > 1 else nbytes, stream)

    def _do_put(self, ptr: int, source: int, nbytes: int, stream: Any) -> None:
        super()._do_put(ptr, source, nbytes // 512 * 512 or nbytes if self.fault == "put" else nbytes, stream)

    def _do_get(self, target: int, ptr: int, nbytes: int, stream: Any) -> None:
        half = self.fault == "get" and self.purpose == "swap out"
        super()._do_get(target, ptr, nbytes // 2 if half else nbytes, stream)

    def _give_back(self, region: Any) -> None:
        super()._give_back(region)
        if self.fault == "count" and region.place == "device":
            self.meter.take(1)

    def _do_allocate(self, nbytes: int, stream: Any) -> Any:
        fault, self.fault = self.fault, ""
        try:
            return super()._do_allocate(nbytes, stream)
        finally:
            self.fault = fault

    def free_bytes(self) -> int:
        return 2**20 if self.fault == "limit" else super().free_bytes()

    def _do_wait(self, stream: Any, event: Any) -> None:
        if self.fault != "wait":
            super()._do_wait(stream, event)

    def _do_gemm(self, call: Gemm, stream: Any) -> None:
        if self.fault == "beta":
            call = call._replace(beta=1.0)
        if self.fault == "tf32" and call.compute == "32F":
            call = call._replace(compute="32F_FAST_TF32") if call.a_type == "float32" else call
        if self.fault == "ldc":
            call = call._replace(ldc=call.m)
        if self.fault == "operands" and call.m == call.n:
            call = call._replace(a=call.b, b=call.a)
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
        if self.fault == "launch":
            arguments = [
                type(one)(one.value & 0xFFFFFFFF) if one.__class__.__name__ == "c_long" else one for one in arguments
            ]
        super()._do_launch(kernel, grid, block, arguments, shared, stream)

    def _do_begin_capture(self, stream: Any) -> None:
        if self.fault == "capture":
            raise RuntimeError("captures nothing")
        super()._do_begin_capture(stream)

    def _do_replay(self, handle: Any, stream: Any) -> None:
        if self.fault != "replay":
            super()._do_replay(handle, stream)

    def has_passed(self, event: Any) -> bool:
        return self.fault != "event" and super().has_passed(event)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("zero", "zero "),
        ("put", "put and get "),
        ("launch", "arguments keep their widths"),
        ("beta", "a product of small integers, exact"),
        ("event", "an event that was waited for has passed"),
        ("capture", "graph: RuntimeError: captures nothing"),
        ("replay", "replay 0"),
        ("get", "chunks come back as they were"),
        ("count", "memory given back is not held"),
        ("limit", "more than there is"),
    ],
)
def test_the_seam_fails_where_a_call_is_wrong(fault: str, named: str) -> None:
    failures = findings_of(seam_checks.check, Faulty(fault), 0).failures

    assert any(failure.startswith(named) for failure in failures), failures


def test_the_seam_fails_where_a_wait_is_missing() -> None:
    failed = [
        failure.startswith("a stream that waits finds all done")
        for seed in range(8)
        for failure in findings_of(seam_checks.check, Faulty("wait", seed), 0).failures
    ]

    assert any(failed)


@pytest.mark.parametrize("fault", ["beta", "tf32", "ldc", "operands"])
def test_products_fail_where_a_tuple_is_wrong(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "SHAPES", (*SMALL, (7, 7, 7)))

    assert findings_of(products.check, Faulty(fault), 0).failures


def changed(module: str, old: str, new: str) -> Any:
    """The sources of the kernels, one module changed."""
    text = kernels.registry.text(module)
    assert old in text

    def source(asked: str, dtype: str) -> str:
        whole = kernels.source(asked, dtype)
        return whole.replace(text, text.replace(old, new)) if asked == module else whole

    return source


def test_kernels_fail_where_one_computes_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    every = kernel_cases.cases
    monkeypatch.setattr(
        kernel_cases,
        "cases",
        lambda seed: (case for case in every(seed) if "basic" in case.name and case.dtype == "float32"),
    )
    device = Faulty("none", source=changed("basic_rnn", "hyperbolic(", "sigmoid("))

    findings = findings_of(kernel_cases.check, device, 0, KNOWN)

    assert findings.failures[0].startswith("basic_rnn_step float32 narrow dense to outputs: outputs: ")
    assert "are too far, the first at [" in findings.failures[0]


def test_kernels_fail_where_a_finished_row_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    every = kernel_cases.cases
    monkeypatch.setattr(
        kernel_cases,
        "cases",
        lambda seed: (case for case in every(seed) if "masked_copy" in case.name and case.dtype == "bytes4"),
    )
    device = Faulty(
        "none", source=changed("rows", "alive_at(lengths, row, rows, t)", "alive_at(lengths, row, rows, t - 1)")
    )

    failures = findings_of(kernel_cases.check, device, 0, KNOWN).failures

    assert [failure.split(":")[0] for failure in failures] == [
        "masked_copy, else another bytes4",
        "masked_copy, else zeros bytes4",
    ]


def test_graphs_fail_where_a_replay_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)

    assert any(
        "in a graph" in failure for failure in findings_of(calls.check_graph, Faulty("replay"), 0, KNOWN).failures
    )


def test_whole_calls_fail_where_a_product_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)

    assert findings_of(calls.check_eager, Faulty("tf32"), 0, KNOWN).failures


def test_training_fails_where_a_gradient_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    device = Faulty("none", source=changed("lstm_back", "narrow<STORE>(to_keep)", "narrow<STORE>(to_in)"))

    assert any(", fused" in failure for failure in findings_of(training.check, device, 0, KNOWN).failures)


# What is found is said.


def test_a_stage_that_checks_nothing_has_failed(tmp_path: Path) -> None:
    Findings().end()

    assert (
        json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["first_failure"]
        == "the stage: it checked nothing"
    )


def test_a_part_under_way_is_said_in_case_it_is_the_last(tmp_path: Path) -> None:
    with Findings().part("the hard part"):
        said = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))

    assert (said["verdict"], said["why"]) == ("crashed", "in the hard part")


def test_findings_name_the_first_number_that_is_off() -> None:
    findings = Findings()
    findings.near("it", "float32", np.array([[1, 2]], np.float32), np.array([[1, 3]], np.float32), 1e-3, "group")
    findings.equal("bits", np.array([0.0]), np.array([-0.0]))
    findings.equal("shape", np.zeros(2), np.zeros(3))

    assert findings.failures == [
        "it: 1 of 2 are too far, the first at [0, 1]: expected 3.0, got 2.0",
        "bits: 1 of 1 differ, the first at [0]: expected -0.0, got 0.0",
        "shape: expected float64 (3,), got float64 (2,)",
    ]
    assert findings.worst["group"] == pytest.approx(1000.0)


# The command line.


def test_one_stage_by_itself_says_what_it_found() -> None:
    done = command("--stage", "environment")

    said = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert said["verdict"] == "passed"
    assert said["go_on"] is True
    assert said["facts"]["execution"].startswith("host-executed, no GPU")
    assert said["facts"]["packages"]["numpy"] == np.__version__


def test_without_a_device_the_rest_is_not_run(tmp_path: Path) -> None:
    out = tmp_path / "evidence.json"

    done = command("--out", str(out), device=None)

    found = json.loads(out.read_text(encoding="utf-8"))
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == f"failed (on no device): {out}"
    assert "impl_gpu: no CUDA device" in done.stdout
    assert [stage["verdict"] for stage in found["stages"]] == ["failed", *["not run"] * len(stages.STAGES)]
    assert found["seed"] == 0
    assert len(found["source"]["sha256"]) == 64


def test_the_limits_of_the_stages_leave_room_within_eight_minutes() -> None:
    assert stages.BUDGET + 10.0 < 480.0
    assert list(stages.STAGES) == [
        "seam",
        "products",
        "kernels",
        "eager, waiting after each call",
        "eager",
        "training",
        "graph",
        "differential",
    ]


WITHOUT_ML_DTYPES = """
import importlib.util
there = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "ml_dtypes" else there(name, package)
import numpy as np
from impl_gpu.dtypes import BFLOAT16, is_bfloat16, mantissa_bits
assert BFLOAT16 is None
assert not is_bfloat16(np.dtype(np.float64))
assert mantissa_bits(np.dtype(np.float64)) == 52
"""


def test_float64_is_no_bfloat16_where_ml_dtypes_is_missing() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "spec"), str(ROOT)))}

    subprocess.run((sys.executable, "-c", WITHOUT_ML_DTYPES), env=environment, check=True)
