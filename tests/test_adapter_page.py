"""The adapters of docs/adapter.md connect as the page says, and the suite finds what is wrong with their kernel."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.report import read

PAGE = Path(__file__).parents[1] / "docs" / "adapter.md"
MODULES = ("my_rnn", "my_adapter", "tf_like_adapter", "gradients_adapter")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        name = re.match(r"# (\w+)\.py\n", block)
        assert name is not None
        assert name[1] in MODULES
        (tmp_path / f"{name[1]}.py").write_text(block, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    importlib.invalidate_caches()
    yield tmp_path
    for module in MODULES:
        sys.modules.pop(module, None)


def verdicts(adapter: str, out: Path, *clauses: str) -> dict[str, str]:
    chosen = [word for clause in clauses for word in ("--clause", clause)]
    main(["run", adapter, "--out", str(out), "--jobs", "1", *chosen])
    (implementation,) = read(out)["implementations"]
    found = {verdict["clause"]: verdict["verdict"] for verdict in implementation["verdicts"]}
    return {clause: found[clause] for clause in clauses}


def test_the_adapter_is_twenty_lines() -> None:
    (block,) = re.findall(r"```python\n# my_adapter\.py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    code = [line for line in block.splitlines() if line.strip() and not line.startswith(("import", "from"))]
    assert len(code) <= 22


def test_the_kernel_keeps_its_equations_and_says_what_it_lacks(folder: Path) -> None:
    assert verdicts("my_adapter:MyRnn", folder / "report", "EQ-4", "STATE-5", "EQ-2") == {
        "EQ-4": "pass",
        "STATE-5": "pass",
        "EQ-2": "unsupported",
    }


def test_a_mask_off_by_one_is_found(folder: Path) -> None:
    kernel = folder / "my_rnn.py"
    kernel.write_text(kernel.read_text().replace("(t < lengths)", "(t <= lengths)"))
    assert verdicts("my_adapter:MyRnn", folder / "report", "EQ-4") == {"EQ-4": "fail"}


def test_a_library_with_tensorflows_names_needs_no_more_than_its_names(folder: Path) -> None:
    assert verdicts("tf_like_adapter:implementation", folder / "report", "SEQ-5", "IN-7") == {
        "SEQ-5": "pass",
        "IN-7": "pass",
    }


def test_who_has_no_gradients_reads_unsupported_and_is_not_held_to_them(folder: Path) -> None:
    out = folder / "report"
    assert main(["run", "my_adapter:MyRnn", "--out", str(out), "--jobs", "1", "--clause", "GRAD-14,GRAD-21"]) == 0
    (implementation,) = read(out)["implementations"]
    found = {verdict["clause"]: verdict["verdict"] for verdict in implementation["verdicts"]}
    assert (found["GRAD-14"], found["GRAD-21"]) == ("unsupported", "unsupported")


def test_a_library_with_gradients_hands_them_in(folder: Path) -> None:
    assert verdicts("gradients_adapter:implementation", folder / "report", "GRAD-5") == {"GRAD-5": "pass"}
