"""Defines MultiRNNCell, which stacks cells: the output of each is the input of the next."""

from collections.abc import Sequence
from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, Variable, variable_scope
from dynamic_rnn_spec.vocabulary.structure import is_sequence

from ..abstract import column_range
from ..arguments import check_cell
from ..dtypes import describe_value
from ..rnn_cell import RNNCell
from ..zero_state import zero_state
from .options import flag
from .weighted import check_one_array, side_by_side


class MultiRNNCell(RNNCell):
    """A stack: each cell's output is the next one's input, and each keeps a state of its own [EQ-8].

    Args:
        cells: a list or tuple of cells, the lowest first; an instance that stands twice shares its variables
            [SCOPE-14].
        state_is_tuple: True: the state is a tuple of the cells' states. False: one array with them side by side, for
            which every one must be a single array.

    Raises:
        TypeError: ``cells`` is no list or tuple [EQ-8], or holds what is no cell [CELL-2, CELL-3].
        ValueError: no cell at all, or one whose state_size is no integer where ``state_is_tuple`` is False [EQ-8].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.MultiRNNCell``.
    """

    def __init__(self, cells: Any, state_is_tuple: Any = True) -> None:
        super().__init__()
        if not isinstance(cells, (list, tuple)):
            raise ArgumentTypeError("cells", "a list or tuple of cells", describe_value(cells), "EQ-8")
        if len(cells) == 0:
            raise ArgumentValueError("cells", "at least one cell", "none", "EQ-8")
        for index, cell in enumerate(cells):
            check_cell(cell, f"cells[{index}]")
        self._cells = tuple(cells)  # SCOPE-14: the very instances
        self._state_is_tuple = flag("state_is_tuple", state_is_tuple, "EQ-8")
        if not self._state_is_tuple:
            for index, cell in enumerate(self._cells):
                if is_sequence(cell.state_size) or not hasattr(cell.state_size, "__index__"):
                    wanted = "an integer as state_size, for state_is_tuple=False"
                    raise ArgumentValueError(f"cells[{index}]", wanted, repr(cell.state_size), "EQ-8")

    @property
    def state_size(self) -> Any:
        sizes = tuple(cell.state_size for cell in self._cells)  # STATE-4: one of each, also of a single cell
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._cells[-1].output_size  # EX-2: the width of the uppermost

    @property
    def variables(self) -> Sequence[Variable]:
        """The variables of the cells, the lowest first; an instance that stands twice counts once."""
        return tuple(dict.fromkeys(variable for cell in self._cells for variable in cell.variables))

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        """The zero states of the cells; side by side they are zeros as well."""
        if not self._state_is_tuple:
            return super().zero_state(batch_size, dtype)
        return tuple(zero_state(cell, batch_size, dtype) for cell in self._cells)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The inputs to the output of the uppermost cell, and the new states."""
        output, new_states = inputs, []
        for index, (cell, old) in enumerate(zip(self._cells, self._split(state), strict=True)):
            with variable_scope(_scope_name(index)):
                output, new = cell(output, old)  # EQ-8
            new_states.append(new)  # EX-2: from the lowest up
        return output, self._joined(new_states)

    def call_vjp(self, inputs: Any, state: Any) -> tuple[tuple[Any, Any], Any]:
        """The step, and its pull from the uppermost cell down."""
        output = inputs
        new_states: list[Any] = []
        pulls: list[Any] = []
        for index, (cell, old) in enumerate(zip(self._cells, self._split(state), strict=True)):
            with variable_scope(_scope_name(index)):
                (output, new), pull_one = cell.vjp(output, old)
            new_states.append(new)
            pulls.append(pull_one)

        def pull(d_output: Any, d_new_state: Any) -> tuple[Any, Any, dict[Any, Any]]:
            d_states: list[Any] = self._split(d_new_state)
            d_variables: dict[Any, Any] = {}
            absent: dict[Any, None] = {}
            for index in reversed(range(len(pulls))):
                d_output, d_states[index], d_own = pulls[index](d_output, d_states[index])
                for name, d in d_own.items():
                    if d is None:
                        absent[name] = None
                        continue
                    d_variables[name] = d if name not in d_variables else d_variables[name] + d  # GRAD-16
            return d_output, self._joined(d_states), {**absent, **d_variables}

        return (output, self._joined(new_states)), pull

    def without_vjp(self) -> Any:
        """See RNNCell; every cell is asked."""
        found = [super().without_vjp(), *(cell.without_vjp() for cell in self._cells)]
        return next((cell for cell in found if cell is not None), None)

    def _joined(self, states: list[Any]) -> Any:
        return tuple(states) if self._state_is_tuple else side_by_side(*states)  # STATE-4

    def _split(self, state: Any) -> list[Any]:
        if not self._state_is_tuple:
            check_one_array(state)
            states, start = [], 0
            for cell in self._cells:
                states.append(column_range(state, start, start + cell.state_size))
                start += cell.state_size
            return states
        wanted = f"a tuple of the states of {len(self._cells)} cells"
        if not isinstance(state, (tuple, list)):
            raise ArgumentTypeError("state", wanted, describe_value(state), "INIT-9")
        if len(state) != len(self._cells):
            raise ArgumentValueError("state", wanted, f"{len(state)} parts", "INIT-9")
        return list(state)


def _scope_name(index: int) -> str:
    return f"cell_{index}"  # VAR-5
