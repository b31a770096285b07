"""Loads and saves weights by TensorFlow's names, from and to files."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dynamic_rnn_spec import ArgumentTypeError, ArgumentValueError, VariableStore, default_store

from .arrays import described, enter
from .device import current_device
from .dtypes import describe_value

_SUFFIXES = (".npz", ".safetensors")
_WANTED = "a mapping, or a path that ends in .npz or .safetensors"


class Loaded(NamedTuple):
    """What ``load_weights`` did, by name: the variables it set, and the values that wait for theirs to be made."""

    assigned: list[str]
    waiting: list[str]


def load_weights(
    source: Mapping[str, Any] | str | os.PathLike[str], store: VariableStore | None = None, strict: bool = False
) -> Loaded:
    """Give variables their values, whether they exist yet or not [VAR-14].

    Args:
        source: arrays by name (``"rnn/lstm_cell/kernel"``, with or without ``:0``), of the host or of the device; or
            a file of them.
        store: whose variables; None is the one in use.
        strict: whether the names must be those of the variables that exist now, all of them and no other.

    Returns:
        Which names were set and which wait. What still waits after the network has run (``store.waiting()``) belongs
        to no variable of it.

    Raises:
        ValueError: a value of another shape than its variable, now or when that is made; a name twice, with and
            without ``:0``; another suffix of a file; with ``strict``, names that are unknown or missing [VAR-14].
        TypeError: a value of another dtype than its variable, or no array; another kind of source [VAR-14].
        ImportError: safetensors is needed and not installed.

    Nothing is changed when anything is refused.
    """
    target = default_store() if store is None else store
    values = _named(source if isinstance(source, Mapping) else _read(_checked_path(source, "source")))
    existing = set(target.variables)
    if strict and existing != set(values):
        unknown, missing = sorted(set(values) - existing), sorted(existing - set(values))
        got = "; ".join(
            f"{what} {', '.join(names)}" for what, names in (("unknown", unknown), ("missing", missing)) if names
        )
        raise ArgumentValueError("source", "the variables that exist, each one", got, "VAR-14")
    target.load(values)
    assigned = [name for name in values if name in existing]
    return Loaded(assigned, [name for name in values if name not in existing])


def save_weights(target: str | os.PathLike[str], store: VariableStore | None = None) -> list[str]:
    """Write the variables of a store to a .npz or .safetensors file by their names, which are returned.

    Raises:
        ValueError: another suffix [VAR-14].
        TypeError: ``target`` is no path [VAR-14].
        ImportError: safetensors is needed and not installed.
    """
    path = _checked_path(target, "target")
    variables = (default_store() if store is None else store).variables
    values = {name: np.ascontiguousarray(variable.value) for name, variable in variables.items()}
    if path.suffix == ".safetensors":
        _safetensors().save_file(values, path)
    else:
        # np.savez takes the names as keywords of its own and so refuses some.
        with zipfile.ZipFile(path, "w") as archive:
            for name, value in values.items():
                with archive.open(name + ".npy", mode="w", force_zip64=True) as member:
                    np.lib.format.write_array(member, value, allow_pickle=False)
    return list(values)


def _named(source: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in source.items():
        if not isinstance(key, str) or described(value) is None:
            got = f"{describe_value(key)}: {describe_value(value)}"
            raise ArgumentTypeError("source", "arrays by variable name", got, "VAR-14")
        name = key.removesuffix(":0")
        if name in values:
            raise ArgumentValueError("source", "each variable once", f"{name!r} twice", "VAR-14")
        values[name] = value
    return {name: _on_host(value) for name, value in values.items()}


def _on_host(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value)
    device = current_device()
    return device.to_numpy(enter(device, value))


def _read(path: Path) -> dict[str, Any]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    values: dict[str, Any] = _safetensors().load_file(path)
    return values


def _checked_path(value: Any, argument: str) -> Path:
    if not isinstance(value, (str, os.PathLike)):
        raise ArgumentTypeError(argument, _WANTED, describe_value(value), "VAR-14")
    path = Path(value)
    if path.suffix not in _SUFFIXES:
        raise ArgumentValueError(argument, _WANTED, repr(path.name), "VAR-14")
    return path


def _safetensors() -> Any:
    try:
        import safetensors.numpy as module
    except ImportError as error:
        needed = "a .safetensors file needs the safetensors package: pip install 'tancarflow[safetensors]'"
        raise ImportError(needed, name="safetensors") from error
    return module
