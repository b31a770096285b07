"""Puts the toy laws, subjects and implementation where tests can import them by name."""

from pathlib import Path

import pytest

collect_ignore = ["toy"]

TOY = Path(__file__).parent / "toy"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the toys, on the path of this process and of those that it starts."""
    monkeypatch.syspath_prepend(str(TOY))
    monkeypatch.setenv("PYTHONPATH", str(TOY))
    return TOY
