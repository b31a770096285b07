"""Gathers the cells of r1.4's ``tf.nn.rnn_cell``; each file defines one step of one cell.

``call`` is the step by itself, on arrays of the device or of the host, or on shapes only. The fused path reads a
cell's options and weights instead, and runs all steps without it.
"""

from .basic_lstm import BasicLSTMCell
from .basic_rnn import BasicRNNCell
from .device import DeviceWrapper
from .dropout import DropoutWrapper
from .gru import GRUCell
from .lstm import LSTMCell
from .multi_rnn import MultiRNNCell
from .residual import ResidualWrapper

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "MultiRNNCell",
    "ResidualWrapper",
]
