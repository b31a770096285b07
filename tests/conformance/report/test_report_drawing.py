"""Tests what is drawn of a counterexample: the batch by rows and steps, the first difference in its square, any
rank."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.report import Report, explain
from conformance.report.comparison import Drawing, draw
from conformance.report.model import Counterexample
from conformance.report.picture import Grid, batch_grid, layout_of, plain_grid
from conformance.report.values import Unreadable, describe, differing, leaves, number, read_value
from dynamic_rnn_spec import Gradients
from dynamic_rnn_spec.case import Answer, Call, Case, CellRef, Cotangents, Raised, encode

INPUTS = np.arange(6, dtype=np.float32).reshape(2, 3, 1)


def call(inputs: Any = INPUTS, **arguments: Any) -> Call:
    return Call({"cell": CellRef("cell"), "inputs": inputs, **arguments})


def drawing(expected: Any, got: Any, where: str | None = None, made: Call | None = None) -> Drawing:
    case = Case({}, [made or call(sequence_length=np.array([1, 3], np.int32))])
    return draw(
        Counterexample(
            file="cases/x/SEQ-5.json",
            replay="",
            message="",
            violation="assertion",
            where=where,
            case=case.to_json(),
            expected=expected,
            got=got,
        )
    )


def marked(grid: Grid | None, mark: str = "first") -> list[tuple[int, int]]:
    assert grid is not None
    return [
        (r, c) for r, row in enumerate(grid.rows) for c, square in enumerate(row.squares) if square.mark == mark
    ]  # fmt: skip


def kinds(grid: Grid | None) -> list[str]:
    assert grid is not None
    return ["".join(square.kind[0] for square in row.squares) for row in grid.rows]


@pytest.mark.parametrize("time_major", [False, True])
def test_rows_are_rows_of_the_batch_in_both_layouts(time_major: bool) -> None:
    inputs = np.swapaxes(INPUTS, 0, 1) if time_major else INPUTS
    layout = layout_of(call(inputs, sequence_length=np.array([1, 3], np.int64), time_major=time_major))
    assert layout is not None
    grid = batch_grid("inputs", inputs, layout)
    assert [[square.text for square in row.squares] for row in grid.rows] == [["0", "1", "2"], ["3", "4", "5"]]
    assert kinds(grid) == ["vpp", "vvv"]
    assert [row.note for row in grid.rows] == ["length 1", "length 3"]


@pytest.mark.parametrize("time_major", [False, True])
def test_the_first_difference_is_marked_in_its_square(time_major: bool) -> None:
    expected, got = np.zeros((2, 3, 1), np.float32), np.zeros((2, 3, 1), np.float32)
    got[1, 2] = got[1, 1] = 7
    turn: Callable[[Any], Any] = (lambda a: np.swapaxes(a, 0, 1)) if time_major else (lambda a: a)
    made = call(turn(INPUTS), time_major=time_major)
    found = drawing(encode({"outputs": turn(expected)}), encode({"outputs": turn(got)}), None, made)
    assert [marked(side.grid) for side in found.rows[0]] == [[(1, 1)], [(1, 1)]]
    assert [marked(side.grid, "differs") for side in found.rows[0]] == [[(1, 2)], [(1, 2)]]
    place = [1, 1, 0]
    assert found.difference == f"outputs{place}: expected 0, got 7"


def test_the_suites_own_place_goes_before_the_first_bits() -> None:
    expected, got = np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)
    found = drawing(encode({"outputs": expected}), encode({"outputs": got}), "outputs[1, 2]")
    assert marked(found.rows[0][1].grid) == [(1, 2)]
    assert found.difference == "outputs[1, 2]: expected 0, got 1"
    assert marked(drawing(encode({"outputs": expected}), encode({"outputs": got}), "outputs[1]").rows[0][1].grid) == [
        (1, 0)
    ]
    lone = drawing(encode(expected), encode(got), "outputs[1, 0]")
    assert marked(lone.rows[0][1].grid) == [(1, 0)]


@pytest.mark.parametrize(
    "where", ["outputs[9, 9]", "outputs[0, 0, 0, 0]", "elsewhere[1]", "outputs[", "", "outputs[-1]"]
)
def test_a_place_that_is_not_there_stops_nothing(where: str) -> None:
    found = drawing(encode({"outputs": np.zeros((2, 3))}), encode({"outputs": np.ones((2, 3))}), where)
    assert len(found.rows) == 1
    assert found.difference.startswith("outputs[")


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        (np.array([-1, 9], np.int64), ["length -1, as 0", "length 9, as 3"]),
        ([2, 2**40], ["length 2", f"length {2**40}, as 3"]),
        (np.array([1.0, 2.0]), ["", ""]),
        (np.array([[1], [2]]), ["", ""]),
        (np.array([1, 2, 3]), ["", ""]),
        (None, ["", ""]),
        ([True, False], ["", ""]),
        ("ab", ["", ""]),
    ],
)
def test_lengths_are_drawn_where_they_are_lengths(lengths: Any, said: list[str]) -> None:
    layout = layout_of(call(sequence_length=lengths))
    assert layout is not None
    assert [row.note for row in batch_grid("", INPUTS, layout).rows] == said


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        (None, "2 rows by 3 steps, no lengths: every step counts"),
        (np.array([-1, 9]), "2 rows by 3 steps, lengths -1, 9"),
        (np.array([1.0, 2.0]), "2 rows by 3 steps, sequence_length is no vector of 2 lengths, so none is drawn"),
    ],
)
def test_the_batch_in_words(lengths: Any, words: str) -> None:
    assert drawing(None, None, None, call(sequence_length=lengths)).calls[0].lengths == words


def test_signed_zeros_and_nan_payloads_are_told_apart_by_their_bits() -> None:
    zeros = drawing(encode(np.array([0.0])), encode(np.array([-0.0])))
    assert zeros.difference == "the value[0]: expected 0, got -0"
    nans = np.array([0x7FC00000, 0x7FC00001], np.uint32).view(np.float32)
    assert drawing(encode(nans[:1]), encode(nans[:1])).difference == ""
    found = drawing(encode(nans[:1]), encode(nans[1:]))
    assert found.difference == "the value[0]: expected nan (bits 7fc00000), got nan (bits 7fc00001)"


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (2, 3, 2), (2, 3, 2, 2), (0,), (2, 0, 3), (40, 50), (1, 100, 2)])
@pytest.mark.parametrize("dtype", ["float16", "float64", "int64", "bool", "complex64", "<U3"])
def test_every_rank_and_dtype_is_drawn(shape: tuple[int, ...], dtype: str) -> None:
    expected = np.zeros(shape, dtype)
    got = expected.copy()
    if got.size:
        got[(-1,) * got.ndim] = "abc" if dtype == "<U3" else True
    sides = [
        side
        for name in ("outputs", "state")
        for row in drawing(encode({name: expected}), encode({name: got})).rows
        for side in row
    ]
    assert len(sides) == 4
    for side in sides:
        if got.size:
            assert len(marked(side.grid)) == 1
        else:
            assert side.text == f"{expected.dtype.name} {list(shape)}, no elements"


def test_a_large_array_is_cut_to_a_window_around_the_difference() -> None:
    got = np.zeros((40, 50))
    got[30, 45] = 1
    grid = drawing(encode({"state": np.zeros((40, 50))}), encode({"state": got})).rows[0][1].grid
    assert grid is not None
    assert (len(grid.rows), len(grid.columns)) == (12, 16)
    assert [(grid.rows[r].label, grid.columns[c]) for r, c in marked(grid)] == [("row 30", "45")]
    assert grid.omitted == "shown: rows 24 to 35 of 40, columns 34 to 49 of 50"


def test_only_leaves_that_differ_are_shown() -> None:
    same, other = np.ones((2, 2)), np.zeros((2, 2))
    found = drawing(encode({"outputs": (same, same), "state": same}), encode({"outputs": (same, other), "state": same}))
    assert [[side.heading for side in row] for row in found.rows] == [["expected outputs[1]", "got outputs[1]"]]


@pytest.mark.parametrize(
    ("expected", "got", "difference"),
    [
        (np.ones(2, np.float32), np.ones(2), "outputs: expected float32 [2], got float64 [2]"),
        (np.ones(2), np.ones(3), "outputs: expected float64 [2], got float64 [3]"),
        (np.ones(2), "none", ""),
    ],
)
def test_other_kinds_are_named(expected: Any, got: Any, difference: str) -> None:
    found = drawing(encode({"outputs": expected}), encode({"outputs": got}))
    assert found.difference == difference
    assert len(found.rows) == 1


def test_a_leaf_that_is_missing_is_named() -> None:
    one = np.ones(1)
    found = drawing(encode({"outputs": one, "state": one}), encode({"outputs": one}))
    assert found.difference == "state: expected, but not there"
    assert [side.text for side in found.rows[0]] == ["float64 [1]", "nothing here"]


def test_an_answer_stands_beside_the_word_that_was_expected() -> None:
    answer = Answer.returned(INPUTS, np.ones((2, 1)))
    found = drawing("TypeError", encode(answer))
    assert [side.heading for side in found.rows[0]] == ["expected", "got outputs", "got state"]
    raised = Answer("raised", error=Raised("other", "builtins.KeyError", "no 'x'"))
    assert [side.text for side in drawing("TypeError", encode(raised)).rows[0]] == [
        "TypeError",
        "raised other (builtins.KeyError): no 'x'",
    ]
    assert [side.heading for side in drawing(None, encode(raised)).rows[0]] == ["got"]
    assert drawing(None, None).rows == []


@pytest.mark.parametrize(
    "data",
    [
        {"array": "!!", "dtype": "<f4", "shape": [1]},
        {"array": "AAAA", "dtype": "<f4", "shape": [9]},
        {"what": 1},
        [1],
        {"namedtuple": "class", "fields": ["def"], "items": [1]},
        {"dict": [[{"list": []}, 1]]},
        {"tuple": 3},
    ],
)
def test_what_cannot_be_read_says_so_and_stops_nothing(report: Report, data: Any) -> None:
    assert isinstance(read_value(data), Unreadable)
    found = drawing(data, encode(INPUTS))
    assert any("unreadable: " in side.text for row in found.rows for side in row)


@pytest.mark.parametrize(
    "case", [{}, {"calls": 1, "cells": {}, "weights": {}}, {"cells": [], "calls": [], "weights": {}}]
)
def test_a_case_that_cannot_be_read_says_so(case: Any) -> None:
    example = Counterexample(
        file="", replay="", message="", violation="raised", where=None, case=case, expected=None, got=None
    )  # fmt: skip
    assert draw(example).trouble.startswith("the case cannot be drawn: ")


def test_the_call_in_a_line() -> None:
    found = drawing(None, None, None, call(sequence_length=[1, 2], dtype="float32"))
    assert found.calls[0].signature == "dynamic_rnn(cell, float32 [2, 3, 1], sequence_length=[1, 2], dtype='float32')"


def test_a_call_that_asks_for_gradients_shows_its_cotangents() -> None:
    d_outputs = np.full((2, 3, 1), 2, np.float32)
    made = call(sequence_length=np.array([1, 3], np.int32)).replace(cotangents=Cotangents(d_outputs, None))
    gradients = Gradients(INPUTS, None, {"rnn/cell/bias": np.array([1.0, 2.0])})
    got = Answer.returned(INPUTS, INPUTS[:, 0], gradients=gradients)
    wanted = got.replace(gradients=gradients._replace(inputs=INPUTS * 0))
    found = drawing(encode(wanted), encode(got), None, made)
    (drawn,) = found.calls
    assert drawn.signature.endswith(", and vjp(float32 [2, 3, 1], None)")
    assert [grid.title for grid in drawn.grids] == ["inputs: float32 [2, 3, 1]", "d_outputs: float32 [2, 3, 1]"]
    assert kinds(drawn.grids[1]) == ["vpp", "vvv"]
    (row,) = found.rows
    assert [side.heading for side in row] == ["expected gradients.inputs", "got gradients.inputs"]
    assert [kinds(side.grid) for side in row] == [["vpp", "vvv"]] * 2
    assert found.difference == "gradients.inputs[0, 1, 0]: expected 0, got 1"
    paths = [leaf.path for leaf in leaves(read_value(encode(got)))]
    assert paths == [
        "outputs",
        "state",
        "gradients.inputs",
        "gradients.initial_state",
        "gradients.variables['rnn/cell/bias']",
    ]
    lines = explain.case_text(Case({}, [made]).to_json())
    assert ", and vjp(float32 [2, 3, 1] = [[[2], [2], [2]], [[2], [2], [2]]], None)" in lines
    assert read_value(Answer.returned(1, 2).to_json()) == {"outputs": 1, "state": 2}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.1), "0.1"),
        (np.float64(-0.0), "-0"),
        (np.float16("inf"), "inf"),
        (np.int64(2**40), "1099511627776"),
        (np.bool_(True), "True"),
        (np.complex64(1 - 2j), "1-2j"),
    ],
)
def test_numbers_are_short_and_exact(value: Any, text: str) -> None:
    assert number(value) == text


def test_values_in_words() -> None:
    assert describe((np.ones(2), {"a": None}, [])) == "(float64 [2] = [1, 1], {'a': None}, [])"
    assert describe(np.zeros((4, 4))) == "float64 [4, 4]"
    assert [leaf.path for leaf in leaves({"outputs": [1, (2,)], "state": 3})] == [
        "outputs[0]",
        "outputs[1][0]",
        "state",
    ]


def test_differing_needs_one_shape_and_type() -> None:
    assert differing(np.zeros(2), np.zeros(3)) is None
    assert differing(np.zeros(2), np.zeros(2, np.float32)) is None
    assert differing("a", "b") is None
    assert differing(np.array([1, 2, 3]), np.array([1, 0, 0])).tolist() == [[1], [2]]  # type: ignore[union-attr]


def test_a_vector_is_one_row() -> None:
    grid = plain_grid("x", np.arange(3))
    assert (len(grid.rows), grid.columns) == (1, ["0", "1", "2"])
