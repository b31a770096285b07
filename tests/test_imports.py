"""Tests in fresh processes what each package loads; import-linter holds the static side of the same rules
(pyproject.toml)."""

import json
import subprocess
import sys

import pytest

IMPORT_SECONDS = 0.2  # what `import impl_ref` may take beyond NumPy


def fresh_process(code: str) -> str:
    """What ``code`` prints in a new Python that sees installed packages only."""
    answer = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def loaded_by(module: str) -> set[str]:
    """The top-level names that importing ``module`` adds to a process with NumPy, without the standard library's."""
    code = f"""
import json, sys
import numpy, numpy.lib, numpy.linalg, numpy.random
before = set(sys.modules)
import {module}
added = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(json.dumps(sorted(added - set(sys.stdlib_module_names))))
"""
    return set(json.loads(fresh_process(code)))


@pytest.mark.parametrize(
    ("module", "company"),
    [
        ("dynamic_rnn_spec", set()),
        ("dynamic_rnn_spec.adapter", set()),
        ("dynamic_rnn_spec.page.clauses", set()),
        ("dynamic_rnn_spec.page.ledger", set()),
        ("dynamic_rnn_spec.worker", set()),
        ("impl_ref", {"dynamic_rnn_spec"}),
        ("impl_ref.adapter", {"dynamic_rnn_spec"}),
    ],
)
def test_a_package_loads_numpy_and_the_floor_below_it_only(module: str, company: set[str]) -> None:
    assert loaded_by(module) - {"numpy"} == {module.partition(".")[0], *company}


STRANGERS = {"impl_ref", "conformance", "hypothesis", "jinja2", "pytest", "rich", "tensorflow", "torch"}


@pytest.mark.parametrize("module", ["impl_gpu", "impl_gpu.adapter", "impl_gpu.bench.__main__", "impl_gpu.prove"])
def test_impl_gpu_loads_cupy_and_the_floor_below_it_and_needs_no_driver(module: str) -> None:
    loaded = loaded_by(module)

    assert {"impl_gpu", "dynamic_rnn_spec", "cupy"} <= loaded
    assert loaded & STRANGERS == set()


def test_impl_gpu_without_cupy_says_what_to_install() -> None:
    code = """
import sys
sys.modules["cupy"] = None
try:
    import impl_gpu
except ImportError as error:
    print(error)
"""
    said = fresh_process(code)

    assert "pip install 'tancarflow[cuda13]'" in said
    assert "[cuda12]" in said
    assert len(said.splitlines()) == 1


def test_a_call_without_a_device_says_what_is_missing() -> None:
    # On a machine with a GPU none is visible to this process.
    code = """
import os
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.pop("IMPL_GPU_DEVICE", None)
import numpy, impl_gpu
try:
    impl_gpu.dynamic_rnn(impl_gpu.LSTMCell(2), numpy.ones((1, 2, 3), "float32"), dtype="float32")
except RuntimeError as error:
    print(error)
"""
    said = fresh_process(code)

    assert said.startswith("impl_gpu: no CUDA device: ")
    assert said.endswith("; IMPL_GPU_DEVICE=host executes the same kernels on the processor, slowly\n")


def test_without_device_and_compiler_the_suite_is_told_what_is_missing() -> None:
    code = """
import os
os.environ |= {"PATH": "", "CXX": "", "CUDA_VISIBLE_DEVICES": "", "IMPL_GPU_DEVICE": "CHOSEN"}
from impl_gpu.adapter import implementation
print(implementation().missing())
"""

    assert fresh_process(code.replace("CHOSEN", "cuda")).startswith("impl_gpu: no CUDA device: ")
    assert "C++ compiler: found none" in fresh_process(code.replace("CHOSEN", "host"))


@pytest.mark.parametrize("module", ["conformance", "conformance.cli", "conformance.plugin"])
def test_the_suite_loads_no_implementation(module: str) -> None:
    loaded = loaded_by(module)

    assert "conformance" in loaded
    assert loaded & {"impl_ref", "impl_gpu", "cupy", "tensorflow"} == set()


def test_what_finds_interpreters_needs_the_standard_library_only() -> None:
    # tox loads it (toxfile.py) in an environment with nothing of this project's installed.
    code = "import sys, conformance.machine.interpreters; print('numpy' in sys.modules)"

    assert fresh_process(code) == "False\n"


def test_the_vocabulary_and_the_wire_do_not_load_the_page() -> None:
    code = """
import sys, dynamic_rnn_spec, dynamic_rnn_spec.adapter, dynamic_rnn_spec.worker
print([name for name in sys.modules if name.startswith("dynamic_rnn_spec.page")])
"""

    assert fresh_process(code) == "[]\n"


def test_importing_impl_ref_is_quick() -> None:
    code = """
import time
import numpy
start = time.perf_counter()
import impl_ref
print(time.perf_counter() - start)
"""

    # The least of several measurements, since a busy machine only ever adds to the time.
    assert min(float(fresh_process(code)) for _ in range(5)) < IMPORT_SECONDS


WITHOUT_EXTRA = """
import sys
sys.modules.update(dict.fromkeys(["hypothesis", "jinja2", "pytest", "rich", "xdist"]))
"""


def test_the_pytest_plugin_does_not_break_a_pytest_without_the_extra() -> None:
    # An installed plugin is loaded by every pytest run in its environment, even one that has nothing to do with us.
    without = WITHOUT_EXTRA.replace('"pytest", ', "")

    assert fresh_process(without + "import conformance.plugin; print('loaded')") == "loaded\n"


def test_the_command_without_the_extra_says_what_to_install() -> None:
    code = WITHOUT_EXTRA + "from conformance.cli import main; sys.argv[1:] = ['run', 'impl_ref']; sys.exit(main())"
    answer = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)

    assert answer.returncode == 2
    assert "pip install 'tancarflow[conformance]'" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
