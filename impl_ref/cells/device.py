"""DeviceWrapper: keeps a device's name beside a cell, which runs on the host in any case."""

from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, VariableScope

from ..dtypes import describe_type
from .wrapper import Wrapper


class DeviceWrapper(Wrapper):
    """The wrapped cell, unchanged [EQ-12].

    Args:
        cell: the wrapped cell.
        device: what TensorFlow would place the cell on, a name or a function. It is kept as ``device`` and can have
            no effect: this implementation has one device, the host.

    Raises:
        TypeError: ``cell`` is no cell [CELL-2, CELL-3], ``device`` is neither a string, a function nor None [EQ-12].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.DeviceWrapper``.
    """

    def __init__(self, cell: Any, device: Any) -> None:
        super().__init__(cell)
        if device is not None and not isinstance(device, str) and not callable(device):
            raise ArgumentTypeError("device", "a string, a function or None", describe_type(device), "EQ-12")
        self.device = device

    def __call__(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> tuple[Any, Any]:
        """One step of the wrapped cell."""
        output, new_state = self._cell(inputs, state, scope)  # EQ-12, VAR-6
        return output, new_state

    def vjp(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> Any:
        """The step of the wrapped cell, and how to pull gradients back through it."""
        return self._cell.vjp(inputs, state, scope)
