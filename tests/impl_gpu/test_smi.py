"""Tests what is written down of a GPU's clocks, by programs that stand in for nvidia-smi."""

from pathlib import Path
from types import SimpleNamespace

import cupy
import pytest

from impl_gpu.device import smi


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, beside a GPU at a bus."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(cupy.cuda, "Device", lambda: SimpleNamespace(pci_bus_id="0000:01:00.0"))
    return tmp_path


def program(folder: Path, script: str) -> None:
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_every_field_has_its_value(folder: Path) -> None:
    values = [f"value {number}" for number in range(len(smi.FIELDS))]
    program(folder, f'[ "$1" = --id=0000:01:00.0 ] && echo "{", ".join(values)}"')
    assert smi.nvidia_smi() == dict(zip(smi.FIELDS, values, strict=True))


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo no such field; exit 2", "no such field"),
        ("echo a value too few", "a value too few"),
        ("sleep 9", "timed out"),
        (None, "not on PATH"),
    ],
)
def test_what_is_not_known_has_a_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, why: str
) -> None:
    monkeypatch.setattr(smi, "SECONDS", 0.2)
    if script is not None:
        program(folder, script.replace("sleep", "exec /bin/sleep"))
    assert why in smi.nvidia_smi()["unknown"]
