"""The reference: r1.4's dynamic_rnn, its gradients and its cells in NumPy, written to be read rather than to be fast.

Start reading at ``impl_ref/dynamic_rnn.py``.
"""

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
from .dynamic_rnn import dynamic_rnn
from .dynamic_rnn_vjp import dynamic_rnn_vjp
from .rnn_cell import RNNCell
from .sequence import new_sequence
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
    "MultiRNNCell",
    "RNNCell",
    "ResidualWrapper",
    "TensorShape",
    "VariableScope",
    "VariableStore",
    "dynamic_rnn",
    "dynamic_rnn_vjp",
    "get_variable",
    "get_variable_scope",
    "load_weights",
    "new_sequence",
    "reset_default_store",
    "save_weights",
    "use_store",
    "variable_scope",
    "zero_state",
]
