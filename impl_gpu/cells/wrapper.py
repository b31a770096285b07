"""Gives the wrappers their base class: sizes, variables and zero state of the wrapped cell, and no scope [VAR-6]."""

from collections.abc import Sequence
from typing import Any

from dynamic_rnn_spec import Variable

from ..arguments import check_cell
from ..rnn_cell import RNNCell
from ..zero_state import zero_state


class Wrapper(RNNCell):
    """A cell around another; a subclass defines ``__call__(inputs, state, scope=None)``.

    Raises:
        TypeError: ``cell`` is no RNNCell instance [CELL-2, CELL-3].
    """

    def __init__(self, cell: Any) -> None:
        super().__init__()
        check_cell(cell)
        self._cell = cell

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        return self._cell.output_size

    @property
    def variables(self) -> Sequence[Variable]:
        """The variables of the wrapped cell."""
        variables: Sequence[Variable] = self._cell.variables
        return variables

    def without_vjp(self) -> Any:
        """See RNNCell; the wrapped cell is asked too."""
        return super().without_vjp() or self._cell.without_vjp()

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        """The zero state of the wrapped cell."""
        return zero_state(self._cell, batch_size, dtype)
