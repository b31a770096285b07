"""Defines the errors that carry the clause they enforce; each implementation decides by itself when to raise one."""

from typing import Optional


class ArgumentError(Exception):
    """A refused argument. ``argument``, ``wanted``, ``got`` and ``clause`` say which, what was expected, what came, and
    why.

    The message is always ``argument: expected WANTED, got GOT [CLAUSE]``. Catch the two concrete classes below, or
    ``TypeError`` and ``ValueError`` as with any Python function.
    """

    __module__ = "dynamic_rnn_spec.errors"  # the name that others import it by

    def __init__(self, argument: str, wanted: str, got: str, clause: str, hint: Optional[str] = None) -> None:
        message = "{}: expected {}, got {} [{}]".format(argument, wanted, got, clause)  # ERR-1
        super().__init__(message if hint is None else message + "; " + hint)
        self.argument = argument
        self.wanted = wanted
        self.got = got
        self.clause = clause
        self.hint = hint

    def __reduce__(self) -> "tuple[object, ...]":
        return type(self), (self.argument, self.wanted, self.got, self.clause, self.hint)


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument of a wrong type."""

    __module__ = "dynamic_rnn_spec.errors"  # the name that others import it by


class ArgumentValueError(ArgumentError, ValueError):
    """An argument of a right type with a wrong value, shape or structure."""

    __module__ = "dynamic_rnn_spec.errors"  # the name that others import it by
