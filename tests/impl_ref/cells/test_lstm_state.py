"""Tests both forms of an LSTM's state."""

from typing import Any

import numpy as np

from dynamic_rnn_spec import LSTMStateTuple
from impl_ref.cells.lstm_state import join_state, split_state, state_size_of

C, H = np.zeros((2, 3)), np.ones((2, 1))


def test_the_forms_turn_into_each_other() -> None:
    assert state_size_of(3, 1, as_tuple=True) == LSTMStateTuple(3, 1)
    assert state_size_of(3, 1, as_tuple=False) == 4
    for as_tuple in (True, False):
        c, h = split_state(join_state(C, H, as_tuple), 3, as_tuple)
        np.testing.assert_array_equal(c, C)
        np.testing.assert_array_equal(h, H)


def test_the_other_form_is_refused(refused: Any) -> None:
    with refused(TypeError, "state", "a tuple (c, h)", "an object of type ndarray", "INIT-9"):
        split_state(C, 3, as_tuple=True)
    with refused(ValueError, "state", "a tuple (c, h)", "3 parts", "INIT-9"):
        split_state((C, H, H), 3, as_tuple=True)
    wanted = "one array [batch, columns], since state_is_tuple is False"
    with refused(TypeError, "state", wanted, "an object of type tuple", "INIT-9"):
        split_state((C, H), 3, as_tuple=False)
    with refused(TypeError, "state", wanted, "None", "INIT-9"):
        split_state(None, 3, as_tuple=False)
    with refused(ValueError, "state", wanted, "shape (3,)", "INIT-8"):
        split_state(C[0], 3, as_tuple=False)
