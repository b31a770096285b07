"""MultiRNNCell: runs cells one above the other, the output of each being the input of the next."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, Variable, variable_scope
from dynamic_rnn_spec.vocabulary.structure import is_sequence

from ..checks.arguments import check_cell
from ..dtypes import describe_type
from ..rnn_cell import RNNCell
from ..zero_state import zero_state
from .options import flag
from .pulling import sum_gradients
from .weighted import check_one_array, side_by_side


class MultiRNNCell(RNNCell):
    """A stack: the output of each cell is the input of the next, and each keeps a state of its own [EQ-8].

    Args:
        cells: a list or tuple of cells, the lowest first; the same instance twice shares its variables [SCOPE-14].
        state_is_tuple: True: the state is a tuple of the cells' states; False: one array with these side by side,
            which needs cells whose states are single arrays.

    Raises:
        TypeError: ``cells`` is no list or tuple [EQ-8], or one of them is no cell [CELL-2, CELL-3].
        ValueError: there is none, or ``state_is_tuple`` is False and a cell has another state_size than an integer
            [EQ-8].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.MultiRNNCell``.
    """

    def __init__(self, cells: Any, state_is_tuple: Any = True) -> None:
        super().__init__()
        if not isinstance(cells, (list, tuple)):
            raise ArgumentTypeError("cells", "a list or tuple of cells", describe_type(cells), "EQ-8")
        if not cells:
            raise ArgumentValueError("cells", "at least one cell", "none", "EQ-8")
        for index, cell in enumerate(cells):
            check_cell(cell, f"cells[{index}]")
        self._cells = tuple(cells)  # SCOPE-14: the very instances
        self._state_is_tuple = flag("state_is_tuple", state_is_tuple, "EQ-8")
        for index, cell in enumerate(cells if not self._state_is_tuple else ()):
            if is_sequence(cell.state_size) or not hasattr(cell.state_size, "__index__"):
                wanted = "an integer state_size, since state_is_tuple is False"
                raise ArgumentValueError(f"cells[{index}]", wanted, repr(cell.state_size), "EQ-8")

    @property
    def state_size(self) -> Any:
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._cells[-1].output_size  # EX-2

    @property
    def variables(self) -> Sequence[Variable]:
        """The variables of the cells, the lowest first, and once each: an instance may stand twice."""
        return tuple(dict.fromkeys(variable for cell in self._cells for variable in cell.variables))

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        """The zero states of the cells; one array of zeros with ``state_is_tuple=False`` [STATE-4]."""
        if not self._state_is_tuple:
            return super().zero_state(batch_size, dtype)
        return tuple(zero_state(cell, batch_size, dtype) for cell in self._cells)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The inputs to the output of the last cell, and the cells' new states."""
        return self._forward(lambda cell, x, old: cell(x, old), inputs, state)

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Any, Any], Any]:
        """The step, and how to pull gradients back through it, from the last cell to the first."""
        pulls: list[Any] = []

        def step(cell: Any, x: Any, old: Any) -> Any:
            result, pull = cell.vjp(x, old)
            pulls.append(pull)
            return result

        return self._forward(step, inputs, state), partial(self._pull, pulls)

    def _forward(self, step: Callable[[Any, Any, Any], Any], inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output of each cell goes into the next; ``step(cell, x, old)`` is a cell's (output, new_state) [EQ-8]."""
        output, new_states = inputs, []
        for index, (cell, old) in enumerate(zip(self._cells, self._states(state), strict=True)):
            with variable_scope(f"cell_{index}"):  # VAR-5
                output, new = step(cell, output, old)  # EQ-8
            new_states.append(new)
        return output, self._joined(new_states)

    def _pull(self, pulls: list[Any], d_output: Any, d_new_state: Any) -> tuple[Any, Any, dict[Any, Any]]:
        """Each cell's pull, the last cell first: the gradient of its inputs is that of the output below it."""
        d_states: list[Any] = []
        d_variables: dict[Any, Any] = {}
        for pull, d_new in zip(reversed(pulls), reversed(self._states(d_new_state)), strict=True):
            d_output, d_old, d_own = pull(d_output, d_new)
            d_states.insert(0, d_old)
            for name, d in d_own.items():
                d_variables[name] = sum_gradients(d_variables.get(name), d)  # GRAD-16: of all cells that share it
        return d_output, self._joined(d_states), d_variables

    def without_vjp(self) -> Any:
        """The first cell that can't pull gradients back, of the stack and its cells; see RNNCell."""
        lacking = super().without_vjp()
        for cell in self._cells:
            lacking = lacking or cell.without_vjp()
        return lacking

    def _joined(self, new_states: list[Any]) -> Any:
        return tuple(new_states) if self._state_is_tuple else side_by_side(*new_states)

    def _states(self, state: Any) -> list[Any]:
        if self._state_is_tuple:
            wanted = f"a tuple of {len(self._cells)}, one for each cell"
            if not isinstance(state, (tuple, list)):
                raise ArgumentTypeError("state", wanted, describe_type(state), "INIT-9")
            if len(state) != len(self._cells):
                raise ArgumentValueError("state", wanted, f"{len(state)} parts", "INIT-9")
            return list(state)
        check_one_array(state)
        states, start = [], 0
        for cell in self._cells:
            states.append(state[:, start : start + cell.state_size])
            start += cell.state_size
        return states
