"""Defines what the r1.4 page of ``dynamic_rnn`` promises, and the names by which cells, implementations and the suite
speak of it.

It has three parts: ``page`` holds the page's sentences and clauses, ``vocabulary`` what cells, implementations and the
suite share (exported here), ``wire`` cases and outcomes as data. The modules beside them are the public names for what
these hold. Python 3.6 with NumPy 1.16 can import all but ``page``, which needs 3.11: the worker for TensorFlow 1.4.1
runs there.
"""

from .vocabulary.array_module import array_module
from .vocabulary.errors import ArgumentError, ArgumentTypeError, ArgumentValueError
from .vocabulary.gradients import Gradients
from .vocabulary.rnn_cell import LSTMStateTuple, RNNCell
from .vocabulary.tensor_shape import TensorShape
from .vocabulary.variable_scope import (
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
