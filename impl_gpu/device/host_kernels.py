"""Builds kernels for the host side from their CUDA C++ source, by the machine's C++ compiler.

A built module stays in a cache folder (IMPL_GPU_CACHE, else ~/.cache/tancarflow) under the hash of all that it is
made from. IMPL_GPU_HOST_FLAGS adds flags, such as -fsanitize=address.
"""

import ctypes
import functools
import hashlib
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .seam import C_TYPES, Kernel, SeamError

HEADER = Path(__file__).parent / "hostcuda.h"
FIBERS = Path(__file__).parent / "hostfibers.h"
# No contraction into fused multiply-adds: a result must not depend on the machine that compiles.
FLAGS = ("-std=c++17", "-O1", "-ffp-contract=off", "-fvisibility=hidden", "-U_FORTIFY_SOURCE", "-shared", "-fPIC", "-w")
BARRIER = re.compile(r"\b__(sync|shfl)\w*")
DYNAMIC_SHARED = re.compile(r"extern\s+__shared__\s+([\w ]+?)\s+(\w+)\s*\[\s*\]\s*;")
ENTRY = re.compile(r'extern\s+"C"\s+hc_entry\s+void\s+(\w+)\s*\(')
PREPROCESS = ("-E", "-P", "-DHC_HOST", "-D__global__=hc_entry", "-D__launch_bounds__(...)=", "-xc++")
GEOMETRY = struct.Struct("=10I")
FAULTS = {
    1: "a barrier that not every thread of the block reaches",
    2: "a 16-byte access at {address:#x}, which is not aligned to 16 bytes",
    3: "an access to {address:#x}, where no memory is, or a division by zero",
}


class Report(ctypes.Structure):
    """Where the first fault of a launch was, as hostcuda.h has it."""

    _fields_ = (("address", ctypes.c_uint64), ("block", ctypes.c_uint32 * 3), ("thread", ctypes.c_uint32 * 3))


class Entry:
    """One entry point, ready to run."""

    def __init__(self, library: ctypes.PyDLL, kernel: Kernel) -> None:
        self.name = kernel.entry
        try:
            self._run: Callable[[bytes, bytes], int] = library[f"hc_run_{kernel.entry}"]
        except AttributeError:
            raise SeamError(f"{kernel.entry}: no entry of module {kernel.module!r}") from None
        self._report: Callable[[], Any] = library["hc_report"]
        self._report.restype = ctypes.POINTER(Report)
        self._run.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
        self.names = tuple(parameter.name for parameter in kernel.parameters)
        self.pointers: tuple[tuple[int, int], ...] = tuple(
            (index, taken.alignment) for index, taken in enumerate(_taken(kernel, library)) if taken.kind == "p"
        )
        """Position of each pointer, and the alignment of what it points to."""
        # A slot of eight bytes each, the value in its low ones.
        self.slots = struct.Struct("=" + "".join(_slot(parameter.type) for parameter in kernel.parameters))
        # Double precision keeps its denormals, -ftz=true is about single precision.
        self.flush = int(kernel.dtype != "float64")

    def run(self, slots: bytes, geometry: bytes, purpose: str) -> None:
        """Run all blocks.

        Raises:
            SeamError: a fault within the kernel, with the block and thread that it happened in.
        """
        fault = self._run(slots, geometry)
        if fault:
            report = self._report().contents
            where = f"block {tuple(report.block)}, thread {tuple(report.thread)}"
            raise SeamError(f"{purpose}: {self.name}: {FAULTS[fault].format(address=report.address)} ({where})")


@functools.cache
def load(module: str, dtype: str, source: str) -> ctypes.PyDLL:
    """The library of a module's source, built if the cache has none.

    Raises:
        SeamError: there is no C++ compiler, or it does not take the source.
    """
    compiler, flags = _compiler(), (*FLAGS, *os.environ.get("IMPL_GPU_HOST_FLAGS", "").split())
    if BARRIER.search(source):
        flags = (*flags, "-DHC_BARRIERS")
    here = (path.read_text(encoding="utf-8") for path in (HEADER, FIBERS, Path(__file__)))
    made_from = "\0".join((source, *here, _identity(compiler), *flags))
    folder = Path(os.environ.get("IMPL_GPU_CACHE") or Path.home() / ".cache" / "tancarflow")
    target = folder / f"{module}-{dtype}-{hashlib.sha256(made_from.encode()).hexdigest()[:20]}.so"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            _build(compiler, flags, Path(work), target, source)
    # One launch at a time: a PyDLL keeps the interpreter to itself, and kernels their threadIdx.
    return ctypes.PyDLL(str(target))


