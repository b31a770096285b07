"""The kernels of impl_gpu and how each is launched; it refuses to know what a call of dynamic_rnn does with them."""

from .launch_cells import (
    launch_basic_rnn_step,
    launch_gru_candidate,
    launch_gru_gates,
    launch_lstm_projection,
    launch_lstm_step,
    launch_lstm_step_projected,
)
from .launch_elementwise import launch_drop_rows, launch_residual_add, launch_set_clock, launch_write_chunk
from .launch_rows import launch_masked_copy, launch_move_rows, launch_pack_rows
from .registry import CLOCK_BYTES, MODULES, VARIANTS, entries, kernel, modules, source

__all__ = [
    "CLOCK_BYTES",
    "MODULES",
    "VARIANTS",
    "entries",
    "kernel",
    "launch_basic_rnn_step",
    "launch_drop_rows",
    "launch_gru_candidate",
    "launch_gru_gates",
    "launch_lstm_projection",
    "launch_lstm_step",
    "launch_lstm_step_projected",
    "launch_masked_copy",
    "launch_move_rows",
    "launch_pack_rows",
    "launch_residual_add",
    "launch_set_clock",
    "launch_write_chunk",
    "modules",
    "source",
]
