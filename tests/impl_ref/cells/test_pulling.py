"""Computes gradients through activations, sigmoids, clips and sums of rows by hand."""

from typing import Any

import numpy as np
import pytest

from impl_ref import LSTMCell
from impl_ref.cells.pulling import check_pulls, sum_rows, through_activation, through_clip, through_sigmoid


def test_no_gradient_where_a_value_was_clipped() -> None:
    x = np.array([-2.5, -2.0, 0.0, 2.0, 2.5, np.inf], np.float32)
    d = through_clip(x, 2.0, np.full(6, -3, np.float32))
    np.testing.assert_array_equal(d, np.array([0, -3, -3, -3, 0, 0], np.float32), strict=True)
    assert not np.signbit(d[[0, 4, 5]]).any()
    np.testing.assert_array_equal(through_clip(x, 2.0, np.array([np.nan] * 6, np.float32))[[0, 4, 5]], 0)


def test_slopes_of_tanh_and_sigmoid() -> None:
    x, d = np.array([0.0, 0.5, -20.0]), np.array([2.0, 1.0, 1.0])
    np.testing.assert_allclose(through_activation(np.tanh, x, d), d / np.cosh(x) ** 2, rtol=1e-15, atol=1e-16)
    s = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(through_sigmoid(s, d), d * np.exp(-x) / (1 + np.exp(-x)) ** 2, rtol=1e-15)


def test_rows_are_summed_where_one_was_added_to_all() -> None:
    np.testing.assert_array_equal(sum_rows(np.array([[1.0, 2.0], [3.0, 5.0]])), [4, 7])
    np.testing.assert_array_equal(sum_rows(np.zeros((0, 2), np.float16)), np.zeros(2, np.float16), strict=True)


@pytest.mark.parametrize("vjp", [None, "no function"])
def test_a_function_without_gradients_is_refused(vjp: Any, refused: Any) -> None:
    def own(x: Any) -> Any:
        return x

    own.vjp = vjp  # type: ignore[attr-defined]  # a function has no such attribute
    wanted = "a function with an attribute vjp, since gradients are wanted"
    with refused(TypeError, "activation", wanted, "an object of type function without one", "GRAD-20"):
        check_pulls("activation", own, np.tanh)
    check_pulls("activation", own, own)


def test_clips_of_an_lstm_by_hand() -> None:
    """Units of c beyond the clip hand nothing to gates, c and x; projections beyond theirs nothing to P."""
    cell = LSTMCell(2, cell_clip=1.0, num_proj=2, proj_clip=0.3)
    one, zeros = np.ones((1, 2)), np.zeros((1, 2))
    cell(one, (zeros, zeros))
    kernel, bias, projection = cell.variables
    kernel.assign(np.zeros((4, 8)))
    bias.assign(np.zeros(8))
    projection.assign(np.array([[1.0, 0.1], [0.0, 0.1]]))
    (output, state), pull = cell.vjp(one, (np.array([[3.0, 0.2]]), zeros))  # c* is sigmoid(1) c: 2.2 and 0.1
    assert state.c[0, 0] == 1
    assert output[0, 0] == 0.3  # tanh(1) / 2 is beyond the clip
    assert output[0, 1] < 0.3
    _, (d_c, _), d_variables = pull(one, (one, one))
    assert d_c[0, 0] == 0
    assert d_c[0, 1] > 0
    np.testing.assert_array_equal(d_variables["lstm_cell/projection/kernel"][:, 0], [0, 0])
    assert (d_variables["lstm_cell/projection/kernel"][:, 1] > 0).all()
    d_i, d_j, d_f, d_o = d_variables["lstm_cell/bias"].reshape(4, 2)
    np.testing.assert_array_equal([d_i[0], d_j[0], d_f[0]], [0, 0, 0])
    assert d_j[1] > 0
    assert d_f[1] > 0
    assert (d_o > 0).all()  # o sees c as the clip left it
