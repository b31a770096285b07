"""Loads weights by TensorFlow's variable names from a mapping, .npz or .safetensors, and saves them to a file."""

import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, VariableStore, default_store

from .arrays import Array, is_array
from .dtypes import describe_type

_WANTED = "a mapping, or a path that ends in .npz or .safetensors"


class Loaded(NamedTuple):
    """What ``load_weights`` did, by name: variables that it set, and values that wait for a variable to be made."""

    assigned: list[str]
    waiting: list[str]


def load_weights(
    source: Mapping[str, Any] | str | os.PathLike[str], store: VariableStore | None = None, strict: bool = False
) -> Loaded:
    """Give variables their values, before or after they exist [VAR-14].

    Args:
        source: arrays by name (``"rnn/lstm_cell/kernel"``, a trailing ``:0`` is allowed), or a file that holds them.
        store: whose variables; None is the one in use.
        strict: whether every name must be that of a variable which exists now, and every such variable be named.

    Returns:
        The names that were set, and those that wait: a variable of that name takes its value when it is made. What
        still waits after the network has run is unknown to it: ``store.waiting()``.

    Raises:
        ValueError: a value has another shape than its variable, at once or when that is made; with ``strict``, a
            name is unknown or missing; a name comes twice, with and without ``:0``; the file has another suffix
            [VAR-14].
        TypeError: a value has another dtype than its variable, or is no array; ``source`` is something else [VAR-14].
        ImportError: safetensors is not installed.

    Nothing is changed when anything is refused.
    """
    target = default_store() if store is None else store
    values = _by_name(source if isinstance(source, Mapping) else _read(_path(source, "source")))
    if strict:
        _check_names(set(values), set(target.variables))
    target.load(values)
    known = target.variables.keys()
    return Loaded([name for name in values if name in known], [name for name in values if name not in known])


def save_weights(target: str | os.PathLike[str], store: VariableStore | None = None) -> list[str]:
    """Write every variable of the store to a .npz or .safetensors file under its name, and give the names.

    Raises:
        ValueError: the file has another suffix [VAR-14].
        TypeError: ``target`` is no path [VAR-14].
        ImportError: safetensors is not installed.
    """
    path = _path(target, "target")
    variables = (default_store() if store is None else store).variables
    values = {name: np.array(variable.value, order="C") for name, variable in variables.items()}
    if path.suffix == ".npz":
        _write_npz(path, values)
    else:
        _safetensors().save_file(values, path)
    return list(values)


def _write_npz(path: Path, values: Mapping[str, Array]) -> None:
    """Write what np.savez would; it takes names as keyword arguments, so none could be called "file"."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in values.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, value, allow_pickle=False)


def _read(path: Path) -> dict[str, Array]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    values: dict[str, Array] = _safetensors().load_file(path)
    return values


def _by_name(source: Mapping[str, Any]) -> dict[str, Array]:
    values: dict[str, Array] = {}
    for given, value in source.items():
        if not isinstance(given, str) or not is_array(value):
            got = f"{describe_type(given)}: {describe_type(value)}"
            raise ArgumentTypeError("source", "arrays by variable name", got, "VAR-14")
        name = given.removesuffix(":0")
        if name in values:
            raise ArgumentValueError("source", "each variable once", f"{name!r} twice", "VAR-14")
        values[name] = np.asarray(value)
    return values


def _check_names(given: Iterable[str], existing: Iterable[str]) -> None:
    unknown, missing = sorted(set(given) - set(existing)), sorted(set(existing) - set(given))
    if unknown or missing:
        told = (("unknown", unknown), ("missing", missing))
        got = "; ".join(f"{what} {', '.join(names)}" for what, names in told if names)
        raise ArgumentValueError("source", "exactly the variables that exist", got, "VAR-14")


def _path(value: Any, argument: str) -> Path:
    if not isinstance(value, (str, os.PathLike)):
        raise ArgumentTypeError(argument, _WANTED, describe_type(value), "VAR-14")
    path = Path(value)
    if path.suffix not in (".npz", ".safetensors"):
        raise ArgumentValueError(argument, _WANTED, repr(path.name), "VAR-14")
    return path


def _safetensors() -> Any:
    try:
        import safetensors.numpy as module
    except ImportError as error:
        message = "a .safetensors file needs the safetensors package: pip install 'tancarflow[safetensors]'"
        raise ImportError(message, name="safetensors") from error
    return module
