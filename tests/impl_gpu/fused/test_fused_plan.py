"""Tests which cells have stages, and which stages, by exact types and options; no device is needed."""

from typing import Any

import cupy
import numpy as np
import pytest

import impl_gpu
from impl_gpu import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
)
from impl_gpu.fused.layout import kept_values, place_of
from impl_gpu.fused.plan import Add, Columns, Drop, Layer, Plan, Refusal, StateDrop, plan


class Mine(LSTMCell):
    """A subclass, which may do anything."""


def stages(cell: Any) -> Plan:
    found = plan(cell)
    assert isinstance(found, Plan)
    return found


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (Mine(3), "a cell of type Mine"),
        (MultiRNNCell([LSTMCell(3), Mine(3)]), "a cell of type Mine"),
        (GRUCell(3, activation=np.sin), "a GRUCell with an activation of its own"),
        (DeviceWrapper(BasicRNNCell(3, activation=np.abs), None), "a BasicRNNCell with an activation of its own"),
        (ResidualWrapper(GRUCell(3), lambda x, y: x), "a ResidualWrapper with a residual_fn"),
        (
            DropoutWrapper(GRUCell(3), state_keep_prob=0.5, dropout_state_filter_visitor=lambda part: True),
            "a DropoutWrapper with a dropout_state_filter_visitor",
        ),
    ],
)
def test_other_cells_are_refused_with_a_reason(cell: Any, reason: str) -> None:
    assert plan(cell) == Refusal(reason)
    assert impl_gpu.explain(cell) == f"any-cell path: {reason}"


@pytest.mark.parametrize("name", ["call", "build", "zero_state", "__call__"])
def test_a_cell_with_a_replaced_method_is_refused(name: str) -> None:
    cell = GRUCell(3)
    setattr(cell, name, lambda *arguments: None)
    assert plan(MultiRNNCell([cell])) == Refusal(f"a GRUCell whose {name} is replaced")


def test_a_visitor_that_nobody_asks_is_no_reason() -> None:
    cell = DropoutWrapper(GRUCell(3), input_keep_prob=0.5, dropout_state_filter_visitor=lambda part: True)
    assert isinstance(plan(cell), Plan)


@pytest.mark.parametrize("tanh", [None, np.tanh, cupy.tanh])
def test_every_tanh_is_known(tanh: Any) -> None:
    for cell in (LSTMCell(3, activation=tanh), BasicLSTMCell(3, activation=tanh), GRUCell(3, activation=tanh)):
        assert isinstance(plan(cell), Plan)


def test_a_stack_with_residuals() -> None:
    cell = MultiRNNCell([LSTMCell(4, num_proj=2), ResidualWrapper(DeviceWrapper(GRUCell(2), "cpu")), BasicRNNCell(3)])
    found = stages(cell)
    low, middle, total, top = found.stages
    assert isinstance(low, Layer)
    assert isinstance(middle, Layer)
    assert isinstance(top, Layer)
    assert (low.kind, low.source, low.units, low.outputs) == ("lstm", 0, 4, 2)
    assert (middle.kind, middle.source) == ("gru", 1)
    assert total == Add(1, 2)
    assert (top.kind, top.source) == ("basic rnn", 3)
    assert low.states == {"c": Columns(0, 0, 4), "h": Columns(1, 0, 2)}
    assert [layer.states["h"] for layer in (middle, top)] == [Columns(2, 0, 2), Columns(3, 0, 3)]
    assert found.widths(7) == [7, 2, 2, 2, 3]
    assert kept_values(found) == [1, 2]  # the sum lies in the place of value 2, the top goes to the caller
    assert place_of(found, 3) == 2


def test_states_side_by_side_are_columns_of_one_leaf() -> None:
    cell = MultiRNNCell(
        [GRUCell(2), LSTMCell(4, num_proj=3, state_is_tuple=False), BasicLSTMCell(5, state_is_tuple=False)],
        state_is_tuple=False,
    )
    low, middle, top = stages(cell).layers
    assert low.states == {"h": Columns(0, 0, 2)}
    assert middle.states == {"c": Columns(0, 2, 4), "h": Columns(0, 6, 3)}
    assert top.states == {"c": Columns(0, 9, 5), "h": Columns(0, 14, 5)}


