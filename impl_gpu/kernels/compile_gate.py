"""Compiles every kernel for every architecture, with no device, and checks what the compiler makes of it.

    python -m impl_gpu.kernels.compile_gate [--arch 75 80 90 100] [--write docs/kernels.md]

NVRTC builds exactly what a CUDA device would be given, with the options that CuPy gives it. It exits with

    0   every entry point is there, spills nothing, reads 16 bytes at a time where its name says so, and stays within
        the ceiling of registers that its source declares, without slack
    1   not so; each finding on its own line
    2   nothing was judged, or not all: there is no NVRTC, or not the one that the ceilings are for
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from . import declared, registry

ARCHITECTURES = ("75", "80", "90", "100")
NVRTC = (13, 0)  # what the ceilings are for
OPTIONS = ("--std=c++17", "-ftz=true", "--device-as-default-execution-space")  # what CuPy adds; we ask for nothing
GRANULE = 8  # registers are given to threads in eights, so a ceiling is a multiple
WHEELS = "pip install 'nvidia-cuda-nvrtc==13.0.*' 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-crt==13.0.*'"

_ENTRY = re.compile(
    r"Compiling entry function '(\w+)' for '\w+'\n.*?"
    r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads\n.*?"
    r"Used (\d+) registers([^\n]*)",
    re.DOTALL,
)
_SHARED = re.compile(r"(\d+) bytes smem")
_PTX_ENTRY = re.compile(r"\.entry (\w+)\((.*?)(?=\.entry|\Z)", re.DOTALL)
_WIDE = re.compile(r"\b(?:ld|st)\.global\S*\.(?:v2\.[bfu]64|v4\.[bfu]32)\b")


class NotJudgedError(RuntimeError):
    """There is nothing to compile with."""


class CompileError(RuntimeError):
    """NVRTC does not take a source."""


class Compiled(NamedTuple):
    """What the compiler says of one entry point; ``wide`` counts its accesses of 16 bytes."""

    module: str
    variant: str
    arch: str
    entry: str
    registers: int
    spilled: int
    shared: int
    wide: int


def nvrtc_version() -> tuple[int, int]:
    """The version of the NVRTC that CuPy finds.

    Raises:
        NotJudgedError: CuPy finds none.
    """
    try:
        from cupy.cuda import nvrtc

        major, minor = nvrtc.getVersion()
    except (ImportError, RuntimeError) as error:
        why = " ".join(str(error).split())
        raise NotJudgedError(f"no NVRTC to compile with ({why}); it comes with {WHEELS}") from error
    return int(major), int(minor)


def compile_source(source: str, module: str, variant: str, arch: str) -> list[Compiled]:
    """Every entry point that the compiler made of a source.

    Raises:
        CompileError: it does not compile; the message is the compiler's.
    """
    from cupy.cuda import nvrtc

    program = nvrtc.createProgram(source, f"{module}.cu", (), ())
    try:
        nvrtc.compileProgram(program, (*OPTIONS, f"-arch=sm_{arch}", "--ptxas-options=-v"))
        ptx = nvrtc.getPTX(program)
    except nvrtc.NVRTCError as error:
        raise CompileError(f"{module}.cu, {variant}, sm_{arch}: {error}\n{nvrtc.getProgramLog(program)}") from error
    else:
        wide = {name: len(_WIDE.findall(body)) for name, body in _PTX_ENTRY.findall(_as_text(ptx))}
        return [
            _compiled((module, variant, arch), found, wide) for found in _ENTRY.findall(nvrtc.getProgramLog(program))
        ]
    finally:
        nvrtc.destroyProgram(program)


def _as_text(ptx: str | bytes) -> str:
    return ptx.decode() if isinstance(ptx, bytes) else ptx


def _compiled(where: tuple[str, str, str], found: tuple[str, ...], wide: dict[str, int]) -> Compiled:
    entry, stack, stored, loaded, registers, rest = found
    shared = _SHARED.search(rest)
    spilled = int(stack) + int(stored) + int(loaded)
    return Compiled(*where, entry, int(registers), spilled, int(shared[1]) if shared else 0, wide.get(entry, 0))


def compile_one(task: tuple[str, str, str]) -> list[Compiled]:
    """One module in one variant for one architecture."""
    module, variant, arch = task
    return compile_source(registry.source(module, variant), module, variant, arch)


def compile_all(architectures: Sequence[str]) -> list[Compiled]:
    """Every module in every variant for every architecture, on as many processors as there are."""
    tasks = [(module, variant, arch) for module, variant in registry.modules() for arch in architectures]
    workers = min(os.cpu_count() or 1, len(architectures))
    if workers == 1:
        return [one for task in tasks for one in compile_one(task)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [one for compiled in pool.map(compile_one, tasks, chunksize=4) for one in compiled]


def findings(compiled: Sequence[Compiled], architectures: Sequence[str], pinned: bool) -> list[str]:
    """What is wrong, a sentence each; ``pinned``: the compiler is the one that the ceilings are for."""
    wrong = []
    made = {(one.module, one.variant, one.arch, one.entry): one for one in compiled}
    for module, variant in registry.modules():
        for entry in registry.entries(module):
            of_entry = [made.get((module, variant, arch, entry)) for arch in architectures]
            where = f"{entry} ({variant})"
            wrong += [
                f"{where}: not there on sm_{arch}"
                for arch, one in zip(architectures, of_entry, strict=True)
                if one is None
            ]
            present = [one for one in of_entry if one is not None]
            wrong += [f"{where}: spills {one.spilled} bytes on sm_{one.arch}" for one in present if one.spilled]
            if entry.endswith("_vec"):
                wrong += [f"{where}: no 16-byte access on sm_{one.arch}" for one in present if not one.wide]
            if pinned and present:
                wrong += _against_ceiling(
                    where, declared.ceilings(module).get(entry, {}).get(variant), present, architectures
                )
    return wrong


def _against_ceiling(
    where: str, ceiling: int | None, present: Sequence[Compiled], architectures: Sequence[str]
) -> list[str]:
    if ceiling is None:
        return [f"{where}: no ceiling of registers is declared beside it"]
    most = max(present, key=lambda one: one.registers)
    if most.registers > ceiling:
        return [f"{where}: {most.registers} registers on sm_{most.arch}, the ceiling is {ceiling}"]
    tight = -(-most.registers // GRANULE) * GRANULE
    if tuple(architectures) == ARCHITECTURES and ceiling > tight:
        return [f"{where}: a ceiling of {ceiling} says nothing, {most.registers} registers need {tight}"]
    return []


def table(compiled: Sequence[Compiled], version: tuple[int, int]) -> str:
    """docs/kernels.md."""
    made = {(one.module, one.variant, one.arch, one.entry): one for one in compiled}
    lines = [
        "# Kernels",
        "",
        "Written by `python -m impl_gpu.kernels.compile_gate --write docs/kernels.md`, which compiles every kernel",
        f"for every architecture below with NVRTC {version[0]}.{version[1]} and no device. None spills registers. The",
        "numbers are what the compiler says: registers of a thread, their ceiling, shared memory of a block in bytes.",
        "Bytes per element are what a large launch moves in which every row counts, by the formula in the header of",
        "the source.",
        "Nothing here was measured on a GPU.",
        "",
        "| kernel | source | variant | "
        + " | ".join(f"sm_{arch}" for arch in ARCHITECTURES)
        + " | ceiling | shared memory | bytes per element |",
        "|---|---|---|" + "---|" * (len(ARCHITECTURES) + 3),
    ]
    for module, variants in registry.MODULES.items():
        for entry in registry.entries(module):
            for variant in variants:
                of_entry = [made[module, variant, arch, entry] for arch in ARCHITECTURES]
                registers = " | ".join(str(one.registers) for one in of_entry)
                ceiling = declared.ceilings(module)[entry][variant]
                elements = declared.per_element(module, entry, variant)
                lines.append(
                    f"| `{entry}` | `{module}.cu` | {variant} | {registers} | {ceiling} "
                    f"| {max(one.shared for one in of_entry)} | {'' if elements is None else elements} |"
                )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; see the head of this file for what it exits with."""
    parser = argparse.ArgumentParser(prog="python -m impl_gpu.kernels.compile_gate", description=__doc__)
    parser.add_argument("--arch", nargs="+", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    parser.add_argument("--write", type=Path, metavar="FILE", help="the table, as Markdown")
    options = parser.parse_args(arguments)
    architectures = tuple(arch for arch in ARCHITECTURES if arch in options.arch)
    if options.write and architectures != ARCHITECTURES:
        parser.error("--write takes all architectures")
    say = sys.stdout.write
    try:
        version = nvrtc_version()
        compiled = compile_all(architectures)
    except NotJudgedError as error:
        say(f"compile gate: NOT JUDGED: {error}\n")
        return 2
    except CompileError as error:
        say(f"compile gate: FAILED: {error}\n")
        return 1
    wrong = findings(compiled, architectures, version == NVRTC)
    for sentence in wrong:
        say(f"compile gate: {sentence}\n")
    named = f"{len(compiled)} entry points for sm_{', sm_'.join(architectures)} by NVRTC {version[0]}.{version[1]}"
    if wrong:
        say(f"compile gate: FAILED: {len(wrong)} findings in {named}\n")
        return 1
    if version != NVRTC:
        say(f"compile gate: NOT JUDGED: {named}; ceilings and the table are for {NVRTC[0]}.{NVRTC[1]}: {WHEELS}\n")
        return 2
    if options.write:
        options.write.write_text(table(compiled, version), encoding="utf-8")
    say(f"compile gate: passed: {named}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
