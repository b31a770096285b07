"""Tests that the wheel and the sdist hold what the packages need and nothing that would clash."""

import configparser
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "dynamic_rnn_spec": ROOT / "spec" / "dynamic_rnn_spec",
    "impl_ref": ROOT / "impl_ref",
    "impl_gpu": ROOT / "impl_gpu",
    "conformance": ROOT / "conformance",
    "tancarflow_evidence": ROOT / "tancarflow_evidence",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def build_wheel(root: Path, folder: Path) -> Path:
    """The wheel of the tree at ``root``."""
    [wheel] = WheelBuilder(str(root)).build(directory=str(folder), versions=["standard"])
    return Path(wheel)


def members(wheel: Path) -> set[str]:
    """The files in ``wheel``."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's files, as an installer would lay them out."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_installed(installed: Path, code: str) -> str:
    """What ``code`` prints in a fresh process that finds the wheel's packages first and the repository not at all."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    asked = [sys.executable, "-W", "error", "-c", code]
    answer = subprocess.run(asked, cwd=installed, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_a_package_is_in_the_wheel(wheel: Path, package: str) -> None:
    folder = PACKAGES[package]
    source = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert f"{package}/__init__.py" in source
    assert source - members(wheel) == set()


@pytest.mark.parametrize(
    "pattern",
    [
        "dynamic_rnn_spec/page/clauses.toml",
        "dynamic_rnn_spec/page/ledger.toml",
        "dynamic_rnn_spec/wire/schema/case.schema.json",
        "dynamic_rnn_spec/wire/schema/outcome.schema.json",
        "dynamic_rnn_spec/wire/schema/report.schema.json",
        "dynamic_rnn_spec/vectors/*",
        "dynamic_rnn_spec/py.typed",
        "impl_ref/py.typed",
        "impl_gpu/py.typed",
        "impl_gpu/kernels/lstm.cu",
        "impl_gpu/kernels/lstm_back.cu",
        "impl_gpu/training/layers/lstm.py",
        "impl_gpu/kernels/common.cuh",
        "impl_gpu/device/hostcuda.h",
        "impl_gpu/fused/measured.toml",
        "conformance/py.typed",
        "conformance/report/templates/*.html*",
    ],
)
def test_data_files_are_in_the_wheel(wheel: Path, pattern: str) -> None:
    assert [name for name in members(wheel) if Path(name).match(pattern)]


def test_no_other_top_level_name_is_installed(wheel: Path) -> None:
    names = {name.split("/")[0] for name in members(wheel)}

    assert names == {*PACKAGES, f"tancarflow-{PROJECT['version']}.dist-info"}


def test_the_plain_install_needs_numpy_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = HeaderParser().parsestr(archive.read(f"tancarflow-{PROJECT['version']}.dist-info/METADATA").decode())
    plain = [requirement for requirement in metadata.get_all("Requires-Dist", []) if "extra ==" not in requirement]

    assert [requirement[: len("numpy")] for requirement in plain] == ["numpy"]
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_wheel_of_the_sdist_is_the_wheel_of_the_tree(wheel: Path, tmp_path: Path) -> None:
    [sdist] = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(sdist) as archive:
        # Python 3.11.0 to 3.11.3 has no filters, and Python 3.12 warns where none is named.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(tmp_path)
    unpacked = tmp_path / f"tancarflow-{PROJECT['version']}"

    assert members(build_wheel(unpacked, tmp_path / "again")) == members(wheel)
    assert (unpacked / "tests" / "test_packaging.py").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_found_where_it_was_installed(installed: Path, package: str) -> None:
    file = run_installed(installed, f"import {package}; print({package}.__file__)").strip()

    assert Path(file) == installed / package / "__init__.py"


def test_the_installed_clauses_load(installed: Path) -> None:
    code = "from dynamic_rnn_spec.page import clauses; print(len(clauses.load()))"

    assert int(run_installed(installed, code)) > 100


@pytest.mark.parametrize("group", ["dynamic_rnn.implementations", "pytest11", "console_scripts"])
def test_entry_points_lead_somewhere(installed: Path, group: str) -> None:
    code = f"""
from importlib.metadata import distributions
[found] = distributions(name="tancarflow", path=[{str(installed)!r}])
points = [point for point in found.entry_points if point.group == {group!r}]
print(*[callable(point.load()) or point.load().__name__ for point in points])
"""

    leads = {"dynamic_rnn.implementations": ["True", "True"], "pytest11": ["conformance.plugin"]}
    assert run_installed(installed, code).split() == leads.get(group, ["True"])


def test_the_lower_bounds_are_those_that_tox_tests() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    deps = [line.partition(" ;")[0] for line in tox["testenv:lowest"]["deps"].strip().splitlines()]
    tested = dict(line.split("==") for line in deps)
    extras = PROJECT["optional-dependencies"]
    parts = ["conformance", "safetensors", "test", "cuda13", "bfloat16"]
    admitted = [*PROJECT["dependencies"], *(text for part in parts for text in extras[part])]
    bounds = [re.fullmatch(r"([a-z0-9-]+)>=([0-9.]+),<.*", text) for text in admitted]
    lowest = {found[1]: found[2] for found in bounds if found is not None}

    assert tested == {name: bound + ".0" * (2 - bound.count(".")) for name, bound in lowest.items()}
    assert extras["cuda12"] == [text.replace("cuda13x", "cuda12x") for text in extras["cuda13"]]
