"""Tests that the files that TensorFlow 1.4.1's Python 3.6 loads are written in Python 3.6."""

import ast
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "spec" / "dynamic_rnn_spec"
FILES = [
    *(path for path in sorted(SPEC.rglob("*.py")) if path.parent != SPEC / "page"),
    *sorted((ROOT / "conformance" / "subject" / "workers").rglob("*.py")),
]
# Modules of the standard library that 3.6 lacks.
NEWER = {"contextvars", "dataclasses", "graphlib", "tomllib", "zoneinfo", "importlib.metadata", "importlib.resources"}


def imported(tree: ast.AST) -> set[str]:
    """The modules and names that a file imports, absolute ones dotted in full."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.update({node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)})
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_of_the_worker_is_python_36(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))

    assert imported(tree) & (NEWER | {"__future__.annotations"}) == set()


@pytest.mark.skipif("PYTHON36" not in os.environ, reason="PYTHON36 names no Python 3.6")
def test_a_real_python_36_compiles_them() -> None:
    code = "import sys; [compile(open(path, encoding='utf-8').read(), path, 'exec') for path in sys.argv[1:]]"
    asked = [os.environ["PYTHON36"], "-c", code, *map(str, FILES)]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr
