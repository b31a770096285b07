"""Tests which sequence is being run."""

import numpy as np
import pytest

from impl_ref import RNNCell, dynamic_rnn, new_sequence
from impl_ref.arrays import Array
from impl_ref.sequence import current_sequence


class Witness(RNNCell):
    """Notes the sequence of each step, and runs another within it."""

    state_size = ()
    output_size = ()

    def __init__(self, inner: "Witness | None" = None) -> None:
        super().__init__()
        self.inner, self.seen = inner, list[object]()

    def call(self, inputs: Array, state: tuple[()]) -> tuple[tuple[()], tuple[()]]:
        if self.inner is not None:
            dynamic_rnn(self.inner, np.zeros((1, 2)), dtype=np.float32)
        self.seen.append(current_sequence())
        return (), state


def test_each_call_is_a_sequence_and_all_of_its_steps_are_of_it() -> None:
    cell = Witness(Witness())
    for _ in range(2):
        dynamic_rnn(cell, np.zeros((1, 3)), dtype=np.float32)
    assert cell.seen[0] is cell.seen[2] is not cell.seen[3]
    assert cell.inner is not None
    assert len({id(sequence) for sequence in cell.inner.seen}) == 6
    assert current_sequence() is None


def test_a_sequence_ends_with_its_block() -> None:
    def fail() -> None:
        with new_sequence():
            raise RuntimeError(f"in a sequence: {current_sequence() is not None}")

    with pytest.raises(RuntimeError, match="in a sequence: True"):
        fail()
    assert current_sequence() is None
