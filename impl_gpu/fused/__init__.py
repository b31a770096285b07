"""The fused path: built-in cells, a chunk of input products at once and one kernel a step; it runs no user's code.

To follow a call: ``entry.run`` has the memory, the streams and the weights, ``loop.Loop.run`` the chunks, layers and
steps, ``layers`` the equations as products and kernels.
"""

from .caches import clear_caches
from .entry import run
from .forecast import explain, refusal, workspace_bytes

__all__ = ["clear_caches", "explain", "refusal", "run", "workspace_bytes"]
