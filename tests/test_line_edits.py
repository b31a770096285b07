"""The operators of line_edits.py change the code of the lines that they are given, each once, and nothing else."""

import pytest

from .citations import Citation
from .line_edits import edits
from .sample_citations import lines_under

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


def test_what_tells_nothing_is_left_alone() -> None:
    made = edits(SOURCE, 1, 7, "SEQ-2")

    assert all("Counts [SEQ-1]" in one.text and "t: int" in one.text for one in made)
    assert edits(SOURCE, 5, 6, "SEQ-2") == []


@pytest.mark.parametrize(
    ("line", "kind", "lines"), [(2, "summary", (1, 7)), (4, "ValueError", (4, 4)), (5, "comment", (7, 7))]
)
def test_a_citation_stands_beside_lines(line: int, kind: str, lines: tuple[int, int]) -> None:
    assert lines_under(Citation("a.py", line, "SEQ-1", kind), SOURCE) == lines
