"""Defines DeviceWrapper, which keeps the name of a device and runs the wrapped cell where its arrays are."""

from typing import Any

from dynamic_rnn_spec import ArgumentTypeError, VariableScope

from ..dtypes import describe_value
from .wrapper import Wrapper


class DeviceWrapper(Wrapper):
    """The wrapped cell as it is [EQ-12].

    Args:
        cell: the wrapped cell.
        device: where TensorFlow would place the cell, a name or a function. It is kept as ``device`` and has no
            effect: all cells of a call run where its arrays are, on the caller's current device.

    Raises:
        TypeError: ``cell`` is no cell [CELL-2, CELL-3], ``device`` neither a string nor a function nor None [EQ-12].

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.DeviceWrapper``.
    """

    def __init__(self, cell: Any, device: Any) -> None:
        super().__init__(cell)
        if not (device is None or isinstance(device, str) or callable(device)):
            raise ArgumentTypeError("device", "a string, a function or None", describe_value(device), "EQ-12")
        self.device = device

    def __call__(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> tuple[Any, Any]:
        """A step of the wrapped cell."""
        output, new_state = self._cell(inputs, state, scope)  # EQ-12; VAR-6: no scope of its own around it
        return output, new_state

    def vjp(self, inputs: Any, state: Any, scope: None | str | VariableScope = None) -> Any:
        """A step of the wrapped cell, and its pull."""
        return self._cell.vjp(inputs, state, scope)