def _build(compiler: str, flags: Sequence[str], work: Path, target: Path, source: str) -> None:
    text = DYNAMIC_SHARED.sub(r"\1* \2 = static_cast<\1*>(hc::dynamic_shared);", source)
    # The text stays beside the library: messages of the compiler and of the sanitizer name its lines.
    kernel, unit, library = target.with_suffix(".cu"), work / "unit.cpp", work / "unit.so"
    unit.write_text(text, encoding="utf-8")
    unit.replace(kernel)
    entries = ENTRY.findall(_compile(compiler, flags, work, *PREPROCESS, str(kernel)))
    exports = "".join(f"HC_EXPORT({entry})\n" for entry in entries)
    unit.write_text(f'#include "{HEADER}"\n#include "{kernel}"\n{exports}', encoding="utf-8")
    _compile(compiler, flags, work, unit.name, "-o", library.name)
    # Another process may have been faster; both files are the same.
    library.replace(target)


def _compile(compiler: str, flags: Sequence[str], work: Path, *arguments: str) -> str:
    done = subprocess.run([compiler, *flags, *arguments], cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SeamError(f"{compiler} {' '.join(arguments)}: {done.stderr[:4000]}")
    return done.stdout


@functools.cache
def _compiler() -> str:
    for name in (os.environ.get("CXX"), "c++", "g++"):
        found = name and shutil.which(name)
        if found:
            return str(Path(found).resolve())
    raise SeamError("the host side builds kernels with a C++ compiler: found none as $CXX, c++ or g++")


def compiler_version() -> str:
    """What the compiler says of itself in its first line."""
    done = subprocess.run([_compiler(), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def _identity(compiler: str) -> str:
    status = Path(compiler).stat()
    return f"{compiler} {status.st_size} {status.st_mtime_ns}"


def _slot(kind: str) -> str:
    return "Q" if kind.endswith("*") else {"int": "i4x", "long long": "q", "float": "f4x", "double": "d"}[kind]


class Taken(NamedTuple):
    """What a compiled kernel takes in one place: kind (of WORDS), bytes, alignment of what a pointer points to."""

    kind: str
    size: int
    alignment: int


WORDS = {"p": "a pointer", "i": "an integer", "f": "a floating number", "?": "a structure"}
KINDS = {"int": "i", "long long": "i", "float": "f", "double": "f"}


def _taken(kernel: Kernel, library: ctypes.PyDLL) -> list[Taken]:
    text = ctypes.create_string_buffer(4096)
    library[f"hc_describe_{kernel.entry}"](text)
    described = text.value
    taken = [Taken(chr(described[i]), *described[i + 1 : i + 3]) for i in range(0, len(described), 3)]
    if len(taken) != len(kernel.parameters):
        raise SeamError(f"{kernel.entry}: takes {len(taken)} parameters, {len(kernel.parameters)} are declared")
    for parameter, (kind, size, _) in zip(kernel.parameters, taken, strict=True):
        if parameter.type.endswith("*"):
            declared = ("p", 8)
        elif parameter.type in C_TYPES:
            declared = (KINDS[parameter.type], ctypes.sizeof(C_TYPES[parameter.type]))
        else:
            raise SeamError(f"{kernel.entry}: {parameter.name}: no parameter type {parameter.type!r}")
        if declared != (kind, size):
            raise SeamError(
                f"{kernel.entry}: {parameter.name} is declared as {parameter.type!r}, {WORDS[declared[0]]} of "
                f"{declared[1]} bytes; the kernel takes {WORDS[kind]} of {size} bytes"
            )
    return taken
