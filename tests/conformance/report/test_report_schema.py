"""Tests the JSON Schemas of report and counterexample: what the suite writes is valid, and any other form is
refused."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing

import dynamic_rnn_spec
from conformance.report import Report, write
from conformance.report.model import (
    LEVELS,
    VERDICTS,
    VIOLATIONS,
    Clause,
    Counterexample,
    Implementation,
    Run,
    Spec,
    Verdict,
)

SCHEMAS = {
    path.name: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(dynamic_rnn_spec.__file__).parent / "wire" / "schema").glob("*.schema.json")
}
REPORT = SCHEMAS["report.schema.json"]


def errors(name: str, value: Any) -> list[str]:
    resources = [(key, referencing.Resource.from_contents(schema)) for key, schema in SCHEMAS.items()]
    registry: Any = referencing.Registry().with_resources(resources)
    validator = jsonschema.Draft202012Validator(SCHEMAS[name], registry=registry)
    return [error.message for error in validator.iter_errors(value)]


@pytest.mark.parametrize("name", ["report.schema.json", "counterexample.schema.json"])
def test_the_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_what_is_written_is_valid(report: Report, tmp_path: Path) -> None:
    truth = json.loads(write(report, tmp_path).read_text())
    assert errors("report.schema.json", truth) == []
    examples = [json.loads(path.read_text()) for path in tmp_path.glob("cases/*/*.json")]
    assert len(examples) == 5
    for example in examples:
        assert errors("counterexample.schema.json", example) == []


def objects(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all objects of a fixed form in a report."""
    if isinstance(value, list):
        return [place for index, item in enumerate(value) for place in objects(item, (*path, index))]
    if not isinstance(value, dict):
        return []
    inside = [place for key, item in value.items() for place in objects(item, (*path, key))]
    return inside if path and path[-1] in ("versions", "coverage", "expected", "got", "options") else [path, *inside]


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def test_nothing_may_be_added_or_left_out_anywhere(report: Report) -> None:
    own = [place for place in objects(report) if not {"case", "expected", "got"} & set(place)]
    assert {len(place) for place in own} >= {0, 1, 2, 4}
    for place in own[::4]:
        more = copy.deepcopy(report)
        at(more, place)["extra"] = 1
        assert errors("report.schema.json", more) != [], place
        less = copy.deepcopy(report)
        del at(less, place)[next(iter(at(less, place)))]
        assert errors("report.schema.json", less) != [], place


def test_a_pass_has_no_counterexample(report: Report) -> None:
    failed = next(v for v in report["implementations"][0]["verdicts"] if v["verdict"] == "fail")
    failed["verdict"] = "pass"
    assert errors("report.schema.json", report) != []


def test_truncated_is_invalid(report: Report) -> None:
    del report["complete"]
    assert errors("report.schema.json", report) == ["'complete' is a required property"]


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        (Spec, REPORT["properties"]["spec"]),
        (Run, REPORT["properties"]["run"]),
        (Clause, REPORT["$defs"]["clause"]),
        (Implementation, REPORT["$defs"]["implementation"]),
        (Verdict, REPORT["$defs"]["verdict"]),
        (Counterexample, REPORT["$defs"]["counterexample"]),
    ],
)
def test_the_schema_and_the_types_speak_of_the_same_keys(form: Any, schema: Any) -> None:
    assert set(schema["required"]) == set(form.__required_keys__)
    assert set(schema["properties"]) == set(form.__required_keys__ | form.__optional_keys__)


def test_the_schema_and_the_types_know_the_same_words() -> None:
    definitions = REPORT["$defs"]
    assert tuple(definitions["verdict"]["properties"]["verdict"]["enum"]) == VERDICTS
    assert tuple(definitions["counterexample"]["properties"]["violation"]["enum"]) == VIOLATIONS
    assert tuple(definitions["clause"]["properties"]["level"]["enum"]) == LEVELS
    assert set(definitions["counts"]["required"]) == {"total", "counted", *VERDICTS}
