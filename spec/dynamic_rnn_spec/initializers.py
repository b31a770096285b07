"""Exports the initialisers of variables."""

from .vocabulary.initializers import Constant, GlorotUniform, Ones, RandomUniform, Zeros

__all__ = ["Constant", "GlorotUniform", "Ones", "RandomUniform", "Zeros"]
