"""Defines RNNCell, which cells derive from: the protocol of dynamic_rnn_spec, with a zero state of NumPy arrays."""

from typing import Any

import dynamic_rnn_spec

from .zero_state import zeros


class RNNCell(dynamic_rnn_spec.RNNCell):
    """A cell to derive from: ``output, new_state = cell(inputs, state)`` for one step of the whole batch.

    Define ``state_size``, ``output_size`` and ``call(inputs, state)``; make weights in ``build(inputs_shape)`` by
    ``add_variable``.

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.RNNCell``.
    """

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        """Zeros [B, ...] of ``dtype`` in the structure of ``state_size``; override it to start otherwise [CELL-9].

        Raises:
            TypeError, ValueError: see ``impl_ref.zero_state``.
        """
        return zeros(self, batch_size, dtype)
