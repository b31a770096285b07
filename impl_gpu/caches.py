"""Gives back the device memory that calls have left for later ones."""

from .copies import forget_copies
from .fused import clear_caches as clear_fused


def clear_caches() -> None:
    """Give back the device memory that is kept from call to call: copies of variables, packed weights, workspaces and
    graphs. It comes back in the order of the streams, so also while work is under way; the next call makes it anew.
    """
    clear_fused()
    forget_copies()
