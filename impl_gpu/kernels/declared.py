"""Reads what the header of a kernel file declares of each kernel: bytes moved, and ceilings of registers.

// bytes lstm_step_masked: active*n*(4*ACC + 4*STORE) + ...
// registers lstm_step_masked_vec: float16 80, bfloat16 80, float32 64, float64 80
"""

import re
from functools import cache

from .registry import CLOCK_BYTES, ELEMENT_SIZES, GATE_SIZES, INT, LONG, PIECE_SIZES, text

_BYTES = re.compile(r"^// bytes (\w+): (.+)$", re.MULTILINE)
_REGISTERS = re.compile(r"^// registers (\w+): (.+)$", re.MULTILINE)


@cache
def formulas(module: str) -> dict[str, str]:
    """For each kernel of a module the bytes that a launch moves, as its header has it; *_vec moves the same."""
    return dict(_BYTES.findall(text(module)))


@cache
def ceilings(module: str) -> dict[str, dict[str, int]]:
    """For each entry point of a module and each variant the most registers that a thread may take."""
    found = {}
    for entry, listed in _REGISTERS.findall(text(module)):
        found[entry] = {variant: int(most) for variant, most in (one.split() for one in listed.split(","))}
    return found


def moved(module: str, entry: str, variant: str, **sizes: int) -> int:
    """The bytes that a launch moves, by the formula; ``sizes`` are its names but STORE, ACC, INT, LONG and CLOCK.

    What may be null is 1 where it is given (and read or written), else 0: ``lengths``, ``order``, ``saved`` (c).
    """
    types = {
        "STORE": ELEMENT_SIZES.get(variant, PIECE_SIZES.get(variant, 0)),
        "ACC": GATE_SIZES.get(variant, 0),
        "INT": INT,
        "LONG": LONG,
        "CLOCK": CLOCK_BYTES,
    }
    formula = formulas(module)[entry.removesuffix("_vec")]
    return int(eval(formula, {"__builtins__": {}}, {**types, **sizes}))


def per_element(module: str, entry: str, variant: str) -> int | None:
    """Bytes for each element of a large launch in which every row counts; None where there are no elements."""
    if module == "clock":
        return None
    rows, columns, steps = 2**20, 2**20, 2**10
    formula = formulas(module)[entry.removesuffix("_vec")]
    sizes = dict.fromkeys(("lengths", "order", "peepholes", "saved", "m", "projected", "other", "chunks"), 0)
    sizes |= dict.fromkeys(("d_out", "carried", "src"), 1)
    sizes |= {"active": rows, "rows": rows, "packed": rows, "draws": rows, "len": steps, "strips": 1}
    sizes |= {"n": columns, "p": columns, "e": columns, "count": rows * columns}
    elements = rows * columns * (steps if re.search(r"\blen\b", formula) else 1)
    return round(moved(module, entry, variant, **sizes) / elements)
