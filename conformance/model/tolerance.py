"""Gives every tolerance of the suite, with its derivation.

Tolerance exists for LSTM, GRU and the other built-in cells only, where two right implementations may sum in another
order or take another tanh. A number may be off by the tolerance times max(1, |expected|); see
`compare.close_difference`.

Letters: u is half the distance from 1.0 to the next number of the dtype (2**-11, 2**-24, 2**-53 for float16, 32, 64),
K the number of products summed for one gate (input depth + units), T the steps, L the cells stacked on one another.

One step. A gate sums K products of numbers of magnitude at most 1 (what the strategies draw, and what tanh and
sigmoid give): in any order that is off by at most K u times the sum of magnitudes over K, so two orders differ by at
most 2 K u for a sum near 1; the sums that matter are not much larger, for beyond that the activation is flat. The
activation has slope at most 1 and itself a few roundings; then there are some additions and products: ROUNDINGS in
all, counted for the LSTM with peepholes and projection, the longest cell (4 activations of 4 roundings, 12 other
operations, and room for a library tanh that is off by 2). So one step adds at most (2 K + ROUNDINGS) u.

T steps. A forget gate or a BasicRNNCell's slope is at most 1, so what a step hands on is not enlarged beyond what the
recurrent weights of the strategies (at most 1 over the square root of the units in norm) do, and the steps' errors
add up: linear in T. Layers: the upper cell's inputs carry the lower's error, so they add up as well: linear in L.

Wide cells and many steps. The bound grows as if every rounding had the same sign, and is of no use for float16 there.
Roundings of either sign, each at most u, add up to more than LIKELY sqrt(n) u for n of them only with a probability of
2 exp(-LIKELY**2 / 2), 3e-8 (Hoeffding; Higham and Mary, 2019): `likely` takes that wherever it is smaller. It is for
comparing two implementations on drawn cases, where a number beyond it is looked at, and for nothing promised.

Gradients. Back propagation is linear in the cotangents, and every step multiplies by slopes and values of the forward
pass, all of magnitude at most 1 (but for the activations that do not squash, where the strategies draw small weights).
So an error is judged against the largest number of the array that it is in, or 1 (`compare.close_difference` with
``whole``): a gradient is a sum of terms of both signs, and its own size says nothing of theirs. What can be off in one
number of a gradient is counted in roundings:

* the forward values that a step multiplies by: each is off by what ``for_cell`` counts for the steps before it, at
  most T L (2 K + ROUNDINGS), and a path through a step meets at most FACTORS of them (the slope of the gate, the value
  beside it, the slope of the output's activation, the output gate);
* the backward step itself: the gates' gradients are a few products, ROUNDINGS_BACK in all for the LSTM with peepholes
  and projection, and the product with the transposed kernel sums at most 4 units (G = 4) for each of the K numbers
  before the gates, so 2 G K + ROUNDINGS_BACK for a step and a layer;
* for a variable the sum over all steps and rows, T B terms in any order: 2 T B.

The first adds up over the steps as well, as every step's gradient is made of values that are off and is handed on; but
each step's own values enter it only once, so it is counted once for each step that a number has passed. Roundings of
either sign then give, as in ``likely``, LIKELY times the square root of their number where that is smaller: a bound
that grows with T**2 is of no use for float16. Where a variable's gradient is accumulated in a wider dtype, less is off.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LIKELY = 6.0
ROUNDINGS = 32
"""Roundings of one step of one cell beside its sums."""

FACTORS = 4
"""Values of the forward pass that the gradient meets on its way through one step."""
ROUNDINGS_BACK = 48
"""Roundings of one step of one cell backwards beside its sums: four slopes and their products, the clips, two sums of
cotangents, three peepholes."""

VECTOR_CAPS = {"float16": 4e-3, "float32": 1e-6, "float64": 1e-13}
"""No vector of TensorFlow 1.4.1 may be off by more, however long: they were recorded on small cases on purpose."""

GRADIENT_VECTOR_CAPS = {"float16": 6e-3, "float32": 3e-6, "float64": 2e-14}
"""The same for its gradients; in float16 it adds up those of variables in float16, step by step."""


def unit_roundoff(dtype: Any) -> float:
    """u of a floating-point dtype; that of its real part for a complex one."""
    return float(np.finfo(dtype).eps) / 2


def for_cell(dtype: Any, steps: int, terms: int, layers: int = 1) -> float:
    """The tolerance for ``steps`` steps of ``layers`` stacked built-in cells whose gates sum ``terms`` products."""
    return max(steps, 1) * layers * (2 * terms + ROUNDINGS) * unit_roundoff(dtype)


def likely(dtype: Any, steps: int, terms: int, layers: int = 1) -> float:
    """What ``for_cell`` gives or, where smaller, what that many roundings of either sign very likely add up to."""
    count = max(steps, 1) * layers * (2 * terms + ROUNDINGS)
    return min(count, LIKELY * math.sqrt(count)) * unit_roundoff(dtype)


def for_gradient(dtype: Any, steps: int, terms: int, layers: int = 1, rows: int = 1) -> float:
    """The tolerance for gradients through ``steps`` steps of ``layers`` stacked cells, times max(1, the array's largest
    number); ``terms`` as in ``for_cell``, ``rows`` of the batch."""
    deep = max(steps, 1) * layers
    forward = FACTORS * deep * (2 * terms + ROUNDINGS)
    backward = deep * (2 * 4 * terms + ROUNDINGS_BACK)
    summed = 2 * max(steps, 1) * max(rows, 1)
    count = forward * max(steps, 1) + backward + summed
    return min(count, LIKELY * math.sqrt(count)) * unit_roundoff(dtype)


def for_vector(dtype: Any, steps: int, terms: int, layers: int = 1) -> float:
    """The same for a recorded vector, never looser than VECTOR_CAPS."""
    return min(for_cell(dtype, steps, terms, layers), VECTOR_CAPS[np.dtype(dtype).name])


def for_gradient_vector(dtype: Any, steps: int, terms: int, layers: int = 1, rows: int = 1) -> float:
    """``for_gradient`` for a recorded vector, never looser than GRADIENT_VECTOR_CAPS."""
    return min(for_gradient(dtype, steps, terms, layers, rows), GRADIENT_VECTOR_CAPS[np.dtype(dtype).name])
