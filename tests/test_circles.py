"""No module imports itself by way of others: import-linter looks at the modules of a folder beside each other, this at
every module, a package's own file included, and at imports inside functions."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOST_SIDE = {
    # The device package makes a host device when one is first asked for, whose arrays ask the package for the device;
    # and an array is made by the module that stands for CuPy's, which has arrays.
    *("", ".host", ".host_array_calls", ".host_array_making", ".host_array_memory", ".host_array_operators"),
    *(".host_arrays", ".host_lent", ".host_module"),
    # A shadow is a wrapped device, its memory is compared with a host device's, and a device is wrapped in a shadow.
    *(".shadow", ".shadow_memory", ".wrapped"),
}
KNOWN = {f"impl_gpu.device{name}" for name in HOST_SIDE}


def imports_of(folder: Path) -> dict[str, set[str]]:
    """For each module of a package those of the same package that it imports, wherever in the file."""
    files = {module_name(folder, path): path for path in folder.rglob("*.py")}
    return {name: imported(name, path, set(files)) - {name} for name, path in files.items()}


def module_name(folder: Path, path: Path) -> str:
    parts = (folder.name, *path.relative_to(folder).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(name: str, path: Path, known: set[str]) -> set[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            whole = ".".join([*above, *([node.module] if node.module else [])])
            found |= {
                inner if (inner := f"{whole}.{alias.name}") in known else whole for alias in node.names
            } & known
    return found


@pytest.mark.parametrize("package", ["spec/dynamic_rnn_spec", "impl_ref", "conformance", "tancarflow_evidence"])
def test_nothing_imports_in_a_circle(package: str) -> None:
    graphlib.TopologicalSorter(imports_of(ROOT / package)).prepare()


def test_impl_gpu_imports_in_the_known_circles_only() -> None:
    graph = {
        name: {inner for inner in imports if not (name in KNOWN and inner in KNOWN)}
        for name, imports in imports_of(ROOT / "impl_gpu").items()
    }
    graphlib.TopologicalSorter(graph).prepare()


def test_a_circle_is_found(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "inner" / "__init__.py").write_text("from ..one import a\n")
    (package / "one.py").write_text("def a():\n    from package.inner import two\n")
    (package / "inner" / "two.py").write_text("from . import nothing\n")
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(imports_of(package)).prepare()
