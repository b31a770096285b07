"""Exports what connects an implementation to cases: PythonAdapter, and the parts that other adapters use."""

from .wire.adapter import PythonAdapter, map_children, raised
from .wire.objects import FUNCTIONS, WRONG, Replay

__all__ = ["FUNCTIONS", "WRONG", "PythonAdapter", "Replay", "map_children", "raised"]
