"""Tests which cells may be given zeros in the rows that don't count."""

from typing import Any

import numpy as np
import pytest

from impl_ref import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
)
from impl_ref.cells.row_wise import is_row_wise


class Mine(GRUCell):
    """A subclass: its step may be any."""


@pytest.mark.parametrize(
    ("cell", "row_wise"),
    [
        (BasicRNNCell(2), True),
        (GRUCell(2), True),
        (BasicLSTMCell(2), True),
        (LSTMCell(2), True),
        (MultiRNNCell([GRUCell(2), ResidualWrapper(DropoutWrapper(DeviceWrapper(LSTMCell(2), None)))]), True),
        (Mine(2), False),
        (MultiRNNCell([GRUCell(2), DeviceWrapper(Mine(2), None)]), False),
        (ResidualWrapper(GRUCell(2), np.add), False),
        (DropoutWrapper(ResidualWrapper(GRUCell(2), np.add)), False),
    ],
)
def test_only_built_in_cells_all_through(cell: Any, row_wise: bool) -> None:
    assert is_row_wise(cell) is row_wise
