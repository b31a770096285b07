"""Tests the badge: k of n, green only for all of n, and well-formed whatever the implementation's name."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from conformance.report import Report
from conformance.report.badge import GREEN, GREY, RED, render
from conformance.report.model import VERDICTS


def counts(counted: int, **found: int) -> dict[str, Any]:
    verdicts = {**dict.fromkeys(VERDICTS, 0), **{name.replace("_", " "): count for name, count in found.items()}}
    return {"documented": {"total": counted, "counted": counted, **verdicts}}


@pytest.mark.parametrize(
    ("summary", "text", "colour"),
    [
        (counts(62, **{"pass": 62}), "62 of 62 documented", GREEN),
        (counts(62, **{"pass": 61}, fail=1), "61 of 62 documented", RED),
        (counts(62, **{"pass": 61}, known_failure=1), "61 of 62 documented", RED),
        (counts(62, **{"pass": 61}, vacuous=1), "61 of 62 documented", GREY),
        (counts(62, **{"pass": 61}, unsupported=1), "61 of 62 documented", GREY),
        (counts(62, not_run=62), "0 of 62 documented", GREY),
        (counts(0), "0 of 0 documented", GREY),
    ],
)
def test_green_is_all_of_them(report: Report, summary: dict[str, Any], text: str, colour: str) -> None:
    report["implementations"] = report["implementations"][:1]
    report["implementations"][0]["summary"].update(summary)
    badge = render(report)
    assert f'aria-label="dynamic_rnn: {text}"' in badge
    assert [shade for shade in (GREEN, RED, GREY) if shade in badge] == [colour]


def test_among_several_it_names_the_first(report: Report) -> None:
    assert 'aria-label="dynamic_rnn · impl_ref: 5 of 8 documented"' in render(report)


def test_nobody_run_is_grey(report: Report) -> None:
    report["implementations"] = []
    assert "nothing run" in render(report)
    assert GREEN not in render(report)


def test_a_hostile_name_stays_text(hostile: Report) -> None:
    root = ET.fromstring(render(hostile))
    assert {tag.tag.partition("}")[2] for tag in root.iter()} == {"svg", "title", "clipPath", "rect", "g", "text"}
