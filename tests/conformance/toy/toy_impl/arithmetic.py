"""The toy's arithmetic, one line each to break; it knows no case."""

from typing import Any

import numpy as np


def outputs(inputs: Any) -> Any:
    """Zeros."""
    zero = 0.0
    return np.full(np.shape(inputs), zero)


def state(inputs: Any) -> Any:
    """The inputs."""
    return inputs
