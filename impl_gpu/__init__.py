"""Implements the r1.4 page of dynamic_rnn in CuPy, with fused kernels of its own.

Start reading at ``impl_gpu/dynamic_rnn.py``.
"""

import importlib.util

if importlib.util.find_spec("cupy") is None:
    raise ImportError(
        "impl_gpu needs CuPy: pip install 'tancarflow[cuda13]', or 'tancarflow[cuda12]' beside a driver of CUDA 12",
        name="cupy",
    )

from dynamic_rnn_spec import (
    AUTO_REUSE,
    Gradients,
    LSTMStateTuple,
    TensorShape,
    VariableScope,
    VariableStore,
    get_variable,
    get_variable_scope,
    reset_default_store,
    use_store,
    variable_scope,
)

from .caches import clear_caches
from .cells import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
)
from .device.log import launch_log
from .device.memory import OutOfDeviceMemory
from .dynamic_rnn import dynamic_rnn
from .dynamic_rnn_vjp import Vjp, dynamic_rnn_vjp
from .fused import explain, workspace_bytes
from .rnn_cell import RNNCell
from .sequence import new_sequence
from .settings import options
from .training import training_bytes
from .training.memory_report import MemoryReport
from .weights import load_weights, save_weights
from .zero_state import zero_state

__all__ = [
    "AUTO_REUSE",
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUCell",
    "Gradients",
    "LSTMCell",
    "LSTMStateTuple",
    "MemoryReport",
    "MultiRNNCell",
    "OutOfDeviceMemory",
    "RNNCell",
    "ResidualWrapper",
    "TensorShape",
    "VariableScope",
    "VariableStore",
    "Vjp",
    "clear_caches",
    "dynamic_rnn",
    "dynamic_rnn_vjp",
    "explain",
    "get_variable",
    "get_variable_scope",
    "launch_log",
    "load_weights",
    "new_sequence",
    "options",
    "reset_default_store",
    "save_weights",
    "training_bytes",
    "use_store",
    "variable_scope",
    "workspace_bytes",
    "zero_state",
]
