"""Tests that docs/arguments.md says what the suite's table of wrong arguments says, and that impl_ref does what both
say."""

from pathlib import Path

import pytest

import impl_ref.adapter
from conformance.strategies import refused
from conformance.strategies.wrong import WRONG, WrongArgument
from dynamic_rnn_spec.case import PARAMETERS

DOCUMENT = Path(__file__).parents[2] / "docs" / "arguments.md"


def test_the_document_is_that_of_the_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == refused.document(), (
        "run: python -m conformance.strategies.refused > docs/arguments.md"
    )


def test_every_parameter_has_values_that_are_refused() -> None:
    assert {wrong.parameter for wrong in WRONG} == set(PARAMETERS)


def test_no_row_of_the_document_is_empty() -> None:
    rows = [line for line in refused.document().splitlines() if line.startswith("| ")]
    assert len(rows) > 30
    assert all(cell.strip() for row in rows for cell in row.strip("|").split(" | "))


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_the_reference_refuses_as_the_table_says(wrong: WrongArgument) -> None:
    (answer,) = impl_ref.adapter.implementation().run(wrong.case()).answers
    assert answer.error is not None
    assert (answer.error.kind, answer.error.clause) == (wrong.kind, wrong.clause)
    assert answer.error.message.startswith(f"{answer.error.argument}: expected {answer.error.wanted}, got ")
