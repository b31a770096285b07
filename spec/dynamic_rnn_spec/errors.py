"""Exports the errors that carry the clause they enforce."""

from .vocabulary.errors import ArgumentError, ArgumentTypeError, ArgumentValueError

__all__ = ["ArgumentError", "ArgumentTypeError", "ArgumentValueError"]
