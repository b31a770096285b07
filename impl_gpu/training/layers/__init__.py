"""Gathers the equations of the cells backward as products and kernels, a file for each.

Every file has ``KEEPS_GATES``, whether the gates of the steps are kept; ``keeps_projected``, whether the sums of a
projection are; ``scratch``, the bytes that a row of a step needs, and those that a row of the batch needs;
``trained``, the weights that get gradients; ``recompute``, the gates of a chunk made again; ``step_back``, one step;
and ``weight_gradients``, what all steps of a chunk add to them.
"""

from types import ModuleType

from . import basic_rnn, gru, lstm
from .steps import BackSteps

BACK: dict[str, ModuleType] = {"basic rnn": basic_rnn, "lstm": lstm, "gru": gru}

__all__ = ["BACK", "BackSteps"]
