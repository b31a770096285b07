"""Defines RNNCell with a zero state on the device, for users to derive from."""

from typing import Any

import dynamic_rnn_spec

from .zero_state import zeros_of


class RNNCell(dynamic_rnn_spec.RNNCell):
    """A cell to derive from: ``output, new_state = cell(inputs, state)`` for one step of the whole batch.

    Define ``state_size``, ``output_size`` and ``call(inputs, state)``; make weights in ``build(inputs_shape)`` by
    ``add_variable``. ``call`` is given arrays of the device, takes its functions from
    ``dynamic_rnn_spec.array_module(inputs)``, and must not write into what it is given: inputs and state may be views
    of the caller's arrays, and CuPy has no read-only ones.

    From: TensorFlow 1.4.1, ``tf.nn.rnn_cell.RNNCell``.
    """

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        """Zeros [B, ...] of ``dtype`` in the structure of ``state_size``; override it to start otherwise [CELL-9].

        Raises:
            TypeError, ValueError: see ``impl_gpu.zero_state``.
        """
        return zeros_of(self, batch_size, dtype)
