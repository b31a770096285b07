"""Finds the clause ids in the source, and tells where one stands beside the line that keeps the clause.

An id counts in a comment, on the line that keeps the clause or above it, and in the summary of a docstring where the
function is so short that the summary speaks of its few lines. In a string, the argument of an error, it counts where
the clause promises that error; of any other clause it only says what the refused argument belongs to. The summary of a
longer function, the docstring of a module or a class, and what stands below a summary tell a user what to expect; they
do not count.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dynamic_rnn_spec.page import clauses

NO_CLAUSES = frozenset({"SHA", "UTF"})
"""The letters of what looks like an id and is none: SHA-256, UTF-8."""
NO_KEEPERS = (
    *("impl_ref/bench.py", "impl_ref/weights.py"),
    *("impl_gpu/bench", "impl_gpu/prove", "impl_gpu/weights.py", "impl_gpu/fused/forecast.py"),
)
"""What measures an implementation, proves it, hands it weights or foretells its memory keeps no clause of a call."""

SHORT = 3
"""Statements of a function, those inside others included, of which a summary may speak."""

ERRORS = {"ArgumentTypeError": "TypeError", "ArgumentValueError": "ValueError"}

_ID = re.compile(r"\b([A-Z]{2,})-(\d+)\b")
_RANGE = re.compile(r"\b([A-Z]{2,})-(\d+)\s+to\s+(?:[#*/]+\s*)?(?:\1-)?(\d+)\b")
_CUDA = frozenset({".cu", ".cuh", ".h"})
_CUDA_COMMENT = re.compile(r"(?://[^\n]*\n?\s*)+|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, order=True)
class Citation:
    """An id in a file: ``line`` is that of the id itself; ``kind`` is "comment", "summary" (of a function of at most
    SHORT statements), "long summary", the error whose argument it is ("TypeError", "ValueError"), or "string" for any
    other string."""

    file: str
    line: int
    clause: str
    kind: str


class Promise(NamedTuple):
    """What there is to keep: nothing where the clause can't be tested; ``errors`` are those that it promises."""

    testable: bool
    errors: frozenset[str] = frozenset()


def promises(registry: Mapping[str, clauses.Clause] | None = None) -> dict[str, Promise]:
    """That of every clause, by id; of those that the specification has, if no others are given."""
    found = clauses.load() if registry is None else registry
    return {id: Promise(clause.testable, _errors(clause)) for id, clause in found.items()}


def _errors(clause: clauses.Clause) -> frozenset[str]:
    if "error" not in clause.observable:
        return frozenset()
    return frozenset(error for error in ERRORS.values() if error in clause.text) or frozenset(ERRORS.values())


def that_count(found: Iterable[Citation], promised: Mapping[str, Promise]) -> list[Citation]:
    """Those beside a line that keeps the clause: one in a string, only where the clause promises that error."""
    return [one for one in found if one.kind in ("comment", "summary") or _keeps(one, promised.get(one.clause))]


def _keeps(refusal: Citation, promise: Promise | None) -> bool:
    return promise is not None and bool(promise.errors) and refusal.kind in {"string", *promise.errors}


def ids(text: str) -> set[tuple[str, int]]:
    """Every id of a text with the place where it stands; of a range, "EQ-4 to EQ-7" or "EQ-4 to 7", each within it."""
    found = {(one[0], one.start()) for one in _ID.finditer(text) if one[1] not in NO_CLAUSES}
    for one in _RANGE.finditer(text):
        found |= {(f"{one[1]}-{number}", one.start()) for number in range(int(one[2]), int(one[3]) + 1)}
    return found


def citations(path: Path, name: str) -> list[Citation]:
    """The citations of a Python or CUDA file; ``name`` is the file's in them."""
    text = path.read_text(encoding="utf-8")
    parts = _of_cuda(text) if path.suffix in _CUDA else [*_comments(text), *_strings(text)]
    found = {
        Citation(name, line + part.count("\n", 0, place), clause, kind)
        for part, line, kind in parts
        for clause, place in ids(part)
    }
    return sorted(found)


def of_package(folder: Path) -> list[Citation]:
    """Those of every file of a package; a file's name begins with the package's."""
    found: list[Citation] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder.parent).as_posix()
        proves = any(f"{name}/".startswith(f"{other}/") for other in NO_KEEPERS)
        if path.suffix in {".py", *_CUDA} and not proves:
            found += citations(path, name)
    return found


def _of_cuda(text: str) -> Iterator[tuple[str, int, str]]:
    for found in _CUDA_COMMENT.finditer(text):
        yield found[0], 1 + text.count("\n", 0, found.start()), "comment"


def _comments(text: str) -> Iterator[tuple[str, int, str]]:
    """Comments, each with its first line; lines of one comment are together, for a range may break between them."""
    lines: list[str] = []
    first = column = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start != (first + len(lines), column):
            yield "\n".join(lines), first, "comment"
            lines = []
        if not lines:
            first, column = token.start
        lines.append(token.string)
    if lines:
        yield "\n".join(lines), first, "comment"


def _strings(text: str) -> Iterator[tuple[str, int, str]]:
    """Strings that are code, and the summaries of functions, each with its first line."""
    tree = ast.parse(text)
    no_code = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    kinds = {
        part: ERRORS[node.func.id]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS
        for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in no_code:
            yield node.value, node.lineno, kinds.get(node, "string")
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (said := ast.get_docstring(node, clean=False)):
            statements = sum(isinstance(part, ast.stmt) for part in ast.walk(node)) - len([node, said])
            kind = "summary" if statements <= SHORT else "long summary"
            yield re.split(r"\n\s*\n", said)[0], node.body[0].lineno, kind
