"""Tests the format of cases and outcomes: exact both ways, valid against its schema, strict about anything unknown."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import referencing
from hypothesis import given
from hypothesis import strategies as st

import dynamic_rnn_spec
from dynamic_rnn_spec import LSTMStateTuple, TensorShape
from dynamic_rnn_spec.case import (
    KINDS,
    Answer,
    Call,
    Case,
    CellRef,
    CellSpec,
    DType,
    FormatError,
    Function,
    Outcome,
    Raised,
    Scope,
    VariableRecord,
    Wrong,
    decode,
    dumps,
    encode,
    namedtuple_type,
)

SCHEMAS = Path(dynamic_rnn_spec.__file__).parent / "wire" / "schema"


def validator(name: str) -> Any:
    loaded = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.schema.json")}
    resources = [(key, referencing.Resource.from_contents(value)) for key, value in loaded.items()]
    registry: Any = referencing.Registry().with_resources(resources)
    return jsonschema.Draft202012Validator(loaded[name], registry=registry)


def through_text(value: Any) -> Any:
    return decode(json.loads(dumps(encode(value))))


DTYPES = ["bool", "int8", "uint16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128", "S3"]


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    size = int(np.prod(shape, dtype=int)) * dtype.itemsize
    raw = draw(st.binary(min_size=size, max_size=size))
    if dtype == np.bool_:
        raw = bytes(byte & 1 for byte in raw)
    return np.frombuffer(raw, dtype).reshape(shape)


scalars = st.none() | st.booleans() | st.integers() | st.text() | st.floats()
values = st.recursive(
    scalars | arrays() | st.lists(st.integers(0, 5)).map(TensorShape),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(values)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    again = through_text(value)
    assert type(again) is type(value)
    assert dumps(encode(again)) == dumps(encode(value))


@given(arrays())
def test_an_array_comes_back_bit_for_bit_and_read_only(array: Any) -> None:
    again = through_text(array)
    assert (again.dtype, again.shape, again.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert not again.flags.writeable


@given(values)
def test_every_value_is_valid_against_the_schema(value: Any) -> None:
    case = Case({"a": CellSpec("GRUCell", {"num_units": value})}, [Call({"cell": CellRef("a"), "inputs": value})])
    validator("case.schema.json").validate(json.loads(dumps(case.to_json())))


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (float("nan"), {"float": "NaN"}),
        (float("-inf"), {"float": "-Infinity"}),
        (-0.0, {"float": "-0.0"}),
        (0.1, {"float": "0.1"}),
        (2**53, {"int": "9007199254740992"}),
        (2**53 - 1, 2**53 - 1),
        ((1, [2]), {"tuple": [1, {"list": [2]}]}),
        (TensorShape([2, 3]), {"shape": [2, 3]}),
        (LSTMStateTuple(1, 2), {"namedtuple": "LSTMStateTuple", "fields": ["c", "h"], "items": [1, 2]}),
        (np.array(-1, "<i2"), {"array": "//8=", "dtype": "<i2", "shape": []}),
        (np.array([1], ">i4"), {"array": "AQAAAA==", "dtype": "<i4", "shape": [1]}),
        (np.int64(4), {"scalar": {"array": "BAAAAAAAAAA=", "dtype": "<i8", "shape": []}}),
        (CellRef("a"), {"cell": "a"}),
        (Wrong("object"), {"wrong": "object"}),
        (DType("float32", "type"), {"dtype": "float32", "form": "type"}),
        (Function("constant", {"value": 1}), {"function": "constant", "options": {"value": 1}}),
        (Scope("s", True), {"scope": "s", "reuse": True, "initializer": None}),
    ],
)
def test_the_form_on_the_wire(value: Any, data: Any) -> None:
    assert encode(value) == data
    assert dumps(encode(decode(data))) == dumps(data)
    assert type(decode(data)) is type(value)


def test_namedtuples_are_one_class_for_each_name_and_fields() -> None:
    assert type(through_text(LSTMStateTuple(1, 2))) is LSTMStateTuple
    pair = namedtuple_type("Pair", ["a", "b"])
    assert type(through_text(pair(1, 2))) is pair


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (1.5, "no value begins like 1.5"),
        ([1], "no value begins like [1]"),
        ({"array": "AA==", "dtype": "<i2"}, "no value has the keys ['array', 'dtype']"),
        ({"unknown": 1}, "no value has the keys ['unknown']"),
    ],
)
def test_unknown_data_is_refused(data: Any, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode(data)
    assert str(caught.value) == message


def test_an_array_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(FormatError, match=r"a value with the keys \['array', 'dtype', 'shape'\] is malformed"):
        decode({"array": "AAAA", "dtype": "<i2", "shape": [4]})


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([object()]), np.array(["2020"], "datetime64[Y]")])
def test_what_the_format_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(FormatError, match="no form for"):
        encode(value)


def full_case() -> Case:
    noise = {"input": [np.zeros((1, 1, 2))]}
    cells = {
        "a": CellSpec("DropoutWrapper", {"noise": noise}, [CellRef("b")]),
        "b": CellSpec("MultiRNNCell", {}, [CellSpec("GRUCell", {"num_units": 2}), CellRef("c")]),
        "c": CellSpec("probe:Echo", {"sizes": TensorShape([2])}),
    }
    arguments = {"cell": CellRef("a"), "inputs": np.ones((1, 1, 2)), "scope": Scope("s", initializer=Function("ones"))}
    return Case(cells, [Call(arguments, 2, [Scope("outer", "AUTO_REUSE")])], {"w": np.ones(2)})


def test_the_schema_has_every_kind_of_cell() -> None:
    schema = json.loads((SCHEMAS / "case.schema.json").read_text())
    assert schema["$defs"]["cell"]["properties"]["kind"]["enum"] == list(KINDS)


def test_a_case_comes_back_equal_and_valid() -> None:
    case = full_case()
    data = json.loads(dumps(case.to_json()))
    validator("case.schema.json").validate(data)
    assert Case.from_json(data) == case
    assert Case.from_json(data).digest() == case.digest()
    assert hash(case) == hash(full_case())


def test_an_outcome_comes_back_equal_and_valid() -> None:
    error = Raised("ValueError", "builtins.ValueError", "inputs: ...", "before", "IN-5", "inputs", "arrays", "None")
    event = {"event": "call", "positional": 2, "keywords": [], "inputs": np.zeros(2), "state": (np.ones(1),)}
    outcome = Outcome(
        [
            Answer.returned(np.zeros((1, 2)), (np.ones(1),), trace=[event], changed=[], variables=["a"], aliased=[]),
            Answer("raised", error=error),
            Answer.unsupported("DropoutWrapper", "none here"),
            Answer("crashed", why="exit status -11"),
        ],
        [VariableRecord("a", np.ones((2, 2), np.float16), trainable=False)],
    )
    data = json.loads(dumps(outcome.to_json()))
    validator("outcome.schema.json").validate(data)
    assert Outcome.from_json(data) == outcome
    assert Outcome.from_json(data).answers[0].outputs.shape == (1, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Call({"cells": 1}), "a call has no arguments ['cells']"),
        (lambda: Call({"cell": 1}, 2), "2 arguments by position, but ['inputs'] are left out"),
        (lambda: Answer("raised"), "no answer of kind 'raised' with error None"),
        (lambda: Answer("passed"), "no answer of kind 'passed' with error None"),
        (lambda: Raised("IndexError", "n", "m"), "Raised: no kind 'IndexError' or no phase None"),
        (lambda: DType("float32", "tf"), "DType: form is 'dtype' or 'type', got 'tf'"),
        (lambda: Case.from_json({"cells": {}}), "a case has the keys ['calls', 'cells', 'weights'], got ['cells']"),
    ],
)
def test_a_malformed_record_is_refused(make: Any, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        make()
    assert str(caught.value) == message


def test_records_are_immutable_and_replaced() -> None:
    call = Call({"cell": CellRef("a"), "inputs": None})
    with pytest.raises(AttributeError, match="Call is immutable"):
        call.positional = 1
    assert call.replace(positional=1).positional == 1
    assert call != call.replace(positional=1)


def test_arguments_stand_in_the_order_of_the_page() -> None:
    assert list(Call({"dtype": "float32", "inputs": None, "cell": CellRef("a")}).arguments) == [
        "cell",
        "inputs",
        "dtype",
    ]
