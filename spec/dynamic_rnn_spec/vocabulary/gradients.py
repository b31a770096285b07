"""Defines Gradients, the tuple that a vector-Jacobian product of dynamic_rnn returns."""

from collections import namedtuple

Gradients = namedtuple("Gradients", ("inputs", "initial_state", "variables"))
Gradients.__doc__ = (
    "Gradients of a call of dynamic_rnn: ``inputs`` and ``initial_state`` in the structures that were given (None "
    "where there is none), ``variables`` a dict by TensorFlow's names."
)
