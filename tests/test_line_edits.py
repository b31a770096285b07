"""The operators of line_edits.py change the code of the lines that they are given, each once, and nothing else."""

import pytest

from .citations import Citation
from .line_edits import edits
from .sample_citations import Row, counts, lines_under, sample

SOURCE = '''def step(rows, lengths, t: int = 0):
    """Counts [SEQ-1]."""
    if t < lengths:
        raise ArgumentValueError("rows", f"{t}", "SEQ-2")
    # SEQ-3: the rows
    # that count
    return rows + 1
'''


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (1, {"0 -> (1)"}),
        (3, {"t < lengths -> (not (t < lengths))", "t < lengths -> (t <= lengths)", "t -> rows"}),
        (4, {'raise ArgumentValueError("rows", f"{t}", "SEQ-2") -> pass', "ArgumentValueError -> (ArgumentTypeError)"}),
        (7, {"return rows + 1 -> return None", "rows + 1 -> (rows - 1)", "1 -> (2)", "rows -> lengths"}),
    ],
)
def test_a_line_is_changed_in_the_ways_that_tell(line: int, wanted: set[str]) -> None:
    made = edits(SOURCE, line, line, "SEQ-2")

    assert wanted <= {f"{one.before} -> {one.after}" for one in made}
    assert len({one.text for one in made} | {SOURCE}) == len(made) + 1
    assert all("SEQ-2" in one.after for one in made if "SEQ-2" in one.before and one.after != "pass")


def test_an_index_becomes_the_first() -> None:
    assert "rows[t] -> (rows[0])" in {f"{one.before} -> {one.after}" for one in edits("rows[t]\n", 1, 1, "SEQ-2")}


def test_what_tells_nothing_is_left_alone() -> None:
    made = edits(SOURCE, 1, 7, "SEQ-2")

    assert all("Counts [SEQ-1]" in one.text and "t: int" in one.text for one in made)
    assert edits(SOURCE, 5, 6, "SEQ-2") == []


@pytest.mark.parametrize(
    ("line", "kind", "lines"), [(2, "summary", (1, 7)), (4, "ValueError", (4, 4)), (5, "comment", (7, 7))]
)
def test_a_citation_stands_beside_lines(line: int, kind: str, lines: tuple[int, int]) -> None:
    assert lines_under(Citation("a.py", line, "SEQ-1", kind), SOURCE) == lines


def test_a_sample_is_of_one_package_and_of_python() -> None:
    chosen = sample(0, 12, "impl_gpu")

    assert len({one.clause for one in chosen}) == 12
    assert all(one.file.startswith("impl_gpu/") and one.file.endswith(".py") for one in chosen)
    assert {one.file.partition("/")[0] for one in sample(0, 1000)} == {"impl_ref", "dynamic_rnn_spec"}


def test_what_only_stumbles_is_counted_apart() -> None:
    edit, cited = edits(SOURCE, 3, 3, "SEQ-2")[0], Citation("a.py", 3, "SEQ-1", "comment")
    rows = [Row(cited, "caught", edit, "a law", [(edit, "caught")]), Row(cited, "only stumbles", edit, "a law", [])]

    assert counts(rows) == (
        "of 2 citations 1 caught, 0 caught by hand, 0 caught by comparison with impl_ref alone, 1 only stumbles, "
        "0 NOT CAUGHT"
    )
    assert str(rows[0]).splitlines() == [
        "SEQ-1    a.py:3 (comment)",
        "    t < lengths -> (not (t < lengths))",
        "    caught: change 1, a law",
    ]
