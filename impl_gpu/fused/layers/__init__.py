"""Gathers the equations of the cells as products and kernels; each file runs one step of one kind of cell.

Every file has ``GATES``, how many gates stand side by side in a row of ``gates``; ``options``, the numbers of a cell;
``weights``, its variables as the products read them; ``scratch``, the bytes that a row needs beside gates and states;
and ``run_step``. A row is a row of the batch; "running" rows are the first ``active`` ones of the sorted batch.
"""

from types import ModuleType

from . import basic_rnn, gru, lstm
from .steps import Step, Steps

KINDS: dict[str, ModuleType] = {"basic rnn": basic_rnn, "lstm": lstm, "gru": gru}

__all__ = ["KINDS", "Step", "Steps"]
