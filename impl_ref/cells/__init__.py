"""The cells of r1.4's ``tf.nn.rnn_cell`` in NumPy, a file for each."""

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
