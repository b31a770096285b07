"""Lists the kernels: source files, variants, and entry points with their parameters.

Entry points and their parameters are read from the sources themselves, never written a second time.
"""

import re
from functools import cache
from pathlib import Path

from ..device.seam import Kernel, Parameter

FOLDER = Path(__file__).parent
COMMON = "common.cuh"
CLOCK_BYTES = 32  # of struct Clock, which common.cuh holds to it

ELEMENT_SIZES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
"""Bytes of STORE."""
GATE_SIZES = {"float16": 4, "bfloat16": 4, "float32": 4, "float64": 8}
"""Bytes of ACC, the type of gates and arithmetic."""
PIECE_SIZES = {"bytes1": 1, "bytes2": 2, "bytes4": 4, "bytes8": 8, "bytes16": 16}
"""Bytes that one thread moves in the kernels of rows.cu, whatever their dtype."""

INT, LONG = 4, 8
"""Bytes of the entries of tables: lengths, orders and rows alive; places of packed rows."""

VARIANTS: dict[str, dict[str, str]] = {
    "float16": {"STORE": "Half", "ACC": "float"},
    "bfloat16": {"STORE": "Bfloat", "ACC": "float"},
    "float32": {"STORE": "float", "ACC": "float"},
    "float64": {"STORE": "double", "ACC": "double"},
    "bytes1": {"STORE": "unsigned char", "ACC": "float"},
    "bytes2": {"STORE": "unsigned short", "ACC": "float"},
    "bytes4": {"STORE": "unsigned int", "ACC": "float"},
    "bytes8": {"STORE": "unsigned long long", "ACC": "float"},
    "bytes16": {"STORE": "Bytes16", "ACC": "float"},
    "any": {"STORE": "unsigned char", "ACC": "float"},
}
"""What a source is compiled for: the types that STORE and ACC stand for."""

MODULES: dict[str, tuple[str, ...]] = {
    "basic_rnn": tuple(ELEMENT_SIZES),
    "lstm": tuple(ELEMENT_SIZES),
    "gru": tuple(ELEMENT_SIZES),
    "basic_rnn_back": tuple(ELEMENT_SIZES),
    "lstm_back": tuple(ELEMENT_SIZES),
    "gru_back": tuple(ELEMENT_SIZES),
    "elementwise": tuple(ELEMENT_SIZES),
    "gradients": tuple(ELEMENT_SIZES),
    "rows": tuple(PIECE_SIZES),
    "clock": ("any",),
}
"""The variants of each source file, by its stem."""

_ENTRY = re.compile(r'extern "C" __global__ void (?:__launch_bounds__\([^)]*\) )?(\w+)\(([^)]*)\)')


def modules() -> list[tuple[str, str]]:
    """Every module with each of its variants: what is to be compiled."""
    return [(module, variant) for module, variants in MODULES.items() for variant in variants]


@cache
def text(module: str) -> str:
    """The source file of a module, as it lies there."""
    return (FOLDER / f"{module}.cu").read_text(encoding="utf-8")


@cache
def source(module: str, dtype: str) -> str:
    """All that a compiler gets: the types of the variant, common.cuh, the module.

    Raises:
        KeyError: no such module, or not for this variant.
    """
    _check_variant(module, dtype)
    defines = "".join(f"#define {name} {value}\n" for name, value in VARIANTS[dtype].items())
    return defines + (FOLDER / COMMON).read_text(encoding="utf-8") + "\n" + text(module)


@cache
def entries(module: str) -> dict[str, tuple[Parameter, ...]]:
    """The entry points of a module with their parameters, in the order of the source."""
    return {name: _parameters(listed) for name, listed in _ENTRY.findall(text(module))}


def _parameters(listed: str) -> tuple[Parameter, ...]:
    parameters = []
    for one in listed.replace("__restrict__ ", "").split(","):
        kind, name = " ".join(one.split()).rsplit(" ", 1)
        parameters.append(Parameter(name, kind))
    return tuple(parameters)


@cache
def kernel(module: str, entry: str, dtype: str) -> Kernel:
    """What the seam launches.

    Raises:
        KeyError: no such module, variant or entry point.
    """
    _check_variant(module, dtype)
    return Kernel(entry, module, dtype, entries(module)[entry])


def _check_variant(module: str, dtype: str) -> None:
    if dtype not in MODULES[module]:
        raise KeyError(f"{module}.cu has the variants {MODULES[module]}, not {dtype}")
