"""Makes the Python objects that a case can only name: functions, replayed noise, and arguments that are wrong on
purpose."""

from typing import Any, Dict, Mapping

import numpy as np

from ..vocabulary.initializers import Constant, GlorotUniform, Ones, RandomUniform, Zeros
from ..vocabulary.structure import map_structure


class LookAlike:
    """Has all of RNNCell's protocol without being an RNNCell [CELL-3]."""

    state_size = 2
    output_size = 2

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        return state, state

    def zero_state(self, batch_size: int, dtype: Any) -> Any:
        return np.zeros((batch_size, 2), dtype)


def _relu(x: Any) -> Any:
    return x * (x > 0)


def _identity(x: Any) -> Any:
    return x


def _sigmoid(x: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * x))


def _softsign(x: Any) -> Any:
    return x / (1 + abs(x))


def _pulling_back(function: Any, vjp: Any) -> Any:
    """``function`` with the attribute ``vjp`` by which a cell pulls gradients back through it [GRAD-20]."""
    function.vjp = vjp
    return function


def _relu_vjp(x: Any) -> Any:
    return _relu(x), lambda d: d * (x > 0)


def _identity_vjp(x: Any) -> Any:
    return x, lambda d: d


def _sigmoid_vjp(x: Any) -> Any:
    y = _sigmoid(x)
    return y, lambda d: d * y * (1 - y)


def _softsign_vjp(x: Any) -> Any:
    return _softsign(x), lambda d: d / (1 + abs(x)) ** 2


_pulling_back(_relu, _relu_vjp)
_pulling_back(_identity, _identity_vjp)
_pulling_back(_sigmoid, _sigmoid_vjp)
_pulling_back(_softsign, _softsign_vjp)


def _add_twice() -> Any:
    def add_twice(inputs: Any, outputs: Any) -> Any:
        return map_structure(lambda i, o: i + o + i, inputs, outputs)

    def vjp(inputs: Any, outputs: Any) -> Any:
        return add_twice(inputs, outputs), lambda d: (map_structure(lambda leaf: leaf + leaf, d), d)

    return _pulling_back(add_twice, vjp)


def _cubed(x: Any) -> Any:
    """Without a ``vjp``."""
    return x * x * x


def _subtracted(inputs: Any, outputs: Any) -> Any:
    """Without a ``vjp``."""
    return map_structure(lambda i, o: o - i, inputs, outputs)


def _drop_none(substate: Any) -> bool:
    return False


def _drop_all(substate: Any) -> bool:
    return True


FUNCTIONS: Mapping[str, Any] = {
    "tanh": lambda: np.tanh,
    "relu": lambda: _relu,
    "identity": lambda: _identity,
    "sigmoid": lambda: _sigmoid,
    "softsign": lambda: _softsign,
    "cubed": lambda: _cubed,
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "random_uniform": RandomUniform,
    "glorot_uniform": GlorotUniform,
    "add_twice": _add_twice,
    "subtracted": lambda: _subtracted,
    "drop_none": lambda: _drop_none,
    "drop_all": lambda: _drop_all,
}
"""Functions by the name that a Case gives them: the options of Function are the arguments of these."""

WRONG: Mapping[str, Any] = {
    "object": lambda adapter: object(),
    "function": lambda adapter: _identity,
    "set": lambda adapter: {1, 2},
    "bytes": lambda adapter: b"rnn",
    "float type": lambda adapter: float,
    "int type": lambda adapter: int,
    "bool type": lambda adapter: bool,
    "complex type": lambda adapter: complex,
    "look-alike": lambda adapter: LookAlike(),
    "cell class": lambda adapter: adapter.cells.BasicRNNCell,
    "cell instance": lambda adapter: adapter.cells.BasicRNNCell(2),
    "list of cells": lambda adapter: [adapter.cells.BasicRNNCell(2), adapter.cells.BasicRNNCell(2)],
}
"""The objects that ``Wrong`` stands for."""


class Replay:
    """The uniform noise of a case, handed to a DropoutWrapper in the order in which it asks for each leaf."""

    def __init__(self, noise: Mapping[str, Any], to_array: Any) -> None:
        self.noise, self.to_array = noise, to_array
        self.asked: Dict[Any, int] = {}

    def __call__(self, purpose: str, leaf: int, shape: Any, dtype: Any) -> Any:
        """Noise for leaf number ``leaf`` of the "input", "state" or "output"."""
        step = self.asked.get((purpose, leaf), 0)
        self.asked[purpose, leaf] = step + 1
        stored = self.noise[purpose][leaf]
        values = stored if stored.ndim == len(shape) else stored[step]
        if values.shape != tuple(shape):
            raise ValueError(
                "noise for {} {}: the case has {}, asked for {}".format(purpose, leaf, values.shape, tuple(shape))
            )
        return self.to_array(values.astype(dtype))
