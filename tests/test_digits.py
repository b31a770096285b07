"""Tests that the training run of docs/examples learns, with either implementation by one changed import."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import impl_gpu
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLE = DOCS / "examples" / "digits.py"
CHANCE = 0.1
CHANGED = ("import impl_ref as rnn\n", "import impl_gpu as rnn\n")


def example(name: str, changed: tuple[str, str] = ("", "")) -> ModuleType:
    """The example as a module of that name, one line of it changed."""
    source = EXAMPLE.read_text(encoding="utf-8")
    assert changed == ("", "") or source.count(changed[0]) == 1
    module = ModuleType(name)
    sys.modules[name] = module  # where NamedTuple looks for it
    exec(compile(source.replace(*changed), str(EXAMPLE), "exec"), module.__dict__)
    return module


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    return example("digits_of_impl_ref")


def test_the_lengths_of_the_digits_differ(reference: ModuleType) -> None:
    sequences, lengths, digits = reference.load()

    assert sequences.shape == (1797, 8, 8)
    assert sorted(set(lengths.tolist())) == [2, 3, 4, 5, 6, 7]
    assert np.bincount(lengths).max() < 0.5 * len(lengths)
    # Past its length a sequence is empty; the columns on both sides of that bound have dark ink.
    for sequence, length in zip(sequences, lengths, strict=True):
        assert not sequence[length:].any()
        assert min(sequence[0].max(), sequence[length - 1].max()) >= reference.INK
    assert sorted(set(digits.tolist())) == list(range(10))


def test_it_learns(reference: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    epochs = reference.train(epochs=6)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "columns: digits    {2: 18, 3: 28, 4: 431, 5: 860, 6: 450, 7: 10}"
    assert [line[:8] for line in lines[1:]] == [f"epoch  {number}" for number in range(1, 7)]
    assert epochs[-1].accuracy > 8 * CHANCE
    assert epochs[-1].held_out_loss < epochs[0].held_out_loss / 3
    assert epochs[-1].loss < epochs[0].loss / 3

    reference.plot(epochs, tmp_path / "loss.svg")
    assert "held out" in (tmp_path / "loss.svg").read_text(encoding="utf-8")


def test_one_import_moves_it_to_impl_gpu(reference: ModuleType) -> None:
    with use_device(HostDevice()):
        impl_gpu.clear_caches()
        got = example("digits_of_impl_gpu", CHANGED).train(epochs=2, examples=256)
    expected = reference.train(epochs=2, examples=256)

    # Each of 8 moves of the weights adds the rounding of the gradient before it.
    np.testing.assert_allclose([epoch[:2] for epoch in got], [epoch[:2] for epoch in expected], rtol=1e-4)
    assert got[-1].loss < got[0].loss


def test_the_page_quotes_the_example_and_says_what_it_reached() -> None:
    page, source = (DOCS / "training.md").read_text(encoding="utf-8"), EXAMPLE.read_text(encoding="utf-8")
    quoted = re.findall(r"```python\n(.*?)```", page, re.DOTALL)

    assert quoted
    for text in quoted:
        for line in text.strip().splitlines():
            assert line.strip() in source, line
    [last] = re.findall(r"^epoch 25 .* ([\d.]+)% right", page, re.MULTILINE)
    assert float(last) > 95
    assert f"{last} % of the digits" in page
    assert f"{last} % on digits held out" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
