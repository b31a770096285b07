"""Computes an LSTMCell by hand, with every option at once and each alone."""

import math
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple, VariableStore, variable_scope
from dynamic_rnn_spec.initializers import Constant
from impl_ref import BasicLSTMCell, LSTMCell, dynamic_rnn, load_weights


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_one_step_with_every_option_by_hand() -> None:
    kernel, projection = np.array([[0.5, 1.0, 0.75, 0.2], [0.25, 2.0, -0.5, 1.0], [1.0, 0.5, 0.3, -1.0]]), [[1.5, -0.5]]
    load_weights(
        {
            "lstm_cell/kernel": kernel,
            "lstm_cell/bias": np.array([0.1, 0.2, 0.3, 0.4]),
            "lstm_cell/w_f_diag": np.array([0.7]),
            "lstm_cell/w_i_diag": np.array([-0.4]),
            "lstm_cell/w_o_diag": np.array([0.9]),
            "lstm_cell/projection/kernel": np.array(projection),
        }
    )
    x, c, m = 0.8, 1.2, (-0.6, 0.4)
    i, j, f, o = (x * kernel[0, k] + m[0] * kernel[1, k] + m[1] * kernel[2, k] + 0.1 * (k + 1) for k in range(4))
    free_c = sigmoid(f + 0.25 + 0.7 * c) * c + sigmoid(i - 0.4 * c) * max(j, 0)
    new_c = min(free_c, 1.1)
    free_m = sigmoid(o + 0.9 * new_c) * max(new_c, 0)
    new_m = [min(free_m * 1.5, 0.6), max(free_m * -0.5, -0.6)]
    assert free_c > 1.1
    assert free_m * 1.5 > 0.6
    cell = LSTMCell(1, True, 1.1, None, 2, 0.6, forget_bias=0.25, activation=lambda a: np.maximum(a, 0))
    output, state = cell(np.array([[x]]), (np.array([[c]]), np.array([m])))
    assert type(state) is LSTMStateTuple
    np.testing.assert_allclose(output, [new_m], rtol=1e-15)
    np.testing.assert_allclose(state.c, [[new_c]], rtol=1e-15)
    assert state.h is output


def test_without_options_it_is_the_basic_cell(store: VariableStore) -> None:
    x = np.linspace(-1, 1, 24).reshape(2, 4, 3)
    outputs, state = dynamic_rnn(LSTMCell(2), x, dtype=np.float64)
    for name in ("kernel", "bias"):
        load_weights({f"rnn/basic_lstm_cell/{name}": store.variables[f"rnn/lstm_cell/{name}"].value})
    basic_outputs, basic_state = dynamic_rnn(BasicLSTMCell(2), x, dtype=np.float64)
    np.testing.assert_allclose(outputs, basic_outputs, rtol=1e-14)
    np.testing.assert_allclose(state, basic_state, rtol=1e-14)


def test_variables_in_order(store: VariableStore) -> None:
    cell = LSTMCell(2, use_peepholes=True, num_proj=3)
    assert (cell.state_size, cell.output_size) == (LSTMStateTuple(2, 3), 3)
    cell(np.ones((1, 4), np.float32), cell.zero_state(1, np.float32))
    assert [(name, v.shape) for name, v in store.variables.items()] == [
        ("lstm_cell/kernel", (7, 8)),
        ("lstm_cell/bias", (8,)),
        ("lstm_cell/w_f_diag", (2,)),
        ("lstm_cell/w_i_diag", (2,)),
        ("lstm_cell/w_o_diag", (2,)),
        ("lstm_cell/projection/kernel", (2, 3)),
    ]


@pytest.mark.parametrize("where", ["cell", "scope"])
def test_an_initializer_governs_all_but_the_bias(where: str, store: VariableStore) -> None:
    cell = LSTMCell(2, use_peepholes=True, num_proj=3, initializer=Constant(5) if where == "cell" else None)
    with variable_scope("s", initializer=Constant(6 if where == "cell" else 5)):
        cell(np.ones((1, 4)), cell.zero_state(1, np.float64))
    assert [set(v.value.ravel().tolist()) for v in store.variables.values()] == [{5}, {0}, {5}, {5}, {5}, {5}]


def test_shards_are_computed_with_as_a_whole(store: VariableStore) -> None:
    x = np.linspace(-1, 1, 15).reshape(1, 3, 5)
    whole, _ = dynamic_rnn(LSTMCell(4, num_proj=3), x, dtype=np.float64, scope="whole")
    names = ("kernel", "projection/kernel")
    kernel, projection = (store.variables[f"whole/lstm_cell/{name}"].value for name in names)
    parts = {f"split/lstm_cell/kernel/part_{k}": part for k, part in enumerate([kernel[:3], kernel[3:6], kernel[6:]])}
    parts |= {f"split/lstm_cell/projection/kernel/part_{k}": projection[2 * k : 2 * k + 2] for k in range(2)}
    load_weights(parts)
    cell = LSTMCell(4, num_proj=3, num_unit_shards=3, num_proj_shards=2)
    split, _ = dynamic_rnn(cell, x, dtype=np.float64, scope="split")
    np.testing.assert_array_equal(whole, split)
    assert store.waiting() == []
    assert [v.name for v in cell.variables] == [*list(parts)[:3], "split/lstm_cell/bias", *list(parts)[3:]]


def test_a_limit_of_the_projection_without_one_has_no_effect() -> None:
    x = np.ones((1, 2, 3))
    free, _ = dynamic_rnn(LSTMCell(2), x, dtype=np.float64)
    limited, _ = dynamic_rnn(LSTMCell(2, proj_clip=1e-3, reuse=True), x, dtype=np.float64)
    np.testing.assert_array_equal(free, limited)
    assert abs(free).max() > 1e-3


@pytest.mark.parametrize(
    ("options", "kind", "wanted", "got", "clause"),
    [
        ({"num_units": 0}, ValueError, "at least 1", "0", "EQ-4"),
        ({"use_peepholes": None}, TypeError, "True or False", "None", "EQ-5"),
        ({"cell_clip": -1.0}, ValueError, "at least 0", "-1.0", "EQ-6"),
        ({"cell_clip": float("nan")}, ValueError, "at least 0", "nan", "EQ-6"),
        ({"cell_clip": "1"}, TypeError, "a number", "'1'", "EQ-6"),
        ({"initializer": 0.1}, TypeError, "a function or None", "0.1", "VAR-11"),
        ({"num_proj": 0}, ValueError, "at least 1", "0", "EQ-7"),
        ({"proj_clip": -2}, ValueError, "at least 0", "-2", "EQ-7"),
        ({"num_unit_shards": 0}, ValueError, "at least 1", "0", "VAR-15"),
        ({"num_proj_shards": 1.0}, TypeError, "a positive integer", "1.0", "VAR-15"),
        ({"forget_bias": None}, TypeError, "a number", "None", "EQ-14"),
        ({"state_is_tuple": "no"}, TypeError, "True or False", "'no'", "EQ-15"),
    ],
)
def test_wrong_options_are_refused(
    options: dict[str, Any], kind: type[Exception], wanted: str, got: str, clause: str, refused: Any
) -> None:
    with refused(kind, next(iter(options)), wanted, got, clause):
        LSTMCell(**{"num_units": 2, **options})
