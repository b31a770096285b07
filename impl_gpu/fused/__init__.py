"""Runs built-in cells fused: the input products of a chunk of steps at once, and one kernel a step.

To follow a call: ``entry.run`` has the memory, the streams and the weights, ``loop.Loop.run`` the chunks, layers and
steps, ``layers`` the equations as products and kernels.
"""

from .caches import clear_caches
from .entry import run
from .forecast import explain, refusal, workspace_bytes

__all__ = ["clear_caches", "explain", "refusal", "run", "workspace_bytes"]