def test_drops_stand_where_a_step_has_them() -> None:
    inner = DropoutWrapper(LSTMCell(4), state_keep_prob=0.5)
    cell = DropoutWrapper(
        MultiRNNCell([inner, GRUCell(2)]), input_keep_prob=0.25, state_keep_prob=0.75, output_keep_prob=0.5
    )
    found = stages(cell)
    first, low, top, last = found.stages
    assert first == Drop(0, 0, in_place=False)
    assert last == Drop(3, 4, in_place=True)
    assert isinstance(low, Layer)
    assert isinstance(top, Layer)
    assert low.source == 1
    # c of an LSTMStateTuple is never dropped; the inner wrapper drops h before the outer one does.
    assert low.state_drops == [StateDrop("h", 1, 0), StateDrop("h", 2, 0)]
    assert top.state_drops == [StateDrop("h", 3, 0)]
    assert [(d.purpose, d.leaf, d.keep) for d in found.draws] == [
        ("input", 0, 0.25),
        ("state", 1, 0.5),
        ("state", 1, 0.75),
        ("state", 2, 0.75),
        ("output", 0, 0.5),
    ]
    assert [(d.value, d.width) for d in found.draws] == [(0, None), (None, 4), (None, 4), (None, 2), (3, None)]
    assert kept_values(found) == [1, 2, 3]
    assert place_of(found, 4) == 3


def test_one_draw_is_for_all_columns_of_a_leaf() -> None:
    cell = DropoutWrapper(LSTMCell(4, num_proj=3, state_is_tuple=False), state_keep_prob=0.5)
    (layer,), (draw,) = stages(cell).layers, stages(cell).draws
    assert layer.state_drops == [StateDrop("c", 0, 0), StateDrop("h", 0, 4)]
    assert draw.width == 7


def test_explain_says_what_there_is() -> None:
    cell = MultiRNNCell(
        [DropoutWrapper(LSTMCell(4, num_proj=2), 0.5, 0.5, 0.5), ResidualWrapper(BasicRNNCell(2)), GRUCell(3)]
    )
    assert impl_gpu.explain(cell) == (
        "fused path: dropout of what goes in, lstm of 4 units and 2 outputs, dropout of its state h, "
        "dropout of what comes out, basic rnn of 2 units, sum with what went in, gru of 3 units"
    )
    with impl_gpu.options(path="cell"):
        assert impl_gpu.explain(GRUCell(3)) == "any-cell path: the switch path says so"
    with pytest.raises(TypeError):
        impl_gpu.explain("a cell")


def test_workspace_bytes_refuses_what_no_call_takes() -> None:
    with pytest.raises(ValueError, match=r"^inputs_shape: expected three sizes, got \(2, 3\) \[VAR-16\]$"):
        impl_gpu.workspace_bytes(GRUCell(3), (2, 3), "float32")
    for shape in (5, (2, 3, 4.5), (2, True, 3), "abc"):
        with pytest.raises(TypeError, match=r"^inputs_shape: expected a tuple of integers of at least 0, got "):
            impl_gpu.workspace_bytes(GRUCell(3), shape, "float32")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^inputs_shape: expected a tuple of integers of at least 0, got .*-3"):
        impl_gpu.workspace_bytes(GRUCell(3), (2, -3, 4), "float32")
    with pytest.raises(TypeError, match=r"^dtype: .* \[DTYPE-12\]"):
        impl_gpu.workspace_bytes(GRUCell(3), (2, 3, 4), "float33")
    with pytest.raises(ValueError, match=r"^dtype: expected one of float16, .*, got int32 \[EQ-22\]$"):
        impl_gpu.workspace_bytes(GRUCell(3), (2, 3, 1), "int32")
    with pytest.raises(ValueError, match=r"^parallel_iterations: .* \[PAR-3\]$"):
        impl_gpu.workspace_bytes(GRUCell(3), (2, 3, 1), "float32", parallel_iterations=0)
    assert impl_gpu.workspace_bytes(Mine(3), (2, 3, 1), "float32") == 0
