"""Trains built-in cells: a fused forward pass that keeps what the backward one needs, and the fused backward pass.

To follow a call: ``entry.run`` makes the forward pass, ``saving.SavingLoop`` saves its chunks with a ``keeper``;
``pulled.Pulled.pull`` makes a backward pass, ``backward.Backward`` its chunks, layers and steps, and ``layers`` has the
equations as products and kernels.
"""

from .entry import refusal, run
from .forecast import training_bytes
from .pulled import Pulled

__all__ = ["Pulled", "refusal", "run", "training_bytes"]
