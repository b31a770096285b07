"""Gathers the helpers that launch the kernels of impl_gpu."""

from .launch_back import (
    launch_basic_rnn_step_back,
    launch_gru_candidate_back,
    launch_gru_gates_back,
    launch_lstm_projection_back,
    launch_lstm_step_back,
)
from .launch_cells import (
    launch_basic_rnn_step,
    launch_gru_candidate,
    launch_gru_gates,
    launch_lstm_projection,
    launch_lstm_step,
    launch_lstm_step_projected,
)
from .launch_elementwise import launch_drop_rows, launch_residual_add, launch_set_clock, launch_write_chunk
from .launch_gradients import (
    launch_column_sums,
    launch_drop_gradient,
    launch_load_cotangent,
    launch_load_state_cotangent,
    launch_narrow_values,
    launch_store_gradient,
    launch_store_state_gradient,
    partial_sums_bytes,
)
from .launch_rows import launch_masked_copy, launch_move_rows, launch_pack_rows
from .registry import CLOCK_BYTES, MODULES, VARIANTS, entries, kernel, modules, source

__all__ = [
    "CLOCK_BYTES",
    "MODULES",
    "VARIANTS",
    "entries",
    "kernel",
    "launch_basic_rnn_step",
    "launch_basic_rnn_step_back",
    "launch_column_sums",
    "launch_drop_gradient",
    "launch_drop_rows",
    "launch_gru_candidate",
    "launch_gru_candidate_back",
    "launch_gru_gates",
    "launch_gru_gates_back",
    "launch_load_cotangent",
    "launch_load_state_cotangent",
    "launch_lstm_projection",
    "launch_lstm_projection_back",
    "launch_lstm_step",
    "launch_lstm_step_back",
    "launch_lstm_step_projected",
    "launch_masked_copy",
    "launch_move_rows",
    "launch_narrow_values",
    "launch_pack_rows",
    "launch_residual_add",
    "launch_set_clock",
    "launch_store_gradient",
    "launch_store_state_gradient",
    "launch_write_chunk",
    "modules",
    "partial_sums_bytes",
    "source",
]
