"""The ground floor: what the r1.4 page of ``dynamic_rnn`` promises, as data and shared vocabulary; knows no
implementation and no test.

Python 3.6 must be able to import this file and the modules that it names: the worker for TensorFlow 1.4.1 runs there.
The clause registry (``dynamic_rnn_spec.clauses``, ``dynamic_rnn_spec.ledger``) needs 3.11 and is imported by whoever
wants it.
"""

from .errors import ArgumentError, ArgumentTypeError, ArgumentValueError
from .gradients import Gradients
from .rnn_cell import LSTMStateTuple, RNNCell, array_module
from .tensor_shape import TensorShape
from .variable_scope import (
    AUTO_REUSE,
    Variable,
    VariableScope,
    VariableStore,
    default_store,
    get_variable,
    get_variable_scope,
    reset_default_store,
    use_store,
    variable_scope,
)

__all__ = [
    "AUTO_REUSE",
    "ArgumentError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "Gradients",
    "LSTMStateTuple",
    "RNNCell",
    "TensorShape",
    "Variable",
    "VariableScope",
    "VariableStore",
    "array_module",
    "default_store",
    "get_variable",
    "get_variable_scope",
    "reset_default_store",
    "use_store",
    "variable_scope",
]
