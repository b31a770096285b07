"""Carries results of the host side in one file, for machines that have no C++ compiler to compare with.

The file is an .npz of two arrays of bytes: ``index``, JSON that says where each array lies and where all of them come
from, and ``data``, the arrays one after another.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .desk import Numbers

FILE = Path(__file__).with_name("carried.npz")


class Carried:
    """Arrays by name. ``about`` says what they were computed with."""

    def __init__(self, about: dict[str, Any]) -> None:
        self.about = about
        self._arrays: dict[str, Numbers] = {}

    def put(self, name: str, array: Numbers) -> None:
        """Keep an array.

        Raises:
            ValueError: there is one of this name.
        """
        if name in self._arrays:
            raise ValueError(f"{name}: carried twice")
        self._arrays[name] = np.ascontiguousarray(array)

    def get(self, name: str, otherwise: Numbers | None = None) -> Numbers:
        """The array of a name.

        Raises:
            KeyError: there is none of that name, and no ``otherwise`` is given.
        """
        if name not in self._arrays and otherwise is not None:
            return otherwise
        if name not in self._arrays:
            raise KeyError(f"{name}: not carried; python -m impl_gpu.prove --carry FILE computes it")
        return self._arrays[name]

    def names(self) -> Iterator[str]:
        """All names, in the order in which they were added."""
        return iter(self._arrays)

    def save(self, path: Path) -> None:
        """Write the file."""
        places, parts, end = {}, [], 0
        for name, array in self._arrays.items():
            places[name] = [array.dtype.str, list(array.shape), end]
            parts.append(array.tobytes())
            end += array.nbytes
        index = json.dumps({"about": self.about, "places": places}).encode()
        np.savez_compressed(path, index=np.frombuffer(index, np.uint8), data=np.frombuffer(b"".join(parts), np.uint8))


def load(path: Path) -> Carried:
    """The arrays of a file.

    Raises:
        FileNotFoundError: there is none.
    """
    with np.load(path, allow_pickle=False) as file:
        index, data = json.loads(file["index"].tobytes()), file["data"].tobytes()
    carried = Carried(index["about"])
    for name, (kind, shape, offset) in index["places"].items():
        count = int(np.prod(shape, dtype=np.int64))
        carried.put(name, np.frombuffer(data, np.dtype(kind), count, offset).reshape(shape).copy())
    return carried
