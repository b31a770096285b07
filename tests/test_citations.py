"""Each clause is cited beside the line that keeps it, in impl_ref and in impl_gpu, or listed with a reason why not.

What counts as a citation is in ``citations.py``, the list in ``citations.toml``. That a cited line does keep its clause
is tried by ``sample_citations.py``.
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from .citations import Citation, Promise, citations, ids, of_package, promises, that_count

ROOT = Path(__file__).parents[1]
LIST = "tests/citations.toml"
PACKAGES = ("impl_ref", "impl_gpu")
SPEC = Path("spec", "dynamic_rnn_spec")
KEYS = {"emergent": {"clause", "in", "reason"}, "shared": {"clause", "in", "reason", "file"}}
Registry = Mapping[str, Promise]
REGISTRY: Registry = promises()


def wrong_citations(root: Path, listed: str, registry: Registry) -> list[str]:
    """What is wrong with the citations of the source below ``root`` and with the list, a TOML text."""
    try:
        tables: Mapping[str, Any] = tomllib.loads(listed)
    except tomllib.TOMLDecodeError as error:
        return [f"{LIST}: expected TOML, got {error}"]
    if unknown := sorted(set(tables) - set(KEYS)):
        return [f"{LIST}: expected [[emergent]] and [[shared]] tables, got {', '.join(unknown)}"]
    entries = [(kind, entry) for kind in KEYS for entry in tables.get(kind, [])]
    if malformed := [said for kind, entry in entries if (said := _malformed(kind, entry, registry))]:
        return malformed
    listed_in = {package: [entry["clause"] for _, entry in entries if package in entry["in"]] for package in PACKAGES}
    wrong = [said for kind, entry in entries if kind == "shared" and (said := _not_shared(root, entry, registry))]
    for package in PACKAGES:
        wrong += _of_package(package, of_package(root / package), listed_in[package], registry)
    return wrong


def _malformed(kind: str, entry: Mapping[str, Any], registry: Registry) -> str | None:
    name = f"{LIST}: {entry.get('clause', f'an entry of [[{kind}]] without clause')}"
    if set(entry) != KEYS[kind]:
        return f"{name}: expected the keys {', '.join(sorted(KEYS[kind]))}, got {', '.join(sorted(entry))}"
    if not isinstance(entry["reason"], str) or not entry["reason"].strip():
        return f"{name}: expected a sentence for reason: say what keeps the clause where no line of the package does"
    if not isinstance(entry["in"], list) or not entry["in"] or not set(entry["in"]) <= set(PACKAGES):
        return f"{name}: expected a list of {' and '.join(PACKAGES)} for in, got {entry['in']!r}"
    if entry["clause"] not in registry:
        return f"{name}: no clause has this id: correct it, or take the entry out"
    if not registry[entry["clause"]].testable:
        return f"{name}: this clause can't be tested and needs no citation: take the entry out"
    return None


def _not_shared(root: Path, entry: Mapping[str, Any], registry: Registry) -> str | None:
    place, clause = root / "spec" / entry["file"], entry["clause"]
    if (root / SPEC / "vocabulary") not in place.parents or not place.is_file():
        return f"{LIST}: {clause}: expected a file such as {SPEC.name}/vocabulary/errors.py, got {entry['file']!r}"
    if clause not in {one.clause for one in that_count(citations(place, entry["file"]), registry)}:
        return f"{clause}: cite it beside the line that keeps it in {entry['file']}, or name another file in {LIST}"
    return None


def _of_package(package: str, found: list[Citation], listed: list[str], registry: Registry) -> list[str]:
    where = {one.clause: f"{one.file}:{one.line}" for one in that_count(found, registry)}
    loose = {one.clause: f"{one.file}:{one.line}" for one in found if one.kind == "long summary"}
    missing = [id for id, one in registry.items() if one.testable and id not in where and id not in listed]
    spare = [id for id in listed if id in where]
    return [
        *(
            f"{id}: cite it beside the line that keeps it in {package}, or list it in {LIST} with the reason why no "
            f"single line does" + (f"; {loose[id]} speaks of a whole function" if id in loose else "")
            for id in missing
        ),
        *(f"{id}: {where[id]} cites it now, so take {package} out of its entry in {LIST}" for id in spare),
        *(f"{id}: expected one entry for {package} in {LIST}, got more" for id in set(listed) if listed.count(id) > 1),
    ]


def unknown_ids(root: Path, registry: Registry) -> list[str]:
    """Ids of no clause, anywhere in the packages, the specification, the suite and the documentation."""
    found = []
    for folder in (*PACKAGES, SPEC, "conformance", "docs"):
        for path in sorted(path for path in (root / folder).rglob("*") if path.is_file()):
            if path.suffix == ".npz" or "__pycache__" in path.parts:
                continue
            text = path.read_text(encoding="utf-8")
            for id, place in sorted(ids(text)):
                if id not in registry:
                    line = f"{path.relative_to(root).as_posix()}:{1 + text.count(chr(10), 0, place)}"
                    found.append(f"{line}: no clause is called {id}: correct it; `conformance clauses` lists them all")
    return found


def test_each_clause_is_cited_beside_the_line_that_keeps_it() -> None:
    assert wrong_citations(ROOT, (ROOT / LIST).read_text(encoding="utf-8"), REGISTRY) == []


def test_each_id_is_that_of_a_clause() -> None:
    assert unknown_ids(ROOT, REGISTRY) == []


TOY: Registry = {
    "SEQ-1": Promise(True),
    "SEQ-2": Promise(True, frozenset({"ValueError"})),
    "SEQ-3": Promise(True),
    "PAR-5": Promise(False),
}
SOURCE = {
    "impl_ref/loop.py": "steps = lengths  # SEQ-1\nraise ArgumentValueError('shape', 'SEQ-2')\n",
    "impl_gpu/loop.cu": "// SEQ-1 to 2: the steps of a row\n",
    "spec/dynamic_rnn_spec/vocabulary/errors.py": "message = wanted  # SEQ-3\n",
}
SHARED = """
[[shared]]
clause = "SEQ-3"
in = ["impl_ref", "impl_gpu"]
file = "dynamic_rnn_spec/vocabulary/errors.py"
reason = "The error is made there."
"""
EMERGENT = """
[[emergent]]
clause = "SEQ-2"
in = ["impl_gpu"]
reason = "Nothing reads it."
"""
Tree = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Makes a folder with ``SOURCE``, some of its files replaced."""

    def make(files: Mapping[str, str]) -> Path:
        for name, text in {**SOURCE, **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return make


def test_a_tree_with_all_its_citations_passes(tree: Tree) -> None:
    assert wrong_citations(tree({}), SHARED, TOY) == []
    assert wrong_citations(tree({"impl_gpu/loop.cu": "// SEQ-1\n"}), SHARED + EMERGENT, TOY) == []


def test_a_clause_that_is_neither_cited_nor_listed_is_named_with_what_to_do(tree: Tree) -> None:
    (said,) = wrong_citations(tree({"impl_gpu/loop.cu": "// SEQ-1\n"}), SHARED, TOY)
    assert said == (
        "SEQ-2: cite it beside the line that keeps it in impl_gpu, or list it in tests/citations.toml with the reason "
        "why no single line does"
    )
    proof = tree({"impl_gpu/loop.cu": "// SEQ-1\n", "impl_gpu/prove/calls.py": "pass  # SEQ-2\n"})
    assert wrong_citations(proof, SHARED, TOY) == [said]


@pytest.mark.parametrize(
    ("body", "speaks"),
    [
        ("    steps = 0\n    if lengths:\n        steps = 1\n", []),
        ("    steps = 0\n    if lengths:\n        steps = 1\n    return steps\n", ["loop.py:3"]),
    ],
    ids=["short", "longer"],
)
def test_a_summary_keeps_a_clause_in_a_short_function_only(tree: Tree, body: str, speaks: list[str]) -> None:
    summary = f'def counted(lengths):\n    """Whether a step counts [SEQ-1]."""\n{body}'
    root = tree({"impl_ref/loop.py": f"raise ArgumentValueError('shape', 'SEQ-2')\n{summary}"})
    assert wrong_citations(root, SHARED, TOY) == [
        "SEQ-1: cite it beside the line that keeps it in impl_ref, or list it in tests/citations.toml with the reason "
        f"why no single line does; impl_ref/{place} speaks of a whole function"
        for place in speaks
    ]


def test_an_error_keeps_no_clause_that_promises_another_or_none(tree: Tree) -> None:
    errors = "raise ArgumentValueError('rank', 'SEQ-1')\nraise ArgumentTypeError('shape', 'SEQ-2')\n"
    said = wrong_citations(tree({"impl_ref/loop.py": errors}), SHARED, TOY)
    assert [text.partition(" beside")[0] for text in said] == ["SEQ-1: cite it", "SEQ-2: cite it"]


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (SHARED + EMERGENT, "SEQ-2: impl_gpu/loop.cu:1 cites it now, so take impl_gpu out of its entry in "),
        (SHARED + SHARED, "SEQ-3: expected one entry for impl_ref in tests/citations.toml, got more"),
        (SHARED + EMERGENT.replace("SEQ-2", "SEQ-9"), "SEQ-9: no clause has this id: correct it, or "),
        (SHARED + EMERGENT.replace("SEQ-2", "PAR-5"), "PAR-5: this clause can't be tested and needs no citation: "),
        (SHARED + EMERGENT.replace("Nothing reads it.", " "), "SEQ-2: expected a sentence for reason: say what keeps "),
        (SHARED + EMERGENT.replace("reason", "because"), "SEQ-2: expected the keys clause, in, reason, got because, "),
        (SHARED + EMERGENT.replace("impl_gpu", "impl_cpu"), "SEQ-2: expected a list of impl_ref and impl_gpu for in, "),
        (SHARED.replace("errors.py", "gone.py"), "SEQ-3: expected a file such as dynamic_rnn_spec/vocabulary/errors.p"),
        (SHARED.replace("shared", "other"), "expected [[emergent]] and [[shared]] tables, got other"),
        ("SEQ-3", "expected TOML, got "),
    ],
    ids=["cited", "twice", "unknown", "untestable", "no reason", "keys", "package", "file", "table", "no TOML"],
)
def test_an_entry_that_is_wrong_or_no_longer_needed_is_refused(tree: Tree, listed: str, said: str) -> None:
    assert said in wrong_citations(tree({}), listed, TOY)[0]


