"""Tests that the examples on the project's own pages run, that links lead somewhere, and that what is said of
TensorFlow agrees with the report."""

import doctest
import json
import re
import tomllib
from pathlib import Path

import pytest

import impl_gpu
from dynamic_rnn_spec import VariableStore, use_store
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("impl_gpu/*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)(?:#[^)\s]*)?\)")


def test_the_examples_of_the_readme_run() -> None:
    results = doctest.testfile(str(ROOT / "README.md"), module_relative=False)

    assert results.attempted > 0
    assert results.failed == 0


def test_the_examples_of_the_page_about_the_gpu_run() -> None:
    # Host-executed, since what an example shows does not depend on the device.
    with use_device(HostDevice()), use_store(VariableStore(seed=0)):
        impl_gpu.clear_caches()
        results = doctest.testfile(str(ROOT / "docs" / "impl-gpu.md"), module_relative=False)

    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_says_of_tensorflow_what_the_report_says() -> None:
    report = json.loads((ROOT / "docs" / "tensorflow14" / "report" / "report.json").read_text(encoding="utf-8"))
    [tensorflow] = report["implementations"]
    documented = tensorflow["summary"]["documented"]
    kept = f"TensorFlow 1.4.1](docs/tensorflow14/README.md) keeps {documented['pass']} of {documented['counted']}."

    assert kept in (ROOT / "README.md").read_text(encoding="utf-8")


def test_what_the_report_says_of_tensorflow_is_announced() -> None:
    folder = ROOT / "docs" / "tensorflow14"
    report = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    announced = tomllib.loads((folder / "known.toml").read_text(encoding="utf-8"))["known"]
    documented = {clause["id"] for clause in report["clauses"] if clause["level"] == "documented"}
    failed = {verdict["clause"] for verdict in report["implementations"][0]["verdicts"] if verdict["verdict"] == "fail"}

    assert failed & documented == {known["clause"] for known in announced}
