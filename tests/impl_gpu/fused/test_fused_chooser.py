"""Tests the table of measurements: empty so far, read strictly, and obeyed."""

from typing import Any

import numpy as np
import pytest

from impl_gpu import GRUCell, LSTMCell, MultiRNNCell
from impl_gpu.fused import chooser
from impl_gpu.fused.loop import Loop
from impl_gpu.fused.plan import Plan, plan

ROW = """
[[row]]
device = "A GPU"
kind = "lstm"
dtype = "float32"
units = [1, 256]
batch_size = [1, 64]
way = "steps"
evidence = "docs/evidence/none.json"
"""


def test_nothing_has_been_measured_yet() -> None:
    assert chooser.rows() == ()


def test_a_row_is_read() -> None:
    (row,) = chooser.parse(ROW)
    assert row == chooser.Row("A GPU", "lstm", "float32", (1, 256), (1, 64), "steps", "docs/evidence/none.json")


@pytest.mark.parametrize(
    ("line", "other", "message"),
    [
        ('way = "steps"', 'way = "persistent"', "expected a way among steps, got 'persistent'"),
        ('kind = "lstm"', 'kind = "LSTM"', "expected a kind among basic rnn, gru, lstm, got 'LSTM'"),
        (
            'dtype = "float32"',
            'dtype = "int8"',
            "expected a dtype among bfloat16, .*, got 'int8'",
        ),
        ('evidence = "docs/evidence/none.json"\n', "", "expected the fields device, kind, .*, got device"),
    ],
)
def test_another_row_is_refused(line: str, other: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^measured.toml: row 0: {message}"):
        chooser.parse(ROW.replace(line, other))


def test_a_row_holds_within_its_bounds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(chooser.WAYS, "other", Loop)
    table = chooser.parse(ROW.replace('way = "steps"', 'way = "other"'))

    def way(cell: object, device: str = "A GPU", batch_size: int = 64, dtype: str = "float32") -> str:
        stages = plan(cell)
        assert isinstance(stages, Plan)
        return chooser.chosen(table, device, stages, batch_size, dtype)

    assert way(LSTMCell(256)) == way(MultiRNNCell([LSTMCell(1), LSTMCell(2)])) == "other"
    assert way(LSTMCell(257)) == way(GRUCell(8)) == way(MultiRNNCell([LSTMCell(1), GRUCell(1)])) == "steps"
    assert way(LSTMCell(8), device="Another") == way(LSTMCell(8), batch_size=65) == "steps"
    assert way(LSTMCell(8), dtype="float64") == "steps"


def test_a_call_is_run_the_way_that_was_measured(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    class Other(Loop):
        def run(self) -> None:
            ran.append("other")
            super().run()

    monkeypatch.setitem(chooser.WAYS, "other", Other)
    device = bench.device.describe()["device"]
    table = chooser.parse(ROW.replace('way = "steps"', 'way = "other"').replace("A GPU", device))
    monkeypatch.setattr(chooser, "rows", lambda: table)
    x = np.ones((2, 3, 4), "float32")
    for cell in (LSTMCell(3), GRUCell(3)):
        bench.check(bench.call(bench.built(cell, 4), x), bench.expected(cell, x), 3)
    assert ran == ["other"]