def test_what_the_vocabulary_keeps_is_cited_there(tree: Tree) -> None:
    (said,) = wrong_citations(tree({"spec/dynamic_rnn_spec/vocabulary/errors.py": "message = wanted\n"}), SHARED, TOY)
    assert said == (
        "SEQ-3: cite it beside the line that keeps it in dynamic_rnn_spec/vocabulary/errors.py, or name another file "
        "in tests/citations.toml"
    )


@pytest.mark.parametrize("file", ["impl_ref/a.py", "impl_gpu/b.cu", "spec/dynamic_rnn_spec/c.py", "docs/d/e.md"])
def test_an_id_of_no_clause_is_named_with_its_place(tree: Tree, file: str) -> None:
    text = "\n# SEQ-1, in UTF-8 with its SHA-256, SEQ-4 and SQE-1\n"
    assert unknown_ids(tree({file: text}), TOY) == [
        f"{file}:2: no clause is called {id}: correct it; `conformance clauses` lists them all"
        for id in ("SEQ-4", "SQE-1")
    ]


COUNTED = '''"""Of a module: SEQ-1."""
LIMIT = 1  # SEQ-2: why,
           # in two lines, SEQ-4 to
           # SEQ-6
class Cell:
    """Of a class: SEQ-7."""
    def step(self):
        """A summary
        of two lines [SEQ-8, SEQ-9].

        Raises:
            ValueError: wrong [SEQ-10].
        """
        "SEQ-11"
        raise ArgumentTypeError(f"at {here} [SEQ-12]",
                                "SEQ-13", flag("SEQ-14"))
        flag("SEQ-15")
'''


def test_an_id_counts_where_a_reader_sees_the_line_that_it_speaks_of(tree: Tree) -> None:
    root = tree({"a.py": COUNTED, "b.cu": '/* SEQ-1\n SEQ-2 */ x = "SEQ-3"; // SEQ-4 to\n // SEQ-5, EQ-4 to 6\n'})
    found = [(one.clause, one.line, one.kind) for one in citations(root / "a.py", "a.py")]
    assert found == [
        ("SEQ-2", 2, "comment"),
        ("SEQ-4", 3, "comment"),
        ("SEQ-5", 3, "comment"),
        ("SEQ-6", 3, "comment"),
        ("SEQ-6", 4, "comment"),
        ("SEQ-8", 9, "summary"),
        ("SEQ-9", 9, "summary"),
        ("SEQ-12", 15, "TypeError"),
        ("SEQ-13", 16, "TypeError"),
        ("SEQ-14", 16, "TypeError"),
        ("SEQ-15", 17, "string"),
    ]
    assert {one.clause for one in citations(root / "b.cu", "b.cu")} == {
        "SEQ-1", "SEQ-2", "SEQ-4", "SEQ-5", "EQ-4", "EQ-5", "EQ-6",
    }  # fmt: skip
